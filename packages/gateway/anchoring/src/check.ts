import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { entryLeaf, isIncluded, verifyHead } from '@nexus/vault'
import type { ProofBundle } from './bundle.ts'
import type { Statement } from './chain.ts'

/** How far a proof reaches, each level on top of the one before (docs/spec/anchoring.md). */
export type Level = 'gateway-signed' | 'read-from-chain' | 'proved'

/** Why a bundle proves nothing. */
export type Fault = 'other-key' | 'signature' | 'inclusion'

/**
 * What is wrong with a bundle at the level that needs no chain: the head is signed by its key, by `trustedKey` where one
 * is given, and the entry stands under it. `undefined` where all of that holds.
 */
export function bundleFault(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  { entry, inclusion, head, publicKey }: ProofBundle,
  trustedKey?: Uint8Array,
): Fault | undefined {
  if (trustedKey !== undefined && !equalBytes(trustedKey, publicKey)) return 'other-key'
  if (!verifyHead(crypto, publicKey, head)) return 'signature'
  const leaf = entryLeaf(crypto, entry)
  return isIncluded(crypto, leaf, entry.index, head.size, inclusion, head.root) ? undefined : 'inclusion'
}

/** What a chain must hold for a bundle. */
export function statementOf({ head: { logId, size, root } }: Pick<ProofBundle, 'head'>): Statement {
  return { logId, size, root }
}

import { AllocationError, policyOf, type Split, split } from '@nexus/allocation'
import { equalBytes, fromHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { entryLeaf, isIncluded, type LedgerEntry, verifyHead } from '@nexus/vault'
import { prettifyError, type z } from 'zod'
import { inclusionProof } from './http/schemas.ts'

/** Text that is no proof at all, whatever it might prove. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
}

/** What a proof shows. */
export interface Verdict {
  readonly holds: boolean
  /** Where it does not hold. */
  readonly why?: string
  readonly index: number
  readonly size: number
  /** Key that signed the head, in hexadecimal. */
  readonly publicKey: string
  /** Whether that is the key that the reader named. */
  readonly isKnownKey: boolean
}

/**
 * Checks a proof of an entry by itself: split, inclusion, signature. Trusts the key that the reader names, or none.
 * @throws {ProofError} for text that is no proof
 */
export function verifyProof(crypto: Crypto, text: string, known?: Uint8Array | ''): Verdict {
  const proof = readProof(text)
  const publicKey = fromHex(proof.publicKey)
  const { entry, head } = proof
  const held: LedgerEntry = {
    index: entry.index,
    id: fromHex(entry.id),
    actor: fromHex(entry.actor),
    account: fromHex(entry.account),
    amount: BigInt(entry.amount),
    creator: BigInt(entry.creator),
    pool: BigInt(entry.pool),
    fee: BigInt(entry.fee),
    policy: entry.policy,
    timeMs: entry.timeMs,
    idempotency: fromHex(entry.idempotency),
  }
  const root = fromHex(head.root)
  const signed = {
    logId: fromHex(head.logId),
    size: head.size,
    root,
    timeMs: head.timeMs,
    signature: fromHex(head.signature),
  }
  const isKnownKey = known !== undefined && known !== '' && equalBytes(known, publicKey)
  const facts = { index: held.index, size: head.size, publicKey: proof.publicKey, isKnownKey }
  const wrong = (why: string): Verdict => ({ holds: false, why, ...facts })
  if (known !== undefined && known !== '' && !isKnownKey) return wrong('it is signed by another key')
  const parts = partsOf(held)
  if (parts?.creator !== held.creator || parts.pool !== held.pool || parts.fee !== held.fee) {
    return wrong('the entry is not split by its policy')
  }
  if (!verifyHead(crypto, publicKey, signed)) return wrong('the head is not signed by the key')
  const path = proof.inclusion.map(fromHex)
  if (!isIncluded(crypto, entryLeaf(crypto, held), held.index, head.size, path, root)) {
    return wrong('the entry is not under the root')
  }
  return { holds: true, ...facts }
}

function readProof(text: string): z.infer<typeof inclusionProof> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ProofError('this is no proof: not JSON', { cause })
  }
  const { data, error } = inclusionProof.safeParse(json)
  if (error !== undefined) throw new ProofError(`this is no proof:\n${prettifyError(error)}`, { cause: error })
  return data
}

/** `undefined` where its policy is unknown or would not take the amount. */
function partsOf({ amount, policy }: LedgerEntry): Split | undefined {
  try {
    return split(amount, policyOf(policy))
  } catch (error) {
    if (error instanceof AllocationError) return undefined
    throw error
  }
}

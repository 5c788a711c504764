import { verifyMerkleProof } from '@ethereumjs/mpt'
import { equalBytes } from '@nexus/codec'
import { fromRlp, keccak256 } from 'viem'
import type { Statement } from '../chain.ts'
import type { EvmProof, EvmReceipt } from '../receipt.ts'
import { hex, rootSlot, STATE_ANCHOR_CODE_HASH } from './contract.ts'

/** Why a proof does not reach from a block's hash to the head. */
export type ProofFault = 'absent' | 'block' | 'header' | 'account' | 'code' | 'storage' | 'root'

const STATE_ROOT_AT = 3
const NUMBER_AT = 8
const TIMESTAMP_AT = 11
const ACCOUNT_FIELDS = 4

/**
 * What is wrong with a receipt's proof against a block hash that the reader trusts; `undefined` where the state after
 * that block holds the statement in a StateAnchor's storage. Asks nobody anything.
 */
export async function proofFault(
  { contract, anchorer, proof }: EvmReceipt,
  statement: Statement,
  trustedBlockHash: Uint8Array,
): Promise<ProofFault | undefined> {
  if (proof === undefined) return 'absent'
  if (!equalBytes(keccak256(proof.header, 'bytes'), trustedBlockHash)) return 'block'
  const stateRoot = listOf(proof.header)?.[STATE_ROOT_AT]
  if (stateRoot?.length !== 32) return 'header'
  const account = await walk(stateRoot, contract, proof.account)
  const fields = account && listOf(account)
  if (fields?.length !== ACCOUNT_FIELDS) return 'account'
  const [, , storageRoot, codeHash] = fields
  if (codeHash === undefined || hex(codeHash) !== STATE_ANCHOR_CODE_HASH) return 'code'
  if (storageRoot?.length !== 32) return 'account'
  const slot = await walk(storageRoot, rootSlot(anchorer, statement), proof.storage)
  const word = slot && wordOf(slot)
  if (word === undefined) return 'storage'
  return equalBytes(word, statement.root) ? undefined : 'root'
}

/** The block that a proof is of: what its reader has to trust. `undefined` for a header that is none. */
export function provedBlock({ header }: EvmProof): EvmReceipt['block'] | undefined {
  const fields = listOf(header)
  const [number, seconds] = [countOf(fields?.[NUMBER_AT]), countOf(fields?.[TIMESTAMP_AT])]
  if (number === undefined || seconds === undefined) return undefined
  return { number, hash: keccak256(header, 'bytes'), timeMs: seconds * 1_000 }
}

function countOf(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined || bytes.length > 5) return undefined
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** The value that a Merkle-Patricia proof leads to; `undefined` for none, or for nodes that are no proof. */
async function walk(root: Uint8Array, key: Uint8Array, nodes: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
  try {
    return (await verifyMerkleProof(key, [...nodes], { root, useKeyHashing: true })) ?? undefined
  } catch {
    return undefined
  }
}

/** The items of an RLP list of strings. */
function listOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const decoded = rlp(bytes)
  if (!Array.isArray(decoded)) return undefined
  return decoded.every((item): item is Uint8Array => item instanceof Uint8Array) ? decoded : undefined
}

/** A storage word: RLP of its bytes without leading zeros. */
function wordOf(bytes: Uint8Array): Uint8Array | undefined {
  const decoded = rlp(bytes)
  if (!(decoded instanceof Uint8Array) || decoded.length > 32) return undefined
  const word = new Uint8Array(32)
  word.set(decoded, 32 - decoded.length)
  return word
}

function rlp(bytes: Uint8Array): unknown {
  try {
    return fromRlp(bytes, 'bytes')
  } catch {
    return undefined
  }
}

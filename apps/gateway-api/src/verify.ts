import { policyOf, split } from '@nexus/allocation'
import { equalBytes, fromHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { entryLeaf, isIncluded, type LedgerEntry, verifyHead } from '@nexus/vault'
import { inclusionProof } from './http/schemas.ts'

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

/** Checks a proof of an entry by itself: split, inclusion, signature. Trusts the key that the reader names, or none. */
export function verifyProof(crypto: Crypto, text: string, known?: Uint8Array | ''): Verdict {
  const proof = inclusionProof.parse(JSON.parse(text))
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
  const parts = split(held.amount, policyOf(held.policy))
  if (parts.creator !== held.creator || parts.pool !== held.pool || parts.fee !== held.fee) {
    return wrong('the entry is not split by its policy')
  }
  if (!verifyHead(crypto, publicKey, signed)) return wrong('the head is not signed by the key')
  const path = proof.inclusion.map(fromHex)
  if (!isIncluded(crypto, entryLeaf(crypto, held), held.index, head.size, path, root)) {
    return wrong('the entry is not under the root')
  }
  return { holds: true, ...facts }
}

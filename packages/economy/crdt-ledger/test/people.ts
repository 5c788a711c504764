import {
  CLOSE_TAG,
  closeSignedBytes,
  encodeClose,
  encodeSettlement,
  NO_SIGNATURE,
  OPENING_BALANCE_MICRO,
  SETTLEMENT_TAG,
  type Settlement,
  STATE_TAG,
  type StateTail,
  settlementSignedBytes,
  stateSignedBytes,
} from '@nexus/channels'
import { compareBytes } from '@nexus/codec'
import type { LedgerRecord, Snapshot } from '@nexus/crdt-ledger'
import { genesisSnapshot } from '@nexus/crdt-ledger'
import { createIdentity, type Identity } from '@nexus/identity'
import { crypto, hash } from './kit.ts'

export const fast = crypto
export const NETWORK: Uint8Array = hash(Uint8Array.of(1)).slice(0, 16)
export const OTHER_NETWORK: Uint8Array = hash(Uint8Array.of(2)).slice(0, 16)

const identities = new Map<string, Identity>()

/** Someone with real keys. */
export function person(name: string): Identity {
  const known = identities.get(name) ?? createIdentity(fast, hash(new TextEncoder().encode(name)))
  identities.set(name, known)
  return known
}

export interface Paying {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly seq: bigint
  readonly final?: bigint
  readonly channel?: number
  readonly network?: Uint8Array
}

const ordered = (one: Identity, other: Identity): [Identity, Identity] =>
  compareBytes(one.nodeId, other.nodeId) < 0 ? [one, other] : [other, one]

export function signedSettlement(paying: Paying): Settlement {
  const { from, to, amount, seq, final = seq, channel = 0, network = NETWORK } = paying
  const payer = person(from)
  const [a, b] = ordered(payer, person(to))
  const unsigned: Settlement = {
    channelId: new Uint8Array(16).fill(channel),
    keyA: a.publicKey,
    keyB: b.publicKey,
    amountAToBMicro: a === payer ? amount : -amount,
    prevSequence: 0n,
    finalSequence: final,
    payerSeq: seq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  const bytes = settlementSignedBytes(unsigned)
  const [signatureA, signatureB] = [a, b].map((party) => party.sign(SETTLEMENT_TAG, network, bytes)) as [
    Uint8Array,
    Uint8Array,
  ]
  return { ...unsigned, signatureA, signatureB }
}

export const signedPayment = (paying: Paying): LedgerRecord => ({
  kind: 'settlement',
  body: encodeSettlement(signedSettlement(paying)),
})

/** A close of a channel in which `from` owes `to`, after a base at sequence 0. */
export function signedClose(from: string, to: string, owed: bigint, last: bigint, closer: string): LedgerRecord {
  const payer = person(from)
  const [a, b] = ordered(payer, person(to))
  const channelId = new Uint8Array(16)
  const tail = (sequence: bigint, paid: bigint): StateTail => {
    const numbers = {
      balanceAMicro: OPENING_BALANCE_MICRO - (a === payer ? paid : -paid),
      balanceBMicro: OPENING_BALANCE_MICRO + (a === payer ? paid : -paid),
      sequence,
    }
    const unsigned = { signatureA: NO_SIGNATURE, signatureB: NO_SIGNATURE }
    const state = { channelId, partyA: a.nodeId, partyB: b.nodeId, ...numbers, ...unsigned }
    const bytes = stateSignedBytes(state)
    const [signatureA, signatureB] = [a, b].map((party) => party.sign(STATE_TAG, NETWORK, bytes)) as [
      Uint8Array,
      Uint8Array,
    ]
    return { ...numbers, signatureA, signatureB }
  }
  const draft = {
    channelId,
    keyA: a.publicKey,
    keyB: b.publicKey,
    base: tail(0n, 0n),
    last: tail(last, owed),
    closer: person(closer) === a ? ('a' as const) : ('b' as const),
    epoch: 0n,
  }
  const signature = person(closer).sign(CLOSE_TAG, NETWORK, closeSignedBytes(draft))
  return { kind: 'close', body: encodeClose({ ...draft, signature }) }
}

export function fundedGenesis(balances: Readonly<Record<string, bigint>>): Snapshot {
  return genesisSnapshot(
    hash,
    Object.entries(balances).map(([name, balance]) => [person(name).nodeId, balance]),
  )
}

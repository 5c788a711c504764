import {
  type ChannelState,
  CLOSE_TAG,
  type CloseRecord,
  closeSignedBytes,
  NO_SIGNATURE,
  openingState,
  SETTLEMENT_TAG,
  type Settlement,
  STATE_TAG,
  settlementSignedBytes,
  stateSignedBytes,
} from '@nexus/channels'
import { compareBytes, encodeUtf8 } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { createIdentity, type Identity, nodeIdOf } from '@nexus/identity'

export const NETWORK_ID: Uint8Array = new Uint8Array(16).fill(0x4e)
export const NO_HASH: Uint8Array = new Uint8Array(16)

/** The seeds of {@link twoParties}. */
export function twoSeeds(crypto: Crypto, seed = 'parties'): { a: Uint8Array; b: Uint8Array } {
  const [first, second] = [1, 2].map((n) => crypto.blake3(encodeUtf8(`${seed} ${n}`))) as [Uint8Array, Uint8Array]
  const idOf = (each: Uint8Array) => nodeIdOf(crypto, crypto.publicKey(each))
  return compareBytes(idOf(first), idOf(second)) < 0 ? { a: first, b: second } : { a: second, b: first }
}

/** Two identities in the order of their NodeIDs. */
export function twoParties(crypto: Crypto, seed = 'parties'): { a: Identity; b: Identity } {
  const { a, b } = twoSeeds(crypto, seed)
  return { a: createIdentity(crypto, a), b: createIdentity(crypto, b) }
}

/** State `sequence` of a channel in which a has paid `paidMicro` to b since it was opened. */
export function signedState(
  crypto: Crypto,
  { a, b }: { a: Identity; b: Identity },
  sequence: bigint,
  paidMicro: bigint,
  networkId = NETWORK_ID,
): ChannelState {
  const opening = openingState(crypto, a.nodeId, b.nodeId, new Uint8Array(16).fill(7))
  const state: ChannelState = {
    ...opening,
    balanceAMicro: opening.balanceAMicro - paidMicro,
    balanceBMicro: opening.balanceBMicro + paidMicro,
    sequence,
  }
  const signed = stateSignedBytes(state)
  return {
    ...state,
    signatureA: a.sign(STATE_TAG, networkId, signed),
    signatureB: b.sign(STATE_TAG, networkId, signed),
  }
}

export function signedSettlement(
  { a, b }: { a: Identity; b: Identity },
  fields: Partial<Settlement> = {},
  networkId = NETWORK_ID,
): Settlement {
  const settlement: Settlement = {
    channelId: new Uint8Array(16).fill(9),
    keyA: a.publicKey,
    keyB: b.publicKey,
    amountAToBMicro: 5_000n,
    prevSequence: 0n,
    finalSequence: 3n,
    payerSeq: 1n,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
    ...fields,
  }
  const signed = settlementSignedBytes(settlement)
  return {
    ...settlement,
    signatureA: a.sign(SETTLEMENT_TAG, networkId, signed),
    signatureB: b.sign(SETTLEMENT_TAG, networkId, signed),
  }
}

export function signedClose(
  { a, b }: { a: Identity; b: Identity },
  base: ChannelState,
  last: ChannelState,
  closer: 'a' | 'b',
  networkId = NETWORK_ID,
): CloseRecord {
  const draft = { channelId: base.channelId, keyA: a.publicKey, keyB: b.publicKey, base, last, closer, epoch: 4n }
  return { ...draft, signature: (closer === 'a' ? a : b).sign(CLOSE_TAG, networkId, closeSignedBytes(draft)) }
}

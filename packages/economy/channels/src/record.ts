import { ByteReader, ByteWriter, concatBytes, equalBytes } from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES } from '@nexus/crypto'
import { type CloseRecord, decodeClose, encodeClose } from './close-record.ts'
import { ChannelError } from './errors.ts'
import { CLAIM_BODY_MAX_BYTES, CLOSE_BYTES, NONCE_BYTES, OFFERS_MAX, SETTLEMENT_BYTES, STATE_BYTES } from './limits.ts'
import { decodeSettlement, encodeSettlement, type Settlement } from './settlement.ts'
import { type ChannelState, decodeState, encodeState } from './state.ts'

/** A payment that this side has signed as payer and its peer not yet. */
export interface Pending {
  readonly state: ChannelState
  /** Empty where it was paid by a state before, and this one is only to be answered. */
  readonly claim: Uint8Array
  readonly paidMicro: bigint
}

/** The state that a settlement is to end at, and the number of the debit: a payer's draft, or a payee's offer. */
export interface Terms {
  readonly state: ChannelState
  readonly payerSeq: bigint
}

/** Why nothing more is signed on a channel. */
export const HALT = { none: 0, fork: 1, closing: 2 } as const
export type Halt = (typeof HALT)[keyof typeof HALT]

/** All that must survive of one channel. */
export interface ChannelRecord {
  readonly peerKey: Uint8Array
  /** Present while this side waits for OPENED: of its OPEN. */
  readonly openingNonce: Uint8Array | undefined
  /** The dual-signed state of the greatest sequence; half-signed while opening. */
  readonly newest: ChannelState
  /** The state at the last settled sequence, or state 0; absent: settled further than any state that is held here. */
  readonly base: ChannelState | undefined
  /** The greatest sequence ever signed here. */
  readonly ownSequence: bigint
  readonly pending: Pending | undefined
  readonly draft: Terms | undefined
  readonly offers: readonly Terms[]
  /** Signed by both, and not yet seen applied in the ledger. */
  readonly settlement: Settlement | undefined
  readonly halt: Halt
  readonly close: CloseRecord | undefined
  readonly packetsPaid: bigint
  readonly heardEpoch: bigint
}

const VERSION = 1
const CHECKSUM_BYTES = 8
const HAS = { nonce: 1, pending: 2, draft: 4, settlement: 8, close: 16, base: 32 } as const

/** The record as bytes, a checksum at its end: a torn write is seen as such. */
export function encodeRecord(crypto: Crypto, record: ChannelRecord): Uint8Array {
  const { openingNonce, base, pending, draft, settlement, close } = record
  const has = (present: unknown, bit: number) => (present === undefined ? 0 : bit)
  const head = new ByteWriter(2 + PUBLIC_KEY_BYTES + 8 + 1 + 8 + 8 + 1)
    .u8(VERSION)
    .u8(
      has(openingNonce, HAS.nonce) |
        has(pending, HAS.pending) |
        has(draft, HAS.draft) |
        has(settlement, HAS.settlement) |
        has(close, HAS.close) |
        has(base, HAS.base),
    )
    .bytes(record.peerKey, PUBLIC_KEY_BYTES)
    .u64(record.ownSequence)
    .u8(record.halt)
    .u64(record.packetsPaid)
    .u64(record.heardEpoch)
    .u8(record.offers.length)
    .finish()
  const parts = [head, encodeState(record.newest)]
  if (base !== undefined) parts.push(encodeState(base))
  if (openingNonce !== undefined) parts.push(openingNonce)
  if (pending !== undefined) parts.push(encodePending(pending))
  if (draft !== undefined) parts.push(encodeTerms(draft))
  for (const offer of record.offers) parts.push(encodeTerms(offer))
  if (settlement !== undefined) parts.push(encodeSettlement(settlement))
  if (close !== undefined) parts.push(encodeClose(close))
  const body = concatBytes(...parts)
  return concatBytes(body, checksum(crypto, body))
}

/** Reads what {@link encodeRecord} wrote. @throws {ChannelError} `channels/record` for anything else */
export function decodeRecord(crypto: Crypto, bytes: Uint8Array): ChannelRecord {
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES))
  if (!equalBytes(bytes.subarray(body.length), checksum(crypto, body))) throw unreadable()
  const reader = new ByteReader(body, unreadable)
  if (reader.u8() !== VERSION) throw unreadable()
  const flags = reader.u8()
  const peerKey = reader.bytes(PUBLIC_KEY_BYTES)
  const ownSequence = reader.u64()
  const halt = reader.u8() as Halt
  const [packetsPaid, heardEpoch] = [reader.u64(), reader.u64()]
  const offersCount = reader.u8()
  if (halt > HALT.closing || offersCount > OFFERS_MAX) throw unreadable()
  const newest = decodeState(reader.bytes(STATE_BYTES))
  const when = <T>(bit: number, read: () => T): T | undefined => ((flags & bit) === 0 ? undefined : read())
  const record: ChannelRecord = {
    peerKey,
    ownSequence,
    halt,
    packetsPaid,
    heardEpoch,
    newest,
    base: when(HAS.base, () => decodeState(reader.bytes(STATE_BYTES))),
    openingNonce: when(HAS.nonce, () => reader.bytes(NONCE_BYTES)),
    pending: when(HAS.pending, () => readPending(reader)),
    draft: when(HAS.draft, () => readTerms(reader)),
    offers: Array.from({ length: offersCount }, () => readTerms(reader)),
    settlement: when(HAS.settlement, () => decodeSettlement(reader.bytes(SETTLEMENT_BYTES))),
    close: when(HAS.close, () => decodeClose(reader.bytes(CLOSE_BYTES))),
  }
  reader.end()
  return record
}

function encodePending({ state, claim, paidMicro }: Pending): Uint8Array {
  return new ByteWriter(STATE_BYTES + 8 + 2 + claim.length)
    .bytes(encodeState(state))
    .u64(paidMicro)
    .u16(claim.length)
    .bytes(claim)
    .finish()
}

function readPending(reader: ByteReader): Pending {
  const state = decodeState(reader.bytes(STATE_BYTES))
  const paidMicro = reader.u64()
  const claimBytes = reader.u16()
  if (claimBytes > CLAIM_BODY_MAX_BYTES) throw unreadable()
  return { state, paidMicro, claim: reader.bytes(claimBytes) }
}

function encodeTerms({ state, payerSeq }: Terms): Uint8Array {
  return new ByteWriter(STATE_BYTES + 8).bytes(encodeState(state)).u64(payerSeq).finish()
}

function readTerms(reader: ByteReader): Terms {
  return { state: decodeState(reader.bytes(STATE_BYTES)), payerSeq: reader.u64() }
}

function checksum(crypto: Crypto, body: Uint8Array): Uint8Array {
  return crypto.blake3(body).subarray(0, CHECKSUM_BYTES)
}

function unreadable(): ChannelError {
  return new ChannelError({ code: 'channels/record' })
}

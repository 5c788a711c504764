import { ByteReader, ByteWriter, type CodecErrorDetail } from '@nexus/codec'
import { SIGNATURE_BYTES } from '@nexus/crypto'
import { ChannelError } from './errors.ts'
import {
  CHANNEL_ID_BYTES,
  CLAIM_BODY_MAX_BYTES,
  JUMP_MAX,
  JUMP_MIN,
  NONCE_BYTES,
  SHORT_HASH_BYTES,
  STATE_BYTES,
} from './limits.ts'
import { type ChannelState, decodeState, encodeState } from './state.ts'

/** First byte of a channel message: the second of a link message of type 4. The lottery has 12 to 14. */
export const CHANNEL_MESSAGE = {
  open: 1,
  opened: 2,
  reestablish: 3,
  state: 4,
  claim: 5,
  update: 6,
  accept: 7,
  refuse: 8,
  settleAsk: 9,
  settleSeq: 10,
  settleSig: 11,
} as const

/** Why a slot ended with nothing signed. Codes from 32 on are the lottery's. */
export const REFUSAL = { busy: 1, sequence: 2, readOnly: 3, amount: 4, full: 5, settlement: 6 } as const
/** The first refusal code that is not the channel's own. */
export const REFUSAL_OF_CLAIM = 32

/** What a side knows at the start of a link (docs/spec/channels.md, Re-establishing). */
export interface Standing {
  readonly channelId: Uint8Array
  /** Sequence of the newest dual-signed state, and its hash. */
  readonly newestSequence: bigint
  readonly newestHash: Uint8Array
  /** The greatest sequence that this side ever signed, as far as it remembers. */
  readonly ownSequence: bigint
  /** 0, or 2^32 … 2^44. */
  readonly jump: bigint
}

export type ChannelMessage =
  | { readonly kind: 'open'; readonly nonce: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'opened'; readonly signature: Uint8Array }
  | ({ readonly kind: 'reestablish' } & Standing)
  | { readonly kind: 'state'; readonly state: ChannelState }
  | { readonly kind: 'claim'; readonly sequence: bigint; readonly body: Uint8Array }
  | {
      readonly kind: 'update'
      readonly sequence: bigint
      readonly balanceAMicro: bigint
      readonly signature: Uint8Array
    }
  | { readonly kind: 'accept'; readonly sequence: bigint; readonly signature: Uint8Array }
  | { readonly kind: 'refuse'; readonly sequence: bigint; readonly code: number }
  | { readonly kind: 'settleAsk' }
  | { readonly kind: 'settleSeq'; readonly finalSequence: bigint; readonly payerSeq: bigint }
  | { readonly kind: 'settleSig'; readonly hash: Uint8Array; readonly signature: Uint8Array }

/**
 * Writes the body of a link message of type 4 (docs/spec/channels.md, Messages). Little-endian, type u8 first.
 *
 * | type | message     | then                                                                         | bytes |
 * | ---: | ----------- | ---------------------------------------------------------------------------- | ----: |
 * |    1 | open        | nonce 16, signature 64                                                       |    81 |
 * |    2 | opened      | signature 64                                                                 |    65 |
 * |    3 | reestablish | channel id 16, newest u64, its hash 16, own u64, jump u64                    |    57 |
 * |    4 | state       | a state, 200                                                                 |   201 |
 * |    5 | claim       | sequence u64, body 1 … 475                                                   | ≤ 484 |
 * |    6 | update      | sequence u64, balance a u64, signature 64                                    |    81 |
 * |    7 | accept      | sequence u64, signature 64                                                   |    73 |
 * |    8 | refuse      | sequence u64, code u8                                                        |    10 |
 * |    9 | settle-ask  |                                                                              |     1 |
 * |   10 | settle-seq  | final u64, payer seq u64                                                     |    17 |
 * |   11 | settle-sig  | hash 16, signature 64                                                        |    81 |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeChannelMessage(message: ChannelMessage): Uint8Array {
  const { kind } = message
  const begin = (bytes: number) => new ByteWriter(1 + bytes).u8(CHANNEL_MESSAGE[kind])
  switch (kind) {
    case 'open':
      return begin(NONCE_BYTES + SIGNATURE_BYTES)
        .bytes(message.nonce, NONCE_BYTES)
        .bytes(message.signature, SIGNATURE_BYTES)
        .finish()
    case 'opened':
      return begin(SIGNATURE_BYTES).bytes(message.signature, SIGNATURE_BYTES).finish()
    case 'reestablish':
      return encodeStanding(begin(CHANNEL_ID_BYTES + SHORT_HASH_BYTES + 24), message)
    case 'state':
      return begin(STATE_BYTES).bytes(encodeState(message.state)).finish()
    case 'claim':
      checkClaimLength(message.body)
      return begin(8 + message.body.length)
        .u64(message.sequence)
        .bytes(message.body)
        .finish()
    case 'update':
      return begin(16 + SIGNATURE_BYTES)
        .u64(message.sequence)
        .u64(message.balanceAMicro)
        .bytes(message.signature, SIGNATURE_BYTES)
        .finish()
    case 'accept':
      return begin(8 + SIGNATURE_BYTES)
        .u64(message.sequence)
        .bytes(message.signature, SIGNATURE_BYTES)
        .finish()
    case 'refuse':
      return begin(9).u64(message.sequence).u8(message.code).finish()
    case 'settleAsk':
      return begin(0).finish()
    case 'settleSeq':
      return begin(16).u64(message.finalSequence).u64(message.payerSeq).finish()
    case 'settleSig':
      return begin(SHORT_HASH_BYTES + SIGNATURE_BYTES)
        .bytes(message.hash, SHORT_HASH_BYTES)
        .bytes(message.signature, SIGNATURE_BYTES)
        .finish()
  }
}

/**
 * Reads what {@link encodeChannelMessage} wrote; the result holds copies.
 * @throws {ChannelError} `channels/length`, `channels/message`, `channels/jump`, and those of `decodeState`
 */
export function decodeChannelMessage(bytes: Uint8Array): ChannelMessage {
  const reader = new ByteReader(bytes, (detail) => asChannelError(detail, bytes.length))
  const type = reader.u8()
  const message = readMessage(reader, type)
  reader.end()
  return message
}

function readMessage(reader: ByteReader, type: number): ChannelMessage {
  switch (type) {
    case CHANNEL_MESSAGE.open:
      return { kind: 'open', nonce: reader.bytes(NONCE_BYTES), signature: reader.bytes(SIGNATURE_BYTES) }
    case CHANNEL_MESSAGE.opened:
      return { kind: 'opened', signature: reader.bytes(SIGNATURE_BYTES) }
    case CHANNEL_MESSAGE.reestablish:
      return { kind: 'reestablish', ...readStanding(reader) }
    case CHANNEL_MESSAGE.state:
      return { kind: 'state', state: decodeState(reader.rest()) }
    case CHANNEL_MESSAGE.claim: {
      const sequence = reader.u64()
      const body = reader.bytes(Math.min(Math.max(reader.remaining, 1), CLAIM_BODY_MAX_BYTES))
      return { kind: 'claim', sequence, body }
    }
    case CHANNEL_MESSAGE.update: {
      const [sequence, balanceAMicro] = [reader.u64(), reader.u64()]
      return { kind: 'update', sequence, balanceAMicro, signature: reader.bytes(SIGNATURE_BYTES) }
    }
    case CHANNEL_MESSAGE.accept:
      return { kind: 'accept', sequence: reader.u64(), signature: reader.bytes(SIGNATURE_BYTES) }
    case CHANNEL_MESSAGE.refuse:
      return { kind: 'refuse', sequence: reader.u64(), code: reader.u8() }
    case CHANNEL_MESSAGE.settleAsk:
      return { kind: 'settleAsk' }
    case CHANNEL_MESSAGE.settleSeq:
      return { kind: 'settleSeq', finalSequence: reader.u64(), payerSeq: reader.u64() }
    case CHANNEL_MESSAGE.settleSig:
      return { kind: 'settleSig', hash: reader.bytes(SHORT_HASH_BYTES), signature: reader.bytes(SIGNATURE_BYTES) }
    default:
      throw new ChannelError({ code: 'channels/message', type })
  }
}

function encodeStanding(writer: ByteWriter, standing: Standing): Uint8Array {
  if (!isJump(standing.jump)) throw new RangeError(`${standing.jump} is no jump`)
  return writer
    .bytes(standing.channelId, CHANNEL_ID_BYTES)
    .u64(standing.newestSequence)
    .bytes(standing.newestHash, SHORT_HASH_BYTES)
    .u64(standing.ownSequence)
    .u64(standing.jump)
    .finish()
}

function readStanding(reader: ByteReader): Standing {
  const standing = {
    channelId: reader.bytes(CHANNEL_ID_BYTES),
    newestSequence: reader.u64(),
    newestHash: reader.bytes(SHORT_HASH_BYTES),
    ownSequence: reader.u64(),
    jump: reader.u64(),
  }
  if (!isJump(standing.jump)) throw new ChannelError({ code: 'channels/jump', jump: standing.jump })
  return standing
}

function isJump(jump: bigint): boolean {
  return jump === 0n || (jump >= JUMP_MIN && jump <= JUMP_MAX)
}

function checkClaimLength(body: Uint8Array): void {
  if (body.length > 0 && body.length <= CLAIM_BODY_MAX_BYTES) return
  throw new RangeError(`a claim has 1 to ${CLAIM_BODY_MAX_BYTES} bytes, not ${body.length}`)
}

function asChannelError(detail: CodecErrorDetail, gotBytes: number): ChannelError {
  const wantBytes = 'wantBytes' in detail ? detail.at + detail.wantBytes : detail.at
  return new ChannelError({ code: 'channels/length', wantBytes, gotBytes })
}

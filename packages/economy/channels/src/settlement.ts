import { ByteReader, ByteWriter, compareBytes, equalBytes } from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { ChannelError } from './errors.ts'
import {
  CHANNEL_ID_BYTES,
  PAYER_SEQ_FIRST,
  PAYER_SEQ_MAX,
  SEQUENCE_LIMIT,
  SETTLEMENT_AMOUNT_MIN_MICRO,
  SETTLEMENT_BYTES,
  SETTLEMENT_SIGNED_BYTES,
} from './limits.ts'
import { holds, lengthError } from './state.ts'

/** Signing tag of settlements; the network id follows it. */
export const SETTLEMENT_TAG = 'nxs-sett'

/** What a channel moved between two of its states, as both parties tell the ledger. */
export interface Settlement {
  readonly channelId: Uint8Array
  /** Ed25519 public keys; the NodeID of `keyA` is below that of `keyB`. */
  readonly keyA: Uint8Array
  readonly keyB: Uint8Array
  /** μNXS from a to b; negative: from b to a. At least 1 000 either way, never −2^63. */
  readonly amountAToBMicro: bigint
  readonly prevSequence: bigint
  /** Above `prevSequence`. */
  readonly finalSequence: bigint
  /** Number of this debit among all of the payer's, 1 … 2^64 − 2. */
  readonly payerSeq: bigint
  readonly signatureA: Uint8Array
  readonly signatureB: Uint8Array
}

/** Which side a settlement debits. */
export function payerSide(settlement: Pick<Settlement, 'amountAToBMicro'>): 'a' | 'b' {
  return settlement.amountAToBMicro > 0n ? 'a' : 'b'
}

/**
 * Writes a settlement (docs/spec/channels.md). Little-endian; the first 112 bytes are what is signed, after tag and
 * network id.
 *
 * |  at | bytes | field           | values                                             |
 * | --: | ----: | --------------- | -------------------------------------------------- |
 * |   0 |    16 | channel id      |                                                    |
 * |  16 |    32 | key a           | Ed25519                                            |
 * |  48 |    32 | key b           | another                                            |
 * |  80 |     8 | amount a to b   | i64, μNXS; its magnitude at least 1 000, not −2^63 |
 * |  88 |     8 | prev sequence   |                                                    |
 * |  96 |     8 | final sequence  | above prev, below 2^63                             |
 * | 104 |     8 | payer seq       | 1 … 2^64 − 2                                       |
 * | 112 |    64 | signature a     |                                                    |
 * | 176 |    64 | signature b     |                                                    |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeSettlement(settlement: Settlement): Uint8Array {
  const fault = settlementFault(settlement)
  if (fault !== undefined) throw new RangeError(fault.message)
  return new ByteWriter(SETTLEMENT_BYTES)
    .bytes(settlementSignedBytes(settlement))
    .bytes(settlement.signatureA, SIGNATURE_BYTES)
    .bytes(settlement.signatureB, SIGNATURE_BYTES)
    .finish()
}

/**
 * Reads what {@link encodeSettlement} wrote; the result holds copies. Order of the parties and signatures are for
 * {@link verifySettlement}.
 * @throws {ChannelError} `channels/length`, `channels/parties`, `channels/amount`, `channels/sequence`,
 * `channels/payer-seq`
 */
export function decodeSettlement(bytes: Uint8Array): Settlement {
  if (bytes.length !== SETTLEMENT_BYTES) throw lengthError(SETTLEMENT_BYTES, bytes)
  const reader = new ByteReader(bytes)
  const settlement: Settlement = {
    channelId: reader.bytes(CHANNEL_ID_BYTES),
    keyA: reader.bytes(PUBLIC_KEY_BYTES),
    keyB: reader.bytes(PUBLIC_KEY_BYTES),
    amountAToBMicro: reader.i64(),
    prevSequence: reader.u64(),
    finalSequence: reader.u64(),
    payerSeq: reader.u64(),
    signatureA: reader.bytes(SIGNATURE_BYTES),
    signatureB: reader.bytes(SIGNATURE_BYTES),
  }
  const fault = settlementFault(settlement)
  if (fault !== undefined) throw fault
  return settlement
}

/** The 112 bytes that both parties sign, and that are the record's identity. */
export function settlementSignedBytes(settlement: Settlement): Uint8Array {
  return new ByteWriter(SETTLEMENT_SIGNED_BYTES)
    .bytes(settlement.channelId, CHANNEL_ID_BYTES)
    .bytes(settlement.keyA, PUBLIC_KEY_BYTES)
    .bytes(settlement.keyB, PUBLIC_KEY_BYTES)
    .i64(settlement.amountAToBMicro)
    .u64(settlement.prevSequence)
    .u64(settlement.finalSequence)
    .u64(settlement.payerSeq)
    .finish()
}

/** BLAKE3-256 of the signed bytes: 32 bytes. */
export function settlementHash(crypto: Crypto, settlement: Settlement): Uint8Array {
  return crypto.blake3(settlementSignedBytes(settlement))
}

/** Whether the NodeIDs of the two keys are in ascending order: with the decoder's rules, all that is no signature. */
export function arePartiesOrdered(crypto: Crypto, keys: Pick<Settlement, 'keyA' | 'keyB'>): boolean {
  return compareBytes(nodeIdOf(crypto, keys.keyA), nodeIdOf(crypto, keys.keyB)) < 0
}

/** The two signature checks, for a batch. */
export function settlementVerifyJobs(networkId: Uint8Array, settlement: Settlement): [VerifyJob, VerifyJob] {
  const parts = [networkId, settlementSignedBytes(settlement)]
  return [
    { publicKey: settlement.keyA, signature: settlement.signatureA, tag: SETTLEMENT_TAG, parts },
    { publicKey: settlement.keyB, signature: settlement.signatureB, tag: SETTLEMENT_TAG, parts },
  ]
}

/** Whether a decoded settlement is valid in this network: parties in order, both signatures. */
export function verifySettlement(crypto: Crypto, networkId: Uint8Array, settlement: Settlement): boolean {
  return (
    arePartiesOrdered(crypto, settlement) &&
    settlementVerifyJobs(networkId, settlement).every((job) => holds(crypto, job))
  )
}

/** Which field is outside its range, signatures left out. */
export function settlementFault(settlement: Settlement): ChannelError | undefined {
  const { amountAToBMicro: amountMicro, payerSeq, finalSequence: sequence } = settlement
  if (equalBytes(settlement.keyA, settlement.keyB)) return new ChannelError({ code: 'channels/parties' })
  const magnitude = amountMicro < 0n ? -amountMicro : amountMicro
  if (magnitude < SETTLEMENT_AMOUNT_MIN_MICRO || magnitude > AMOUNT_MAX_MICRO) {
    return new ChannelError({ code: 'channels/amount', amountMicro })
  }
  if (sequence <= settlement.prevSequence || sequence >= SEQUENCE_LIMIT) {
    return new ChannelError({ code: 'channels/sequence', sequence })
  }
  if (payerSeq >= PAYER_SEQ_FIRST && payerSeq <= PAYER_SEQ_MAX) return undefined
  return new ChannelError({ code: 'channels/payer-seq', payerSeq })
}

const AMOUNT_MAX_MICRO: bigint = (1n << 63n) - 1n

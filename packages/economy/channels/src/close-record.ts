import { ByteReader, ByteWriter, equalBytes } from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { ChannelError } from './errors.ts'
import { CHANNEL_ID_BYTES, CLOSE_BYTES, CLOSE_SIGNED_BYTES } from './limits.ts'
import { arePartiesOrdered } from './settlement.ts'
import {
  type ChannelState,
  encodeStateTail,
  holds,
  lengthError,
  readStateTail,
  type StateTail,
  stateVerifyJobs,
  tailFault,
} from './state.ts'

/** Signing tag of close records; the network id follows it. */
export const CLOSE_TAG = 'nxs-clos'

/** One party's demand that a channel be paid out without the other (docs/spec/channels.md, Close). */
export interface CloseRecord {
  readonly channelId: Uint8Array
  /** Ed25519 public keys; the NodeID of `keyA` is below that of `keyB`. */
  readonly keyA: Uint8Array
  readonly keyB: Uint8Array
  /** Dual-signed: the state at the last settled sequence, or state 0. */
  readonly base: StateTail
  /** Dual-signed, above `base`. */
  readonly last: StateTail
  /** Who signs this record. */
  readonly closer: 'a' | 'b'
  /** The epoch in which it was made. */
  readonly epoch: bigint
  readonly signature: Uint8Array
}

/** base.balance_a − last.balance_a: μNXS from a to b. */
export function closeAmountMicro(record: Pick<CloseRecord, 'base' | 'last'>): bigint {
  return record.base.balanceAMicro - record.last.balanceAMicro
}

/**
 * Writes a close (docs/spec/channels.md). Little-endian; the first 393 bytes are what the closer signs, after tag and
 * network id.
 *
 * |  at | bytes | field      | values                                                      |
 * | --: | ----: | ---------- | ----------------------------------------------------------- |
 * |   0 |    16 | channel id |                                                             |
 * |  16 |    32 | key a      | Ed25519                                                     |
 * |  48 |    32 | key b      | another                                                     |
 * |  80 |   152 | base       | a state from balance a on                                   |
 * | 232 |   152 | last       | a state from balance a on; sequence above base, sum as base |
 * | 384 |     1 | closer     | 0 a, 1 b                                                    |
 * | 385 |     8 | epoch      |                                                             |
 * | 393 |    64 | signature  | of the closer                                               |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeClose(record: CloseRecord): Uint8Array {
  const fault = closeFault(record)
  if (fault !== undefined) throw new RangeError(fault.message)
  return new ByteWriter(CLOSE_BYTES).bytes(closeSignedBytes(record)).bytes(record.signature, SIGNATURE_BYTES).finish()
}

/**
 * Reads what {@link encodeClose} wrote; the result holds copies. Order of the parties and signatures are for
 * {@link verifyClose}.
 * @throws {ChannelError} `channels/length`, `channels/parties`, `channels/balances`, `channels/sequence`,
 * `channels/closer`
 */
export function decodeClose(bytes: Uint8Array): CloseRecord {
  if (bytes.length !== CLOSE_BYTES) throw lengthError(CLOSE_BYTES, bytes)
  const reader = new ByteReader(bytes)
  const channelId = reader.bytes(CHANNEL_ID_BYTES)
  const keyA = reader.bytes(PUBLIC_KEY_BYTES)
  const keyB = reader.bytes(PUBLIC_KEY_BYTES)
  const base = readStateTail(reader)
  const last = readStateTail(reader)
  const closer = reader.u8()
  if (closer > 1) throw new ChannelError({ code: 'channels/closer', closer })
  const epoch = reader.u64()
  const signature = reader.bytes(SIGNATURE_BYTES)
  const record: CloseRecord = { channelId, keyA, keyB, base, last, closer: closer === 0 ? 'a' : 'b', epoch, signature }
  const fault = closeFault(record)
  if (fault !== undefined) throw fault
  return record
}

/** The 393 bytes that the closer signs. */
export function closeSignedBytes(record: Omit<CloseRecord, 'signature'>): Uint8Array {
  return new ByteWriter(CLOSE_SIGNED_BYTES)
    .bytes(record.channelId, CHANNEL_ID_BYTES)
    .bytes(record.keyA, PUBLIC_KEY_BYTES)
    .bytes(record.keyB, PUBLIC_KEY_BYTES)
    .bytes(encodeStateTail(record.base))
    .bytes(encodeStateTail(record.last))
    .u8(record.closer === 'a' ? 0 : 1)
    .u64(record.epoch)
    .finish()
}

/** BLAKE3-256 of the signed bytes: 32 bytes. */
export function closeHash(crypto: Crypto, record: CloseRecord): Uint8Array {
  return crypto.blake3(closeSignedBytes(record))
}

/** One of the two states that a close carries, whole. */
export function closeState(crypto: Crypto, record: CloseRecord, which: 'base' | 'last'): ChannelState {
  return {
    channelId: record.channelId,
    partyA: nodeIdOf(crypto, record.keyA),
    partyB: nodeIdOf(crypto, record.keyB),
    ...record[which],
  }
}

/** The five signature checks, for a batch: both of base, both of last, the closer's. */
export function closeVerifyJobs(crypto: Crypto, networkId: Uint8Array, record: CloseRecord): VerifyJob[] {
  const { keyA, keyB, closer, signature } = record
  return [
    ...stateVerifyJobs(networkId, closeState(crypto, record, 'base'), keyA, keyB),
    ...stateVerifyJobs(networkId, closeState(crypto, record, 'last'), keyA, keyB),
    {
      publicKey: closer === 'a' ? keyA : keyB,
      signature,
      tag: CLOSE_TAG,
      parts: [networkId, closeSignedBytes(record)],
    },
  ]
}

/** Whether a decoded close is valid in this network: parties in order, five signatures. */
export function verifyClose(crypto: Crypto, networkId: Uint8Array, record: CloseRecord): boolean {
  return (
    arePartiesOrdered(crypto, record) && closeVerifyJobs(crypto, networkId, record).every((job) => holds(crypto, job))
  )
}

function closeFault(record: CloseRecord): ChannelError | undefined {
  const { base, last } = record
  if (equalBytes(record.keyA, record.keyB)) return new ChannelError({ code: 'channels/parties' })
  const fault = tailFault(base) ?? tailFault(last)
  if (fault !== undefined) return fault
  const sumMicro = last.balanceAMicro + last.balanceBMicro
  if (base.balanceAMicro + base.balanceBMicro !== sumMicro) {
    return new ChannelError({ code: 'channels/balances', sumMicro })
  }
  if (last.sequence > base.sequence) return undefined
  return new ChannelError({ code: 'channels/sequence', sequence: last.sequence })
}

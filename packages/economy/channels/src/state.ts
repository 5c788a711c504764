import { ByteReader, ByteWriter, compareBytes } from '@nexus/codec'
import { type Crypto, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import { NODE_ID_BYTES } from '@nexus/identity'
import { ChannelError } from './errors.ts'
import {
  BALANCE_SUM_LIMIT,
  CHANNEL_ID_BYTES,
  NONCE_BYTES,
  OPENING_BALANCE_MICRO,
  SEQUENCE_LIMIT,
  SHORT_HASH_BYTES,
  STATE_BYTES,
  STATE_SIGNED_BYTES,
  STATE_TAIL_BYTES,
} from './limits.ts'

/** Signing tag of channel states; the network id follows it. */
export const STATE_TAG = 'nxs-chan'

/** What two neighbours agree that each has, of one channel, at one sequence. */
export interface ChannelState {
  /** 16 bytes: {@link channelIdOf}. */
  readonly channelId: Uint8Array
  /** NodeIDs, 16 bytes each, `partyA` bytewise below `partyB`. */
  readonly partyA: Uint8Array
  readonly partyB: Uint8Array
  /** μNXS; their sum is below 2^63 and the same in all states of a channel. */
  readonly balanceAMicro: bigint
  readonly balanceBMicro: bigint
  /** Below 2^63; 0 is the state that opens the channel. */
  readonly sequence: bigint
  /** Ed25519, 64 bytes; zeros where that party has not signed. */
  readonly signatureA: Uint8Array
  readonly signatureB: Uint8Array
}

/** Numbers and signatures of a state, for records that name channel and parties themselves. */
export type StateTail = Pick<ChannelState, 'balanceAMicro' | 'balanceBMicro' | 'sequence' | 'signatureA' | 'signatureB'>

/** In place of a signature that is not there. */
export const NO_SIGNATURE: Uint8Array = new Uint8Array(SIGNATURE_BYTES)

/** BLAKE3(party_a ‖ party_b ‖ nonce)[0..16]. */
export function channelIdOf(crypto: Crypto, partyA: Uint8Array, partyB: Uint8Array, nonce: Uint8Array): Uint8Array {
  const input = new ByteWriter(2 * NODE_ID_BYTES + NONCE_BYTES)
    .bytes(partyA, NODE_ID_BYTES)
    .bytes(partyB, NODE_ID_BYTES)
    .bytes(nonce, NONCE_BYTES)
    .finish()
  return crypto.blake3(input).slice(0, CHANNEL_ID_BYTES)
}

/** State 0 of a channel between two NodeIDs in ascending order, unsigned (docs/spec/channels.md, Opening). */
export function openingState(crypto: Crypto, partyA: Uint8Array, partyB: Uint8Array, nonce: Uint8Array): ChannelState {
  return {
    channelId: channelIdOf(crypto, partyA, partyB, nonce),
    partyA,
    partyB,
    balanceAMicro: OPENING_BALANCE_MICRO,
    balanceBMicro: OPENING_BALANCE_MICRO,
    sequence: 0n,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
}

/**
 * Writes a state (docs/spec/channels.md). Little-endian; the first 72 bytes are what is signed, after tag and network id.
 *
 * |  at | bytes | field       | values                                       |
 * | --: | ----: | ----------- | -------------------------------------------- |
 * |   0 |    16 | channel id  |                                              |
 * |  16 |    16 | party a     | NodeID, below party b                        |
 * |  32 |    16 | party b     | NodeID                                       |
 * |  48 |     8 | balance a   | μNXS                                         |
 * |  56 |     8 | balance b   | μNXS; the sum of both is below 2^63          |
 * |  64 |     8 | sequence    | below 2^63                                   |
 * |  72 |    64 | signature a | zeros: not signed                            |
 * | 136 |    64 | signature b | zeros: not signed                            |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeState(state: ChannelState): Uint8Array {
  const fault = stateFault(state)
  if (fault !== undefined) throw new RangeError(fault.message)
  const writer = new ByteWriter(STATE_BYTES).bytes(stateSignedBytes(state))
  return writer.bytes(state.signatureA, SIGNATURE_BYTES).bytes(state.signatureB, SIGNATURE_BYTES).finish()
}

/**
 * Reads what {@link encodeState} wrote; the result holds copies. Signatures are for {@link stateVerifyJobs}.
 * @throws {ChannelError} `channels/length`, `channels/parties`, `channels/balances`, `channels/sequence`
 */
export function decodeState(bytes: Uint8Array): ChannelState {
  if (bytes.length !== STATE_BYTES) throw lengthError(STATE_BYTES, bytes)
  const reader = new ByteReader(bytes)
  const channelId = reader.bytes(CHANNEL_ID_BYTES)
  const partyA = reader.bytes(NODE_ID_BYTES)
  const partyB = reader.bytes(NODE_ID_BYTES)
  const state: ChannelState = { channelId, partyA, partyB, ...readStateTail(reader) }
  const fault = stateFault(state)
  if (fault !== undefined) throw fault
  return state
}

/** The 72 bytes that both parties sign. */
export function stateSignedBytes(state: ChannelState): Uint8Array {
  return new ByteWriter(STATE_SIGNED_BYTES)
    .bytes(state.channelId, CHANNEL_ID_BYTES)
    .bytes(state.partyA, NODE_ID_BYTES)
    .bytes(state.partyB, NODE_ID_BYTES)
    .u64(state.balanceAMicro)
    .u64(state.balanceBMicro)
    .u64(state.sequence)
    .finish()
}

/** BLAKE3 of the signed bytes, first 16: how messages name a state. */
export function stateHash(crypto: Crypto, state: ChannelState): Uint8Array {
  return crypto.blake3(stateSignedBytes(state)).slice(0, SHORT_HASH_BYTES)
}

/** The check of one party's signature. */
export function stateVerifyJob(
  networkId: Uint8Array,
  state: ChannelState,
  side: 'a' | 'b',
  publicKey: Uint8Array,
): VerifyJob {
  const signature = side === 'a' ? state.signatureA : state.signatureB
  return { publicKey, signature, tag: STATE_TAG, parts: [networkId, stateSignedBytes(state)] }
}

/** Both checks that make a state dual-signed; that the keys belong to the parties is the caller's to know. */
export function stateVerifyJobs(
  networkId: Uint8Array,
  state: ChannelState,
  keyA: Uint8Array,
  keyB: Uint8Array,
): VerifyJob[] {
  return [stateVerifyJob(networkId, state, 'a', keyA), stateVerifyJob(networkId, state, 'b', keyB)]
}

/** Whether both signatures hold. */
export function verifyState(
  crypto: Crypto,
  networkId: Uint8Array,
  state: ChannelState,
  keyA: Uint8Array,
  keyB: Uint8Array,
): boolean {
  return stateVerifyJobs(networkId, state, keyA, keyB).every((job) => holds(crypto, job))
}

/** Whether both signatures are there; that they hold was checked when they came. */
export function isDualSigned(state: ChannelState): boolean {
  return [state.signatureA, state.signatureB].every((signature) => signature.some((byte) => byte !== 0))
}

/** Runs one check at once. */
export function holds(crypto: Crypto, job: VerifyJob): boolean {
  return crypto.verify(job.publicKey, job.signature, job.tag, ...job.parts)
}

export function readStateTail(reader: ByteReader): StateTail {
  return {
    balanceAMicro: reader.u64(),
    balanceBMicro: reader.u64(),
    sequence: reader.u64(),
    signatureA: reader.bytes(SIGNATURE_BYTES),
    signatureB: reader.bytes(SIGNATURE_BYTES),
  }
}

export function encodeStateTail(tail: StateTail): Uint8Array {
  return new ByteWriter(STATE_TAIL_BYTES)
    .u64(tail.balanceAMicro)
    .u64(tail.balanceBMicro)
    .u64(tail.sequence)
    .bytes(tail.signatureA, SIGNATURE_BYTES)
    .bytes(tail.signatureB, SIGNATURE_BYTES)
    .finish()
}

/** What is wrong with balances or sequence, whatever the channel. */
export function tailFault(tail: StateTail): ChannelError | undefined {
  const sumMicro = tail.balanceAMicro + tail.balanceBMicro
  if (sumMicro >= BALANCE_SUM_LIMIT) return new ChannelError({ code: 'channels/balances', sumMicro })
  if (tail.sequence < SEQUENCE_LIMIT) return undefined
  return new ChannelError({ code: 'channels/sequence', sequence: tail.sequence })
}

export function lengthError(wantBytes: number, bytes: Uint8Array): ChannelError {
  return new ChannelError({ code: 'channels/length', wantBytes, gotBytes: bytes.length })
}

function stateFault(state: ChannelState): ChannelError | undefined {
  if (compareBytes(state.partyA, state.partyB) >= 0) return new ChannelError({ code: 'channels/parties' })
  return tailFault(state)
}

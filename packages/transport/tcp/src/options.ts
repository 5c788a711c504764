import { FAULTS_MAX, FIRST_FRAME_MS, FRAME_BYTES_MIN, IDLE_MS, QUEUE_BYTES_MAX, STALL_MS } from '@nexus/transport'
import { hdlcBytesMax } from './hdlc.ts'
import { SLAB_BYTES } from './slabs.ts'

/** Largest frame by default: what UDP carries too, so that a frame never depends on the medium. */
export const MTU_BYTES = 1_232
/** Largest frame that may be configured: one must fit a slab with every byte escaped. */
export const MTU_BYTES_MAX = (SLAB_BYTES - 2) / 2
/** Nominal bit/s by default. */
export const BITRATE_BPS = 100_000_000
/** When TCP's own keepalive begins on a silent connection. */
export const KEEPALIVE_MS = 15_000

/** What server and client have in common. */
export interface ConnectionOptions {
  /** Largest frame; default {@link MTU_BYTES}, at most {@link MTU_BYTES_MAX}. */
  readonly mtuBytes?: number
  /** Nominal bit/s; default {@link BITRATE_BPS}. */
  readonly bitrateBps?: number
  /** Bytes that may wait in a connection; default {@link QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number
  /** A connection without a first valid frame for so long is closed; default {@link FIRST_FRAME_MS}. */
  readonly firstFrameMs?: number
  /** A connection without a valid frame for so long is closed; default {@link IDLE_MS}, `Infinity` for never. */
  readonly idleMs?: number
  /** A connection that takes none of the bytes that wait for so long is closed; default {@link STALL_MS}. */
  readonly stallMs?: number
  /** Malformed frames after which a connection is closed; default {@link FAULTS_MAX}. */
  readonly faultsMax?: number
}

export type ConnectionSettings = Required<ConnectionOptions>

/** @throws {RangeError} for a setting that cannot work */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  const settings: ConnectionSettings = {
    mtuBytes: options.mtuBytes ?? MTU_BYTES,
    bitrateBps: options.bitrateBps ?? BITRATE_BPS,
    queueBytesMax: options.queueBytesMax ?? QUEUE_BYTES_MAX,
    firstFrameMs: options.firstFrameMs ?? FIRST_FRAME_MS,
    idleMs: options.idleMs ?? IDLE_MS,
    stallMs: options.stallMs ?? STALL_MS,
    faultsMax: options.faultsMax ?? FAULTS_MAX,
  }
  const { mtuBytes, queueBytesMax } = settings
  if (!(mtuBytes >= FRAME_BYTES_MIN && mtuBytes <= MTU_BYTES_MAX)) {
    throw new RangeError(`mtuBytes must be ${FRAME_BYTES_MIN} to ${MTU_BYTES_MAX}`)
  }
  if (!(queueBytesMax >= hdlcBytesMax(mtuBytes))) throw new RangeError('queueBytesMax must hold one frame')
  return settings
}

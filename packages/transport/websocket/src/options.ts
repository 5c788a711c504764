import { FRAME_BYTES_MIN, type InterfaceFacts, QUEUE_BYTES_MAX } from '@nexus/transport'

/** Largest frame by default: what UDP carries too, so that a frame never depends on the medium. */
export const MTU_BYTES = 1_232
/** Nominal bit/s by default. */
export const BITRATE_BPS = 100_000_000

/** What server and client have in common. */
export interface WebSocketOptions {
  /** Largest frame, also the largest message that is read; default {@link MTU_BYTES}. */
  readonly mtuBytes?: number
  /** Nominal bit/s; default {@link BITRATE_BPS}. */
  readonly bitrateBps?: number
  /** Bytes that may wait in a connection; default {@link QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number
}

/** @throws {RangeError} for a setting that cannot work */
export function settingsOf(options: WebSocketOptions): Required<WebSocketOptions> {
  const { mtuBytes = MTU_BYTES, bitrateBps = BITRATE_BPS, queueBytesMax = QUEUE_BYTES_MAX } = options
  if (!(mtuBytes >= FRAME_BYTES_MIN)) throw new RangeError(`mtuBytes must be at least ${FRAME_BYTES_MIN}`)
  if (!(bitrateBps > 0)) throw new RangeError('bitrateBps must be over 0')
  if (!(queueBytesMax >= mtuBytes + HEADER_BYTES_MAX)) throw new RangeError('queueBytesMax must hold one frame')
  return { mtuBytes, bitrateBps, queueBytesMax }
}

/** What a WebSocket puts before a message, at most (RFC 6455 section 5.2). */
export const HEADER_BYTES_MAX = 14

export function factsOf(id: string, settings: Required<WebSocketOptions>): InterfaceFacts {
  const { mtuBytes, bitrateBps } = settings
  return {
    id,
    kind: 'websocket',
    mtuBytes,
    bitrateBps,
    duplex: 'full',
    dutyCycle: 1,
    reach: 'point',
    addressed: false,
  }
}

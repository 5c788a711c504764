import { CongestionError } from './errors.ts'

/** Bytes of an encoded signal. */
export const SIGNAL_BYTES = 4
/** Longest drain time that a signal can say; longer ones are said as this. */
export const DRAIN_MS_MAX = 0xffff

/** 0 clear, 1 moderate, 2 severe, 3 saturated. */
export type Severity = 0 | 1 | 2 | 3

/** What a node tells the neighbours that feed a queue of its own: go easier on me, for so long. */
export interface CongestionSignal {
  readonly severity: Severity
  /** `link`: one of my outbound links. `all`: every one of them. */
  readonly scope: 'link' | 'all'
  /** Until the queue has drained, if nothing more came; the signal counts for as long. */
  readonly drainMs: number
  /** 0 to 255, one more with each signal to this neighbour, modulo 256. */
  readonly sequence: number
}

/**
 * The body of a congestion message, link message type 7 (docs/spec/congestion.md). Little-endian, 4 bytes.
 *
 * | at | bytes | field    |                                                                        |
 * | -: | ----: | -------- | ---------------------------------------------------------------------- |
 * |  0 |     1 | state    | bits 0–1 severity, bits 2–3 scope (0 link, 1 all), bits 4–7 zero        |
 * |  1 |     2 | drainMs  |                                                                        |
 * |  3 |     1 | sequence |                                                                        |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeSignal(signal: CongestionSignal): Uint8Array {
  const { severity, scope, drainMs, sequence } = signal
  if (!(Number.isInteger(severity) && severity >= 0 && severity <= 3)) throw new RangeError(`severity ${severity}`)
  if (!(Number.isInteger(drainMs) && drainMs >= 0 && drainMs <= DRAIN_MS_MAX)) throw new RangeError(`${drainMs} ms`)
  if (!(Number.isInteger(sequence) && sequence >= 0 && sequence <= 0xff)) throw new RangeError(`sequence ${sequence}`)
  return Uint8Array.of(severity | (scope === 'all' ? 4 : 0), drainMs & 0xff, drainMs >> 8, sequence)
}

/** Reads what {@link encodeSignal} writes. @throws {CongestionError} `congestion/length`, `congestion/scope`, `congestion/reserved` */
export function decodeSignal(body: Uint8Array): CongestionSignal {
  if (body.length !== SIGNAL_BYTES) {
    throw new CongestionError({ code: 'congestion/length', wantBytes: SIGNAL_BYTES, gotBytes: body.length })
  }
  const state = body[0]!
  const scope = (state >> 2) & 3
  if (state > 0x0f) throw new CongestionError({ code: 'congestion/reserved', bits: state >> 4 })
  if (scope > 1) throw new CongestionError({ code: 'congestion/scope', scope })
  return {
    severity: (state & 3) as Severity,
    scope: scope === 1 ? 'all' : 'link',
    drainMs: body[1]! | (body[2]! << 8),
    sequence: body[3]!,
  }
}

/** Whether a sequence number is newer than another: one to 127 steps ahead, modulo 256. */
export function isNewerSequence(sequence: number, than: number): boolean {
  const ahead = (sequence - than) & 0xff
  return ahead > 0 && ahead < 0x80
}

import { FRAME } from './frames.ts'
import { DATA_HEADER_NARROW_BYTES, DATA_HEADER_WIDE_BYTES, LINK_FRAME_BYTES_MIN, TAG_BYTES } from './limits.ts'
import type { LinkKey } from './link-state.ts'
import type { LinkTable } from './link-table.ts'
import type { Medium } from './medium.ts'
import { nearestCounter } from './replay-window.ts'

/** Opens DATA frames, into one buffer that is used again for the next (docs/spec/link.md). */
export class Opener {
  /** Of the frame opened last: valid until the next {@link open}. */
  plaintext = new Uint8Array(0)
  counter = 0
  /** Whether the frame looked at last named no id of ours. */
  unknownId = false
  readonly #table: LinkTable
  #buffer = new Uint8Array(LINK_FRAME_BYTES_MIN)

  constructor(table: LinkTable) {
    this.#table = table
  }

  /** Makes room for the longest frame of a medium. */
  reserve(frameBytesMax: number): void {
    if (this.#buffer.length < frameBytesMax) this.#buffer = new Uint8Array(frameBytesMax)
  }

  /** The key that an authentic, new frame came under; otherwise it is counted by its fault, and nothing else changes. */
  open(medium: Medium, frame: Uint8Array, from: string | undefined): LinkKey | undefined {
    this.unknownId = false
    const wide = frame[0] === FRAME.dataWide
    const headerBytes = wide ? DATA_HEADER_WIDE_BYTES : DATA_HEADER_NARROW_BYTES
    if (frame.length <= headerBytes + TAG_BYTES || frame.length > medium.frameBytesMax) {
      medium.refuse('malformed', from)
      return undefined
    }
    const key = this.#table.owner(frame[1]! | (frame[2]! << 8))
    if (key?.kind !== 'key' || key.link.medium !== medium) {
      this.unknownId = true
      medium.stats.unknownIds++
      return undefined
    }
    const { highest } = key.window
    const low = frame[3]! | (frame[4]! << 8)
    const counter = wide
      ? nearestCounter(highest, low + (frame[5]! | (frame[6]! << 8)) * 0x1_0000, 0x1_0000_0000)
      : nearestCounter(highest, low, 0x1_0000)
    if (!key.window.isFresh(counter)) {
      medium.count('replay')
      return undefined
    }
    const header = frame.subarray(0, headerBytes)
    const plaintextBytes = key.receiver.open(counter, header, frame.subarray(headerBytes), this.#buffer, 0)
    if (plaintextBytes < 0) {
      medium.stats.forged++
      return undefined
    }
    key.window.mark(counter)
    this.counter = counter
    this.plaintext = this.#buffer.subarray(0, plaintextBytes)
    return key
  }
}

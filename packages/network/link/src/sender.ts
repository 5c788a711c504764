import { FRAME } from './frames.ts'
import { LINK_FRAME_BYTES_MIN, TAG_BYTES } from './limits.ts'
import type { ControlUse } from './link.ts'
import type { LinkKey, LinkState } from './link-state.ts'
import { PADDED_BIT, padBytesFor } from './messages.ts'

/** Seals messages into DATA frames, in one buffer that is used again for the next (docs/spec/link.md). */
export class Sender {
  #buffer = new Uint8Array(LINK_FRAME_BYTES_MIN)

  /** Makes room for the longest frame of a medium. */
  reserve(frameBytesMax: number): void {
    if (this.#buffer.length < frameBytesMax) this.#buffer = new Uint8Array(frameBytesMax)
  }

  /** Seals and transmits; false where the medium did not take the frame, which is then lost. */
  send(nowMs: number, key: LinkKey, type: number, body: Uint8Array, use?: ControlUse): boolean {
    const { link } = key
    const frame = this.seal(key, type, body)
    if (!link.medium.send(nowMs, frame, link.address, key.sendId, use)) return false
    link.counters.framesOut++
    link.counters.bytesOut += frame.length
    return true
  }

  /** Seals a message whose frame others may interrupt, for {@link sendNextPart}. */
  cut(link: LinkState, type: number, body: Uint8Array): void {
    const { counters, key, medium } = link
    const frame = this.seal(key, type, body)
    counters.framesOut++
    counters.bytesOut += frame.length
    link.parts = { frames: medium.interruptible(frame, key.sendId), at: 0 }
  }

  /** Sends the next part of a cut frame; returns how many are left. A part that the medium refuses costs the frame. */
  sendNextPart(nowMs: number, link: LinkState): number {
    if (link.parts === undefined) return 0
    const { frames, at } = link.parts
    const taken = link.medium.sendPart(nowMs, frames[at]!, link.address)
    const left = taken ? frames.length - at - 1 : 0
    if (left === 0) link.parts = undefined
    else link.parts.at++
    return left
  }

  /** The sealed frame, a view that is valid until the next call. */
  seal(key: LinkKey, type: number, body: Uint8Array): Uint8Array {
    const { link } = key
    const { headerBytes, medium } = link
    const buffer = this.#buffer
    const counter = key.sendCounter++
    buffer[0] = medium.wideCounters ? FRAME.dataWide : FRAME.dataNarrow
    buffer[1] = key.sendId
    buffer[2] = key.sendId >>> 8
    buffer[3] = counter
    buffer[4] = counter >>> 8
    if (medium.wideCounters) {
      buffer[5] = counter >>> 16
      buffer[6] = counter >>> 24
    }
    buffer[headerBytes] = type
    buffer.set(body, headerBytes + 1)
    let plaintextBytes = 1 + body.length
    const padBytes = medium.radio ? padBytesFor(plaintextBytes, link.plaintextBytesMax) : 0
    if (padBytes > 0) {
      const from = headerBytes + plaintextBytes
      buffer.fill(0, from, from + padBytes - 1)
      buffer[from + padBytes - 1] = padBytes
      buffer[headerBytes] = type | PADDED_BIT
      plaintextBytes += padBytes
    }
    const end = headerBytes + plaintextBytes
    key.sender.seal(counter, buffer.subarray(0, headerBytes), buffer.subarray(headerBytes, end), buffer, headerBytes)
    const frame = buffer.subarray(0, end + TAG_BYTES)
    key.bytes += frame.length
    link.sent.handshakeHash = key.handshakeHash
    link.sent.counter = counter
    return frame
  }
}

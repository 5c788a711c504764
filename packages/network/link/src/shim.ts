import { decodePart, encodePart, type Part } from './frames.ts'
import { PART_HEADER_BYTES } from './limits.ts'

/** The PART frames of a frame: `count` (2…16) equal pieces, the last perhaps shorter. */
export function cutFrame(frame: Uint8Array, count: number, receiverId: number, frameId: number): Uint8Array[] {
  const pieceBytes = Math.ceil(frame.length / count)
  const last = Math.ceil(frame.length / pieceBytes) - 1
  return Array.from({ length: last + 1 }, (_, index) => {
    const bytes = frame.subarray(index * pieceBytes, (index + 1) * pieceBytes)
    return encodePart({ receiverId, frameId, index, last, bytes })
  })
}

/** Bytes of the longest PART when a frame is cut into `count`. */
export function partBytes(frameBytes: number, count: number): number {
  return PART_HEADER_BYTES + Math.ceil(frameBytes / count)
}

interface Reassembly {
  readonly frameId: number
  readonly pieces: (Uint8Array | undefined)[]
  missing: number
  totalBytes: number
  expiresMs: number
}

/**
 * Puts frames together again: one at a time per link id and source, a few for those who have no link yet. What is
 * joined is judged like any other frame: parts themselves prove nothing.
 */
export class Reassembler {
  readonly #timeoutMs: number
  readonly #frameBytesMax: number
  readonly #slotsMax: number
  readonly #slots = new Map<string, Reassembly>()

  constructor(options: { timeoutMs: number; frameBytesMax: number; slotsMax: number }) {
    this.#timeoutMs = options.timeoutMs
    this.#frameBytesMax = options.frameBytesMax
    this.#slotsMax = options.slotsMax
  }

  /** Frames in the making. */
  get size(): number {
    return this.#slots.size
  }

  /** Takes a PART frame; the whole frame when it was the last one missing. @throws {LinkError} as {@link decodePart} */
  receive(nowMs: number, frame: Uint8Array, from: string | undefined): Uint8Array | undefined {
    const part = decodePart(frame)
    // Without a link the frame id alone tells two senders on one medium apart.
    const key = `${part.receiverId}|${from ?? ''}|${part.receiverId === 0 ? part.frameId : ''}`
    const slot = this.#slotFor(nowMs, key, part)
    if (slot.pieces[part.index] !== undefined) return undefined
    slot.totalBytes += part.bytes.length
    if (slot.totalBytes > this.#frameBytesMax) {
      this.#slots.delete(key)
      return undefined
    }
    slot.pieces[part.index] = part.bytes.slice()
    slot.expiresMs = nowMs + this.#timeoutMs
    slot.missing--
    if (slot.missing > 0) return undefined
    this.#slots.delete(key)
    return join(slot)
  }

  #slotFor(nowMs: number, key: string, part: Part): Reassembly {
    const open = this.#slots.get(key)
    if (
      open !== undefined &&
      open.frameId === part.frameId &&
      open.pieces.length === part.last + 1 &&
      nowMs < open.expiresMs
    ) {
      return open
    }
    this.#slots.delete(key)
    if (this.#slots.size >= this.#slotsMax) this.#dropOldest()
    const slot: Reassembly = {
      frameId: part.frameId,
      pieces: new Array<Uint8Array | undefined>(part.last + 1).fill(undefined),
      missing: part.last + 1,
      totalBytes: 0,
      expiresMs: nowMs + this.#timeoutMs,
    }
    this.#slots.set(key, slot)
    return slot
  }

  #dropOldest(): void {
    for (const key of this.#slots.keys()) {
      this.#slots.delete(key)
      return
    }
  }
}

function join(slot: Reassembly): Uint8Array | undefined {
  const pieceBytes = slot.pieces[0]!.length
  const last = slot.pieces.length - 1
  const even = slot.pieces.every((piece, index) =>
    index < last ? piece!.length === pieceBytes : piece!.length <= pieceBytes,
  )
  if (!even) return undefined
  const frame = new Uint8Array(slot.totalBytes)
  let at = 0
  for (const piece of slot.pieces) {
    frame.set(piece!, at)
    at += piece!.length
  }
  return frame
}

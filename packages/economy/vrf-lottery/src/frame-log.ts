import { FRAME_HASH_BYTES, LOG_PIECE_FRAMES } from './limits.ts'

const RECORD_BYTES = FRAME_HASH_BYTES + 4
const PIECE_SHIFT = Math.log2(LOG_PIECE_FRAMES)
const PIECE_MASK = LOG_PIECE_FRAMES - 1

/**
 * The priced frames of one window, 12 bytes each: hash 8, length u16, quote u16. Noting one is a few stores; memory is
 * taken piece by piece, as frames come.
 */
export class FrameLog {
  readonly #pieces: (DataView | undefined)[]
  #count = 0
  #bytes = 0

  constructor(windowFrames: number) {
    this.#pieces = new Array(Math.ceil(windowFrames / LOG_PIECE_FRAMES)).fill(undefined)
  }

  /** Frames noted. */
  get count(): number {
    return this.#count
  }

  /** Sum of their lengths. */
  get bytes(): number {
    return this.#bytes
  }

  /** Notes the frame at `offset` of the window, once; of `hash` the first 8 bytes are kept. False: it is there already. */
  note(offset: number, hash: Uint8Array, lengthBytes: number, quote: number): boolean {
    const index = offset >>> PIECE_SHIFT
    let piece = this.#pieces[index]
    if (piece === undefined) {
      piece = new DataView(new ArrayBuffer(LOG_PIECE_FRAMES * RECORD_BYTES))
      this.#pieces[index] = piece
    }
    const at = (offset & PIECE_MASK) * RECORD_BYTES
    if (piece.getUint16(at + FRAME_HASH_BYTES, true) !== 0) return false
    for (let byte = 0; byte < FRAME_HASH_BYTES; byte++) piece.setUint8(at + byte, hash[byte]!)
    piece.setUint16(at + FRAME_HASH_BYTES, lengthBytes, true)
    piece.setUint16(at + FRAME_HASH_BYTES + 2, quote, true)
    this.#count++
    this.#bytes += lengthBytes
    return true
  }

  /** Length of the frame at `offset`; 0: none was noted. */
  lengthAt(offset: number): number {
    const piece = this.#pieces[offset >>> PIECE_SHIFT]
    return piece === undefined ? 0 : piece.getUint16((offset & PIECE_MASK) * RECORD_BYTES + FRAME_HASH_BYTES, true)
  }

  /** Encoded cost that a frame noted at `offset` was quoted at. */
  quoteAt(offset: number): number {
    const piece = this.#pieces[offset >>> PIECE_SHIFT]!
    return piece.getUint16((offset & PIECE_MASK) * RECORD_BYTES + FRAME_HASH_BYTES + 2, true)
  }

  /** Copies the hash of a frame noted at `offset`. */
  readHash(offset: number, into: Uint8Array, at: number): void {
    const piece = this.#pieces[offset >>> PIECE_SHIFT]!
    const from = (offset & PIECE_MASK) * RECORD_BYTES
    for (let byte = 0; byte < FRAME_HASH_BYTES; byte++) into[at + byte] = piece.getUint8(from + byte)
  }
}

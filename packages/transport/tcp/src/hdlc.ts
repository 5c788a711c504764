const FLAG = 0x7e
const ESCAPE = 0x7d
const FLIP = 0x20

/** Most bytes that a frame of `frameBytes` bytes can take on the wire: every byte escaped, and two flags. */
export function hdlcBytesMax(frameBytes: number): number {
  return 2 * frameBytes + 2
}

/**
 * Writes `frame` at `at` as it goes over a stream (docs/spec/transports.md): `7E`, the bytes with `7E` as `7D 5E` and
 * `7D` as `7D 5D`, `7E`. Returns the offset after it.
 *
 * @param view of all of `into`, where the caller keeps one; making it costs a fifth of the whole call
 * @throws {RangeError} where `into` has no room for {@link hdlcBytesMax} bytes
 */
export function encodeHdlc(frame: Uint8Array, into: Uint8Array, at: number, view: DataView = viewOf(into)): number {
  const length = frame.length
  if (at + hdlcBytesMax(length) > into.length) throw new RangeError(`no room for a frame of ${length} bytes at ${at}`)
  const from = viewOf(frame)
  const lastWord = length - 4
  let i = 0
  let n = at
  into[n++] = FLAG
  while (i <= lastWord) {
    const word = from.getInt32(i, true)
    if (!mayHoldSpecial(word)) {
      view.setInt32(n, word, true)
      n += 4
      i += 4
      continue
    }
    for (const stop = i + 4; i < stop; i++) n = putEscaped(frame[i] as number, into, n)
  }
  for (; i < length; i++) n = putEscaped(frame[i] as number, into, n)
  into[n++] = FLAG
  return n
}

/** What a decoder found wrong with a frame, which it dropped: longer than it may be, or an escape before another byte than 5D or 5E. */
export type HdlcFault = 'oversize' | 'escape'

export interface HdlcDecoderOptions {
  /** Longest frame, in bytes without flags and escapes; also the memory the decoder holds. */
  readonly frameBytesMax: number
  /** A whole frame of at least one byte. The bytes are valid during the call only. */
  readonly onFrame: (frame: Uint8Array) => void
  readonly onFault?: (fault: HdlcFault) => void
  /**
   * What becomes of an escape before another byte than `5D` or `5E`. `drop` (default): the frame is dropped, so that a
   * frame has one form on the wire. `keep`: both bytes stand for themselves, as in Reticulum's TCP interface.
   */
  readonly strayEscapes?: 'drop' | 'keep'
}

/**
 * Cuts a byte stream into frames, in chunks of any size. Bytes before the first flag are dropped, one flag may end a
 * frame and begin the next, and nothing between two flags is no frame. After a fault it goes on at the next flag.
 */
export class HdlcDecoder {
  readonly #frame: Uint8Array
  readonly #view: DataView
  readonly #frameBytesMax: number
  readonly #onFrame: (frame: Uint8Array) => void
  readonly #onFault: ((fault: HdlcFault) => void) | undefined
  readonly #keepStray: boolean
  #length = 0
  #escaped = false
  #skipping = true

  constructor(options: HdlcDecoderOptions) {
    if (!(options.frameBytesMax >= 1)) throw new RangeError('frameBytesMax must be at least 1')
    this.#frameBytesMax = options.frameBytesMax
    this.#frame = new Uint8Array(options.frameBytesMax)
    this.#view = viewOf(this.#frame)
    this.#onFrame = options.onFrame
    this.#onFault = options.onFault
    this.#keepStray = options.strayEscapes === 'keep'
  }

  /** Bytes held of a frame whose end has not come. */
  get pendingBytes(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    const from = viewOf(chunk)
    const end = chunk.length
    let at = 0
    while (at < end) {
      if (this.#skipping) {
        at = chunk.indexOf(FLAG, at)
        if (at < 0) return
        at++
        this.#skipping = false
        continue
      }
      if (!this.#escaped) at = this.#copyPlainWords(from, at)
      // The word that stopped the copy holds a special byte within four: bytewise over it, then words again.
      for (const stop = Math.min(at + 4, end); at < stop && !this.#skipping; at++) this.#take(chunk[at] as number)
    }
  }

  /** Copies words without special bytes for as long as they and the frame last; returns where it stopped. */
  #copyPlainWords(from: DataView, start: number): number {
    const into = this.#view
    let n = this.#length
    let at = start
    const last = Math.min(from.byteLength, at + this.#frameBytesMax - n) - 4
    while (at <= last) {
      const word = from.getInt32(at, true)
      if (mayHoldSpecial(word)) break
      into.setInt32(n, word, true)
      n += 4
      at += 4
    }
    this.#length = n
    return at
  }

  #take(byte: number): void {
    if (this.#escaped) {
      this.#escaped = false
      if (byte === (FLAG ^ FLIP) || byte === (ESCAPE ^ FLIP)) this.#append(byte ^ FLIP)
      else this.#takeStray(byte)
    } else if (byte === FLAG) this.#finish()
    else if (byte === ESCAPE) this.#escaped = true
    else this.#append(byte)
  }

  #takeStray(byte: number): void {
    if (!this.#keepStray) {
      this.#fault('escape')
      // An escape before a flag is how HDLC aborts a frame; the flag still begins the next one.
      if (byte === FLAG) this.#finish()
      return
    }
    this.#append(ESCAPE)
    if (byte === FLAG) this.#finish()
    else if (this.#skipping) return
    else if (byte === ESCAPE) this.#escaped = true
    else this.#append(byte)
  }

  #append(byte: number): void {
    if (this.#length < this.#frameBytesMax) this.#frame[this.#length++] = byte
    else this.#fault('oversize')
  }

  #finish(): void {
    const length = this.#length
    this.#length = 0
    this.#skipping = false
    if (length > 0) this.#onFrame(this.#frame.subarray(0, length))
  }

  #fault(fault: HdlcFault): void {
    this.#length = 0
    this.#skipping = true
    this.#onFault?.(fault)
  }
}

/**
 * Whether one of four bytes may be a flag or an escape: true for every word with a byte 7D, 7E or 7F. Adding 3 to the
 * low seven bits of a byte reaches its top bit from 7D on, and never the next byte.
 */
function mayHoldSpecial(word: number): boolean {
  return (((word & 0x7f7f7f7f) + 0x03030303) & ~word & 0x80808080) !== 0
}

function putEscaped(byte: number, into: Uint8Array, at: number): number {
  if (byte !== FLAG && byte !== ESCAPE) {
    into[at] = byte
    return at + 1
  }
  into[at] = ESCAPE
  into[at + 1] = byte ^ FLIP
  return at + 2
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const FEND = 0xc0
const FESC = 0xdb
const TFEND = 0xdc
const TFESC = 0xdd

/** Why the decoder dropped something. */
export type KissFault = 'oversize' | 'escape' | 'silence'

export interface KissDecoderOptions {
  /** Largest payload, without the command byte. */
  readonly frameBytesMax: number
  /**
   * FESC before a byte that is neither TFEND nor TFESC: `drop` the frame, or `keep` the byte, as Reticulum does. RNodes
   * write some one-byte reports without escaping them.
   */
  readonly strayEscapes?: 'drop' | 'keep'
  /** The bytes are valid during the call. */
  readonly onFrame: (command: number, payload: Uint8Array) => void
  readonly onFault?: (fault: KissFault) => void
}

/** Room that a frame takes at most: both FENDs, the command, and every byte escaped. */
export function kissBytesMax(payloadBytes: number): number {
  return 2 * (1 + payloadBytes) + 2
}

/**
 * `FEND | command | payload | FEND`, with C0 written as DB DC and DB as DB DD in the command and the payload
 * (Chepponis and Karn, "The KISS TNC", 1987).
 */
export function encodeKiss(command: number, payload: Uint8Array): Uint8Array {
  if (!Number.isInteger(command) || command < 0 || command > 0xff) throw new RangeError(`command ${command}`)
  const bytes = new Uint8Array(kissBytesMax(payload.length))
  let at = 0
  bytes[at++] = FEND
  at = writeEscaped(command, bytes, at)
  for (const byte of payload) at = writeEscaped(byte, bytes, at)
  bytes[at++] = FEND
  return bytes.subarray(0, at)
}

function writeEscaped(byte: number, into: Uint8Array, at: number): number {
  if (byte === FEND || byte === FESC) {
    into[at] = FESC
    into[at + 1] = byte === FEND ? TFEND : TFESC
    return at + 2
  }
  into[at] = byte
  return at + 1
}

/**
 * Cuts a stream into KISS frames. Every FEND ends one frame and may begin the next, so that a lost FEND costs one frame
 * at most; nothing between two FENDs is no frame. Holds one frame.
 */
export class KissDecoder {
  readonly #options: KissDecoderOptions
  readonly #frame: Uint8Array
  #length = 0
  #escaped = false
  /** What comes belongs to no frame until a FEND. */
  #lost = true

  constructor(options: KissDecoderOptions) {
    if (!Number.isInteger(options.frameBytesMax) || options.frameBytesMax < 1) throw new RangeError('frameBytesMax')
    this.#options = options
    this.#frame = new Uint8Array(1 + options.frameBytesMax)
  }

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === FEND) this.#end()
      else if (!this.#lost) this.#take(byte)
    }
  }

  /** The line fell silent: an unfinished frame is forgotten, and what comes next is not taken for its rest. */
  silence(): void {
    if (this.#length > 0 || this.#escaped) this.#lose('silence')
  }

  #end(): void {
    const length = this.#length
    const broken = this.#lost
    const escaped = this.#escaped
    this.#length = 0
    this.#escaped = false
    this.#lost = false
    if (broken || (length === 0 && !escaped)) return
    if (escaped && this.#options.strayEscapes !== 'keep') this.#options.onFault?.('escape')
    else if (length > 0) this.#options.onFrame(this.#frame[0]!, this.#frame.subarray(1, length))
  }

  #take(byte: number): void {
    let plain = byte
    if (this.#escaped) {
      this.#escaped = false
      if (byte === TFEND) plain = FEND
      else if (byte === TFESC) plain = FESC
      else if (this.#options.strayEscapes !== 'keep') {
        this.#lose('escape')
        return
      }
    } else if (byte === FESC) {
      this.#escaped = true
      return
    }
    if (this.#length === this.#frame.length) this.#lose('oversize')
    else this.#frame[this.#length++] = plain
  }

  #lose(fault: KissFault): void {
    this.#length = 0
    this.#escaped = false
    this.#lost = true
    this.#options.onFault?.(fault)
  }
}

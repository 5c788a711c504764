import { ByteRing } from './byte-ring.ts'
import { RangeSet } from './range-set.ts'
import type { Chunk } from './segment.ts'

/** A window of full packets cannot have so many, and of tiny ones only where thousands are lost at once. */
const GAPS_MAX = 4096

/** Which bytes a segment carried, without the bytes. */
export interface ChunkSpan {
  readonly start: number
  readonly end: number
  readonly fin: boolean
}

/** What the application wrote, until it is acknowledged. */
export class SendSide {
  readonly #ring: ByteRing
  /** Acknowledged, above {@link #low}. */
  readonly #acked = new RangeSet()
  readonly #lost = new RangeSet()
  #low = 0
  #next = 0
  #written = 0
  #credit: number
  #closed = false
  #finSent = false
  #finAcked = false

  /** @param credit how far may be sent before the peer says more */
  constructor(bufferBytes: number, credit: number) {
    this.#ring = new ByteRing(bufferBytes)
    this.#credit = credit
  }

  get roomBytes(): number {
    return this.#closed ? 0 : this.#ring.capacity - (this.#written - this.#low)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Everything, the end included, is acknowledged. */
  get isDone(): boolean {
    return this.#finAcked && this.#low === this.#written
  }

  /** Takes what there is room for, and returns how much that was. */
  write(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.roomBytes)
    this.#ring.write(this.#written, taken)
    this.#written += taken.length
    return taken.length
  }

  close(): void {
    this.#closed = true
  }

  grant(credit: number): void {
    this.#credit = Math.max(this.#credit, credit)
  }

  get hasWork(): boolean {
    return this.#lost.first !== undefined || this.#next < Math.min(this.#written, this.#credit) || this.#owesFin
  }

  /** The next bytes to send, lost ones first, good until the next {@link write}; `undefined` where nothing may be sent. */
  nextChunk(bytesMax: number): Chunk | undefined {
    const lost = this.#lost.first
    const start = lost?.start ?? this.#next
    const end = Math.min(lost?.end ?? Math.min(this.#written, this.#credit), start + bytesMax)
    const fin = this.#closed && end === this.#written && (this.#owesFin || end > start)
    if (end === start && !fin) return undefined
    this.#lost.remove(start, end)
    this.#next = Math.max(this.#next, end)
    if (fin) this.#finSent = true
    return { offset: start, bytes: this.#ring.peek(start, end - start), fin }
  }

  acked({ start, end, fin }: ChunkSpan): void {
    if (fin) this.#finAcked = true
    this.#acked.add(Math.max(start, this.#low), end)
    this.#lost.remove(start, end)
    const first = this.#acked.first
    if (first === undefined || first.start > this.#low) return
    this.#low = first.end
    this.#acked.shift()
  }

  lost({ start, end, fin }: ChunkSpan): void {
    if (fin && !this.#finAcked) this.#finSent = false
    if (end <= this.#low) return
    this.#lost.add(Math.max(start, this.#low), end)
    for (const acked of this.#acked.ranges) this.#lost.remove(acked.start, acked.end)
  }

  get #owesFin(): boolean {
    return this.#closed && !this.#finSent && this.#next === this.#written
  }
}

/** What came, until the application reads it. */
export class ReceiveSide {
  readonly #ring: ByteRing
  readonly #held = new RangeSet()
  #read = 0
  #end: number | undefined
  #highest = 0

  constructor(bufferBytes: number) {
    this.#ring = new ByteRing(bufferBytes)
  }

  /** The offset below which the peer may send. */
  get credit(): number {
    return this.#read + this.#ring.capacity
  }

  /** Bytes that can be read now. */
  get readableBytes(): number {
    const first = this.#held.first
    return first !== undefined && first.start <= this.#read ? first.end - this.#read : 0
  }

  /** The end came and everything before it was read. */
  get isDone(): boolean {
    return this.#end === this.#read
  }

  /** Everything up to the end came. */
  get isComplete(): boolean {
    return this.#end !== undefined && this.#read + this.readableBytes === this.#end
  }

  /** `false` where the peer broke the rules: beyond its credit, more than one end, or {@link GAPS_MAX} gaps. */
  take({ offset, bytes, fin }: Chunk): boolean {
    const end = offset + bytes.length
    if (end > this.credit || (this.#end !== undefined && (end > this.#end || (fin && end !== this.#end)))) return false
    if (fin && end < this.#highest) return false
    if (fin) this.#end = end
    this.#highest = Math.max(this.#highest, end)
    if (end <= this.#read) return true
    const skip = Math.max(0, this.#read - offset)
    this.#ring.write(offset + skip, bytes.subarray(skip))
    this.#held.add(offset + skip, end)
    return this.#held.ranges.length <= GAPS_MAX
  }

  read(bytesMax: number): Uint8Array {
    const length = Math.min(bytesMax, this.readableBytes)
    const bytes = this.#ring.read(this.#read, length)
    this.#held.remove(this.#read, this.#read + length)
    this.#read += length
    return bytes
  }
}

import { ByteReader, ByteWriter } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { BODY_MAX_BYTES, MESSAGE_MAX_BYTES, PART_BYTES, PARTS_MAX } from './limits.ts'

/** The body of a content of context 41. */
export interface Fragment {
  readonly index: number
  /** Index of the last part. */
  readonly last: number
  readonly part: Uint8Array
}

/**
 * Reads one part of a long body (docs/spec/session.md, Fragments).
 *
 * | at | bytes | field | note                                                              |
 * | -: | ----: | ----- | ----------------------------------------------------------------- |
 * |  0 |     1 | index | ≤ last                                                            |
 * |  1 |     1 | last  | 1…211                                                             |
 * |  2 |   310 | part  | all but the last part are full; the last has 1…310 bytes, and all |
 * |    |       |       | together are 313…65 536 bytes                                     |
 *
 * @throws {SessionError} `session/length`, `session/fragment`
 */
export function decodeFragment(body: Uint8Array): Fragment {
  const reader = new ByteReader(body, () => length(2, body.length))
  const index = reader.u8()
  const last = reader.u8()
  const bad = new SessionError({ code: 'session/fragment', index, last })
  if (index > last || last < 1 || last >= PARTS_MAX) throw bad
  if (reader.remaining > PART_BYTES) throw length(2 + PART_BYTES, body.length)
  if (index < last && reader.remaining < PART_BYTES) throw bad
  if (index === last) {
    const total = last * PART_BYTES + reader.remaining
    if (reader.remaining === 0 || total <= BODY_MAX_BYTES || total > MESSAGE_MAX_BYTES) throw bad
  }
  return { index, last, part: reader.rest() }
}

/** Writes what {@link decodeFragment} reads. */
export function encodeFragment({ index, last, part }: Fragment): Uint8Array {
  return new ByteWriter(2 + part.length).u8(index).u8(last).bytes(part).finish()
}

/** How many parts a body of `bodyBytes` has. */
export function partCount(bodyBytes: number): number {
  return Math.ceil(bodyBytes / PART_BYTES)
}

/** Part `index` of a body above {@link BODY_MAX_BYTES}. */
export function fragmentOf(body: Uint8Array, index: number): Fragment {
  const part = body.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)
  return { index, last: partCount(body.length) - 1, part }
}

/** A set of part indexes as a receipt carries it. */
export class PartSet {
  readonly parts: number
  readonly #bits: Uint8Array
  #count = 0

  constructor(parts: number) {
    this.parts = parts
    this.#bits = new Uint8Array((parts + 7) >> 3)
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === this.parts
  }

  has(index: number): boolean {
    return (this.#bits[index >> 3]! & (1 << (index & 7))) !== 0
  }

  /** Whether the part was new. */
  add(index: number): boolean {
    if (this.has(index)) return false
    this.#bits[index >> 3] = this.#bits[index >> 3]! | (1 << (index & 7))
    this.#count++
    return true
  }

  /** Whether the part was there. */
  delete(index: number): boolean {
    if (!this.has(index)) return false
    this.#bits[index >> 3]! &= ~(1 << (index & 7))
    this.#count--
    return true
  }

  clear(): void {
    this.#bits.fill(0)
    this.#count = 0
  }

  /** A copy of the bits. */
  toBitmap(): Uint8Array {
    return this.#bits.slice()
  }

  /** Takes the place of what the set held; `false`, and nothing done, where the bitmap is not one of this many parts. */
  replace(bitmap: Uint8Array): boolean {
    if (bitmap.length !== this.#bits.length) return false
    const spare = this.#bits.length * 8 - this.parts
    if (bitmap[bitmap.length - 1]! >> (8 - spare) !== 0) return false
    this.clear()
    for (let index = 0; index < this.parts; index++)
      if ((bitmap[index >> 3]! & (1 << (index & 7))) !== 0) this.add(index)
    return true
  }
}

function length(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}

import { ByteReader, ByteWriter, toHex } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { DIGEST_BYTES, WINDOW_IDS } from './limits.ts'

const VERSION = 1
const HEAD_BYTES = 1 + 8
const ENTRY_BYTES = 8 + DIGEST_BYTES
const CAPACITY_FIRST = 4

/** What a window knows of an id: nothing, that it lies below everything remembered, or the digest that came with it. */
export type Seen = 'new' | 'below' | Uint8Array

/**
 * The highest {@link WINDOW_IDS} ids that one sender was answered "stored" for, with their digests. Below the floor nothing
 * is known any more, so nothing there is ever shown.
 */
export class SeenWindow {
  /** Ascending; the first {@link size} places are in use, and those of {@link #digests} with them. */
  #ids = new BigUint64Array(CAPACITY_FIRST)
  #digests = new Uint8Array(CAPACITY_FIRST * DIGEST_BYTES)
  #size = 0
  #floor: bigint

  /** Every id up to `floor` counts as known. */
  constructor(floor: bigint) {
    this.#floor = floor
  }

  get highest(): bigint {
    return this.#size > 0 ? this.#ids[this.#size - 1]! : this.#floor
  }

  get size(): number {
    return this.#size
  }

  look(id: bigint): Seen {
    const at = this.#search(id)
    if (at < this.#size && this.#ids[at] === id) return this.#digestAt(at).slice()
    return id <= this.#floor ? 'below' : 'new'
  }

  /** Remembers an id that is {@link look new}; ids already known or below are left as they are. */
  add(id: bigint, digest: Uint8Array): void {
    let at = this.#search(id)
    if ((at < this.#size && this.#ids[at] === id) || id <= this.#floor) return
    if (this.#size === WINDOW_IDS) {
      if (at === 0) {
        this.#floor = id
        return
      }
      this.#floor = this.#ids[0]!
      this.#move(1, 0, --at)
      this.#write(at, id, digest)
      return
    }
    if (this.#size === this.#ids.length) this.#grow()
    this.#move(at, at + 1, this.#size - at)
    this.#size++
    this.#write(at, id, digest)
  }

  /** `version 1 | floor u64 | (id u64, digest 16)*`, ids ascending. */
  encode(): Uint8Array {
    const writer = new ByteWriter(HEAD_BYTES + this.#size * ENTRY_BYTES).u8(VERSION).u64(this.#floor)
    for (let at = 0; at < this.#size; at++) writer.u64(this.#ids[at]!).bytes(this.#digestAt(at))
    return writer.finish()
  }

  /** @throws {SessionError} `session/record`, `session/length` */
  static decode(record: Uint8Array): SeenWindow {
    const reader = new ByteReader(record, () => length(HEAD_BYTES, record.length))
    const version = reader.u8()
    if (version !== VERSION) throw new SessionError({ code: 'session/record', version })
    const window = new SeenWindow(reader.u64())
    const entries = reader.remaining / ENTRY_BYTES
    if (entries > WINDOW_IDS) throw length(HEAD_BYTES + WINDOW_IDS * ENTRY_BYTES, record.length)
    while (reader.remaining > 0) {
      const id = reader.u64()
      if (id <= window.highest) throw new SessionError({ code: 'session/record', version })
      window.add(id, reader.bytes(DIGEST_BYTES))
    }
    return window
  }

  #digestAt(at: number): Uint8Array {
    return this.#digests.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES)
  }

  #write(at: number, id: bigint, digest: Uint8Array): void {
    this.#ids[at] = id
    this.#digests.set(digest, at * DIGEST_BYTES)
  }

  #move(from: number, to: number, count: number): void {
    this.#ids.copyWithin(to, from, from + count)
    this.#digests.copyWithin(to * DIGEST_BYTES, from * DIGEST_BYTES, (from + count) * DIGEST_BYTES)
  }

  #grow(): void {
    const [ids, digests] = [this.#ids, this.#digests]
    this.#ids = new BigUint64Array(Math.min(WINDOW_IDS, ids.length * 4))
    this.#digests = new Uint8Array(this.#ids.length * DIGEST_BYTES)
    this.#ids.set(ids)
    this.#digests.set(digests)
  }

  /** Where the id is, or would be. */
  #search(id: bigint): number {
    let low = 0
    let high = this.#size
    if (high > 0 && id > this.#ids[high - 1]!) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ids[middle]! < id) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The latest boxes of anonymous senders, who have no ids: a repeated box is known by its digest. First in, first out. */
export class SeenBoxes {
  /** In the order of coming, by their hex. */
  readonly #digests = new Map<string, Uint8Array>()
  readonly #boxesMax: number

  constructor(boxesMax: number) {
    this.#boxesMax = boxesMax
  }

  has(digest: Uint8Array): boolean {
    return this.#digests.has(toHex(digest))
  }

  add(digest: Uint8Array): void {
    const name = toHex(digest)
    if (this.#digests.has(name)) return
    this.#digests.set(name, digest)
    if (this.#digests.size > this.#boxesMax) this.#digests.delete(this.#digests.keys().next().value!)
  }

  /** `version 1 | digest 16 *`, oldest first. */
  encode(): Uint8Array {
    const writer = new ByteWriter(1 + this.#digests.size * DIGEST_BYTES).u8(VERSION)
    for (const digest of this.#digests.values()) writer.bytes(digest)
    return writer.finish()
  }

  /** @throws {SessionError} `session/record`, `session/length` */
  static decode(record: Uint8Array, boxesMax: number): SeenBoxes {
    const reader = new ByteReader(record, () => length(1, record.length))
    const version = reader.u8()
    if (version !== VERSION) throw new SessionError({ code: 'session/record', version })
    const boxes = new SeenBoxes(boxesMax)
    while (reader.remaining > 0) boxes.add(reader.bytes(DIGEST_BYTES))
    return boxes
  }
}

function length(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}

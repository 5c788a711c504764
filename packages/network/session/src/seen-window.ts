import { ByteReader, ByteWriter, equalBytes } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { DIGEST_BYTES, WINDOW_IDS } from './limits.ts'

const VERSION = 1
const HEAD_BYTES = 1 + 8
const ENTRY_BYTES = 8 + DIGEST_BYTES

/** What a window knows of an id: nothing, that it lies below everything remembered, or the digest that came with it. */
export type Seen = 'new' | 'below' | Uint8Array

/**
 * The highest {@link WINDOW_IDS} ids that one sender was answered "stored" for, with their digests. Below the floor nothing
 * is known any more, so nothing there is ever shown.
 */
export class SeenWindow {
  /** Ascending. */
  readonly #ids: bigint[] = []
  readonly #digests: Uint8Array[] = []
  #floor: bigint

  /** Every id up to `floor` counts as known. */
  constructor(floor: bigint) {
    this.#floor = floor
  }

  get highest(): bigint {
    return this.#ids.at(-1) ?? this.#floor
  }

  get size(): number {
    return this.#ids.length
  }

  look(id: bigint): Seen {
    const at = this.#search(id)
    if (this.#ids[at] === id) return this.#digests[at]!
    return id <= this.#floor ? 'below' : 'new'
  }

  /** Remembers an id that is {@link look new}; ids already known or below are left as they are. */
  add(id: bigint, digest: Uint8Array): void {
    const at = this.#search(id)
    if (this.#ids[at] === id || id <= this.#floor) return
    this.#ids.splice(at, 0, id)
    this.#digests.splice(at, 0, digest)
    if (this.#ids.length <= WINDOW_IDS) return
    this.#floor = this.#ids.shift()!
    this.#digests.shift()
  }

  /** `version 1 | floor u64 | (id u64, digest 16)*`, ids ascending. */
  encode(): Uint8Array {
    const writer = new ByteWriter(HEAD_BYTES + this.#ids.length * ENTRY_BYTES).u8(VERSION).u64(this.#floor)
    for (const [at, id] of this.#ids.entries()) writer.u64(id).bytes(this.#digests[at]!)
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
    let above = window.#floor
    while (reader.remaining > 0) {
      const id = reader.u64()
      if (id <= above) throw new SessionError({ code: 'session/record', version })
      window.#ids.push(id)
      window.#digests.push(reader.bytes(DIGEST_BYTES))
      above = id
    }
    return window
  }

  #search(id: bigint): number {
    let low = 0
    let high = this.#ids.length
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
  readonly #digests: Uint8Array[] = []
  readonly #boxesMax: number

  constructor(boxesMax: number) {
    this.#boxesMax = boxesMax
  }

  has(digest: Uint8Array): boolean {
    return this.#digests.some((known) => equalBytes(known, digest))
  }

  add(digest: Uint8Array): void {
    if (this.has(digest)) return
    this.#digests.push(digest)
    if (this.#digests.length > this.#boxesMax) this.#digests.shift()
  }

  /** `version 1 | digest 16 *`, oldest first. */
  encode(): Uint8Array {
    const writer = new ByteWriter(1 + this.#digests.length * DIGEST_BYTES).u8(VERSION)
    for (const digest of this.#digests) writer.bytes(digest)
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

import { ByteReader, ByteWriter } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { FLOOR_CELLS, FLOOR_PAGE_CELLS } from './limits.ts'
import type { Store } from './store.ts'

/**
 * What is left of windows that had to be dropped: one of {@link FLOOR_CELLS} shared floors, chosen by a keyed hash of the
 * sender, rises to the highest id of the dropped window. A sender without a window starts at its cell's floor, so nothing it
 * was ever shown for can be shown again; that another sender of the same cell starts higher costs it one resend. The key is
 * this node's own: nobody can aim at a chosen sender's cell.
 */
export class Floors {
  readonly #crypto: Crypto
  readonly #store: Store
  readonly #prefix: string
  readonly #key: Uint8Array
  readonly #pages = new Map<number, BigUint64Array>()

  constructor(crypto: Crypto, random: Random, store: Store, prefix: string) {
    this.#crypto = crypto
    this.#store = store
    this.#prefix = prefix
    const stored = store.get(`${prefix}key`)
    this.#key = stored ?? random(32)
    if (stored === undefined) store.put(`${prefix}key`, this.#key)
    for (let page = 0; page * FLOOR_PAGE_CELLS < FLOOR_CELLS; page++) {
      const record = store.get(prefix + page)
      if (record !== undefined) this.#pages.set(page, decodePage(record))
    }
  }

  of(nodeId: Uint8Array): bigint {
    const cell = this.#cell(nodeId)
    return this.#pages.get(Math.floor(cell / FLOOR_PAGE_CELLS))?.[cell % FLOOR_PAGE_CELLS] ?? 0n
  }

  /** Durable on return. */
  raise(nodeId: Uint8Array, highest: bigint): void {
    const cell = this.#cell(nodeId)
    const at = Math.floor(cell / FLOOR_PAGE_CELLS)
    const page = this.#pages.get(at) ?? new BigUint64Array(FLOOR_PAGE_CELLS)
    if (page[cell % FLOOR_PAGE_CELLS]! >= highest) return
    page[cell % FLOOR_PAGE_CELLS] = highest
    this.#pages.set(at, page)
    this.#store.put(this.#prefix + at, encodePage(page))
  }

  #cell(nodeId: Uint8Array): number {
    return new ByteReader(this.#crypto.blake2b(nodeId, { length: 4, key: this.#key })).u32() % FLOOR_CELLS
  }
}

function encodePage(page: BigUint64Array): Uint8Array {
  const writer = new ByteWriter(FLOOR_PAGE_CELLS * 8)
  for (const floor of page) writer.u64(floor)
  return writer.finish()
}

function decodePage(record: Uint8Array): BigUint64Array {
  const reader = new ByteReader(record)
  return BigUint64Array.from({ length: FLOOR_PAGE_CELLS }, () => reader.u64())
}

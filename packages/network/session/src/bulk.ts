import { PartSet, partCount } from './fragment.ts'

const WINDOW_PARTS_FIRST = 8
const WINDOW_PARTS_MIN = 2
const WINDOW_PARTS_MAX = 64
/** A part is lost where one that was sent this many parts later is held. */
const REORDER_PARTS = 3
/** How often a receiver may say that it holds less than before: it restarts now and then, and must not keep us sending. */
const SETBACKS_MAX = 8

/**
 * Which parts of a long body to send next: a window that grows with what the receiver holds and halves when nothing is
 * answered in time. Not on disk: after a restart the first parts are sent again, and the receiver says what it holds.
 */
export class Bulk {
  readonly #held: PartSet
  readonly #sent: PartSet
  /** Per part: 1 where it is on the way. */
  readonly #isOut: Uint8Array
  /** Per part: when it was sent, if that was once, and the how-manieth sending its last one was; −1 where there is none. */
  readonly #onceMs: Float64Array
  readonly #order: Float64Array
  #orders = 0
  #window = WINDOW_PARTS_FIRST
  #newestReceipt = 0n
  #setbacks = 0

  constructor(bodyBytes: number) {
    const parts = partCount(bodyBytes)
    this.#held = new PartSet(parts)
    this.#sent = new PartSet(parts)
    this.#isOut = new Uint8Array(parts)
    this.#onceMs = new Float64Array(parts).fill(-1)
    this.#order = new Float64Array(parts).fill(-1)
  }

  /** Whether every part left at least once. */
  get allSent(): boolean {
    return this.#sent.isFull
  }

  /** The lowest part to send now, `undefined` where the window is full or nothing is left. */
  next(): number | undefined {
    let inFlight = 0
    let first: number | undefined
    for (let part = 0; part < this.#held.parts; part++) {
      if (this.#held.has(part)) continue
      if (this.#isOut[part] === 1) inFlight++
      else first ??= part
    }
    return inFlight < this.#window ? first : undefined
  }

  sent(part: number, nowMs: number): void {
    this.#onceMs[part] = this.#sent.add(part) ? nowMs : -1
    this.#isOut[part] = 1
    this.#order[part] = this.#orders++
  }

  /** The part was not taken after all. */
  unsent(part: number): void {
    this.#isOut[part] = 0
    if (this.#onceMs[part]! < 0) return
    this.#onceMs[part] = -1
    this.#sent.delete(part)
  }

  /** Nothing was answered in time: all that is not held is sent again, more slowly. */
  timedOut(): void {
    this.#window = Math.max(WINDOW_PARTS_MIN, this.#window >> 1)
    this.#forget(Number.POSITIVE_INFINITY)
  }

  /** Sends what is not held again, without slowing down: the destination was heard. */
  again(): void {
    this.#forget(Number.POSITIVE_INFINITY)
  }

  /**
   * Takes a bitmap in. Receipts may come in any order: only one with a higher id than all before counts, since the receiver
   * may have dropped what it held. Returns `undefined` where nothing new is held, else the round trip of the newest part that
   * is, if that part was sent once and in this run: of any other nobody knows which sending was answered.
   */
  held(receiptId: bigint, bitmap: Uint8Array, nowMs: number): { readonly rttMs: number | undefined } | undefined {
    if (receiptId <= this.#newestReceipt) return undefined
    const before = this.#held.toBitmap()
    const beforeCount = this.#held.count
    if (!this.#held.replace(bitmap)) return undefined
    this.#newestReceipt = receiptId
    if (this.#held.count < beforeCount) this.#setbacks++
    if (this.#setbacks > SETBACKS_MAX) return undefined
    let newest = -1
    let newestGained = -1
    let onceMs = -1
    let gained = 0
    for (let part = 0; part < this.#held.parts; part++) {
      if (!this.#held.has(part)) continue
      const order = this.#order[part]!
      newest = Math.max(newest, order)
      if ((before[part >> 3]! & (1 << (part & 7))) !== 0) continue
      gained++
      if (order <= newestGained) continue
      newestGained = order
      onceMs = this.#onceMs[part]!
    }
    this.#window = Math.min(WINDOW_PARTS_MAX, this.#window + gained)
    this.#forget(newest - REORDER_PARTS + 1)
    if (gained === 0) return undefined
    return { rttMs: onceMs < 0 ? undefined : nowMs - onceMs }
  }

  #forget(belowOrder: number): void {
    for (let part = 0; part < this.#held.parts; part++) {
      if (!this.#held.has(part) && this.#order[part]! < belowOrder) this.#isOut[part] = 0
    }
  }
}

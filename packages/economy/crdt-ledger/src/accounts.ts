import { PAYER_SEQ_FIRST } from '@nexus/channels'
import { NODE_ID_BYTES } from '@nexus/identity'

/** No slot, row or sequence. */
export const NONE = 0xffff_ffff
const ROOM_MIN = 64

/**
 * Accounts in dense slots, found by NodeID. Sequences of an account are kept as offsets from its `firstSeq`, the next
 * payer_seq of the snapshot, so that all work on chains is in small integers.
 */
export class AccountTable {
  count = 0
  ids = new Uint8Array(ROOM_MIN * NODE_ID_BYTES)
  /** Balance in the snapshot. */
  opening = new BigUint64Array(ROOM_MIN)
  balance = new BigUint64Array(ROOM_MIN)
  firstSeq = new BigUint64Array(ROOM_MIN)
  /** Applied debits. */
  next = new Uint32Array(ROOM_MIN)
  /** One more than the highest stored debit. */
  top = new Uint32Array(ROOM_MIN)
  /** Lowest debit with a rival, or NONE. */
  conflict = new Uint32Array(ROOM_MIN)
  /** First and last row of the applied credits, in the order in which they were applied. */
  creditHead = new Uint32Array(ROOM_MIN)
  creditTail = new Uint32Array(ROOM_MIN)
  #buckets = new Uint32Array(ROOM_MIN * 2).fill(NONE)

  find(nodeId: Uint8Array): number {
    return this.#buckets[this.#bucketOf(nodeId)]!
  }

  /** The slot of an account, made where there is none. */
  intern(nodeId: Uint8Array): number {
    const bucket = this.#bucketOf(nodeId)
    const known = this.#buckets[bucket]!
    if (known !== NONE) return known
    if (this.count === this.balance.length) this.#grow()
    const slot = this.count++
    this.ids.set(nodeId, slot * NODE_ID_BYTES)
    this.firstSeq[slot] = PAYER_SEQ_FIRST
    this.conflict[slot] = NONE
    this.creditHead[slot] = NONE
    this.creditTail[slot] = NONE
    if (this.count * 2 > this.#buckets.length) this.#rehash(this.#buckets.length * 2)
    else this.#buckets[bucket] = slot
    return slot
  }

  /** A view of the NodeID, valid until the next `intern`. */
  id(slot: number): Uint8Array {
    return this.ids.subarray(slot * NODE_ID_BYTES, (slot + 1) * NODE_ID_BYTES)
  }

  /** Whether the account has ever held money in the state at hand: only then can a debit of it apply. */
  isCredited(slot: number): boolean {
    return this.opening[slot]! > 0n || this.creditHead[slot] !== NONE
  }

  #bucketOf(nodeId: Uint8Array): number {
    const mask = this.#buckets.length - 1
    for (let bucket = spread(nodeId, 0) & mask; ; bucket = (bucket + 1) & mask) {
      const slot = this.#buckets[bucket]!
      if (slot === NONE || this.#matches(slot, nodeId)) return bucket
    }
  }

  #matches(slot: number, nodeId: Uint8Array): boolean {
    const at = slot * NODE_ID_BYTES
    for (let i = 0; i < NODE_ID_BYTES; i++) if (this.ids[at + i] !== nodeId[i]) return false
    return true
  }

  #rehash(length: number): void {
    this.#buckets = new Uint32Array(length).fill(NONE)
    for (let slot = 0; slot < this.count; slot++) {
      let bucket = spread(this.ids, slot * NODE_ID_BYTES) & (length - 1)
      while (this.#buckets[bucket] !== NONE) bucket = (bucket + 1) & (length - 1)
      this.#buckets[bucket] = slot
    }
  }

  #grow(): void {
    const room = this.balance.length * 2
    this.ids = grown(this.ids, new Uint8Array(room * NODE_ID_BYTES))
    this.opening = grown(this.opening, new BigUint64Array(room))
    this.balance = grown(this.balance, new BigUint64Array(room))
    this.firstSeq = grown(this.firstSeq, new BigUint64Array(room))
    this.next = grown(this.next, new Uint32Array(room))
    this.top = grown(this.top, new Uint32Array(room))
    this.conflict = grown(this.conflict, new Uint32Array(room))
    this.creditHead = grown(this.creditHead, new Uint32Array(room))
    this.creditTail = grown(this.creditTail, new Uint32Array(room))
  }
}

function spread(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function grown<Column extends Uint8Array | Uint32Array | BigUint64Array>(from: Column, to: Column): Column {
  if (from instanceof BigUint64Array) (to as BigUint64Array).set(from)
  else (to as Uint32Array).set(from as Uint32Array)
  return to
}

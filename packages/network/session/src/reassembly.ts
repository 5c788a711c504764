import { concatBytes, toHex } from '@nexus/codec'
import { type Fragment, PartSet } from './fragment.ts'
import type { Limits } from './limits.ts'

const BITMAP_EVERY_PARTS = 8
const BITMAP_MS_MIN = 1_000
const STALLED_MS = 60_000

/** What became of a fragment. */
export type Reassembled =
  | { readonly kind: 'whole'; readonly body: Uint8Array }
  /** Kept; `bitmap` is what to answer now, if anything. */
  | { readonly kind: 'part'; readonly bitmap?: Uint8Array }
  /** No room, or not of the message that its id began. */
  | { readonly kind: 'refused' }

/** A bitmap that is due because nothing more came for a while. */
export interface DueBitmap {
  readonly sender: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array }
  readonly id: bigint
  readonly bitmap: Uint8Array
}

interface Pending {
  readonly sender: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array }
  readonly id: bigint
  readonly held: PartSet
  readonly parts: (Uint8Array | undefined)[]
  bytes: number
  lastMs: number
  /** Mean time between parts, so that on a slow path a pause is not taken for the end. */
  gapMs: number
  unanswered: number
  bitmapMs: number
}

/**
 * Long bodies under way. Only parts whose signature held come here, so a stranger cannot spoil another one's message; what one
 * sender and all together may hold is bounded, and what is full refuses newcomers until a message stalls. Not on disk: after a
 * restart the bitmap tells the sender to begin again.
 */
export class Reassembly {
  readonly #limits: Limits
  /** The one that moved least recently comes first. */
  readonly #pending = new Map<string, Pending>()
  #bytes = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#pending.size
  }

  get bytes(): number {
    return this.#bytes
  }

  add(nowMs: number, sender: Pending['sender'], id: bigint, fragment: Fragment): Reassembled {
    const key = `${toHex(sender.nodeId)}/${id}`
    const pending = this.#pending.get(key) ?? this.#begin(nowMs, key, sender, id, fragment.last + 1)
    if (pending === undefined || pending.held.parts !== fragment.last + 1) return { kind: 'refused' }
    if (!pending.held.has(fragment.index)) {
      if (!this.#makeRoom(nowMs, fragment.part.length)) return { kind: 'refused' }
      pending.gapMs += (nowMs - pending.lastMs - pending.gapMs) / 4
      pending.lastMs = nowMs
      pending.held.add(fragment.index)
      pending.parts[fragment.index] = fragment.part
      pending.bytes += fragment.part.length
      this.#bytes += fragment.part.length
      pending.unanswered++
      this.#pending.delete(key)
      this.#pending.set(key, pending)
    } else pending.unanswered = BITMAP_EVERY_PARTS
    if (pending.held.isFull) {
      this.#drop(key, pending)
      return { kind: 'whole', body: concatBytes(...pending.parts.map((part) => part!)) }
    }
    if (pending.unanswered < BITMAP_EVERY_PARTS) {
      pending.bitmapMs = nowMs + Math.max(BITMAP_MS_MIN, 2 * pending.gapMs)
      return { kind: 'part' }
    }
    return { kind: 'part', bitmap: this.#answer(pending) }
  }

  /** Bitmaps of messages that paused; drops what has not moved for too long. */
  tick(nowMs: number): DueBitmap[] {
    const due: DueBitmap[] = []
    for (const [key, pending] of [...this.#pending]) {
      if (nowMs - pending.lastMs >= this.#limits.reassemblyIdleMs) this.#drop(key, pending)
      else if (pending.bitmapMs <= nowMs) {
        due.push({ sender: pending.sender, id: pending.id, bitmap: this.#answer(pending) })
      }
    }
    return due
  }

  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { bitmapMs, lastMs } of this.#pending.values()) {
      wakeMs = Math.min(wakeMs, bitmapMs, lastMs + this.#limits.reassemblyIdleMs)
    }
    return wakeMs
  }

  #begin(nowMs: number, key: string, sender: Pending['sender'], id: bigint, parts: number): Pending | undefined {
    if (!this.#makeRoomOfSender(nowMs, sender.nodeId)) return undefined
    if (this.#pending.size >= this.#limits.reassembliesMax && !this.#dropStalled(nowMs)) return undefined
    const pending: Pending = {
      sender,
      id,
      held: new PartSet(parts),
      parts: new Array(parts).fill(undefined),
      bytes: 0,
      lastMs: nowMs,
      gapMs: 0,
      unanswered: 0,
      bitmapMs: Number.POSITIVE_INFINITY,
    }
    this.#pending.set(key, pending)
    return pending
  }

  /** A sender's further messages wait for its first ones, unless one of those stalled. */
  #makeRoomOfSender(nowMs: number, nodeId: Uint8Array): boolean {
    const prefix = `${toHex(nodeId)}/`
    const own = [...this.#pending].filter(([key]) => key.startsWith(prefix))
    return own.length < this.#limits.reassembliesPerSenderMax || this.#dropStalled(nowMs, prefix)
  }

  #makeRoom(nowMs: number, bytes: number): boolean {
    while (this.#bytes + bytes > this.#limits.reassemblyBytesMax) if (!this.#dropStalled(nowMs)) return false
    return true
  }

  /** Drops the message that moved least recently, if it has not for a minute or four times its pace. */
  #dropStalled(nowMs: number, prefix = ''): boolean {
    for (const [key, pending] of this.#pending) {
      if (!key.startsWith(prefix)) continue
      if (nowMs - pending.lastMs < Math.max(STALLED_MS, 4 * pending.gapMs)) continue
      this.#drop(key, pending)
      return true
    }
    return false
  }

  #answer(pending: Pending): Uint8Array {
    pending.unanswered = 0
    pending.bitmapMs = Number.POSITIVE_INFINITY
    return pending.held.toBitmap()
  }

  #drop(key: string, pending: Pending): void {
    this.#pending.delete(key)
    this.#bytes -= pending.bytes
  }
}

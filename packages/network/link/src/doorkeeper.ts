import { equalBytes, toHex } from '@nexus/codec'
import { encodeCookieFrame, type Hs1 } from './frames.ts'
import type { HalfOpen, Handshaker } from './handshake.ts'
import { HS2_SPACING_AIRTIMES, type LinkLimits } from './limits.ts'
import type { LinkTable } from './link-table.ts'
import type { Medium } from './medium.ts'

/**
 * Strangers' handshakes that were answered and are not finished (docs/spec/link.md). HS1 costs its sender a mac before it
 * costs us anything, and under load a cookie before it costs us memory.
 */
export class Doorkeeper {
  readonly #limits: LinkLimits
  readonly #handshaker: Handshaker
  readonly #table: LinkTable
  readonly #open = new Map<Medium, Set<HalfOpen>>()
  /** The e of completed handshakes, oldest first. */
  readonly #past = new Set<string>()

  constructor(limits: LinkLimits, handshaker: Handshaker, table: LinkTable) {
    this.#limits = limits
    this.#handshaker = handshaker
    this.#table = table
  }

  /** Half-open handshakes in all. */
  get size(): number {
    let size = 0
    for (const open of this.#open.values()) size += open.size
    return size
  }

  /** Whether a handshake with `from` is half-open. */
  isBusyWith(medium: Medium, from: string | undefined): boolean {
    for (const half of this.#of(medium)) if (half.from === from) return true
    return false
  }

  /** Answers an HS1 whose mac held, if there is room. */
  answer(nowMs: number, medium: Medium, frame: Uint8Array, hs1: Hs1, from: string | undefined): void {
    const ephemeral = this.#handshaker.ephemeralOf(hs1)
    const open = this.#of(medium)
    for (const half of open) {
      if (!equalBytes(half.ephemeral, ephemeral)) continue
      if (half.from === from && half.senderId === hs1.senderId) this.#answerAgain(nowMs, half)
      else medium.refuse('replay', from)
      return
    }
    if (this.#past.has(toHex(ephemeral))) {
      medium.refuse('replay', from)
      return
    }
    if (!this.#mayTransmit(nowMs, medium)) {
      medium.refuse('flood', from)
      return
    }
    if (open.size >= this.#limits.halfOpenBeforeCookie && !medium.cookies.isValid(nowMs, from, ephemeral, hs1.cookie)) {
      const cookie = medium.cookies.make(nowMs, from, ephemeral)
      medium.stats.cookiesDemanded++
      this.#send(nowMs, medium, encodeCookieFrame({ receiverId: hs1.senderId, cookie }), from)
      return
    }
    if (!this.#makeRoom(nowMs, medium, open, from)) {
      medium.refuse('flood', from)
      return
    }
    const half = this.#handshaker.answer(nowMs, this.#table.freeId(), medium, from, frame, hs1)
    if (half === undefined) {
      medium.refuse('malformed', from)
      return
    }
    this.#table.claim(half.id, half)
    open.add(half)
    this.#answer(nowMs, half)
  }

  /** Gives a half-open handshake up. */
  drop(half: HalfOpen): void {
    this.take(half)
    half.noise.wipe()
  }

  /** Lets go of a half-open handshake, to finish it. */
  take(half: HalfOpen): void {
    this.#of(half.medium).delete(half)
    this.#table.release(half.id, half)
  }

  /** Notes that a handshake was completed: its HS1 is not answered again. */
  remember({ ephemeral }: HalfOpen): void {
    if (this.#past.size >= this.#limits.pastHandshakes) {
      const [oldest] = this.#past
      this.#past.delete(oldest!)
    }
    this.#past.add(toHex(ephemeral))
  }

  mediumDown(medium: Medium): void {
    for (const half of this.#of(medium)) this.drop(half)
    this.#open.delete(medium)
  }

  tick(nowMs: number): void {
    for (const open of this.#open.values()) {
      for (const half of open) {
        if (nowMs >= half.expiresMs) this.drop(half)
        else if (nowMs >= half.dueMs) this.#answer(nowMs, half)
      }
    }
  }

  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const open of this.#open.values()) {
      for (const half of open) wakeMs = Math.min(wakeMs, half.expiresMs, half.dueMs)
    }
    return wakeMs
  }

  #answerAgain(nowMs: number, half: HalfOpen): void {
    if (this.#mayTransmit(nowMs, half.medium)) this.#answer(nowMs, half)
    else half.medium.count('flood')
  }

  /** Sends HS2 once the share for control traffic allows. */
  #answer(nowMs: number, half: HalfOpen): void {
    const { medium } = half
    const atMs = medium.controlAtMs(nowMs)
    half.expiresMs = atMs + medium.halfOpenMs
    if (atMs > nowMs) {
      half.dueMs = atMs
      return
    }
    half.dueMs = Number.POSITIVE_INFINITY
    half.answers++
    half.sentMs = nowMs
    this.#send(nowMs, medium, half.hs2, half.from)
  }

  /** A medium without addresses can be made to answer anyone's HS1: at most once per 10 full airtimes. */
  #mayTransmit(nowMs: number, medium: Medium): boolean {
    return medium.addressed || nowMs >= medium.nextHs2Ms
  }

  #makeRoom(nowMs: number, medium: Medium, open: Set<HalfOpen>, from: string | undefined): boolean {
    // A point medium is one address.
    if (medium.addressed || medium.point) {
      let sameAddress = 0
      for (const half of open) if (half.from === from) sameAddress++
      if (sameAddress >= this.#limits.halfOpenPerAddress) return false
    }
    if (open.size < this.#limits.halfOpen) return true
    const [oldest] = open
    if (oldest === undefined || nowMs - oldest.startedMs < medium.halfOpenGraceMs) return false
    this.drop(oldest)
    return true
  }

  #send(nowMs: number, medium: Medium, frame: Uint8Array, to: string | undefined): void {
    medium.nextHs2Ms = nowMs + HS2_SPACING_AIRTIMES * medium.fullAirtimeMs
    medium.send(nowMs, frame, to, 0, 'handshake')
  }

  #of(medium: Medium): Set<HalfOpen> {
    let open = this.#open.get(medium)
    if (open === undefined) {
      open = new Set()
      this.#open.set(medium, open)
    }
    return open
  }
}

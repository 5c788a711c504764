import { equalBytes } from '@nexus/codec'
import { announceLamport, announceMaxHops, packetData, packetDestination } from '@nexus/framing'
import { NONE } from './destinations.ts'
import { REFRESH_MS, SELF_ANNOUNCE_SPACING_MS } from './limits.ts'
import type { RouterState } from './state.ts'

/** This node's own announce: when a new one is due, and which lamport it needs. */
export class SelfAnnounces {
  readonly #state: RouterState
  readonly #ask: (atLeastLamport: bigint) => void
  #dueMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY
  #atLeast = 0n

  constructor(state: RouterState, ask: (atLeastLamport: bigint) => void) {
    this.#state = state
    this.#ask = ask
  }

  /** @throws {RangeError} for the announce of another node, or a lamport that is not above the last */
  take(packet: Uint8Array): void {
    const { table, selfSlot, selfId, nowMs } = this.#state
    const lamport = announceLamport(packet)
    if (!equalBytes(packetDestination(packet), selfId)) throw new RangeError('the announce is of another node')
    if (this.#isMade && lamport <= table.lamport[selfSlot]!) {
      throw new RangeError(`lamport ${lamport} is not above the last`)
    }
    this.#state.putBody(selfSlot, packetData(packet))
    table.lamport[selfSlot] = lamport
    table.maxHops[selfSlot] = announceMaxHops(packet)
    this.#dueMs = nowMs + REFRESH_MS
    this.#askedMs = nowMs
  }

  /**
   * Somebody asks for a lamport: false where the one we have serves. Otherwise our next one, never the wanted one: that
   * could be the last there is.
   */
  requested(wanted: bigint): boolean {
    const { table, selfSlot } = this.#state
    if (this.#isMade && wanted <= table.lamport[selfSlot]!) return false
    this.#hasten()
    return true
  }

  /** Our own announce came back with a lamport of before a restart, or from a second node: we continue above it. */
  heard(lamport: bigint): void {
    // The last lamport there is leaves no room above; who holds our key can end our announces, and only they.
    if (lamport === LAMPORT_MAX) return
    if (lamport >= this.#atLeast) this.#atLeast = lamport + 1n
    this.#hasten()
  }

  tick(): void {
    const { table, selfSlot, nowMs } = this.#state
    if (nowMs < this.nextWakeMs()) return
    this.#askedMs = nowMs
    const next = this.#isMade ? table.lamport[selfSlot]! + 1n : 0n
    this.#ask(next > this.#atLeast ? next : this.#atLeast)
  }

  /** When an announce is due; one that was asked for and not made is asked for again. */
  nextWakeMs(): number {
    return Math.max(this.#dueMs, this.#askedMs + SELF_ANNOUNCE_SPACING_MS)
  }

  get #isMade(): boolean {
    return this.#state.table.bodyBlock[this.#state.selfSlot] !== NONE
  }

  #hasten(): void {
    this.#dueMs = Math.min(this.#dueMs, this.#state.nowMs)
    this.tick()
  }
}

const LAMPORT_MAX = 0xffff_ffff_ffff_ffffn

import type { Agenda, Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { verifyProof } from './proof.ts'

/** Packets whose proofs are waited for; the oldest is given up where there are more. */
export const RECEIPTS_MAX = 4_096

/** Who must have signed a proof. */
export interface Verifier {
  verify(signature: Uint8Array, message: Uint8Array): boolean
}

interface Receipt {
  readonly hash: Uint8Array
  readonly verifier: Verifier
  readonly sentMs: number
  readonly settle: (roundTripMs: number | undefined) => void
  readonly timer: Appointment
}

/** Packets that were sent and have not been proved yet, by the first half of their hashes. */
export class Receipts {
  readonly #agenda: Agenda
  readonly #waiting = new Map<string, Receipt>()

  constructor(agenda: Agenda) {
    this.#agenda = agenda
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Calls `settle` once: with the round-trip time, or with undefined when it took too long. */
  expect(
    hash: Uint8Array,
    verifier: Verifier,
    timeoutMs: number,
    nowMs: number,
    settle: (roundTripMs: number | undefined) => void,
  ): void {
    const key = addressKey(hash)
    this.#waiting.get(key)?.timer.cancel()
    const timer = this.#agenda.after(timeoutMs, () => {
      this.#waiting.delete(key)
      settle(undefined)
    })
    this.#waiting.set(key, { hash, verifier, sentMs: nowMs, settle, timer })
    if (this.#waiting.size <= RECEIPTS_MAX) return
    const [oldest, { timer: dropped, settle: giveUp }] = this.#waiting.entries().next().value as [string, Receipt]
    this.#waiting.delete(oldest)
    dropped.cancel()
    giveUp(undefined)
  }

  /** Takes a proof for the packet whose hash begins with `hash`; whether it is waited for and good. */
  prove(hash: Uint8Array, proof: Uint8Array, nowMs: number): boolean {
    const key = addressKey(hash)
    const receipt = this.#waiting.get(key)
    if (receipt === undefined || !verifyProof(receipt.verifier, receipt.hash, proof)) return false
    this.#waiting.delete(key)
    receipt.timer.cancel()
    receipt.settle(nowMs - receipt.sentMs)
    return true
  }

  close(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { timer, settle } of waiting) {
      timer.cancel()
      settle(undefined)
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Values } from '../child.ts'

/** Nothing came back for so long: what was on its way is lost. */
const LOST_AFTER_MS = 250

/** Keeps so many packets on their way, and counts what comes back. */
export class Window {
  heard = 0
  #sent = 0
  #running = false
  #due = false
  readonly #size: number
  readonly #send: (count: number) => number

  /**
   * @param size enough to keep every buffer busy, and less than they hold together
   * @param send hands over up to so many packets, and returns how many were taken
   */
  constructor(size: number, send: (count: number) => number) {
    this.#size = size
    this.#send = send
  }

  /** Packets came back: more may go at the end of this turn of the event loop. */
  arrived(count: number): void {
    this.heard += count
    if (this.#due || !this.#running) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#fill()
    })
  }

  /** Counts for so long, after a fifth of that to warm up. */
  async measure(seconds: number): Promise<Values> {
    this.#running = true
    this.#sent = this.heard
    this.#fill()
    let last = -1
    // What was lost would hold the window shut for ever.
    let lost = 0
    const look = setInterval(() => {
      if (this.heard === last) {
        lost += this.#sent - this.heard
        this.#sent = this.heard
        this.#fill()
      }
      last = this.heard
    }, LOST_AFTER_MS)
    await sleep(seconds * 200)
    const [heard, startMs] = [this.heard, performance.now()]
    await sleep(seconds * 1_000)
    const perSecond = ((this.heard - heard) * 1_000) / (performance.now() - startMs)
    this.#running = false
    clearInterval(look)
    return { perSecond, lost }
  }

  #fill(): void {
    if (!this.#running) return
    const room = this.#size - (this.#sent - this.heard)
    if (room > 0) this.#sent += this.#send(room)
  }
}

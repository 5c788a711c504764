import { Agenda } from './agenda.ts'
import type { Dice } from './dice.ts'
import { type FaultCounts, type Impairment, Path } from './impairment.ts'

/** What a stream pays for a lost segment: it comes later, and all after it. */
export const RETRANSMIT_MS = 200

/** What the lines of one proxy share. */
export interface Weather {
  /** What frames that come from now on suffer. */
  impairment: Impairment
  /** Bit/s; Infinity for no limit. */
  readonly bitrateBps: number
  /** Bytes that may wait for their turn. */
  readonly queueBytesMax: number
  readonly dice: Dice
  readonly counts: FaultCounts
}

/** One direction of a real-time proxy: a rate, a queue, and the fate of each frame. */
export class Line {
  readonly #weather: Weather
  readonly #path: Path
  readonly #agenda = new Agenda()
  #busyUntilMs = 0
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #open = true

  constructor(weather: Weather) {
    this.#weather = weather
    this.#path = new Path(weather.dice, weather.counts)
  }

  /** Bytes whose turn has not come. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Takes a datagram: lost where the queue is full, as in a router. `deliver` is called for each copy that comes out. */
  putDatagram(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    const { impairment, queueBytesMax, counts } = this.#weather
    if (this.#waitingBytes + bytes.length > queueBytesMax) counts.lost++
    else this.#put(bytes, impairment, 0, deliver, () => {})
  }

  /** Takes a piece of a stream: late where it was to be lost, never doubled or overtaken. `left`: out of the queue. */
  putPiece(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void, left: () => void): void {
    const { impairment, dice, counts } = this.#weather
    const { latencyMs = 0, jitterMs = 0, corruptRatio = 0, lossRatio = 0 } = impairment
    const lost = dice.happens(lossRatio)
    if (lost) counts.lost++
    this.#put(bytes, { latencyMs, jitterMs, corruptRatio }, lost ? RETRANSMIT_MS : 0, deliver, left)
  }

  #put(
    bytes: Uint8Array,
    impairment: Impairment,
    lateMs: number,
    deliver: (bytes: Uint8Array) => void,
    left: () => void,
  ): void {
    if (!this.#open) return
    const sentMs = Math.max(performance.now(), this.#busyUntilMs) + (bytes.length * 8_000) / this.#weather.bitrateBps
    this.#busyUntilMs = sentMs
    this.#waitingBytes += bytes.length
    this.#agenda.put(sentMs, () => {
      this.#waitingBytes -= bytes.length
      left()
    })
    this.#path.carry(impairment, sentMs + lateMs, bytes, (atMs, copy) => this.#agenda.put(atMs, () => deliver(copy)))
    this.#arm()
  }

  /** Forgets all that is under way. */
  close(): void {
    this.#open = false
    clearTimeout(this.#timer)
  }

  #arm(): void {
    const nextMs = this.#agenda.nextMs
    if (!this.#open || nextMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = nextMs
    this.#timer = setTimeout(() => this.#run(), Math.max(0, nextMs - performance.now()))
  }

  #run(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    while (this.#open && this.#agenda.nextMs <= performance.now()) this.#agenda.take()?.()
    this.#arm()
  }
}

import type { Random } from '@nexus/crypto'
import { Identity } from '../src/identity.ts'
import type { InterfaceOptions, ReticulumInterface } from '../src/interface.ts'
import { Reticulum, type ReticulumOptions } from '../src/reticulum.ts'
import { cryptos } from './kit.ts'

const crypto = cryptos[1]!
const EPOCH_MS = 1_767_225_600_000

/** How a wire treats frames. */
export interface Weather {
  readonly delayMs?: number
  readonly lossRatio?: number
  /** Share of frames that come later than those after them. */
  readonly reorderRatio?: number
}

interface Event {
  readonly atMs: number
  readonly act: () => void
}

/** Bytes that follow from a seed. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

/** Nodes in one process and in virtual time, on wires that lose and reorder what a seed says. */
export class World {
  readonly random: Random
  nowMs = 0
  readonly #events: Event[] = []
  readonly #nodes: Reticulum[] = []
  readonly #wakes = new Map<number, number>()

  constructor(seed = 1) {
    this.random = seeded(seed)
  }

  node(options: ReticulumOptions = {}): Reticulum {
    const place = this.#nodes.length
    const node = new Reticulum(
      {
        crypto,
        random: this.random,
        nowMs: () => this.nowMs,
        unixMs: () => EPOCH_MS + this.nowMs,
        wake: (atMs) => {
          this.#wakes.set(place, atMs)
          this.after(Math.max(0, atMs - this.nowMs), () => {
            if (this.#wakes.get(place) !== atMs) return
            this.#wakes.delete(place)
            node.tick()
          })
        },
        fault: (error) => {
          throw error
        },
      },
      options,
    )
    this.#nodes.push(node)
    return node
  }

  /** A node that passes on for others. */
  transportNode(): Reticulum {
    return this.node({ transport: this.identity() })
  }

  identity(): Identity {
    return Identity.generate(crypto, this.random)
  }

  /** Joins two nodes. */
  wire(a: Reticulum, b: Reticulum, weather: Weather = {}, options: Partial<InterfaceOptions> = {}) {
    const ends: { a?: ReticulumInterface; b?: ReticulumInterface } = {}
    const settings = { bitrateBps: 10_000_000, ...options }
    const carry = (to: Reticulum, end: 'a' | 'b') => (frame: Uint8Array) => {
      if (this.chance() < (weather.lossRatio ?? 0)) return true
      const late = this.chance() < (weather.reorderRatio ?? 0) ? 30 * this.chance() : 0
      const copy = frame.slice()
      this.after((weather.delayMs ?? 1) + late, () => {
        const iface = ends[end]
        if (iface !== undefined) to.receive(iface, copy)
      })
      return true
    }
    ends.a = a.attach({ ...settings, name: 'a', send: carry(b, 'b') })
    ends.b = b.attach({ ...settings, name: 'b', send: carry(a, 'a') })
    return {
      /** The cable breaks: both ends lose their interface. */
      cut() {
        if (ends.a !== undefined) a.detach(ends.a)
        if (ends.b !== undefined) b.detach(ends.b)
        delete ends.a
        delete ends.b
      },
    }
  }

  chance(): number {
    const [high = 0, low = 0] = this.random(2)
    return (high * 256 + low) / 65_536
  }

  after(ms: number, act: () => void): void {
    const event = { atMs: this.nowMs + ms, act }
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      // The latest stands first, and of equal ones the one that was entered last.
      if (this.#events[middle]!.atMs > event.atMs) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
  }

  /** Lets time pass until `done`, letting promises settle between events. @throws after `limitMs` */
  async until<T>(work: Promise<T>, limitMs = 600_000): Promise<T> {
    let settled = false
    const watch = work.then(
      () => {
        settled = true
      },
      () => {
        settled = true
      },
    )
    const endMs = this.nowMs + limitMs
    while (!settled) {
      if (!(await this.#step(endMs))) throw new Error(`nothing more happens within ${limitMs} ms`)
    }
    await watch
    return work
  }

  /** Lets some time pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    while (await this.#step(endMs)) {
      // All happens in the steps.
    }
    this.nowMs = endMs
  }

  async #step(endMs: number): Promise<boolean> {
    // Four rounds: a loop over a feed, the function that it is in, and who awaits that.
    for (let n = 0; n < 8; n++) await Promise.resolve()
    const event = this.#events.at(-1)
    if (event === undefined || event.atMs > endMs) return false
    this.#events.pop()
    this.nowMs = Math.max(this.nowMs, event.atMs)
    event.act()
    return true
  }
}

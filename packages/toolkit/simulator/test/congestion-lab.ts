import type { SimNode, Simulation, Wire } from '../src/index.ts'

/** Contexts of the private range, by the priority that they have (docs/spec/congestion.md). */
export const REAL_TIME = 0xe0
export const STANDARD = 0xea
export const BULK = 0xf2

/** Packet header, link header, message type and tag around the data of a packet, on links below 1 Mbit/s. */
export const AROUND_BYTES = 19 + 5 + 1 + 16

export interface Flow {
  offered: number
  /** Milliseconds that each packet took from the offer to the service at the other end. */
  readonly tookMs: number[]
}

/** Sends a packet of `bytes` every `everyMs` from one node to another for `forMs`, from now on. */
export function flow(
  sim: Simulation,
  from: SimNode,
  to: SimNode,
  { context, bytes, everyMs, forMs }: { context: number; bytes: number; everyMs: number; forMs: number },
): Flow {
  const record: Flow = { offered: 0, tookMs: [] }
  const flows = services.get(to) ?? new Map<number, Flow>()
  services.set(to, flows)
  if (!flows.has(context)) {
    to.live.register(context, (_nowMs, data) => {
      const view = new DataView(data.buffer, data.byteOffset)
      services
        .get(to)!
        .get(view.getFloat64(8))!
        .tookMs.push(sim.nowMs - view.getFloat64(0))
    })
    flows.set(context, record)
  }
  const id = context + 256 * flows.size
  flows.set(id, record)
  const endMs = sim.nowMs + forMs
  const offer = (): void => {
    if (sim.nowMs >= endMs) return
    const data = new Uint8Array(bytes)
    const view = new DataView(data.buffer)
    view.setFloat64(0, sim.nowMs)
    view.setFloat64(8, id)
    record.offered++
    from.sendData(to, context, data)
    sim.at(sim.nowMs + everyMs, offer)
  }
  offer()
  return record
}

const services = new WeakMap<SimNode, Map<number, Flow>>()

/** The largest airtime that one end of a wire used beyond 0.9 of the time, over all stretches between samples, in ms. */
export class BudgetWatch {
  worstMs = 0
  readonly #wire: Wire
  readonly #end: 0 | 1
  /** Least of used less 0.9 × time so far. */
  #least = 0

  constructor(sim: Simulation, wire: Wire, end: 0 | 1, everyMs: number, forMs: number) {
    this.#wire = wire
    this.#end = end
    const startMs = sim.nowMs
    const before = this.#usedMs()
    const look = (): void => {
      const excess = this.#usedMs() - before - 0.9 * (sim.nowMs - startMs)
      this.worstMs = Math.max(this.worstMs, excess - this.#least)
      this.#least = Math.min(this.#least, excess)
      if (sim.nowMs < startMs + forMs) sim.at(sim.nowMs + everyMs, look)
    }
    look()
  }

  #usedMs(): number {
    return (this.#wire.traffic[this.#end]!.bytes * 8_000) / this.#wire.options.bitrateBps
  }
}

/** What `share` of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

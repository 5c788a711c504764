import type { SimNode } from './sim-node.ts'
import type { Simulation } from './simulation.ts'
import type { Wire } from './wire.ts'

/** Faults of a run. Ratios and times of wires hold until {@link Faults.end}; the rest happens within it. */
export interface FaultPlan {
  /** When everything works again. */
  readonly untilMs: number
  readonly lossRatio?: number
  readonly duplicateRatio?: number
  readonly corruptRatio?: number
  readonly jitterMs?: number
  /** Times that a random part of the nodes is cut off from the rest, for up to a third of the time that is left. */
  readonly partitions?: number
  /** Times that a random node loses its power, and comes back with its disk. */
  readonly crashes?: number
}

export type FaultKind = 'loss' | 'duplication' | 'corruption' | 'reordering' | 'partition' | 'crash' | 'restart'

/**
 * Injects what a plan asks for, with the simulation's randomness, and counts what really happened: a test of faults
 * that never fired is no test.
 */
export class Faults {
  readonly #sim: Simulation
  readonly #plan: FaultPlan
  readonly #partitioned = new Map<Wire, number>()
  readonly #fired = { crash: 0, restart: 0 }

  constructor(sim: Simulation, plan: FaultPlan) {
    if (!(plan.untilMs > sim.nowMs)) throw new RangeError(`faults until ${plan.untilMs}, it is ${sim.nowMs}`)
    this.#sim = sim
    this.#plan = plan
    const { lossRatio = 0, duplicateRatio = 0, corruptRatio = 0, jitterMs = 0 } = plan
    for (const wire of sim.wires) {
      const before = wire.options
      wire.options = { ...before, lossRatio, duplicateRatio, corruptRatio, jitterMs }
      sim.at(plan.untilMs, () => {
        wire.options = before
      })
    }
    for (let count = 0; count < (plan.partitions ?? 0); count++) this.#schedulePartition()
    for (let count = 0; count < (plan.crashes ?? 0); count++) this.#scheduleCrash()
  }

  /** How often each kind happened so far. */
  fired(): Record<FaultKind, number> {
    const sum = (of: 'lost' | 'duplicated' | 'corrupted' | 'reordered' | 'cut'): number =>
      this.#sim.wires.reduce((total, { traffic }) => total + traffic[0][of] + traffic[1][of], 0)
    return {
      loss: sum('lost'),
      duplication: sum('duplicated'),
      corruption: sum('corrupted'),
      reordering: sum('reordered'),
      partition: sum('cut'),
      ...this.#fired,
    }
  }

  /** Kinds that the plan asks for and that never happened. */
  unfired(): FaultKind[] {
    const {
      lossRatio = 0,
      duplicateRatio = 0,
      corruptRatio = 0,
      jitterMs = 0,
      partitions = 0,
      crashes = 0,
    } = this.#plan
    const asked: Record<FaultKind, number> = {
      loss: lossRatio,
      duplication: duplicateRatio,
      corruption: corruptRatio,
      reordering: jitterMs,
      partition: partitions,
      crash: crashes,
      restart: crashes,
    }
    const fired = this.fired()
    return (Object.keys(asked) as FaultKind[]).filter((kind) => asked[kind] > 0 && fired[kind] === 0)
  }

  #schedulePartition(): void {
    const [fromMs, toMs] = this.#span()
    const side = new Set(this.#sim.nodes.filter(() => this.#fraction() < 0.5))
    this.#sim.at(fromMs, () => {
      const apart = this.#sim.wires.filter(({ ends: [a, b] }) => side.has(a) !== side.has(b))
      for (const wire of apart) this.#cut(wire, 1)
      this.#sim.at(toMs, () => {
        for (const wire of apart) this.#cut(wire, -1)
      })
    })
  }

  /** A wire may lie across several partitions at once. */
  #cut(wire: Wire, change: 1 | -1): void {
    const count = (this.#partitioned.get(wire) ?? 0) + change
    this.#partitioned.set(wire, count)
    wire.isCut = count > 0
  }

  #scheduleCrash(): void {
    const [fromMs, toMs] = this.#span()
    const node: SimNode = this.#sim.nodes[Math.floor(this.#fraction() * this.#sim.nodes.length)]!
    this.#sim.at(fromMs, () => {
      if (!node.isUp) return
      this.#fired.crash++
      node.crash()
      this.#sim.at(toMs, () => {
        this.#fired.restart++
        node.start()
      })
    })
  }

  #span(): [number, number] {
    const { nowMs } = this.#sim
    const leftMs = this.#plan.untilMs - nowMs
    const fromMs = nowMs + this.#fraction() * 0.66 * leftMs
    return [fromMs, fromMs + (0.03 + this.#fraction() * 0.3) * leftMs]
  }

  #fraction(): number {
    return new DataView(this.#sim.random(4).buffer).getUint32(0) / 0x1_0000_0000
  }
}

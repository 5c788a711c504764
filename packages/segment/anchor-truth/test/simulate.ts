import type { Admission } from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { Dice, World } from './world.ts'

/** What one seed showed. Durations in ms. */
export interface Outcome {
  readonly seed: number
  readonly nodes: number
  readonly loss: number
  readonly faults: readonly Fault[]
  /** Longest time without a break that an island had more than one anchor. */
  readonly dividedMs: number
  /** The same with none, while somebody was there. */
  readonly leaderlessMs: number
  /** Whether at the end one leads and all follow. */
  readonly isAgreed: boolean
  /** Nodes that took the lead, per fault that left a segment without an anchor, the start being the first; 0 for none. */
  readonly promotions: number
  readonly vacancies: number
}

const FAULTS = ['crash', 'restart', 'all-restart', 'split', 'sleep', 'ego-lie', 'latecomer', 'flap'] as const
export type Fault = (typeof FAULTS)[number]

const SAMPLE_MS = 500
const FAULT_EVERY_MS = 45_000
const SETTLE_MS = 90_000

/** Sizes: 49 of 50 seeds 3…8 nodes, then up to 40; each 500th seed has 100, each 2 500th 300, each 10 000th 1 000. */
function sizeOf(seed: number, dice: Dice): number {
  if (seed % 10_000 === 9_999) return 1_000
  if (seed % 2_500 === 2_499) return 300
  if (seed % 500 === 499) return 100
  return dice.below(50) > 0 ? 3 + dice.below(6) : 9 + dice.below(32)
}

/** One world from one seed: nodes, losses, faults one after the other, then quiet. */
export function simulate(seed: number): Outcome {
  const dice = new Dice(seed)
  const nodes = sizeOf(seed, dice)
  const loss = [0, 0, 0.05, 0.1, 0.2, 0.3][dice.below(6)]!
  const world = new World({ seed, loss, delayMsMax: [2, 5, 40][dice.below(3)]!, admission: admissionOf(dice) })
  const isLevel = dice.below(2) === 0
  world.make(nodes, () => (isLevel ? 10 : 10 + dice.below(4)))
  const startMs = [1, 300, 20_000][dice.below(3)]!
  for (let index = 0; index < nodes; index++) world.at(dice.below(startMs), () => world.start(index))
  const watch = new Watch(world)
  watch.until(startMs + FAULT_EVERY_MS)
  const faults: Fault[] = []
  for (let left = nodes > 100 ? 1 : 1 + dice.below(3); left > 0; left--) {
    const fault = FAULTS[dice.below(FAULTS.length)]!
    faults.push(fault)
    inflict(world, dice, fault)
    watch.until(world.nowMs + FAULT_EVERY_MS)
  }
  for (const node of world.nodes) node.island = 0
  watch.until(world.nowMs + SETTLE_MS)
  // A lost datagram may leave one behind for the moment: agreed is what is agreed once in the last pulses.
  let isAgreed = world.isAgreed()
  for (let more = 0; !isAgreed && more < 60; more++) {
    watch.until(world.nowMs + SAMPLE_MS)
    isAgreed = world.isAgreed()
  }
  const { dividedMs, leaderlessMs, vacancies } = watch
  return { seed, nodes, loss, faults, dividedMs, leaderlessMs, isAgreed, promotions: world.promotions(), vacancies }
}

function admissionOf(dice: Dice): (keys: readonly Uint8Array[]) => Admission {
  const kind = dice.below(3)
  if (kind === 0) return () => ({ mode: 'open' })
  if (kind === 1) return () => ({ mode: 'passphrase', key: new Uint8Array(32).fill(7) })
  return (keys) => ({ mode: 'allow-list', egos: new Map(keys.map((key) => [toHex(key), undefined])) })
}

function inflict(world: World, dice: Dice, fault: Fault): void {
  const all = world.nodes.map((_, index) => index)
  const anyOne = dice.below(all.length)
  const [anchor = anyOne] = world.anchors()
  switch (fault) {
    case 'crash':
      // The last one stays: nobody is left to agree after it.
      if (world.nodes.filter(({ segment }) => segment !== undefined).length > 1) world.crash(anchor)
      return
    case 'restart':
      world.crash(anyOne)
      world.at(world.nowMs + dice.below(20_000), () => world.start(anyOne))
      return
    case 'all-restart':
      for (const index of all) world.crash(index)
      for (const index of all) world.at(world.nowMs + 100 + dice.below(1_000), () => world.start(index))
      return
    case 'split':
      for (const index of all) world.nodes[index]!.island = dice.below(2)
      world.at(world.nowMs + 5_000 + dice.below(30_000), () => {
        for (const node of world.nodes) node.island = 0
      })
      return
    case 'sleep':
      world.jump(dice.below(2) === 0 ? anchor : anyOne, 11_000 + dice.below(600_000))
      return
    case 'ego-lie':
      world.nodes[anyOne]!.segment?.setEgo(255)
      return
    case 'latecomer':
      world.crash(anyOne)
      world.nodes[anyOne]!.ego = dice.below(256)
      world.at(world.nowMs + dice.below(10_000), () => world.start(anyOne))
      return
    case 'flap':
      for (let time = 0; time < 4; time++) {
        world.at(world.nowMs + time * 8_000, () => world.crash(anyOne))
        world.at(world.nowMs + time * 8_000 + 3_000, () => world.start(anyOne))
      }
  }
}

/** Looks at the islands every half second. */
class Watch {
  dividedMs = 0
  leaderlessMs = 0
  /** Times that an island was left without an anchor. */
  vacancies = 0
  readonly #world: World
  readonly #dividedSince = new Map<number, number>()
  readonly #leaderlessSince = new Map<number, number>()

  constructor(world: World) {
    this.#world = world
  }

  until(endMs: number): void {
    const world = this.#world
    while (world.nowMs < endMs) {
      world.runUntil(Math.min(endMs, world.nowMs + SAMPLE_MS))
      for (const island of [0, 1]) this.#look(island)
    }
  }

  #look(island: number): void {
    const { nowMs, nodes } = this.#world
    const count = this.#world.anchors(island).length
    const isPeopled = nodes.some(({ segment, island: own }) => segment !== undefined && own === island)
    this.dividedMs = Math.max(this.dividedMs, since(this.#dividedSince, island, count > 1, nowMs))
    const wasVacant = this.#leaderlessSince.has(island)
    this.leaderlessMs = Math.max(
      this.leaderlessMs,
      since(this.#leaderlessSince, island, isPeopled && count === 0, nowMs),
    )
    if (!wasVacant && this.#leaderlessSince.has(island)) this.vacancies += 1
  }
}

function since(begun: Map<number, number>, island: number, holds: boolean, nowMs: number): number {
  if (!holds) {
    begun.delete(island)
    return 0
  }
  const sinceMs = begun.get(island) ?? nowMs
  begun.set(island, sinceMs)
  return nowMs - sinceMs
}

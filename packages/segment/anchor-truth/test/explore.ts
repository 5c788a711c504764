import { seededRandom } from '@nexus/crypto/testing'
import { World } from './world.ts'

/** What may happen to a delivery: 1 ms, or one of these. */
export const DEVIATIONS = ['lost', 'late'] as const
export type Deviation = (typeof DEVIATIONS)[number]
const LATE_MS = 40
/** Beyond every bound, a lost delivery more included. */
const HORIZON_MS = 40_000

export const SCENARIOS = ['cold start', 'crash', 'merge'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** Deliveries from the beginning of the scenario's own part whose fate is decided; later ones take 1 ms. */
export const DECIDED = 18

export interface Run {
  readonly scenario: Scenario
  readonly nodes: number
  /** Bit i: the jitter of node i is at its greatest, else 0. */
  readonly jitters: number
  /** Fate of the n-th decided delivery. */
  readonly deviations: ReadonlyMap<number, Deviation>
}

export interface Verdict {
  readonly run: Run
  readonly decided: number
  readonly dividedMs: number
  /** From the beginning to the last sample on which not all agreed. */
  readonly settledMs: number
  readonly promotions: number
}

/** Plays one run on the real core with the stand-in primitives. */
export function play(run: Run): Verdict {
  let beginMs = Number.POSITIVE_INFINITY
  let decided = 0
  const fate = (): number | undefined => {
    if (world.nowMs < beginMs) return 1
    const deviation = run.deviations.get(decided++)
    return deviation === undefined ? 1 : deviation === 'late' ? LATE_MS : undefined
  }
  const world: World = new World({ seed: 11, deliver: fate })
  world.make(run.nodes)
  const isMerge = run.scenario === 'merge'
  if (isMerge) for (const [index, node] of world.nodes.entries()) node.island = index % 2
  if (run.scenario === 'cold start') beginMs = 0
  for (let index = 0; index < run.nodes; index++) world.start(index, extreme(run, index))
  if (run.scenario !== 'cold start') {
    world.runUntil(20_000)
    if (run.scenario === 'crash') world.crash(world.anchors()[0]!)
    else for (const node of world.nodes) node.island = 0
    beginMs = world.nowMs
  }
  const watched = watch(world, beginMs)
  return { run, decided, ...watched, promotions: world.promotions(beginMs) }
}

function watch(world: World, beginMs: number): { dividedMs: number; settledMs: number } {
  let dividedMs = 0
  let dividedSinceMs: number | undefined
  let settledMs = 0
  for (let atMs = beginMs + 250; atMs <= beginMs + HORIZON_MS; atMs += 250) {
    world.runUntil(atMs)
    if (!world.isAgreed()) settledMs = atMs - beginMs
    if (world.anchors().length > 1) dividedSinceMs ??= atMs
    else dividedSinceMs = undefined
    dividedMs = Math.max(dividedMs, dividedSinceMs === undefined ? 0 : atMs - dividedSinceMs)
  }
  return { dividedMs, settledMs }
}

/** Every run with at most `most` deviations, for all extremes of the jitters. */
export function* everyRun(scenario: Scenario, nodes: number, most: number): Generator<Run> {
  for (let jitters = 0; jitters < 1 << nodes; jitters++) {
    for (const deviations of placements(most, 0)) yield { scenario, nodes, jitters, deviations }
  }
}

function* placements(most: number, from: number): Generator<Map<number, Deviation>> {
  yield new Map()
  if (most === 0) return
  for (let at = from; at < DECIDED; at++) {
    for (const deviation of DEVIATIONS) {
      for (const rest of placements(most - 1, at + 1)) yield new Map([[at, deviation], ...rest])
    }
  }
}

/** Dice at an end of their range; all else random as ever, since nonces must differ. */
function extreme({ jitters }: Run, index: number): (length: number) => Uint8Array {
  const random = seededRandom(`explore ${index}`)
  const byte = (jitters >> index) & 1 ? 0xff : 0
  return (length) => (length === 4 ? new Uint8Array(4).fill(byte) : random(length))
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canMakeNamespaces, pause, Segment, until } from './netns/bench.ts'

/** 50 in the whole run: NEXUS_FAILOVERS=50, in five segments at once; a machine that has other work too does with fewer. */
const failovers = Number(process.env['NEXUS_FAILOVERS'] ?? 3)
const segments = Math.min(Number(process.env['NEXUS_SEGMENTS'] ?? 5), failovers)
const rounds = Math.ceil(failovers / segments)
const MACHINES = 10
const namespaces = canMakeNamespaces()
if (!namespaces) {
  const why = 'real segments are NOT tested: network namespaces need root, `ip` and Linux'
  if (process.env['CI'] === 'true') throw new Error(why)
  console.warn(`\n*** ${why} ***\n`)
}

interface Figures {
  readonly joinMs: number[]
  readonly failoverMs: number[]
  readonly healMs: number[]
  readonly promotions: number[]
}

test.runIf(namespaces)(
  `${segments} segments of ${MACHINES} machines: ${failovers} anchors killed, each switch split and healed`,
  { timeout: 30 * 60_000 },
  async () => {
    const figures: Figures = { joinMs: [], failoverMs: [], healMs: [], promotions: [] }
    const folder = mkdtempSync(join(tmpdir(), 'nexus-segment-'))
    try {
      await Promise.all(
        Array.from({ length: segments }, (_, at) => live(`${process.pid % 1_000}s${at}`, folder, figures)),
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const { joinMs, failoverMs, healMs, promotions } = figures
    console.table({ 'join to key': spread(joinMs), failover: spread(failoverMs), heal: spread(healMs) })
    console.info(`nodes that took the lead per kill: ${promotions.join(' ')}`)
    expect(failoverMs.length).toBe(segments * rounds)
    expect(Math.max(...failoverMs)).toBeLessThan(20_000)
    expect(Math.max(...healMs)).toBeLessThan(10_000)
    expect(quantile(joinMs, 0.99)).toBeLessThan(500)
  },
)

async function live(id: string, parent: string, figures: Figures): Promise<void> {
  const folder = mkdtempSync(join(parent, 's-'))
  const segment = new Segment(id, folder)
  try {
    segment.plug(MACHINES)
    await pause(2_500)
    const all = Array.from({ length: MACHINES }, (_, index) => index)
    for (const index of all) segment.start(index)
    await until('the first anchor', 180_000, () => agreedAnchor(segment, MACHINES))
    for (let round = 0; round < rounds; round++) await failover(segment, figures)
    await splitAndHeal(segment, figures)
  } finally {
    await segment.end()
  }
}

/** Kills the anchor, sees one other lead, and the killed one come back as a member. */
async function failover(segment: Segment, figures: Figures): Promise<void> {
  // All hear all, and the phase of pulses in which the anchor dies is any.
  await pause(2_000 + Math.random() * 5_000)
  const anchor = await until('one anchor', 30_000, () => segment.agreed())
  const killedMs = Date.now()
  await segment.kill(anchor)
  await until('the next anchor', 40_000, () => segment.agreed())
  const promoted = segment.promotions(killedMs)
  figures.failoverMs.push(Math.min(...promoted) - killedMs)
  figures.promotions.push(promoted.length)
  segment.start(anchor)
  const { said } = segment.machines[anchor]!
  const key = await until('the key of one who joins', 20_000, () => said.find(({ kind }) => kind === 'key'))
  figures.joinMs.push(key.sinceRequestMs!)
  await until('one anchor with all', 30_000, () => agreedAnchor(segment, MACHINES))
}

async function splitAndHeal(segment: Segment, figures: Figures): Promise<void> {
  const odd = segment.running().filter((index) => index % 2 === 1)
  const even = segment.running().filter((index) => index % 2 === 0)
  for (const index of odd) segment.move(index, 'br1')
  await until('an anchor on each switch', 40_000, () =>
    segment.agreed(odd) !== undefined && segment.agreed(even) !== undefined ? true : undefined,
  )
  const healedMs = Date.now()
  for (const index of odd) segment.move(index, 'br0')
  await until('one anchor again', 30_000, () => segment.agreed())
  figures.healMs.push(Date.now() - healedMs)
}

function agreedAnchor(segment: Segment, count: number): number | undefined {
  return segment.running().length === count ? segment.agreed() : undefined
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!
}

function spread(values: readonly number[]) {
  const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)]
  return { n: values.length, 'p50 ms': p50, 'p99 ms': p99, 'max ms': Math.max(...values) }
}

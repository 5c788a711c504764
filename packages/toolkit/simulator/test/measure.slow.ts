import { nodeCrypto } from '@nexus/crypto/node'
import { afterAll, describe, expect, test } from 'vitest'
import { geometric, type SimNode, Simulation, smallWorld } from '../src/index.ts'
import { five } from './five.ts'
import { isConverged } from './lab.ts'
import { radioCell } from './radio-cell.ts'

const crypto = await nodeCrypto()
const ROUND_MS = 60_000
const HOUR_MS = 3_600_000
const SEEDS = Array.from({ length: Number(process.env['NEXUS_SEEDS'] ?? 3) }, (_, at) => at + 1)
/**
 * Until five radios know all routes at a duty cycle of 100 %: ten handshakes of 523 bytes of airtime, and an announce of 193 for
 * each of 80 (node, neighbour, destination), at half of 10 % of 5 470 bit/s each, of which half is planned with in the worst case.
 */
const CELL_BOUND_MS = (1_000 * 8 * (10 * 523 + 80 * 193)) / (0.05 * 5_470 * 0.5)
/** Node counts; the whole run of docs/results/simulation.md has 5,100,1000. */
const SIZES = (process.env['NEXUS_SIZES'] ?? '5,100').split(',').map(Number)

type Row = Record<string, string | number>
const tables: Record<string, Row[]> = {}
const note = (table: string, row: Row): void => {
  tables[table] ??= []
  tables[table].push(row)
}
afterAll(() => {
  for (const [name, rows] of Object.entries(tables)) {
    console.log(name)
    console.table(rows)
  }
})

const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`
const seconds = (ms: number | undefined): string => (ms === undefined ? 'not in the time' : (ms / 1_000).toFixed(0))

describe('control traffic of five nodes over an hour', () => {
  test.each([1_000, 50_000, 10_000_000])('wires of %i bit/s', (bitrateBps) => {
    const sim = new Simulation({ seed: 5, crypto })
    for (let at = 0; at < 5; at++) sim.addNode()
    for (let at = 0; at < 5; at++) sim.wire(sim.nodes[at]!, sim.nodes[(at + 1) % 5]!, { bitrateBps })
    sim.start()
    const convergedMs = sim.runUntil(() => isConverged(sim.nodes), HOUR_MS, 1_000)
    const shares: Record<string, number[]> = { first: [], second: [] }
    let before = sim.wires.map(() => [0, 0])
    for (const hour of ['first', 'second']) {
      sim.run(hour === 'first' ? HOUR_MS - sim.nowMs : HOUR_MS)
      const after = sim.wires.map(({ traffic }) => [traffic[0].bytes, traffic[1].bytes])
      const capacity = (bitrateBps * HOUR_MS) / 8_000
      shares[hour] = after.flatMap((ends, wire) => ends.map((bytes, end) => (bytes - before[wire]![end]!) / capacity))
      before = after
    }
    note('control, share of the capacity of a wire each way', {
      medium: `${bitrateBps} bit/s`,
      'converged (s)': seconds(convergedMs),
      'first hour, worst end': percent(Math.max(...shares['first']!)),
      'second hour, worst end': percent(Math.max(...shares['second']!)),
    })
    expect(Math.max(...shares['first']!, ...shares['second']!)).toBeLessThanOrEqual(0.1)
  })

  const patient = { timeout: 600_000 }
  test.each([1, 0.1, 0.01])('LoRa, SF7, 125 kHz, everyone in reach, duty cycle %d', patient, (dutyCycle) => {
    const hours = dutyCycle === 0.01 ? 34 : 8
    const shares: number[] = []
    for (const seed of SEEDS) {
      const {
        convergedMs,
        hourShares,
        busiest,
        isConverged: isStillConverged,
      } = radioCell(crypto, seed, dutyCycle, hours)
      note('control of five radios in reach of each other', {
        'duty cycle': percent(dutyCycle),
        seed,
        'all know all after (min)': convergedMs === undefined ? 'never' : Math.ceil(convergedMs / 60_000),
        'worst hour, airtime of the medium': percent(Math.max(...hourShares)),
        'last hour': percent(hourShares.at(-1)!),
        'busiest node, all hours, bytes': percent(busiest),
      })
      expect(convergedMs, `seed ${seed}`).toBeLessThanOrEqual(CELL_BOUND_MS / dutyCycle)
      expect(isStillConverged, `seed ${seed}`).toBe(true)
      // The share is kept on average; one hour of one seed in thirty goes over by a frame or two.
      expect(Math.max(...hourShares), `seed ${seed}`).toBeLessThanOrEqual(0.105)
      shares.push(Math.max(...hourShares))
    }
    expect(shares.filter((share) => share > 0.1).length).toBeLessThanOrEqual(Math.ceil(SEEDS.length / 15))
  })
})

describe('convergence of the mixed ring', () => {
  test.each([1, 0.1])('duty cycle %d', (dutyCycle) => {
    const times: number[] = []
    const seeds = dutyCycle === 1 ? 30 : 5
    for (let seed = 1; seed <= seeds; seed++) {
      const { sim, nodes } = five(crypto, seed, dutyCycle)
      sim.start()
      const convergedMs = sim.runUntil(() => isConverged(nodes), 24 * HOUR_MS, 1_000)
      expect(convergedMs, `seed ${seed}`).toBeDefined()
      times.push(convergedMs!)
    }
    times.sort((a, b) => a - b)
    note('mixed ring of five, until all routes are known', {
      'duty cycle': percent(dutyCycle),
      seeds,
      'median (s)': seconds(times[seeds >> 1]),
      'worst (s)': seconds(times.at(-1)),
    })
    if (dutyCycle === 1) expect(times.at(-1)).toBeLessThanOrEqual(3 * ROUND_MS)
  })
})

describe('size and speed', () => {
  test.each(SIZES)('%i nodes', { timeout: 3_600_000 }, (count) => {
    for (const shape of ['small world', 'geometric'] as const) {
      const sim = new Simulation({ seed: count, crypto })
      const nodes = Array.from({ length: count }, () => sim.addNode({ allowStrangerReceipts: true, eventsMax: 0 }))
      const edges = shape === 'geometric' ? geometric(sim.random, count, 4) : smallWorld(sim.random, count, 3, 0.2)
      for (const [a, b] of edges) sim.wire(nodes[a]!, nodes[b]!)
      const cpu = process.cpuUsage()
      sim.start()
      const routesOf = (node: SimNode): number => node.live.routes.router.stats().routes
      const convergedMs = sim.runUntil(() => nodes.every((node) => routesOf(node) === count - 1), 10 * ROUND_MS, 1_000)
      const { user, system } = process.cpuUsage(cpu)
      const bytes = sim.wires.reduce((sum, { traffic }) => sum + traffic[0].bytes + traffic[1].bytes, 0)
      note('size', {
        nodes: count,
        shape,
        wires: edges.length,
        'rounds to converge': convergedMs === undefined ? 'none' : Math.ceil(convergedMs / ROUND_MS),
        'virtual s': seconds(convergedMs),
        'CPU s': ((user + system) / 1e6).toFixed(1),
        'bytes per node': Math.round(bytes / count),
      })
      expect(convergedMs).toBeLessThanOrEqual(3 * ROUND_MS)
    }
  })

  test.each([0, 1])('50 nodes, %i messages of 200 bytes per node and minute', { timeout: 600_000 }, (perMinute) => {
    const minutes = 20
    const sim = new Simulation({ seed: 50, crypto })
    const nodes = Array.from({ length: 50 }, () => sim.addNode({ allowStrangerReceipts: true }))
    for (const [a, b] of smallWorld(sim.random, 50, 2, 0.2)) sim.wire(nodes[a]!, nodes[b]!)
    sim.start()
    expect(sim.runUntil(() => isConverged(nodes), 3 * ROUND_MS)).toBeDefined()
    const sent: { from: SimNode; handle: bigint }[] = []
    for (let at = 0; at < 50 * minutes * perMinute; at++) {
      const from = nodes[at % 50]!
      const to = nodes[(at * 7 + 1 + Math.floor(at / 50)) % 50]!
      if (from !== to)
        sim.at(sim.nowMs + at * (ROUND_MS / 50), () => sent.push({ from, handle: from.send(to, new Uint8Array(200)) }))
    }
    const cpu = process.cpuUsage()
    sim.run(minutes * ROUND_MS)
    const { user, system } = process.cpuUsage(cpu)
    const undelivered = sent.filter(({ from, handle }) => from.states.get(handle)?.state !== 'delivered').length
    note('speed of 50 nodes', {
      'messages per node and minute': perMinute,
      'virtual time to CPU time': Math.round((minutes * ROUND_MS * 1_000) / (user + system)),
      messages: sent.length,
      'on their way at the end': undelivered,
    })
    expect(undelivered).toBeLessThan(10)
  })
})

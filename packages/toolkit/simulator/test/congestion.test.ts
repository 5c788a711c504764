import { nodeCrypto } from '@nexus/crypto/node'
import { afterAll, describe, expect, test } from 'vitest'
import { type SimNode, Simulation } from '../src/index.ts'
import { AROUND_BYTES, BULK, BudgetWatch, flow, quantile, REAL_TIME, STANDARD } from './congestion-lab.ts'
import { isConverged, radioLab, wayBetween } from './lab.ts'

const crypto = await nodeCrypto()
const ROUND_MS = 60_000
const MINUTES = Number(process.env['NEXUS_CONGESTION_MINUTES'] ?? 1)
const FOR_MS = MINUTES * 60_000
const FRAME_BYTES = 508

/** The figures of the run, for docs/results/congestion.md. */
const report: string[] = []
afterAll(() => {
  if (process.env['NEXUS_SLOW'] !== undefined) console.info(report.join('\n'))
})

function network(seed: number, names: string): { sim: Simulation; nodes: Record<string, SimNode> } {
  const sim = new Simulation({ seed, crypto })
  const nodes = Object.fromEntries([...names].map((name) => [name, sim.addNode({}, name)]))
  return { sim, nodes }
}

function converge(sim: Simulation): void {
  sim.start()
  expect(sim.runUntil(() => isConverged(sim.nodes), 5 * ROUND_MS)).toBeDefined()
}

describe('real-time packets under a flood of bulk', () => {
  test.each([50_000, 100_000, 1_000_000])(
    'over a relay to a link of %i bit/s: 99 of 100 within 500 ms',
    (bitrateBps) => {
      const { sim, nodes } = network(21, 'srd')
      const { s, r, d } = nodes as Record<'s' | 'r' | 'd', SimNode>
      sim.wire(s, r, { bitrateBps: 10_000_000 })
      const narrow = sim.wire(r, d, { bitrateBps })
      converge(sim)
      const watch = new BudgetWatch(sim, narrow, 0, 50, FOR_MS)
      const bulkBytes = 440
      const bulk = flow(sim, s, d, {
        context: BULK,
        bytes: bulkBytes,
        everyMs: ((bulkBytes + AROUND_BYTES) * 8_000) / bitrateBps / 1.5,
        forMs: FOR_MS,
      })
      const call = flow(sim, s, d, { context: REAL_TIME, bytes: 60, everyMs: 60, forMs: FOR_MS })
      sim.run(FOR_MS + 1_000)
      const inTime = call.tookMs.filter((ms) => ms < 500).length / call.offered
      const used = (narrow.traffic[0].bytes * 8_000) / bitrateBps / sim.nowMs
      report.push(
        `${bitrateBps} bit/s: ${call.offered} real-time offered, ${(100 * inTime).toFixed(2)} % within 500 ms, median ${quantile(call.tookMs, 0.5).toFixed(0)} ms, 99 % ${quantile(call.tookMs, 0.99).toFixed(0)} ms, most ${Math.max(...call.tookMs).toFixed(0)} ms; bulk ${bulk.tookMs.length} of ${bulk.offered}; at most ${watch.worstMs.toFixed(1)} ms of airtime above 90 %; medium used ${(100 * used).toFixed(0)} %`,
      )
      expect(call.offered).toBeGreaterThan(990 * MINUTES)
      expect(inTime).toBeGreaterThanOrEqual(0.99)
      // It saturates, and it is throttled.
      expect(bulk.tookMs.length).toBeLessThan(0.75 * bulk.offered)
      expect(bulk.tookMs.length).toBeGreaterThan(0.2 * bulk.offered)
      expect(watch.worstMs).toBeLessThanOrEqual(20 + (2 * FRAME_BYTES * 8_000) / bitrateBps)
    },
  )

  test.each([1_200, 5_000, 20_000])('on a link of %i bit/s it waits for one frame at most', (bitrateBps) => {
    const { sim, nodes } = network(22, 'sd')
    const { s, d } = nodes as Record<'s' | 'd', SimNode>
    const delayMs = 5
    const wire = sim.wire(s, d, { bitrateBps, delayMs })
    converge(sim)
    const frameMs = (FRAME_BYTES * 8_000) / bitrateBps
    const forMs = Math.max(FOR_MS, 120 * frameMs)
    const watch = new BudgetWatch(sim, wire, 0, frameMs / 3, forMs)
    const own = 24
    const ownMs = ((own + AROUND_BYTES) * 8_000) / bitrateBps + delayMs
    flow(sim, s, d, { context: BULK, bytes: 440, everyMs: frameMs, forMs })
    const call = flow(sim, s, d, { context: REAL_TIME, bytes: own, everyMs: 3.3 * frameMs, forMs })
    sim.run(forMs + 10 * frameMs)
    const waits = call.tookMs.map((ms) => (ms - ownMs) / frameMs)
    report.push(
      `${bitrateBps} bit/s: ${call.tookMs.length} of ${call.offered} real-time packets waited ${quantile(waits, 0.5).toFixed(2)} full airtimes at the median, ${Math.max(...waits).toFixed(2)} at most (a full one: ${frameMs.toFixed(0)} ms)`,
    )
    expect(call.tookMs.length).toBeGreaterThanOrEqual(frameMs < 400 ? 0.99 * call.offered : 10)
    // One frame, and the tenth of its time that the bucket leaves free behind it.
    expect(Math.max(...waits)).toBeLessThanOrEqual(1 / 0.9 + 0.01)
    expect(watch.worstMs).toBeLessThanOrEqual(2.1 * frameMs)
  })

  test('a link backlogged for an hour keeps its measured rate', () => {
    const { sim, nodes } = network(23, 'sd')
    const { s, d } = nodes as Record<'s' | 'd', SimNode>
    const bitrateBps = 20_000
    const wire = sim.wire(s, d, { bitrateBps })
    converge(sim)
    const forMs = Number(process.env['NEXUS_SLOW'] === undefined ? 600_000 : 3_600_000)
    const before = wire.traffic[0].bytes
    flow(sim, s, d, { context: BULK, bytes: 440, everyMs: 180, forMs })
    sim.run(forMs)
    const link = [...s.live.links.links()][0]!
    const { meter } = s.live.interfaces.of(link.id)!.egress.shaper
    const usedShare = ((wire.traffic[0].bytes - before) * 8_000) / forMs / bitrateBps
    report.push(
      `${forMs / 60_000} minutes of backlog at ${bitrateBps} bit/s: measured ${meter.bps.toFixed(0)}, used ${(100 * usedShare).toFixed(1)} %`,
    )
    expect(meter.bps).toBeGreaterThan(0.99 * bitrateBps)
    expect(usedShare).toBeGreaterThan(0.88)
    expect(usedShare).toBeLessThan(0.905)
  })

  test('a wire of which the interface says too much is measured down to what it carries', () => {
    const { sim, nodes } = network(24, 'sd')
    const { s, d } = nodes as Record<'s' | 'd', SimNode>
    sim.wire(s, d, { bitrateBps: 50_000, nominalBps: 80_000 })
    converge(sim)
    const forMs = 240_000
    flow(sim, s, d, { context: BULK, bytes: 440, everyMs: 50, forMs })
    const call = flow(sim, s, d, { context: REAL_TIME, bytes: 60, everyMs: 60, forMs })
    sim.run(forMs)
    const { meter } = s.live.interfaces.of([...s.live.links.links()][0]!.id)!.egress.shaper
    const inTime = call.tookMs.filter((ms) => ms < 500).length / call.offered
    report.push(`said 80 000, carries 50 000: measured ${meter.bps.toFixed(0)}, ${(100 * inTime).toFixed(2)} % in time`)
    expect(meter.bps).toBeGreaterThan(0.93 * 50_000)
    expect(meter.bps).toBeLessThan(1.15 * 50_000)
    expect(inTime).toBeGreaterThanOrEqual(0.99)
  })
})

const seeds = Array.from({ length: Number(process.env['NEXUS_SEEDS'] ?? 3) }, (_, at) => at + 1)

describe('congestion moves traffic away', () => {
  /**
   * s reaches d by b or by c, at a link of `otherBps`, and the dearer for it; x floods d by b. s asks much of those who
   * pass by it, and so may use itself what costs less than that.
   */
  function diamond(seed: number, otherBps: number) {
    const sim = new Simulation({ seed, crypto })
    const node = (name: string, priceMicroPerMib = 1_000): SimNode =>
      sim.addNode({ policy: 'cheapest', priceMicroPerMib }, name)
    const [s, b, c, d, x] = [node('s', 4_000), node('b'), node('c'), node('d'), node('x')]
    sim.wire(s, b, { bitrateBps: 400_000 })
    sim.wire(s, c, { bitrateBps: 400_000 })
    sim.wire(b, d, { bitrateBps: 100_000 })
    sim.wire(c, d, { bitrateBps: otherBps })
    sim.wire(x, b, { bitrateBps: 400_000 })
    converge(sim)
    return { sim, s, b, c, d, x }
  }

  test(
    'by cost, within two rounds',
    () => {
      const tookRounds: number[] = []
      for (const seed of seeds) {
        const { sim, s, b, d, x } = diamond(seed, 90_000)
        expect(sim.runUntil(() => wayBetween(sim.nodes, s, d)[0] === 'b', 5 * ROUND_MS)).toBeDefined()
        // Rounds of the nodes begin whenever they do.
        sim.run(7_000 * seed)
        flow(sim, x, d, { context: BULK, bytes: 440, everyMs: 30, forMs: 6 * ROUND_MS })
        const link = [...b.live.links.links()].find(({ peer }) => peer.nodeId.join() === d.nodeId.join())!
        const { egress } = b.live.interfaces.of(link.id)!
        // Congested is a queue that is more than half full.
        expect(sim.runUntil(() => egress.fill(link.id) > 128, 2 * ROUND_MS)).toBeDefined()
        expect(wayBetween(sim.nodes, s, d)[0]).toBe('b')
        const tookMs = sim.runUntil(() => wayBetween(sim.nodes, s, d)[0] === 'c', 4 * ROUND_MS)
        tookRounds.push((tookMs ?? Number.POSITIVE_INFINITY) / ROUND_MS)
      }
      report.push(`rerouted by cost after ${tookRounds.map((rounds) => rounds.toFixed(2)).join(', ')} rounds`)
      expect(Math.max(...tookRounds)).toBeLessThanOrEqual(2)
    },
    10_000 + 3_000 * seeds.length,
  )

  test('and at once where a neighbour signals that it is severe, bulk and standard but not real-time', () => {
    const { sim, s, b, c, d } = diamond(34, 52_000)
    expect(sim.runUntil(() => wayBetween(sim.nodes, s, d)[0] === 'b', 5 * ROUND_MS)).toBeDefined()
    expect(sim.runUntil(() => s.live.routes.router.secondHop(d.nodeId) >= 0, 5 * ROUND_MS)).toBeDefined()
    const before = c.live.packets.forwarded
    flow(sim, s, d, { context: STANDARD, bytes: 440, everyMs: 12, forMs: 60_000 })
    const tookMs = sim.runUntil(() => c.live.packets.forwarded > before + 10, 60_000, 50)
    expect(b.live.congestion.sentSignals).toBeGreaterThan(0)
    expect(s.live.congestion.receivedSignals).toBeGreaterThan(0)
    expect(wayBetween(sim.nodes, s, d)[0]).toBe('b')
    report.push(`rerouted by a signal ${((tookMs ?? Number.NaN) / 1_000).toFixed(1)} s after the flood began`)
    expect(tookMs).toBeDefined()
    // Real-time packets stay on the better way: their frames have a length of their own.
    const frameBytes = 40 + AROUND_BYTES
    const media = new Map<string, number>()
    sim.capture = (medium, from, frame) => {
      if (from === s && frame.length === frameBytes) media.set(medium, (media.get(medium) ?? 0) + 1)
    }
    const call = flow(sim, s, d, { context: REAL_TIME, bytes: 40, everyMs: 100, forMs: 2_000 })
    sim.run(2_500)
    expect(media).toEqual(new Map([['w0', call.offered]]))
  })

  test('signals go one hop: who feeds the queue is told, those before it are not', () => {
    const { sim, nodes } = network(35, 'abcd')
    const { a, b, c, d } = nodes as Record<'a' | 'b' | 'c' | 'd', SimNode>
    sim.wire(a, b, { bitrateBps: 1_000_000 })
    sim.wire(b, c, { bitrateBps: 1_000_000 })
    sim.wire(c, d, { bitrateBps: 30_000 })
    converge(sim)
    flow(sim, a, d, { context: BULK, bytes: 440, everyMs: 40, forMs: 15_000 })
    sim.runUntil(() => b.live.congestion.receivedSignals > 0, 15_000, 50)
    expect(c.live.congestion.sentSignals).toBeGreaterThan(0)
    expect(b.live.congestion.receivedSignals).toBeGreaterThan(0)
    expect(a.live.congestion.receivedSignals).toBe(0)
    expect(d.live.congestion.receivedSignals).toBe(0)
  })
})

describe('a radio that finds the air busy', () => {
  test('gives a frame up at the seventh time, and the neighbour that handed it over is told', () => {
    const { sim, nodes } = network(41, 'abc')
    const { a, b, c } = nodes as Record<'a' | 'b' | 'c', SimNode>
    sim.wire(a, b)
    const air = radioLab(sim, [b, c], { dutyCycle: 1 })
    converge(sim)
    // A transmitter that b hears and c does not, and that never pauses.
    const jammer = air.channel.addRadio({ dutyCycle: 1 })
    air.channel.setPathLoss(jammer, 1, 110, 'forward')
    air.channel.setPathLoss(jammer, 2, Number.POSITIVE_INFINITY, 'forward')
    const jam = (): void => {
      const result = air.channel.transmit(sim.nowMs, jammer, new Uint8Array(255))
      if (result.kind === 'sent') sim.at(result.endMs + 0.5, jam)
    }
    jam()
    const toB = [...a.live.links.links()][0]!
    flow(sim, a, c, { context: STANDARD, bytes: 200, everyMs: 2_000, forMs: 10 * ROUND_MS })
    const tookMs = sim.runUntil(() => a.live.congestion.receivedSignals > 0, 10 * ROUND_MS)
    report.push(
      `a frame was given up and its sender told ${((tookMs ?? Number.NaN) / 1_000).toFixed(0)} s after the air was jammed`,
    )
    expect(tookMs).toBeDefined()
    expect(b.live.packets.dropped['medium-busy']).toBeGreaterThan(0)
    const { egress } = b.live.interfaces.get('lora')!
    expect(egress.jams).toBeGreaterThan(0)
    expect(egress.jammedUntilMs).toBeGreaterThan(b.clockMs)
    expect(a.live.interfaces.severity(a.clockMs, toB.id)).toBe(2)
  })
})

import { setTimeout as sleep } from 'node:timers/promises'
import type { Impairment } from '@nexus/transport-memory/proxy'
import { afterEach, describe, expect, test } from 'vitest'
import { canMakeNamespaces, Machine, plug } from './machines.ts'

const REAL_TIME = 0xe0
const BULK = 0xf2
const SECONDS = Number(process.env['NEXUS_CONGESTION_SECONDS'] ?? 30)
const FRAME_BYTES = 508
/** Ethernet, IPv4 and UDP around a frame, which the qdisc counts. */
const AROUND_BYTES = 14 + 20 + 8
/** Packet, link and tag around the data of a packet. */
const LINK_BYTES = 19 + 5 + 1 + 16

const namespaces = canMakeNamespaces()
if (!namespaces) {
  const why = 'Congestion on real cables is NOT tested: network namespaces with tbf need root, `ip`, `tc` and Linux'
  if (process.env['CI'] === 'true') throw new Error(why)
  console.warn(`\n*** ${why} ***\n`)
}

const machines: Machine[] = []
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.end()))
})

function machine(name: string): Machine {
  const made = new Machine(name)
  machines.push(made)
  return made
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!

/** s → r → d: a fast cable, then one of `bps`, of which the relay's interface says that it carries `saidBps`. */
async function relayed(bps: number, saidBps: number, impairment?: Impairment) {
  const [s, r, d] = [machine('s'), machine('r'), machine('d')]
  plug(77, s, r)
  plug(78, r, d, bps)
  const fast = 10_000_000
  const narrow = { host: '10.78.0.1', bitrateBps: saidBps, peer: '10.78.0.2' }
  await r.start({
    label: 'r',
    sides: [{ host: '10.77.0.2', bitrateBps: fast }, impairment === undefined ? narrow : { ...narrow, impairment }],
  })
  const to = await d.start({ label: 'd', sides: [{ host: '10.78.0.2', bitrateBps: saidBps }] })
  await s.start({ label: 's', sides: [{ host: '10.77.0.1', bitrateBps: fast, peer: '10.77.0.2' }] })
  await d.ask('listen', { context: REAL_TIME, timed: true })
  await d.ask('listen', { context: BULK })
  for (let tries = 0; !(await s.ask('hasRoute', { to })).hasRoute; tries++) {
    if (tries > 300) throw new Error('no route within 60 s')
    await sleep(200)
  }
  return { s, r, d, to }
}

// The machine's own scheduling decides over tens of ms: one more look tells a busy machine from a queue.
describe.runIf(namespaces)('real-time packets under a flood of bulk, on real UDP', { retry: 2 }, () => {
  const impairment: Impairment = { latencyMs: 40, jitterMs: 10, lossRatio: 0.002 }
  test.each([
    // The headers around each frame are found out by their effect.
    { what: '50 kbit/s', bps: 50_000, saidBps: 50_000, warmMs: 45_000 },
    // It takes minutes to find out by how much too fast it was said to be.
    ...(process.env['NEXUS_CONGESTION_WHOLE'] === undefined
      ? []
      : [{ what: '50 kbit/s, said 100', bps: 50_000, saidBps: 100_000, warmMs: 150_000 }]),
    { what: '200 kbit/s', bps: 200_000, saidBps: 200_000 },
    { what: '1 Mbit/s', bps: 1_000_000, saidBps: 1_000_000 },
    // The proxy takes every datagram at once: here the stated rate has to be that of the cable, headers taken off.
    { what: '60 kbit/s, 40 ms, lossy', bps: 60_000, saidBps: 48_000, impairment },
  ])(
    'over a relay to $what: real time within 500 ms',
    async ({ what, bps, saidBps, impairment: weather, warmMs = 15_000 }) => {
      const { s, r, d, to } = await relayed(bps, saidBps, weather)
      const bulkBytes = 440
      const forMs = SECONDS * 1_000
      const bulkEveryMs = ((bulkBytes + LINK_BYTES + AROUND_BYTES) * 8_000) / bps / 1.5
      await s.ask('flow', { to, context: BULK, bytes: bulkBytes, everyMs: bulkEveryMs, forMs: forMs + warmMs })
      // What is wrong with the stated rate is found out first.
      await sleep(warmMs)
      const before = await r.ask('report')
      await s.ask('flow', { to, context: REAL_TIME, bytes: 60, everyMs: 60, forMs })
      await sleep(forMs + 3_000)
      const [sent, relay, got] = [await s.ask('report'), await r.ask('report'), await d.ask('report')]
      const { offered } = sent.counts[REAL_TIME]
      const tookMs: number[] = got.tookMs
      const inTime = tookMs.filter((ms) => ms < 500).length / offered
      const narrow = relay.media[1]
      const usedBps = ((narrow.sentBytes - before.media[1].sentBytes) * 8_000) / (forMs + 3_000)
      console.info(
        `${what}: ${offered} offered, ${(100 * inTime).toFixed(2)} % within 500 ms, median ${quantile(tookMs, 0.5).toFixed(0)} ms, 99 % ${quantile(tookMs, 0.99).toFixed(0)} ms, most ${Math.max(...tookMs).toFixed(0)} ms; bulk ${got.counts[BULK].arrived} of ${sent.counts[BULK].offered}; said ${saidBps}, measured ${narrow.measuredBps}, used ${usedBps.toFixed(0)} bit/s; relay sent ${relay.signals.sent} signals`,
      )
      expect(offered).toBeGreaterThan(0.95 * (forMs / 60))
      // Behind a buffer that no node sees 99 of 100 is missed by a little (docs/results/congestion.md): here it is held to what it reached.
      expect(inTime).toBeGreaterThanOrEqual(weather === undefined ? 0.99 : 0.97)
      // Bulk saturates the cable and is throttled, and nothing is sent that the cable does not carry.
      expect(got.counts[BULK].arrived).toBeLessThan(0.9 * sent.counts[BULK].offered)
      expect(got.counts[BULK].arrived).toBeGreaterThan(0.2 * sent.counts[BULK].offered)
      expect(usedBps).toBeLessThan(0.91 * bps)
    },
    300_000 + 2_000 * SECONDS,
  )

  test.each([8_000, 20_000])(
    'on a cable of %i bit/s it waits for one frame at most',
    async (bps) => {
      // A part of 150 ms has the headers of Ethernet, IP and UDP around it too.
      const saidBps = 0.75 * bps
      const { s, d, to } = await relayed(bps, saidBps)
      const forMs = SECONDS * 1_000
      const frameMs = ((FRAME_BYTES + AROUND_BYTES) * 8_000) / bps
      const bytes = 24
      const ownMs = ((bytes + LINK_BYTES + AROUND_BYTES) * 8_000) / bps
      await s.ask('flow', { to, context: BULK, bytes: 440, everyMs: frameMs, forMs: forMs + 10_000 })
      await sleep(10_000)
      await s.ask('flow', { to, context: REAL_TIME, bytes, everyMs: 2.3 * frameMs, forMs })
      await sleep(forMs + 3_000)
      const [sent, got] = [await s.ask('report'), await d.ask('report')]
      const waitsMs = (got.tookMs as number[]).map((ms) => ms - ownMs)
      const inOne = waitsMs.filter((ms) => ms <= frameMs / 0.9 + 40).length / waitsMs.length
      console.info(
        `${bps} bit/s: ${waitsMs.length} of ${sent.counts[REAL_TIME].offered} arrived, waited ${quantile(waitsMs, 0.5).toFixed(0)} ms at the median, ${Math.max(...waitsMs).toFixed(0)} at most; a frame takes ${frameMs.toFixed(0)} ms, and the pause after it ${(frameMs / 9).toFixed(0)}`,
      )
      expect(waitsMs.length).toBeGreaterThanOrEqual(0.95 * sent.counts[REAL_TIME].offered)
      // The machine's own scheduling comes on top, and now and then it is late by more.
      expect(inOne).toBeGreaterThanOrEqual(0.95)
    },
    120_000 + 2_000 * SECONDS,
  )
})

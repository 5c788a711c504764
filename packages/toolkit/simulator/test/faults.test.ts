import { concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import { type FaultPlan, Faults, type SimNode, Simulation, smallWorld } from '../src/index.ts'

const crypto = await nodeCrypto()
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 3)
const NODES = 8
const FAULTY_MS = 240_000
const REROUTE_MS = 180_000
/** Of messages in this test: what cannot be delivered by then says why. */
const EXPIRES_MS = 900_000

interface Run {
  readonly sim: Simulation
  readonly faults: Faults
  readonly sent: { readonly from: SimNode; readonly to: SimNode; readonly handle: bigint; readonly text: string }[]
}

/** A small world in which everything goes wrong at once, for four minutes, under a load of messages. */
function troubledRun(seed: number): Run {
  const sim = new Simulation({ seed, crypto })
  const random = seededRandom(`plan ${seed}`)
  const fraction = (): number => new DataView(random(4).buffer).getUint32(0) / 0x1_0000_0000
  for (let at = 0; at < NODES; at++) {
    // Up to 100 ppm either way, as cheap quartzes have.
    sim.addNode({ allowStrangerReceipts: true, clockRate: 1 + (fraction() - 0.5) * 2e-4 })
  }
  for (const [a, b] of smallWorld(random, NODES, 2, 0.3)) {
    sim.wire(sim.nodes[a]!, sim.nodes[b]!, { delayMs: 5 + 195 * fraction() })
  }
  const plan: FaultPlan = {
    untilMs: FAULTY_MS,
    lossRatio: 0.01 + 0.29 * fraction(),
    duplicateRatio: 0.1,
    corruptRatio: 0.05,
    jitterMs: 20 + 280 * fraction(),
    partitions: 2,
    crashes: 3,
  }
  const faults = new Faults(sim, plan)
  sim.start()
  const sent: Run['sent'] = []
  for (let count = 0; count < 40; count++) {
    const [from, to] = [Math.floor(fraction() * NODES), Math.floor(fraction() * NODES)]
    if (from === to) continue
    sim.at(5_000 + fraction() * (FAULTY_MS - 5_000), () => {
      const node = sim.nodes[from]!
      if (!node.isUp) return
      const text = `${count} from ${from} to ${to}`
      const handle = node.send(sim.nodes[to]!, encodeUtf8(text), { expiresMs: EXPIRES_MS })
      sent.push({ from: node, to: sim.nodes[to]!, handle, text })
    })
  }
  return { sim, faults, sent }
}

describe('faults', () => {
  test(`over ${SEEDS} seeds: nothing is shown twice, everything ends with a reason, all pairs talk once it is over`, {
    timeout: 10_000 + SEEDS * 10_000,
  }, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { sim, faults, sent } = troubledRun(seed)
      sim.run(FAULTY_MS + 1)
      expect(faults.unfired(), `seed ${seed}`).toEqual([])
      sim.run(60_000)
      expect(sim.nodes.every((node) => node.isUp)).toBe(true)
      const probes = sim.nodes.flatMap((from) =>
        sim.nodes
          .filter((to) => to !== from)
          .map((to) => ({ from, handle: from.send(to, encodeUtf8('are you there')) })),
      )
      const haveTalked = (): boolean =>
        probes.every(({ from, handle }) => from.states.get(handle)?.state === 'delivered')
      expect(sim.runUntil(haveTalked, REROUTE_MS), `seed ${seed}: some pairs cannot talk`).toBeDefined()
      sim.run(EXPIRES_MS)
      for (const { from, to, handle, text } of sent) {
        const copies = to.inbox.filter(({ body }) => toHex(body) === toHex(encodeUtf8(text))).length
        const status = from.states.get(handle)
        expect(copies, `seed ${seed}: ${text}`).toBeLessThanOrEqual(1)
        if (status?.state === 'failed') expect(status.reason, `seed ${seed}: ${text}`).toBeDefined()
        else expect([status?.state, copies], `seed ${seed}: ${text}`).toEqual(['delivered', 1])
      }
      for (const node of sim.nodes) expect(node.live.packets.dropped['hop-limit'] ?? 0, `seed ${seed}`).toBe(0)
    }
  })

  test('a fault that was asked for and did not fire is named', () => {
    const sim = new Simulation({ seed: 1, crypto })
    sim.wire(sim.addNode(), sim.addNode())
    const faults = new Faults(sim, { untilMs: 1_000, lossRatio: 0.5, crashes: 1 })
    expect(faults.unfired()).toEqual(['loss', 'crash', 'restart'])
    sim.start()
    sim.run(1_000)
    expect(faults.unfired()).toEqual([])
    expect(() => new Faults(sim, { untilMs: 1_000 })).toThrow(RangeError)
  })

  test('one seed is one run, to the byte; another seed is another', () => {
    const traceOf = (seed: number): string => {
      const { sim } = troubledRun(seed)
      let hash: Uint8Array = new Uint8Array(32)
      sim.capture = (medium, from, frame) => {
        hash = crypto.blake2b(concatBytes(hash, encodeUtf8(`${medium} ${from.name} ${sim.nowMs}`), frame))
      }
      sim.run(90_000)
      return toHex(hash)
    }
    expect(traceOf(7)).toBe(traceOf(7))
    expect(traceOf(8)).not.toBe(traceOf(7))
  })
})

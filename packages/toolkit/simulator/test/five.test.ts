import { toHex } from '@nexus/codec'
import { decodeCost } from '@nexus/compact-path-cost'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import type { SimNode } from '../src/index.ts'
import { type Five, five, wayPrice, waysAround } from './five.ts'
import { isConverged, wayBetween } from './lab.ts'

const crypto = await nodeCrypto()
const ROUND_MS = 60_000
/** Per seed, on a busy machine. */
const SEED_MS = 10_000
const seeds = Array.from({ length: Number(process.env['NEXUS_SEEDS'] ?? 3) }, (_, at) => at + 1)

const TIMEOUT_MS = 10_000 + SEED_MS * seeds.length

/** Encoded price of handing on from one node to another, decoded; dear beyond any way while they have no link. */
function priceOf(from: SimNode, to: SimNode): bigint {
  const link = [...from.live.links.links()].find(({ peer }) => toHex(peer.nodeId) === to.id)
  return link === undefined ? 2n ** 64n : decodeCost(from.live.neighbours.addedCost(link))
}

/** For each pair whose two ways differ by more than a tenth, so that latency does not decide: the way it has, and the best. */
function judged(nodes: Five['nodes']): { readonly is: string; readonly best: string }[] {
  return nodes.flatMap((from) =>
    nodes
      .filter((to) => to !== from)
      .flatMap((to) => {
        const ways = waysAround(nodes, from, to).map((way) => ({
          way: way.join(),
          price: wayPrice(nodes, way, priceOf),
        }))
        const [best, other] = ways.toSorted((a, b) => (a.price < b.price ? -1 : 1))
        if (10n * other!.price <= 11n * best!.price) return []
        return [{ is: wayBetween(nodes, from, to).join(), best: best!.way }]
      }),
  )
}

describe('five nodes of LoRa and wires', () => {
  test('converge within three rounds, and packets take the way of least cost', { timeout: TIMEOUT_MS }, () => {
    for (const seed of seeds) {
      const { sim, nodes } = five(crypto, seed, 1, { policy: 'cheapest' })
      sim.start()
      const convergedMs = sim.runUntil(() => isConverged(nodes), 3 * ROUND_MS)
      expect(convergedMs, `seed ${seed}`).toBeDefined()
      // A better way whose announce collided on the radio is told again with the rounds.
      const isOptimal = (): boolean => judged(nodes).every(({ is, best }) => is === best)
      expect(sim.runUntil(isOptimal, 30 * ROUND_MS, 1_000), `seed ${seed}`).toBeDefined()
      expect(judged(nodes)).toHaveLength(18)
      const [, ada, , dan] = nodes
      let report: Parameters<Parameters<typeof ada.live.trace>[4]>[0] | undefined
      // Nobody repeats a trace that collides on the radio.
      for (let tries = 0; tries < 10 && report?.outcome !== 'arrived'; tries++) {
        ada.live.trace(ada.clockMs, dan.nodeId, true, 30_000, (got) => {
          report = got
        })
        ada.touch()
        sim.run(30_000)
      }
      const names = new Map(nodes.map((node) => [node.id.slice(0, 16), node.name]))
      expect(report?.outcome).toBe('arrived')
      expect(report?.hops.map(({ nodeIdHead }) => names.get(toHex(nodeIdHead)))).toEqual(wayBetween(nodes, ada, dan))
    }
  })

  test('find other ways within three minutes of the silent death of any one', { timeout: TIMEOUT_MS }, () => {
    for (const seed of seeds) {
      for (let at = 0; at < 5; at++) {
        const { sim, nodes } = five(crypto, seed, 1)
        sim.start()
        expect(
          sim.runUntil(() => isConverged(nodes), 3 * ROUND_MS),
          `seed ${seed}`,
        ).toBeDefined()
        // The other way has to be there: radios beacon seldom, and routes may all lead by wire before the last two link.
        expect(
          sim.runUntil(() => nodes.every((node) => [...node.live.links.links()].length >= 2), 10 * ROUND_MS),
          `links, seed ${seed}`,
        ).toBeDefined()
        const dead = nodes[at]!
        dead.crash()
        const left = nodes.filter((node) => node !== dead)
        const leadsOn = (from: SimNode, to: SimNode): boolean =>
          from === to || wayBetween(nodes, from, to).at(-1) === to.name
        const healedMs = sim.runUntil(() => left.every((a) => left.every((b) => leadsOn(a, b))), 3 * ROUND_MS)
        expect(healedMs, `seed ${seed}, without ${dead.name}`).toBeDefined()
        // One after the other: together they are minutes of this radio, in which they collide.
        for (const from of left) {
          for (const to of left) {
            if (from === to) continue
            const handle = from.send(to, new Uint8Array(20))
            const isDelivered = (): boolean => from.states.get(handle)?.state === 'delivered'
            const says = `seed ${seed}, ${from.name} to ${to.name} without ${dead.name}`
            expect(sim.runUntil(isDelivered, 10 * ROUND_MS), says).toBeDefined()
          }
        }
      }
    }
  })
})

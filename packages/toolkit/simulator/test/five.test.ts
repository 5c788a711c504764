import { toHex } from '@nexus/codec'
import { decodeCost } from '@nexus/compact-path-cost'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import type { SimNode } from '../src/index.ts'
import { five, wayPrice, waysAround } from './five.ts'
import { isConverged, wayBetween } from './lab.ts'

const crypto = await nodeCrypto()
const ROUND_MS = 60_000
const seeds = Array.from({ length: Number(process.env['NEXUS_SEEDS'] ?? 3) }, (_, at) => at + 1)

const isClose = (a: bigint, b: bigint): boolean => (a < b ? 10n * b < 11n * a : 10n * a < 11n * b)

describe('five nodes of LoRa and wires', () => {
  test('converge within three rounds, and packets take the way of least cost', () => {
    for (const seed of seeds) {
      const { sim, nodes } = five(crypto, seed, 1, { policy: 'cheapest' })
      sim.start()
      const convergedMs = sim.runUntil(() => isConverged(nodes), 3 * ROUND_MS)
      expect(convergedMs, `seed ${seed}`).toBeDefined()
      const priceOf = (from: SimNode, to: SimNode): bigint => {
        const link = [...from.live.links.links()].find(({ peer }) => toHex(peer.nodeId) === to.id)!
        return decodeCost(from.live.neighbours.addedCost(link))
      }
      // A better way whose announce was lost on the radio is told again with the rounds.
      sim.run(10 * ROUND_MS)
      let judged = 0
      for (const from of nodes) {
        for (const to of nodes) {
          if (from === to) continue
          const [first, second] = waysAround(nodes, from, to)
          const prices = [wayPrice(nodes, first, priceOf), wayPrice(nodes, second, priceOf)] as const
          // Where they differ by a few percent, latency decides.
          if (isClose(...prices)) continue
          const best = prices[0] < prices[1] ? first : second
          expect(wayBetween(nodes, from, to), `seed ${seed}, ${from.name} to ${to.name}`).toEqual(best)
          judged++
        }
      }
      expect(judged).toBe(18)
      const [, ada, , dan] = nodes
      let report: Parameters<Parameters<typeof ada.live.trace>[4]>[0] | undefined
      ada.live.trace(ada.clockMs, dan.nodeId, true, 30_000, (got) => {
        report = got
      })
      ada.touch()
      sim.run(30_000)
      const names = new Map(nodes.map((node) => [node.id.slice(0, 16), node.name]))
      expect(report?.outcome).toBe('arrived')
      expect(report?.hops.map(({ nodeIdHead }) => names.get(toHex(nodeIdHead)))).toEqual(wayBetween(nodes, ada, dan))
    }
  })

  test('find other ways within three minutes of the silent death of any one', () => {
    for (const seed of seeds) {
      for (let at = 0; at < 5; at++) {
        const { sim, nodes } = five(crypto, seed, 1)
        sim.start()
        expect(
          sim.runUntil(() => isConverged(nodes), 3 * ROUND_MS),
          `seed ${seed}`,
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

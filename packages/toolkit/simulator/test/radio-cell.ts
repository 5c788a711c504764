import type { Crypto } from '@nexus/crypto'
import { Simulation } from '../src/index.ts'
import { isConverged, radioLab } from './lab.ts'

const HOUR_MS = 3_600_000

export interface RadioCell {
  /** When all first had a route to all. */
  readonly convergedMs: number | undefined
  /** Airtime by hour, of what the duty cycle allows. No user traffic: all of it is control. */
  readonly hourShares: readonly number[]
  /** Bytes of the busiest node, of what the medium carries in all these hours. */
  readonly busiest: number
  /** Whether all have a route to all at the end. */
  readonly isConverged: boolean
}

/** Five radios, SF7 and 125 kHz, each in reach of each other, for some hours. */
export function radioCell(crypto: Crypto, seed: number, dutyCycle: number, hours: number): RadioCell {
  const sim = new Simulation({ seed, crypto })
  const nodes = Array.from({ length: 5 }, () => sim.addNode())
  const air = radioLab(sim, nodes, { dutyCycle })
  sim.start()
  let convergedMs: number | undefined
  let airtimeMs = 0
  const hourShares: number[] = []
  for (let hour = 1; hour <= hours; hour++) {
    if (convergedMs === undefined) {
      const tookMs = sim.runUntil(() => isConverged(nodes), hour * HOUR_MS - sim.nowMs, 60_000)
      if (tookMs !== undefined) convergedMs = sim.nowMs
    }
    sim.run(hour * HOUR_MS - sim.nowMs)
    hourShares.push((air.channel.stats.airtimeMs - airtimeMs) / (HOUR_MS * dutyCycle))
    airtimeMs = air.channel.stats.airtimeMs
  }
  const { bitrateBps } = nodes[0]!.live.interfaces.get(air.id)!.facts
  const capacityBytes = (bitrateBps * dutyCycle * hours * HOUR_MS) / 8_000
  const busiest = Math.max(...nodes.map((node) => node.live.interfaces.get(air.id)!.sentBytes)) / capacityBytes
  return { convergedMs, hourShares, busiest, isConverged: isConverged(nodes) }
}

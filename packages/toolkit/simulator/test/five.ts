import type { Crypto } from '@nexus/crypto'
import { type SimNode, type SimNodeOptions, Simulation } from '../src/index.ts'
import { radioLab } from './lab.ts'

export interface Five {
  readonly sim: Simulation
  readonly nodes: readonly [SimNode, SimNode, SimNode, SimNode, SimNode]
}

/** Five nodes in a ring: bridge – ada – ben – dan by radio (SF7, 125 kHz), dan – cleo – bridge by wire. */
export function five(crypto: Crypto, seed: number, dutyCycle: number, options: SimNodeOptions = {}): Five {
  const sim = new Simulation({ seed, crypto })
  const node = (name: string): SimNode => sim.addNode({ allowStrangerReceipts: true, ...options, label: name }, name)
  const [bridge, ada, ben, dan, cleo] = [node('bridge'), node('ada'), node('ben'), node('dan'), node('cleo')]
  const reach = [
    [bridge, ada],
    [ada, ben],
    [ben, dan],
  ] as const
  radioLab(sim, [bridge, ada, ben, dan], { dutyCycle, reach })
  sim.wire(dan, cleo)
  sim.wire(cleo, bridge)
  return { sim, nodes: [bridge, ada, ben, dan, cleo] }
}

/** The two ways around the ring from one node to another, as names. */
export function waysAround(nodes: Five['nodes'], from: SimNode, to: SimNode): [string[], string[]] {
  const count = nodes.length
  const start = nodes.indexOf(from)
  const walk = (step: number): string[] => {
    const way: string[] = []
    for (let at = (start + step + count) % count; ; at = (at + step + count) % count) {
      way.push(nodes[at]!.name)
      if (nodes[at] === to) return way
    }
  }
  return [walk(1), walk(-1)]
}

/** What the relays on a way ask for, in encoded cost's own Q16 units: exact sums, of which the lower is the better way. */
export function wayPrice(
  nodes: Five['nodes'],
  way: readonly string[],
  priceOf: (from: SimNode, to: SimNode) => bigint,
): bigint {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  let price = 0n
  for (let at = 0; at + 1 < way.length; at++) price += priceOf(byName.get(way[at]!)!, byName.get(way[at + 1]!)!)
  return price
}

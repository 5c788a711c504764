import { MODULATION_DEFAULT } from '@nexus/transport-lora-sim'
import type { Air, SimNode, Simulation } from '../src/index.ts'

/** Loss between radios that hear each other well. */
const NEAR_DB = 110

export interface RadioLab {
  readonly dutyCycle: number
  readonly bandwidthHz?: number
  /** Pairs that hear each other; all of them, if not said. */
  readonly reach?: readonly (readonly [SimNode, SimNode])[]
}

/** A LoRa channel at SF7, 125 kHz unless said, on which exactly the listed pairs hear each other. */
export function radioLab(sim: Simulation, nodes: readonly SimNode[], lab: RadioLab): Air {
  const air = sim.air()
  const modulation = { ...MODULATION_DEFAULT, spreadingFactor: 7, bandwidthHz: lab.bandwidthHz ?? 125_000 } as const
  const radios = new Map(nodes.map((node) => [node, air.addRadio(node, { dutyCycle: lab.dutyCycle, modulation })]))
  for (const [at, a] of nodes.entries()) {
    for (const b of nodes.slice(at + 1)) {
      const isNear = lab.reach?.some((pair) => pair.includes(a) && pair.includes(b)) ?? true
      air.channel.setPathLoss(radios.get(a)!, radios.get(b)!, isNear ? NEAR_DB : Number.POSITIVE_INFINITY)
    }
  }
  return air
}

/** Whether each of `nodes` that is up has a route to each other one. */
export function isConverged(nodes: readonly SimNode[]): boolean {
  const up = nodes.filter((node) => node.isUp)
  return up.every((a) => up.every((b) => a === b || a.live.routes.router.nextHop(b.nodeId) >= 0))
}

/** The names along the way from one node to another as the tables have it, the first left out; ends with `?` where it breaks off. */
export function wayBetween(nodes: readonly SimNode[], from: SimNode, to: SimNode): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const way: string[] = []
  for (let at: SimNode | undefined = from; at !== to && way.length <= nodes.length; ) {
    const hop: number = at?.isUp ? at.live.routes.router.nextHop(to.nodeId) : -1
    const peer: Uint8Array | undefined = hop < 0 ? undefined : at!.live.interfaces.link(hop)?.peer.nodeId
    if (peer === undefined) return [...way, '?']
    at = byId.get(Buffer.from(peer).toString('hex'))
    way.push(at?.name ?? '?')
  }
  return way
}

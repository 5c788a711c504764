import { toHex } from '@nexus/codec'
import { World } from './world.ts'

/** Messages of a segment of `nodes`, counted over an hour without faults, and over one failover. */
export interface Traffic {
  readonly nodes: number
  readonly pulsesPerNodeHour: number
  /** EPOCH and REQ_EPOCH of the whole segment. */
  readonly keyAndElectionPerHour: number
  readonly perFailover: number
}

const HOUR_MS = 3_600_000

export function countTraffic(nodes: number, mode: 'passphrase' | 'allow-list', hours = 1): Traffic {
  const egos = (keys: readonly Uint8Array[]) => new Map(keys.map((key) => [toHex(key), undefined]))
  const world = new World({
    seed: 3,
    ...(mode === 'passphrase' ? {} : { admission: (keys) => ({ mode, egos: egos(keys) }) }),
  })
  world.make(nodes)
  for (let index = 0; index < nodes; index++) world.start(index)
  world.runUntil(30_000)
  const before = sums(world)
  world.runUntil(30_000 + hours * HOUR_MS)
  const after = sums(world)
  const anchor = world.anchors()[0]!
  // What the dead one said is no longer counted.
  const { sent: own } = world.status(anchor)
  world.crash(anchor)
  world.runUntil(world.nowMs + 30_000)
  const perFailover = sums(world).rest - (after.rest - own.epoch - own.request)
  return {
    nodes,
    pulsesPerNodeHour: (after.pulses - before.pulses) / nodes / hours,
    keyAndElectionPerHour: (after.rest - before.rest) / hours,
    perFailover,
  }
}

/** etcd by default: a heartbeat each 100 ms to each follower, each answered; 5 s for a Raft that notices silence after 15 s. */
export const raftPerHour = (nodes: number, heartbeatMs: number): number => (2 * (nodes - 1) * HOUR_MS) / heartbeatMs

function sums(world: World): { pulses: number; rest: number } {
  let pulses = 0
  let rest = 0
  for (const [index, { segment }] of world.nodes.entries()) {
    if (segment === undefined) continue
    const { sent } = world.status(index)
    pulses += sent.pulse
    rest += sent.epoch + sent.request
  }
  return { pulses, rest }
}

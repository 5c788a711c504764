import { ROUND_MS } from '@nexus/routing'
import { connectRandomly, Mesh, type MeshNode } from './mesh.ts'

export interface Convergence {
  /** Seconds from the first link to all pairs reaching each other. */
  readonly startS: number
  /** Seconds from the death of a relay, noticed by the link layer, to all remaining connected pairs reaching each other. */
  readonly rerouteS: number
  /** Seconds until packets find their way again after every withdrawal of a lost route was lost. */
  readonly healS: number
}

const LIMIT_MS = 10 * ROUND_MS
const PACKETS_EVERY_MS = 10_000

/** A mesh starts, loses its busiest relay, and gets it back while all control frames are lost for a while. */
export function measureConvergence(seed: number, nodes: number, lossRatio: number): Convergence {
  const mesh = new Mesh({ seed, nodes, lossRatio, delayMsMax: 400 })
  connectRandomly(mesh, nodes)
  const startS = untilReached(mesh)
  mesh.advance(3 * ROUND_MS, 1_000)
  const relay = busiest(mesh)
  mesh.kill(relay)
  for (const link of mesh.links) {
    if (link.isUp) continue
    mesh.notice(link, 'a')
    mesh.notice(link, 'b')
  }
  const rerouteS = untilReached(mesh)
  mesh.start(relay)
  for (const link of mesh.links) if (!link.isUp) mesh.open(link)
  mesh.advance(3 * ROUND_MS, 1_000)
  return { startS, rerouteS, healS: healBlackHole(mesh) }
}

/** A link dies while its ends can tell nobody; then packets show who still points at them. */
function healBlackHole(mesh: Mesh): number {
  const link = mesh.dice.pick(mesh.links)
  const before = mesh.lossRatio
  mesh.lossRatio = 1
  mesh.cut(link)
  mesh.notice(link, 'a')
  mesh.notice(link, 'b')
  mesh.advance(3 * ROUND_MS, 1_000)
  mesh.lossRatio = before
  return untilReached(mesh)
}

/** A packet between every pair: where it cannot go on, the node answers the one it came from. */
function sendPackets(mesh: Mesh): void {
  for (const from of mesh.nodes) {
    for (const to of mesh.nodes) {
      if (!from.isUp || from === to) continue
      const path = mesh.path(from.index, to.index)
      if (path.at(-1) === to.index) continue
      const last = mesh.nodes[path.at(-1)!]!
      if (path.length === 1) last.router.seek(mesh.nowMs, to.nodeId)
      else {
        const back = [...last.sessions.values()].find((session) => session.peer === path.at(-2) && mesh.isLive(session))
        if (back !== undefined) last.router.unreachable(mesh.nowMs, back.adjacency, to.nodeId)
      }
    }
  }
}

/** Time passes, and every ten seconds each node has a packet for each other, until all of them get through. */
function untilReached(mesh: Mesh): number {
  const fromMs = mesh.nowMs
  while (mesh.nowMs - fromMs < LIMIT_MS) {
    const { pairs, reached } = mesh.reachability()
    if (pairs === reached && mesh.nowMs > fromMs) break
    if ((mesh.nowMs - fromMs) % PACKETS_EVERY_MS === 0) sendPackets(mesh)
    mesh.advance(1_000, 250)
  }
  return (mesh.nowMs - fromMs) / 1000
}

/** The relay on the most paths. */
function busiest(mesh: Mesh): MeshNode {
  const load = mesh.nodes.map(() => 0)
  for (const from of mesh.nodes) {
    for (const to of mesh.nodes) for (const at of mesh.path(from.index, to.index).slice(1, -1)) load[at]! += 1
  }
  return mesh.nodes[load.indexOf(Math.max(...load))]!
}

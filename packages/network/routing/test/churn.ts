import { connectRandomly, Mesh, type MeshLink, type MeshNode } from './mesh.ts'

export interface ChurnOutcome {
  /** Step, destination and node of the first loop. */
  readonly loop: string | undefined
  /** Times that every destination's next hops were checked. */
  readonly checks: number
  readonly events: Readonly<Record<string, number>>
  /** Pairs of connected nodes at every tenth disturbance, and those that had a path. */
  readonly pairs: number
  readonly reached: number
}

/**
 * A network whose links, prices, latencies and nodes change at random, with lost and reordered frames, mixed policies and
 * restarts with and without a saved table. After each step the next hops of every destination are searched for a circle.
 */
export function runChurn(seed: number, steps = 60): ChurnOutcome {
  const mesh = new Mesh({
    seed,
    nodes: 6 + (seed % 5),
    policies: ['balanced', 'cheapest', 'fastest', 'mostReliable'],
    lossRatio: [0, 0.1, 0.3, 0.5][seed % 4]!,
    delayMsMax: 1_500,
  })
  connectRandomly(mesh, mesh.nodes.length)
  const saved = new Map<MeshNode, Uint8Array>()
  const events: Record<string, number> = {}
  let checks = 0
  let pairs = 0
  let reached = 0
  let loop: string | undefined
  const check = (): void => {
    checks += 1
    const found = mesh.findLoop()
    if (found !== undefined) loop ??= `t ${mesh.nowMs}: destination ${found.destination} at ${found.node}`
  }
  for (let step = 0; step < steps && loop === undefined; step++) {
    const event = disturb(mesh, saved)
    events[event] = (events[event] ?? 0) + 1
    check()
    if (step % 10 === 9) {
      const reachability = mesh.reachability()
      pairs += reachability.pairs
      reached += reachability.reached
    }
    mesh.advance(mesh.dice.pick([500, 1_000, 3_000, 15_000]), 500, mesh.dice.pick([150, 500, 4_000]), check)
  }
  return { loop, checks, events, pairs, reached }
}

function disturb(mesh: Mesh, saved: Map<MeshNode, Uint8Array>): string {
  const { dice } = mesh
  const link = dice.pick(mesh.links)
  const node = dice.pick(mesh.nodes)
  switch (dice.below(10)) {
    case 0:
    case 1:
      mesh.cut(link)
      if (dice.chance(0.7)) mesh.notice(link, 'a')
      if (dice.chance(0.7)) mesh.notice(link, 'b')
      return 'cut'
    case 2:
    case 3:
      return reopen(mesh)
    case 4:
    case 5:
      mesh.setPrice(node, dice.below(400))
      return 'price'
    case 6:
      mesh.setLatency(link, 1 + dice.below(2_000))
      return 'latency'
    case 7:
      return rate(mesh, node)
    case 8:
      saved.set(node, node.isUp ? node.router.snapshot(mesh.nowMs) : new Uint8Array())
      return 'save'
    default:
      return toggle(mesh, node, saved.get(node))
  }
}

function reopen(mesh: Mesh): string {
  const dead = mesh.links.filter((link) => !link.isUp)
  for (const link of dead) if (mesh.dice.chance(0.5)) notice(mesh, link)
  for (const link of dead) if (mesh.dice.chance(0.6)) mesh.open(link)
  return 'open'
}

function notice(mesh: Mesh, link: MeshLink): void {
  mesh.notice(link, 'a')
  mesh.notice(link, 'b')
}

function rate(mesh: Mesh, node: MeshNode): string {
  const to = mesh.dice.pick(mesh.nodes)
  const adjacency = node.isUp ? node.router.nextHop(to.nodeId) : -1
  if (adjacency < 0) return 'idle'
  if (mesh.dice.chance(0.5)) node.router.delivered(mesh.nowMs, to.nodeId, adjacency)
  else node.router.failed(mesh.nowMs, to.nodeId, adjacency)
  return 'rate'
}

/** A living node dies; a dead one starts, with its last saved table, however old, or with none. */
function toggle(mesh: Mesh, node: MeshNode, snapshot: Uint8Array | undefined): string {
  if (node.isUp) {
    mesh.kill(node)
    return 'kill'
  }
  const hasTable = snapshot !== undefined && snapshot.length > 0
  mesh.start(node, hasTable ? snapshot : undefined)
  for (const link of mesh.links) {
    if ((link.a === node.index || link.b === node.index) && mesh.dice.chance(0.7)) mesh.open(link)
  }
  return hasTable ? 'restart with table' : 'restart without table'
}

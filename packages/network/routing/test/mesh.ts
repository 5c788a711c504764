import { encodeBandwidth, encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import { portable } from '@nexus/crypto'
import { encodeAnnouncePacket } from '@nexus/framing'
import type { ControlFrame, Policy, PolicyName, RoutingLimits } from '@nexus/routing'
import { NO_HOP, Router } from '@nexus/routing'

// A network of routers in virtual time. Links are sessions, as link handshakes make them: each has its own adjacency
// number at either end, and a frame is read only by the session that it was sealed for. The router takes announces that
// are verified already, so their signatures here are random bytes.

const crypto = portable()

/** Small seeded generator (mulberry32): the same run for the same seed. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(end: number): number {
    return Math.floor(this.unit() * end)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}

/** An announce packet of `nodeId`, as its author sends it. */
export function announcePacket(
  nodeId: Uint8Array,
  lamport: bigint,
  options: { maxHops?: number; signature?: Uint8Array; tlvs?: { type: number; data: Uint8Array }[] } = {},
): Uint8Array {
  return encodeAnnouncePacket(nodeId, {
    publicKey: new Uint8Array(32).fill(nodeId[0]!),
    lamport,
    maxHops: options.maxHops ?? 128,
    signature: options.signature ?? new Uint8Array(64).fill(Number(lamport & 0xffn)),
    extension: { version: 1, cost: encodePathCost(PATH_COST_ORIGIN), tlvs: options.tlvs ?? [] },
  })
}

export interface LinkSpec {
  readonly a: number
  readonly b: number
  latencyMs: number
  bandwidthBps: number
}

/** One end of a live session. */
interface Session {
  readonly adjacency: number
  readonly link: MeshLink
  readonly peer: number
}

interface Flight {
  readonly arrivesMs: number
  readonly to: number
  readonly adjacency: number
  readonly frame: ControlFrame
}

/** A link, and the adjacency number that each end uses for its newest session. */
export interface MeshLink extends LinkSpec {
  isUp: boolean
  /** Numbers at either end; 0: that end has no session. */
  endA: number
  endB: number
}

export interface MeshNode {
  readonly index: number
  readonly nodeId: Uint8Array
  readonly policy: Policy | PolicyName
  router: Router
  lamport: bigint
  /** Encoded cost that it charges. */
  price: number
  isUp: boolean
  readonly sessions: Map<number, Session>
  readonly wanted: Set<number>
}

export interface MeshOptions {
  readonly seed: number
  readonly nodes: number
  readonly policies?: readonly (Policy | PolicyName)[]
  readonly lossRatio?: number
  readonly delayMsMax?: number
  readonly limits?: Partial<RoutingLimits>
  /** Encoded prices are drawn below this. */
  readonly priceMax?: number
}

export class Mesh {
  readonly dice: Dice
  readonly nodes: MeshNode[]
  readonly links: MeshLink[] = []
  nowMs = 1_000
  framesSent = 0
  announcesSigned = 0
  lossRatio: number
  readonly #delayMsMax: number
  readonly #limits: Partial<RoutingLimits>
  #adjacencies = 0
  #flights: Flight[] = []

  constructor(options: MeshOptions) {
    this.dice = new Dice(options.seed)
    this.lossRatio = options.lossRatio ?? 0
    this.#delayMsMax = options.delayMsMax ?? 50
    this.#limits = options.limits ?? {}
    const policies = options.policies ?? ['balanced']
    this.nodes = Array.from({ length: options.nodes }, (_, index) => ({
      index,
      nodeId: this.dice.bytes(16),
      policy: policies[index % policies.length]!,
      router: undefined as unknown as Router,
      lamport: BigInt(this.dice.below(1000)),
      price: this.dice.below(options.priceMax ?? 200),
      isUp: true,
      sessions: new Map(),
      wanted: new Set(),
    }))
    for (const node of this.nodes) node.router = this.#boot(node)
  }

  connect(spec: LinkSpec): MeshLink {
    const link: MeshLink = { ...spec, isUp: true, endA: 0, endB: 0 }
    this.links.push(link)
    this.open(link)
    return link
  }

  /** A handshake: both ends get a new session, what they had on this link before is gone. */
  open(link: MeshLink): void {
    if (!this.nodes[link.a]!.isUp || !this.nodes[link.b]!.isUp) return
    link.isUp = true
    this.#end(link, 'a')
    this.#end(link, 'b')
    link.endA = ++this.#adjacencies
    link.endB = ++this.#adjacencies
    this.#begin(link, this.nodes[link.a]!, link.endA, link.b)
    this.#begin(link, this.nodes[link.b]!, link.endB, link.a)
  }

  /** The medium fails; each end notices on its own. */
  cut(link: MeshLink): void {
    link.isUp = false
  }

  /** An end of a dead link notices. */
  notice(link: MeshLink, end: 'a' | 'b'): void {
    if (!link.isUp) this.#end(link, end)
  }

  /** A node dies; its links do too, and its neighbours have yet to notice. */
  kill(node: MeshNode): void {
    node.isUp = false
    node.sessions.clear()
    node.wanted.clear()
    for (const link of this.links) {
      if (link.a === node.index) link.endA = 0
      if (link.b === node.index) link.endB = 0
      if (link.a === node.index || link.b === node.index) link.isUp = false
    }
  }

  /** The node starts anew, with the table it saved or without. Its lamport survives, reserved ahead. */
  start(node: MeshNode, snapshot?: Uint8Array): void {
    node.isUp = true
    node.lamport += 16n
    node.router = this.#boot(node)
    if (snapshot !== undefined) node.router.restore(this.nowMs, snapshot)
  }

  setPrice(node: MeshNode, price: number): void {
    node.price = price
    for (const adjacency of node.sessions.keys()) {
      node.router.adjacencyChanged(this.nowMs, adjacency, { addCost: price })
    }
  }

  setLatency(link: MeshLink, latencyMs: number): void {
    link.latencyMs = latencyMs
    const ends = [
      [link.a, link.endA],
      [link.b, link.endB],
    ] as const
    for (const [node, adjacency] of ends) {
      if (this.nodes[node]!.sessions.has(adjacency)) {
        this.nodes[node]!.router.adjacencyChanged(this.nowMs, adjacency, { latencyMs })
      }
    }
  }

  /** Time passes: timers run, links carry what was wanted, frames arrive. `budgetBytes` per neighbour and step. */
  advance(durationMs: number, stepMs = 100, budgetBytes = 4_000, afterStep?: () => void): void {
    const untilMs = this.nowMs + durationMs
    while (this.nowMs < untilMs) {
      this.nowMs += stepMs
      for (const node of this.nodes) {
        if (!node.isUp) continue
        if (node.router.nextWakeMs() <= this.nowMs) node.router.tick(this.nowMs)
        this.drain(node, budgetBytes)
      }
      this.deliver()
      afterStep?.()
    }
  }

  /** Pulls what a node has to say, up to a budget for each neighbour. */
  drain(node: MeshNode, budgetBytes: number): void {
    for (const adjacency of [...node.wanted]) {
      const session = node.sessions.get(adjacency)
      if (session === undefined) {
        node.wanted.delete(adjacency)
        continue
      }
      let left = budgetBytes
      for (;;) {
        const frame = left > 0 ? node.router.pull(this.nowMs, adjacency, Math.min(left, 485)) : undefined
        if (frame === undefined) break
        left -= frame.bytes.length
        this.#transmit(session, frame)
      }
      if (left === budgetBytes || left > 485) node.wanted.delete(adjacency)
    }
  }

  deliver(): void {
    const due = this.#flights.filter((flight) => flight.arrivesMs <= this.nowMs)
    this.#flights = this.#flights.filter((flight) => flight.arrivesMs > this.nowMs)
    for (const flight of due) {
      const node = this.nodes[flight.to]!
      if (!node.isUp || !node.sessions.has(flight.adjacency)) continue
      if (flight.frame.kind === 'packet') node.router.receiveAnnounce(this.nowMs, flight.adjacency, flight.frame.bytes)
      else node.router.receiveRouteFrame(this.nowMs, flight.adjacency, flight.frame.bytes)
    }
  }

  /** Index of the node that `node` hands packets for `destination` to; -1 where they go nowhere. */
  next(node: MeshNode, destination: Uint8Array): number {
    const adjacency = node.router.nextHop(destination)
    if (adjacency === NO_HOP) return -1
    const session = node.sessions.get(adjacency)
    return session !== undefined && this.isLive(session) ? session.peer : -1
  }

  /** Whether what one end seals is read at the other. */
  isLive(session: Session): boolean {
    const { link, peer, adjacency } = session
    const theirs = link.a === peer ? link.endA : link.endB
    const ours = link.a === peer ? link.endB : link.endA
    return link.isUp && ours === adjacency && this.nodes[peer]!.sessions.has(theirs)
  }

  /** A destination and a node from which packets for it circle, or `undefined`. */
  findLoop(): { destination: number; node: number } | undefined {
    const count = this.nodes.length
    const mark = new Int32Array(count)
    for (const target of this.nodes) {
      mark.fill(-1)
      for (let start = 0; start < count; start++) {
        let at = start
        while (at >= 0 && at !== target.index && mark[at] === -1 && this.nodes[at]!.isUp) {
          mark[at] = start
          at = this.next(this.nodes[at]!, target.nodeId)
        }
        if (at >= 0 && at !== target.index && mark[at] === start && this.nodes[at]!.isUp) {
          return { destination: target.index, node: at }
        }
      }
    }
    return undefined
  }

  /** The nodes that a packet visits, the destination last if it arrives. */
  path(from: number, to: number): number[] {
    const path = [from]
    while (path.at(-1) !== to && path.length <= 128) {
      const next = this.next(this.nodes[path.at(-1)!]!, this.nodes[to]!.nodeId)
      if (next < 0) break
      path.push(next)
    }
    return path
  }

  /** Pairs of nodes in one component of live links, and how many of them packets get through. */
  reachability(): { pairs: number; reached: number } {
    let pairs = 0
    let reached = 0
    for (const from of this.nodes) {
      const component = this.#component(from.index)
      for (const to of component) {
        if (to === from.index) continue
        pairs += 1
        if (this.path(from.index, to).at(-1) === to) reached += 1
      }
    }
    return { pairs, reached }
  }

  #component(from: number): Set<number> {
    const seen = new Set<number>(this.nodes[from]!.isUp ? [from] : [])
    for (const at of seen) {
      for (const session of this.nodes[at]!.sessions.values()) if (this.isLive(session)) seen.add(session.peer)
    }
    return seen
  }

  #boot(node: MeshNode): Router {
    const router: Router = new Router(
      { selfId: node.nodeId, crypto, policy: node.policy, limits: this.#limits, hashSeed: node.index },
      {
        want: (adjacency) => node.wanted.add(adjacency),
        selfAnnounce: (atLeast) => {
          node.lamport = atLeast > node.lamport ? atLeast : node.lamport + 1n
          this.announcesSigned += 1
          router.announceSelf(this.nowMs, announcePacket(node.nodeId, node.lamport))
        },
      },
    )
    return router
  }

  #begin(link: MeshLink, node: MeshNode, adjacency: number, peer: number): void {
    node.sessions.set(adjacency, { adjacency, link, peer })
    node.router.adjacencyUp(this.nowMs, adjacency, {
      nodeId: this.nodes[peer]!.nodeId,
      interfaceId: 1,
      addCost: node.price,
      latencyMs: link.latencyMs,
      bandwidth: encodeBandwidth(link.bandwidthBps),
    })
  }

  #end(link: MeshLink, end: 'a' | 'b'): void {
    const node = this.nodes[end === 'a' ? link.a : link.b]!
    const adjacency = end === 'a' ? link.endA : link.endB
    if (end === 'a') link.endA = 0
    else link.endB = 0
    if (!node.sessions.delete(adjacency)) return
    node.wanted.delete(adjacency)
    node.router.adjacencyDown(this.nowMs, adjacency)
  }

  #transmit(session: Session, frame: ControlFrame): void {
    this.framesSent += 1
    if (!this.isLive(session) || this.dice.chance(this.lossRatio)) return
    const { link, peer } = session
    const arrivesMs = this.nowMs + this.dice.below(this.#delayMsMax + 1)
    this.#flights.push({ arrivesMs, to: peer, adjacency: link.a === peer ? link.endA : link.endB, frame })
  }
}

/** A connected random graph: a random tree and `extra` more links. */
export function connectRandomly(mesh: Mesh, extra: number): void {
  const { dice, nodes } = mesh
  const taken = new Set<string>()
  const link = (a: number, b: number): void => {
    const key = `${Math.min(a, b)}-${Math.max(a, b)}`
    if (a === b || taken.has(key)) return
    taken.add(key)
    mesh.connect({ a, b, latencyMs: 1 + dice.below(300), bandwidthBps: 10 ** (3 + dice.below(5)) })
  }
  for (let node = 1; node < nodes.length; node++) link(node, dice.below(node))
  for (let count = 0; count < extra; count++) link(dice.below(nodes.length), dice.below(nodes.length))
}

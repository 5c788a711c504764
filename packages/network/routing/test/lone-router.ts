import { encodeBandwidth, encodePathCost } from '@nexus/compact-path-cost'
import { portable } from '@nexus/crypto'
import {
  type ControlFrame,
  decodeRouteFrame,
  encodeRouteFrame,
  type PolicyName,
  type RouteRequest,
  Router,
  type RouteUpdate,
  type RoutingLimits,
  WITHDRAWN,
} from '@nexus/routing'
import { announcePacket } from './mesh.ts'

/** An address of sixteen equal bytes. */
export const at = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)

/** One router with neighbours that say what a test makes them say; adjacency n is the neighbour at(0xa0 + n). */
export class LoneRouter {
  readonly router: Router
  readonly wanted: number[] = []
  readonly selfAnnounces: bigint[] = []
  readonly changed: Uint8Array[] = []
  readonly duplicates: Uint8Array[] = []
  nowMs = 0

  constructor(neighbours: number, limits: Partial<RoutingLimits> = {}, policy: PolicyName = 'cheapest') {
    this.router = new Router(
      { selfId: at(1), crypto: portable(), policy, limits },
      {
        want: (adjacency) => this.wanted.push(adjacency),
        selfAnnounce: (atLeast) => this.selfAnnounces.push(atLeast),
        changed: (destination) => this.changed.push(destination),
        duplicateIdentity: (destination) => this.duplicates.push(destination),
      },
    )
    for (let id = 1; id <= neighbours; id++) this.up(id)
  }

  up(id: number, facts: { free?: boolean; nodeId?: Uint8Array; addCost?: number; charge?: number } = {}): boolean {
    const base = { nodeId: at(0xa0 + id), interfaceId: 1, addCost: 32, latencyMs: 10, bandwidth: encodeBandwidth(1e6) }
    return this.router.adjacencyUp(this.nowMs, id, { ...base, ...facts })
  }

  announce(
    from: number,
    destination: Uint8Array,
    lamport: bigint,
    path: { cost?: number; hops?: number; latencyMs?: number } = {},
    options: Parameters<typeof announcePacket>[2] = {},
  ): string {
    const packet = announcePacket(destination, lamport, options)
    packet.set(encodePathCost({ cost: 0, latencyMs: 0, bandwidth: 200, hops: 0, ...path }), 126)
    return this.router.receiveAnnounce(this.nowMs, from, packet)
  }

  update(from: number, destination: Uint8Array, lamport: bigint, path?: { cost: number; hops?: number }): void {
    const full = path === undefined ? WITHDRAWN : { latencyMs: 0, bandwidth: 200, hops: 0, ...path }
    const body = encodeRouteFrame({ kind: 'update', updates: [{ destination, lamport, path: full }] })
    this.router.receiveRouteFrame(this.nowMs, from, body)
  }

  request(from: number, destination: Uint8Array, wanted: bigint): void {
    const body = encodeRouteFrame({ kind: 'request', request: { destination, wanted } })
    this.router.receiveRouteFrame(this.nowMs, from, body)
  }

  /** Everything that waits for a neighbour. */
  pull(adjacency: number, maxBytes = 485): ControlFrame[] {
    const frames: ControlFrame[] = []
    for (;;) {
      const frame = this.router.pull(this.nowMs, adjacency, maxBytes)
      if (frame === undefined) return frames
      frames.push(frame)
    }
  }

  pullUpdates(adjacency: number): RouteUpdate[] {
    return this.pull(adjacency).flatMap((frame) => {
      const decoded = frame.kind === 'route' ? decodeRouteFrame(frame.bytes) : undefined
      return decoded?.kind === 'update' ? decoded.updates : []
    })
  }

  pullRequests(adjacency: number): RouteRequest[] {
    return this.pull(adjacency).flatMap((frame) => {
      const decoded = frame.kind === 'route' ? decodeRouteFrame(frame.bytes) : undefined
      return decoded?.kind === 'request' ? [decoded.request] : []
    })
  }

  later(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, Math.max(this.nowMs + 1, this.router.nextWakeMs()))
      this.router.tick(this.nowMs)
    }
  }
}

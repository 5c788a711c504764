import { type Priority, priorityOfContext } from '@nexus/congestion'
import {
  CONTEXT,
  encodePacket,
  incrementPacketHops,
  isPacketFor,
  nativePacket,
  PACKET_TYPE,
  packetContext,
  packetData,
  packetDestination,
  packetFault,
  packetType,
} from '@nexus/framing'
import type { Link } from '@nexus/link'
import { NO_HOP, type Router } from '@nexus/routing'
import type { SessionPacket } from '@nexus/session'
import { SELF, type WaitingPacket } from './egress.ts'
import type { Interfaces } from './interfaces.ts'
import { MEDIA, TraceError, type TraceHop, type TraceOutcome } from './trace.ts'
import type { TraceStep, Traces } from './traces.ts'

/** From this priority on packets take another next hop, from this severity of the first one on (docs/spec/congestion.md). */
const REROUTED_FROM = 2
const SEVERE = 2
/** Contexts of the node itself: sessions and traces. */
const OWN_CONTEXTS: ReadonlySet<number> = new Set<number>(Object.values(CONTEXT))
/** What a link that measured nothing yet writes into a trace. */
const RTT_UNKNOWN = 0xffff

/** Takes the data of packets that end here; the bytes are valid during the call. */
export type PacketService = (nowMs: number, data: Uint8Array) => void

/** Who gets the packets that end here. */
export interface PacketPorts {
  announce(nowMs: number, link: Link, packet: Uint8Array): void
  /** A data packet for this node that is no trace. */
  deliver(nowMs: number, packet: SessionPacket): void
  /** The routing core's clock for a reading of the node's. */
  protocolMs(nowMs: number): number
  /** Why a packet of a neighbour is not forwarded, its payment in view; undefined: it is. */
  refuses(nowMs: number, link: Link, packet: Uint8Array): 'no-odds' | 'no-credit' | undefined
  /** Encoded cost that this node adds for what leaves by a link. */
  addedCost(link: Link): number
}

export interface PacketParts {
  readonly selfId: Uint8Array
  readonly router: Router
  readonly interfaces: Interfaces
  readonly traces: Traces
}

/** Where packets go: up, to whom this node is the destination; on, to the next hop; or away, and counted. */
export class Packets {
  readonly #parts: PacketParts
  readonly #ports: PacketPorts
  readonly #services = new Map<number, PacketService>()
  readonly dropped: Record<string, number> = {}
  forwarded = 0
  delivered = 0

  constructor(parts: PacketParts, ports: PacketPorts) {
    this.#parts = parts
    this.#ports = ports
  }

  drop(reason: string): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1
  }

  /** A packet from a neighbour. The bytes are valid during the call; its hop count is changed in place. */
  receive(nowMs: number, link: Link, packet: Uint8Array): void {
    if (packetFault(packet) !== undefined) return this.drop('malformed')
    const type = packetType(packet)
    if (type === PACKET_TYPE.ANNOUNCE) return this.#ports.announce(nowMs, link, packet)
    if (type !== PACKET_TYPE.DATA) return this.drop('unsupported')
    if (isPacketFor(packet, this.#parts.selfId)) return this.#arrive(nowMs, packet)
    this.#forward(nowMs, link, packet)
  }

  /** Sends a packet of this node's own. */
  send(nowMs: number, destination: Uint8Array, packet: Uint8Array, asked: Priority): 'sent' | 'queued' | 'no-route' {
    const { interfaces, router, selfId } = this.#parts
    if (isPacketFor(packet, selfId)) {
      this.#arrive(nowMs, packet)
      return 'sent'
    }
    // The first relay would not believe more than the context says either.
    const priority = Math.max(asked, priorityOfContext(packetContext(packet))) as Priority
    const hop = this.#hopFor(nowMs, destination, NO_HOP, priority)
    if (hop === NO_HOP) {
      router.seek(this.#ports.protocolMs(nowMs), destination)
      return 'no-route'
    }
    if (!interfaces.offer(nowMs, hop, packet, priority, SELF)) return 'no-route'
    return interfaces.of(hop)?.egress.queuedBytes === 0 ? 'sent' : 'queued'
  }

  /** Makes and sends a packet of plain data, as traces are. */
  sendData(nowMs: number, destination: Uint8Array, context: number, data: Uint8Array): boolean {
    const packet = encodePacket(nativePacket({ type: PACKET_TYPE.DATA, destination, context, data }))
    return this.send(nowMs, destination, packet, priorityOfContext(context)) !== 'no-route'
  }

  /** Data packets of a context that end here go to a service. @throws {RangeError} where the context has one, or is the node's own */
  register(context: number, service: PacketService): void {
    if (OWN_CONTEXTS.has(context) || this.#services.has(context)) throw new RangeError(`context ${context} is taken`)
    this.#services.set(context, service)
  }

  /** Packets whose link died or is congested find their second path; without one they are given up. */
  reroute(nowMs: number, waiting: readonly WaitingPacket[], reason: string): void {
    for (const { packet, priority, source } of waiting) {
      const hop = this.#hopFor(nowMs, packetDestination(packet), source === SELF ? NO_HOP : source, priority)
      if (hop === NO_HOP || hop === source) this.drop(reason)
      else this.#parts.interfaces.offer(nowMs, hop, packet, priority, source)
    }
  }

  #arrive(nowMs: number, packet: Uint8Array): void {
    this.delivered++
    const context = packetContext(packet)
    if (context === CONTEXT.TRACE)
      this.#carryOut(nowMs, () => this.#parts.traces.end(nowMs, packetData(packet), 'arrived'))
    else if (context === CONTEXT.TRACE_ANSWER) this.#traceAnswered(nowMs, packet)
    else {
      const service = this.#services.get(context)
      const data = packetData(packet)
      if (service !== undefined) service(nowMs, data)
      else this.#ports.deliver(nowMs, { destination: packetDestination(packet), context, data })
    }
  }

  #forward(nowMs: number, link: Link, packet: Uint8Array): void {
    const isTrace = packetContext(packet) === CONTEXT.TRACE
    if (!incrementPacketHops(packet)) return this.#giveUp(nowMs, packet, 'hop-limit', isTrace)
    const destination = packetDestination(packet)
    const priority = priorityOfContext(packetContext(packet))
    const { router } = this.#parts
    const hop = this.#hopFor(nowMs, destination, link.id, priority)
    if (hop === NO_HOP || hop === link.id) {
      router.unreachable(this.#ports.protocolMs(nowMs), link.id, destination)
      return this.#giveUp(nowMs, packet, 'no-route', isTrace)
    }
    const refusal = this.#ports.refuses(nowMs, link, packet)
    if (refusal !== undefined) {
      // Who lacks credit looks for another way; odds that are late come soon.
      if (refusal === 'no-credit') router.unreachable(this.#ports.protocolMs(nowMs), link.id, destination)
      return this.drop(refusal)
    }
    if (isTrace) return this.#passTrace(nowMs, packet, hop, link.id)
    if (this.#parts.interfaces.offer(nowMs, hop, packet, priority, link.id)) this.forwarded++
  }

  #hopFor(nowMs: number, destination: Uint8Array, from: number, priority: Priority): number {
    const { router, interfaces } = this.#parts
    const hop = router.nextHop(destination)
    if (hop === NO_HOP) return router.greedyHop(destination, from)
    if (priority < REROUTED_FROM || interfaces.severity(nowMs, hop) < SEVERE) return hop
    // Any feasible next hop is free of loops; one that is as badly off would gain nothing.
    const other = router.secondHop(destination)
    return other === NO_HOP || other === from || interfaces.severity(nowMs, other) >= SEVERE ? hop : other
  }

  #giveUp(nowMs: number, packet: Uint8Array, outcome: TraceOutcome, isTrace: boolean): void {
    this.drop(outcome)
    if (isTrace) this.#carryOut(nowMs, () => this.#parts.traces.end(nowMs, packetData(packet), outcome))
  }

  #passTrace(nowMs: number, packet: Uint8Array, hop: number, source: number): void {
    const { interfaces, traces } = this.#parts
    const via = interfaces.link(hop)!
    const traffic = interfaces.of(hop)!
    const own: Omit<TraceHop, 'nodeIdHead'> = {
      rttMs: via.rttMs === undefined ? RTT_UNKNOWN : Math.min(RTT_UNKNOWN - 1, Math.round(via.rttMs)),
      queueFill: traffic.egress.fill(hop),
      addedCost: this.#ports.addedCost(via),
      medium: MEDIA.indexOf(traffic.facts.kind),
    }
    this.#carryOut(nowMs, () => traces.pass(nowMs, packetData(packet), own), packet, hop, source)
  }

  #carryOut(nowMs: number, step: () => TraceStep, packet?: Uint8Array, hop?: number, source?: number): void {
    let result: TraceStep
    try {
      result = step()
    } catch (error) {
      if (!(error instanceof TraceError)) throw error
      return this.drop('malformed')
    }
    if (result.kind === 'ignore') return
    if (result.kind === 'answer') {
      this.sendData(nowMs, result.origin, CONTEXT.TRACE_ANSWER, result.data)
      return
    }
    const head = packet!.subarray(0, packet!.length - packetData(packet!).length)
    const whole = new Uint8Array(head.length + result.data.length)
    whole.set(head)
    whole.set(result.data, head.length)
    if (this.#parts.interfaces.offer(nowMs, hop!, whole, priorityOfContext(CONTEXT.TRACE), source!)) this.forwarded++
  }

  #traceAnswered(nowMs: number, packet: Uint8Array): void {
    try {
      this.#parts.traces.answered(nowMs, packetData(packet))
    } catch (error) {
      if (!(error instanceof TraceError)) throw error
      this.drop('malformed')
    }
  }
}

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
import type { Priority } from './egress.ts'
import type { Interfaces } from './interfaces.ts'
import { MEDIA, TraceError, type TraceHop, type TraceOutcome } from './trace.ts'
import type { TraceStep, Traces } from './traces.ts'

/** What a link that measured nothing yet writes into a trace. */
const RTT_UNKNOWN = 0xffff

/** Who gets the packets that end here. */
export interface PacketPorts {
  announce(nowMs: number, link: Link, packet: Uint8Array): void
  /** A data packet for this node that is no trace. */
  deliver(nowMs: number, packet: Uint8Array): void
  /** The routing core's clock for a reading of the node's. */
  protocolMs(nowMs: number): number
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
  send(nowMs: number, destination: Uint8Array, packet: Uint8Array, priority: Priority): 'sent' | 'queued' | 'no-route' {
    const { interfaces, router, selfId } = this.#parts
    if (isPacketFor(packet, selfId)) {
      this.#arrive(nowMs, packet)
      return 'sent'
    }
    const hop = this.#hopFor(destination, NO_HOP)
    if (hop === NO_HOP) {
      router.seek(this.#ports.protocolMs(nowMs), destination)
      return 'no-route'
    }
    if (!interfaces.offer(nowMs, hop, packet, priority)) return 'no-route'
    return interfaces.of(hop)?.egress.queuedBytes === 0 ? 'sent' : 'queued'
  }

  /** Makes and sends a packet of plain data, as traces are. */
  sendData(nowMs: number, destination: Uint8Array, context: number, data: Uint8Array): boolean {
    const packet = encodePacket(nativePacket({ type: PACKET_TYPE.DATA, destination, context, data }))
    return this.send(nowMs, destination, packet, 1) !== 'no-route'
  }

  /** Packets whose link died find their second path, or are given up. */
  reroute(nowMs: number, waiting: readonly { priority: Priority; packet: Uint8Array }[]): void {
    for (const { packet, priority } of waiting) {
      const hop = this.#hopFor(packetDestination(packet), NO_HOP)
      if (hop === NO_HOP || !this.#parts.interfaces.offer(nowMs, hop, packet, priority)) this.drop('link-down')
    }
  }

  #arrive(nowMs: number, packet: Uint8Array): void {
    this.delivered++
    const context = packetContext(packet)
    if (context === CONTEXT.TRACE)
      this.#carryOut(nowMs, () => this.#parts.traces.end(nowMs, packetData(packet), 'arrived'))
    else if (context === CONTEXT.TRACE_ANSWER) this.#traceAnswered(nowMs, packet)
    else this.#ports.deliver(nowMs, packet)
  }

  #forward(nowMs: number, link: Link, packet: Uint8Array): void {
    const isTrace = packetContext(packet) === CONTEXT.TRACE
    if (!incrementPacketHops(packet)) return this.#giveUp(nowMs, packet, 'hop-limit', isTrace)
    const destination = packetDestination(packet)
    const hop = this.#hopFor(destination, link.id)
    if (hop === NO_HOP || hop === link.id) {
      this.#parts.router.unreachable(this.#ports.protocolMs(nowMs), link.id, destination)
      return this.#giveUp(nowMs, packet, 'no-route', isTrace)
    }
    if (isTrace) return this.#passTrace(nowMs, packet, hop)
    if (this.#parts.interfaces.offer(nowMs, hop, packet, priorityOf(packetContext(packet)))) this.forwarded++
  }

  #hopFor(destination: Uint8Array, from: number): number {
    const hop = this.#parts.router.nextHop(destination)
    return hop === NO_HOP ? this.#parts.router.greedyHop(destination, from) : hop
  }

  #giveUp(nowMs: number, packet: Uint8Array, outcome: TraceOutcome, isTrace: boolean): void {
    this.drop(outcome)
    if (isTrace) this.#carryOut(nowMs, () => this.#parts.traces.end(nowMs, packetData(packet), outcome))
  }

  #passTrace(nowMs: number, packet: Uint8Array, hop: number): void {
    const { interfaces, traces } = this.#parts
    const via = interfaces.link(hop)!
    const traffic = interfaces.of(hop)!
    const own: Omit<TraceHop, 'nodeIdHead'> = {
      rttMs: via.rttMs === undefined ? RTT_UNKNOWN : Math.min(RTT_UNKNOWN - 1, Math.round(via.rttMs)),
      queueFill: traffic.egress.fill(hop),
      addedCost: this.#ports.addedCost(via),
      medium: MEDIA.indexOf(traffic.facts.kind),
    }
    this.#carryOut(nowMs, () => traces.pass(nowMs, packetData(packet), own), packet, hop)
  }

  #carryOut(nowMs: number, step: () => TraceStep, packet?: Uint8Array, hop?: number): void {
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
    if (this.#parts.interfaces.offer(nowMs, hop!, whole, 1)) this.forwarded++
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

/** What a packet says of its urgency: its context is all that a relay sees. */
function priorityOf(context: number): Priority {
  if (context === CONTEXT.FRAGMENT) return 3
  return context === CONTEXT.TRACE || context === CONTEXT.TRACE_ANSWER || context === CONTEXT.HANDSHAKE ? 1 : 2
}

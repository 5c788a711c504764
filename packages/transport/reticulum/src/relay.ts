import { equalBytes } from '@nexus/codec'
import type { Agenda, Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { ReticulumInterface } from './interface.ts'
import type { Arrival, KnownDestinations, Path } from './known.ts'
import { ADDRESS_BYTES, HOPS_MAX, LINK_PROOF_BYTES, SIGNALLING_BYTES } from './limits.ts'
import { clampLinkRequest, decodeLinkProof, linkIdOf, verifyLinkProof } from './link-codec.ts'
import { CONTEXT, decodePacket, encodePacket, FLAG, PACKET_TYPE } from './packet.ts'
import type { Ports } from './ports.ts'

/** Packets whose proofs a transport node will know the way of. */
export const REVERSE_MAX = 16_384
const REVERSE_MS = 480_000
/** Links that a transport node carries. */
export const LINKS_CARRIED_MAX = 8_192
const LINK_MS = 900_000
const LINK_PROOF_MS_PER_HOP = 6_000
/** Announces that wait for their first or second retransmission. */
export const ANNOUNCES_PASSED_ON_MAX = 4_096
const FIRST_ANNOUNCE_MS_MAX = 500
const SECOND_ANNOUNCE_MS = 5_500
const PATH_ANSWER_MS = 400
/** Others that repeat an announce beside this node, after which it stays silent. */
const REPEATS_ENOUGH = 2

interface CarriedLink {
  readonly towards: ReticulumInterface
  readonly from: ReticulumInterface
  /** Hops to the destination, and from the initiator: what a link packet's hop count must be on either side. */
  readonly hopsAhead: number
  readonly hopsBehind: number
  readonly destination: Uint8Array
  readonly proofUntilMs: number
  proved: boolean
}

interface PassedOn {
  readonly packet: Uint8Array
  readonly data: Uint8Array
  readonly hops: number
  repeats: number
  appointment: Appointment
}

export interface RelayHost {
  readonly ports: Ports
  readonly agenda: Agenda
  readonly known: KnownDestinations
  readonly interfaces: Iterable<ReticulumInterface>
}

/** Counts of a transport node, for status pages. */
export interface RelayCounts {
  announces: number
  packets: number
  proofs: number
  links: number
}

/** What a transport node does for others: announces, packets, their proofs, and links. */
export class Relay {
  readonly id: Uint8Array
  readonly counts: RelayCounts = { announces: 0, packets: 0, proofs: 0, links: 0 }
  readonly #host: RelayHost
  readonly #reverse = new ExpiringMap<{ readonly from: ReticulumInterface; readonly towards: ReticulumInterface }>(
    REVERSE_MAX,
    REVERSE_MS,
  )
  readonly #links = new ExpiringMap<CarriedLink>(LINKS_CARRIED_MAX, LINK_MS)
  readonly #passedOn = new Map<string, PassedOn>()

  /** @param id the hash of the node's transport identity */
  constructor(host: RelayHost, id: Uint8Array) {
    this.#host = host
    this.id = id
  }

  get reverseEntries(): number {
    return this.#reverse.size
  }

  get carriedLinks(): number {
    return this.#links.size
  }

  get waitingAnnounces(): number {
    return this.#passedOn.size
  }

  /** Passes an announce on: within half a second, and once more unless a neighbour is heard to do it. */
  passOn(arrival: Arrival): void {
    const key = addressKey(arrival.announce.destination)
    this.#passedOn.get(key)?.appointment.cancel()
    this.#passedOn.delete(key)
    if (arrival.hops > HOPS_MAX || this.#passedOn.size >= ANNOUNCES_PASSED_ON_MAX) return
    const packet = this.#announcement(arrival.raw, arrival.hops, CONTEXT.none)
    const firstMs = (this.#host.ports.random(1)[0]! / 256) * FIRST_ANNOUNCE_MS_MAX
    const entry: PassedOn = {
      packet,
      data: decodePacket(packet).data,
      hops: arrival.hops,
      repeats: 0,
      appointment: this.#host.agenda.after(firstMs, () => {
        this.#retransmit(entry)
        entry.appointment = this.#host.agenda.after(SECOND_ANNOUNCE_MS, () => {
          this.#passedOn.delete(key)
          this.#retransmit(entry)
        })
      }),
    }
    this.#passedOn.set(key, entry)
  }

  /** A neighbour repeats an announce that waits here. */
  heardRepeat(arrival: Arrival): void {
    const key = addressKey(arrival.announce.destination)
    const entry = this.#passedOn.get(key)
    if (entry === undefined || !equalBytes(entry.data, decodePacket(arrival.raw).data)) return
    const sentHops = arrival.hops - 1
    const passedOn = sentHops === entry.hops + 1
    if (sentHops === entry.hops) entry.repeats++
    if (!passedOn && entry.repeats < REPEATS_ENOUGH) return
    entry.appointment.cancel()
    this.#passedOn.delete(key)
  }

  /** Answers a path request from `iface`, unless the way there leads back through who asks. */
  answerPath(path: Path, iface: ReticulumInterface, asker: Uint8Array | undefined): void {
    if (path.hops > HOPS_MAX || (asker !== undefined && equalBytes(asker, path.nextHop))) return
    if (iface.mode === 'roaming' && path.iface === iface) return
    const packet = this.#announcement(path.announce, path.hops, CONTEXT.pathResponse)
    iface.sendPathAnswer(addressKey(decodePacket(packet).destination), packet, PATH_ANSWER_MS)
  }

  /** Sends a packet on that names this node as its next hop. */
  forward(packet: Uint8Array, from: ReticulumInterface, hash: Uint8Array): void {
    const nowMs = this.#host.ports.nowMs()
    const path = this.#host.known.path(packet.subarray(2 + ADDRESS_BYTES, 2 + 2 * ADDRESS_BYTES), nowMs)
    const hops = packet[1]! + 1
    if (path === undefined || hops > HOPS_MAX) return
    const next = path.hops > 1 ? withNextHop(packet, path.nextHop, hops) : withoutTransport(packet, hops)
    if ((packet[0]! & 3) === PACKET_TYPE.linkRequest) this.#carryLink(next, from, path, hops)
    else this.#reverse.set(addressKey(hash), { from, towards: path.iface }, nowMs)
    this.counts.packets++
    path.iface.send(next)
  }

  /** Sends a link's packet on; whether it was one of a link that is carried here. */
  forwardLinkPacket(packet: Uint8Array, from: ReticulumInterface): boolean {
    const nowMs = this.#host.ports.nowMs()
    const key = addressKey(packet, 2)
    const link = this.#links.get(key, nowMs)
    if (link === undefined || !link.proved) return false
    const hops = packet[1]! + 1
    const forwards = from === link.from && hops === link.hopsBehind
    const backwards = from === link.towards && hops === link.hopsAhead
    if ((!forwards && !backwards) || hops > HOPS_MAX) return false
    this.#links.set(key, link, nowMs)
    this.counts.packets++
    ;(forwards ? link.towards : link.from).send(withHops(packet, hops))
    return true
  }

  /** Sends the proof of a link request back, if it is good; whether it was taken. */
  forwardLinkProof(packet: Uint8Array, from: ReticulumInterface): boolean {
    const nowMs = this.#host.ports.nowMs()
    const key = addressKey(packet, 2)
    const link = this.#links.get(key, nowMs)
    const hops = packet[1]! + 1
    if (link === undefined || from !== link.towards || hops !== link.hopsAhead || hops > HOPS_MAX) return false
    if (!link.proved && nowMs > link.proofUntilMs) return false
    const responder = this.#host.known.get(link.destination)?.identity
    const { data } = decodePacket(packet)
    if (responder === undefined) return false
    if (data.length !== LINK_PROOF_BYTES && data.length !== LINK_PROOF_BYTES + SIGNALLING_BYTES) return false
    if (!verifyLinkProof(responder, packet.slice(2, 2 + ADDRESS_BYTES), decodeLinkProof(data))) return false
    link.proved = true
    this.counts.links++
    link.from.send(withHops(packet, hops))
    return true
  }

  /** Sends a packet's proof back the way that the packet came; whether it came through here. */
  forwardProof(packet: Uint8Array, from: ReticulumInterface): boolean {
    const key = addressKey(packet, 2)
    const entry = this.#reverse.get(key, this.#host.ports.nowMs())
    const hops = packet[1]! + 1
    if (entry === undefined || entry.towards !== from || hops > HOPS_MAX) return false
    this.#reverse.delete(key)
    this.counts.proofs++
    entry.from.send(withHops(packet, hops))
    return true
  }

  #carryLink(request: Uint8Array, from: ReticulumInterface, path: Path, hops: number): void {
    clampLinkRequest(request, Math.min(from.mtuBytes, path.iface.mtuBytes))
    const { ports } = this.#host
    const nowMs = ports.nowMs()
    const airtimeMs = (request.length * 8_000) / path.iface.bitrateBps
    const link: CarriedLink = {
      towards: path.iface,
      from,
      hopsAhead: path.hops,
      hopsBehind: hops,
      destination: decodePacket(request).destination.slice(),
      proofUntilMs: nowMs + LINK_PROOF_MS_PER_HOP * Math.max(1, path.hops) + airtimeMs,
      proved: false,
    }
    this.#links.set(addressKey(linkIdOf(ports.crypto, request)), link, nowMs)
  }

  #retransmit(entry: PassedOn): void {
    this.counts.announces++
    for (const iface of this.#host.interfaces) {
      if (iface.mode !== 'access-point') iface.sendAnnounce(entry.packet, entry.hops)
    }
  }

  /** An announce as this node sends it on: with its own id as the next hop. */
  #announcement(raw: Uint8Array, hops: number, context: number): Uint8Array {
    const announce = decodePacket(raw)
    return encodePacket({ ...announce, accessCode: false, transport: true, transportId: this.id, hops, context })
  }
}

function withHops(packet: Uint8Array, hops: number): Uint8Array {
  const copy = packet.slice()
  copy[1] = hops
  return copy
}

function withNextHop(packet: Uint8Array, nextHop: Uint8Array, hops: number): Uint8Array {
  const copy = withHops(packet, hops)
  copy.set(nextHop, 2)
  return copy
}

/** The one-address form of a packet with two: the last transport node takes the header off. */
function withoutTransport(packet: Uint8Array, hops: number): Uint8Array {
  const copy = new Uint8Array(packet.length - ADDRESS_BYTES)
  copy[0] = packet[0]! & ~(FLAG.twoAddresses | FLAG.transport)
  copy[1] = hops
  copy.set(packet.subarray(2 + ADDRESS_BYTES), 2)
  return copy
}

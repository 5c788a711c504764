import { type Announce, decodeAnnounce, verifyAnnounce } from './announce.ts'
import type { BroadcastDestination } from './broadcast.ts'
import { addressKey, holdsAt } from './bytes.ts'
import type { Destination } from './destination.ts'
import { ReticulumError } from './errors.ts'
import type { Feed } from './feed.ts'
import type { Agreed, Handshakes } from './handshake.ts'
import type { RemoteIdentity } from './identity.ts'
import type { ReticulumInterface } from './interface.ts'
import type { Arrival, KnownDestinations } from './known.ts'
import { ADDRESS_BYTES, MTU_BYTES, SIGNATURE_BYTES } from './limits.ts'
import type { Link } from './link.ts'
import {
  CONTEXT,
  DESTINATION_TYPE,
  decodePacket,
  encodePacket,
  FLAG,
  PACKET_TYPE,
  type Packet,
  packetHash,
} from './packet.ts'
import type { PathFinder } from './path-finder.ts'
import type { Ports } from './ports.ts'
import { makeProof } from './proof.ts'
import type { Receipts } from './receipts.ts'
import type { Relay } from './relay.ts'
import type { Seen } from './seen.ts'

/** Contexts of packets that may come twice. */
const REPEATABLE: ReadonlySet<number> = new Set([
  CONTEXT.resource,
  CONTEXT.resourceRequest,
  CONTEXT.resourceProof,
  CONTEXT.cacheRequest,
  CONTEXT.channel,
  CONTEXT.keepalive,
])

/** An announce as it was heard. */
export interface HeardAnnounce {
  readonly hash: Uint8Array
  readonly identity: RemoteIdentity
  readonly nameHash: Uint8Array
  readonly appData: Uint8Array | undefined
  readonly ratchet: Uint8Array | undefined
  readonly hops: number
  readonly interfaceName: string
  /** Whether it answers a path request. */
  readonly isPathResponse: boolean
}

/** The tables that a packet may be for. */
export interface InboundHost {
  readonly ports: Ports
  readonly known: KnownDestinations
  readonly announces: Feed<HeardAnnounce>
  readonly destinations: ReadonlyMap<string, Destination>
  readonly broadcasts: ReadonlyMap<string, BroadcastDestination>
  readonly links: ReadonlyMap<string, Link>
  readonly seen: Seen
  readonly receipts: Receipts
  readonly paths: PathFinder
  readonly handshakes: Handshakes
  readonly relay: Relay | undefined
  readonly explicitProofs: boolean
  begin(agreed: Agreed, destination: Destination): void
}

/** Finds out whom a packet is for. */
export class Inbound {
  readonly #host: InboundHost

  constructor(host: InboundHost) {
    this.#host = host
  }

  /** A packet in its form, valid during the call. @throws {ReticulumError} where its content is not */
  take(packet: Uint8Array, from: ReticulumInterface): void {
    const flags = packet[0]!
    const type = flags & 3
    const destinationType = (flags >> 2) & 3
    // Only links agree on more than every medium carries.
    if (packet.length > MTU_BYTES && destinationType !== DESTINATION_TYPE.link) {
      throw new ReticulumError({ code: 'reticulum/length', what: 'a packet', gotBytes: packet.length })
    }
    if (type === PACKET_TYPE.announce) {
      if (destinationType === DESTINATION_TYPE.single) this.#takeAnnounce(packet, from)
      return
    }
    const { relay, seen, ports } = this.#host
    const inTransport = (flags & FLAG.twoAddresses) !== 0
    if (inTransport && (relay === undefined || !holdsAt(packet, 2, relay.id))) return
    const isLink = destinationType === DESTINATION_TYPE.link
    const isBroadcast = destinationType === DESTINATION_TYPE.plain || destinationType === DESTINATION_TYPE.group
    // The hop over which it came is counted first: only neighbours are heard.
    if (isBroadcast && packet[1]! > 0) return
    if (isLink && !inTransport) {
      this.#takeLinkPacket(packet, from)
      return
    }
    const hash = packetHash(ports.crypto, packet)
    if (!this.#isNew(packet, hash)) return
    seen.add(hash)
    const { destination } = decodePacket(packet)
    if (inTransport && !this.#host.destinations.has(addressKey(destination))) relay?.forward(packet, from, hash)
    else if (isBroadcast) this.#takeBroadcast(packet, from)
    else if (type === PACKET_TYPE.linkRequest) this.#takeLinkRequest(packet, from)
    else if (type === PACKET_TYPE.proof) this.#takeProof(packet, from)
    else this.#takeData(packet, hash, from)
  }

  #isNew(packet: Uint8Array, hash: Uint8Array): boolean {
    const at = (packet[0]! & FLAG.twoAddresses) === 0 ? 2 : 2 + ADDRESS_BYTES
    return REPEATABLE.has(packet[at + ADDRESS_BYTES]!) || !this.#host.seen.has(hash)
  }

  #takeAnnounce(raw: Uint8Array, from: ReticulumInterface): void {
    const { known, ports, relay, destinations, paths } = this.#host
    const packet = decodePacket(raw)
    const announce = decodeAnnounce(packet)
    if (destinations.has(addressKey(announce.destination))) return
    const nextHop = packet.transportId ?? announce.destination
    const arrival: Arrival = { announce, raw, iface: from, hops: packet.hops + 1, nextHop, nowMs: ports.nowMs() }
    if (relay !== undefined && packet.transportId !== undefined) relay.heardRepeat(arrival)
    if (known.judge(arrival) !== 'new-path') return
    if (!from.admitAnnounce(known.get(announce.destination) !== undefined)) return
    if (!verifyAnnounce(ports.crypto, announce)) {
      from.forged()
      throw new ReticulumError({ code: 'reticulum/signature', what: 'an announce' })
    }
    const learnt = known.learn(arrival)
    const isPathResponse = packet.context === CONTEXT.pathResponse
    if (relay !== undefined && !isPathResponse) relay.passOn(arrival)
    paths.learnt(learnt)
    this.#tell(announce, arrival, learnt.identity, isPathResponse)
  }

  #tell(announce: Announce, arrival: Arrival, identity: RemoteIdentity, isPathResponse: boolean): void {
    this.#host.announces.publish({
      hash: announce.destination.slice(),
      identity,
      nameHash: announce.nameHash.slice(),
      appData: this.#host.known.get(announce.destination)?.appData,
      ratchet: announce.ratchet?.slice(),
      hops: arrival.hops,
      interfaceName: arrival.iface.name,
      isPathResponse,
    })
  }

  #takeLinkPacket(packet: Uint8Array, from: ReticulumInterface): void {
    const { links, relay, handshakes, seen, ports } = this.#host
    const context = packet[2 + ADDRESS_BYTES]!
    const isProof = (packet[0]! & 3) === PACKET_TYPE.proof
    if (isProof && context === CONTEXT.linkRequestProof) {
      if (!handshakes.proved(packet, from)) relay?.forwardLinkProof(packet, from)
      return
    }
    const hash = packetHash(ports.crypto, packet)
    if (!this.#isNew(packet, hash)) return
    const link = links.get(addressKey(packet, 2))
    if (link !== undefined) {
      if (link.iface === from && link.receive(packet)) seen.add(hash)
      return
    }
    const begun = handshakes.begun(packet, from)
    if (begun !== undefined) {
      this.#host.begin(begun.agreed, begun.destination)
      links.get(addressKey(packet, 2))?.receive(packet)
    } else if (relay?.forwardLinkPacket(packet, from) !== true) return
    // What came from the wrong side, or by another way, must not keep the packet itself away.
    seen.add(hash)
  }

  #takeBroadcast(packet: Uint8Array, from: ReticulumInterface): void {
    const { destination, data, destinationType, packetType } = decodePacket(packet)
    if (packetType !== PACKET_TYPE.data) return
    if (destinationType === DESTINATION_TYPE.plain && holdsAt(destination, 0, this.#host.paths.requestHash)) {
      this.#host.paths.receive(data, from)
      return
    }
    const open = this.#host.broadcasts.get(addressKey(destination))
    if (open?.type === destinationType) open.receive(data)
  }

  #takeLinkRequest(packet: Uint8Array, from: ReticulumInterface): void {
    const destination = this.#host.destinations.get(addressKey(decodePacket(packet).destination))
    if (destination !== undefined && destination.options.acceptsLinks !== false && from.admitLinkRequest()) {
      this.#host.handshakes.answer(packet, destination, from)
    }
  }

  #takeProof(packet: Uint8Array, from: ReticulumInterface): void {
    const { destination, data } = decodePacket(packet)
    if (this.#host.relay?.forwardProof(packet, from)) return
    if (data.length >= SIGNATURE_BYTES) this.#host.receipts.prove(destination, data, this.#host.ports.nowMs())
  }

  #takeData(raw: Uint8Array, hash: Uint8Array, from: ReticulumInterface): void {
    const packet = decodePacket(raw)
    const destination = this.#host.destinations.get(addressKey(packet.destination))
    const opened = packet.context === CONTEXT.none ? destination?.decrypt(packet.data) : undefined
    if (destination === undefined || opened === undefined) return
    const prove = () => this.#prove(destination, hash, from)
    if (destination.options.proves !== 'none') prove()
    destination.packets.publish({
      data: opened.plaintext.slice(),
      hash,
      hops: packet.hops + 1,
      interfaceName: from.name,
      ratchetId: opened.ratchetId,
      prove,
    })
  }

  #prove(destination: Destination, hash: Uint8Array, on: ReticulumInterface): void {
    const proof: Packet = {
      destinationType: DESTINATION_TYPE.single,
      packetType: PACKET_TYPE.proof,
      hops: 0,
      destination: hash.subarray(0, ADDRESS_BYTES),
      context: CONTEXT.none,
      data: makeProof(destination.identity, hash, this.#host.explicitProofs),
    }
    on.send(encodePacket(proof))
  }
}

import type { ChannelPorts, Earning } from '@nexus/channels'
import { ByteReader, ByteWriter, CodecError, equalBytes, toHex } from '@nexus/codec'
import { decodePathCost } from '@nexus/compact-path-cost'
import { announceCost, packetDestination } from '@nexus/framing'
import { type Link, MESSAGE } from '@nexus/link'
import { decodeRouteFrame, RoutingError } from '@nexus/routing'
import { decodeLotteryMessage, LotteryError, type RelayStanding } from '@nexus/vrf-lottery'
import type { ControlFrame } from '../egress.ts'
import type { CoreEvent } from '../events.ts'
import { PAY_NEIGHBOURS_MAX, TICKETS_PER_TURN } from '../limits.ts'
import { Money, type MoneyParts } from './money.ts'
import { PayNeighbour, probeSpacingMs } from './neighbour.ts'
import type { EconomyStatus } from './options.ts'

export interface EconomyParts extends MoneyParts {
  readonly roundMs: number
  /** Seals a body of link type 4 and sends it. */
  send(nowMs: number, link: Link, body: Uint8Array): void
  /** Offers a packet of this node, or one that it forwards, to a link. */
  offer(nowMs: number, link: Link, packet: Uint8Array): void
  event(event: CoreEvent): void
}

const STANDING_PREFIX = 'lottery/'
/** First bytes of link messages of type 4: up to this they are the channel's, above the lottery's. */
const CHANNEL_MESSAGE_MAX = 11
/** How long a neighbour's room to owe may be out of date. */
const CREDIT_FRESH_MS = 1_000

interface Entry {
  readonly pay: PayNeighbour
  creditMicro: number
  creditAtMs: number
}

/**
 * Paid relaying in a node: the lottery with every neighbour, channels that pay its wins, and the ledger that their
 * settlements converge in. Draws and claims are made between packets, never on their way.
 */
export class Economy {
  readonly money: Money
  readonly #parts: EconomyParts
  readonly #neighbours = new Map<string, Entry>()
  #nowMs = 0
  /** When the ledger was compared with a neighbour's for long enough that debits may be signed. */
  #reconciledMs = Number.POSITIVE_INFINITY
  #drawsWait = false

  constructor(parts: EconomyParts) {
    this.#parts = parts
    this.money = new Money(parts, {
      send: (nodeId, body) => this.#send(nodeId, body),
      judge: (_nowMs, nodeId, claim) => this.#judge(nodeId, claim),
      paid: (_nowMs, nodeId, claim) => this.#find(nodeId)?.pay.payer.honoured(claim),
      earned: (_nowMs, nodeId, earning) => this.#earned(nodeId, earning),
      claimRefused: (_nowMs, nodeId, claim, code) => this.#claimRefused(nodeId, claim, code),
    })
  }

  start(): void {
    this.money.replica.announce()
  }

  linkUp(nowMs: number, link: Link): void {
    this.#clock(nowMs)
    const entry = this.#find(link.peer.nodeId) ?? this.#add(link)
    entry.pay.linkUp(nowMs, link)
    this.money.channels.linkUp(nowMs, link.peer.publicKey, probeSpacingMs(link))
    if (this.#reconciledMs === Number.POSITIVE_INFINITY) this.#reconciledMs = nowMs + 2 * this.#parts.roundMs
  }

  linkDown(nowMs: number, link: Link): void {
    this.#clock(nowMs)
    const { nodeId } = link.peer
    const entry = this.#find(nodeId)
    if (entry === undefined) return
    entry.pay.linkDown(nowMs, link)
    this.#keepStanding(entry.pay)
    if (entry.pay.links.length === 0) this.money.channels.linkDown(nodeId)
  }

  /** A body of link type 4. Returns why it was dropped, if it was. */
  receive(nowMs: number, link: Link, body: Uint8Array): string | undefined {
    this.#clock(nowMs)
    if (body[0]! <= CHANNEL_MESSAGE_MAX) {
      const receipt = this.money.channels.receive(nowMs, link.peer.nodeId, body)
      return receipt === 'malformed' ? 'channel-malformed' : undefined
    }
    try {
      this.#find(link.peer.nodeId)?.pay.receive(nowMs, link, decodeLotteryMessage(body))
    } catch (error) {
      if (!(error instanceof LotteryError)) throw error
      return 'lottery-malformed'
    }
    this.#drawsWait = true
    return undefined
  }

  /** A route frame or an announce went to a neighbour (`given`) or came from one (`heard`): it is a quote. */
  quoted(link: Link, side: 'given' | 'heard', { type, body }: ControlFrame): void {
    const pay = this.#find(link.peer.nodeId)?.pay
    if (pay === undefined) return
    try {
      if (type === MESSAGE.packet) {
        pay.quote(link, side, packetDestination(body), decodePathCost(announceCost(body)).cost)
        return
      }
      const frame = decodeRouteFrame(body)
      if (frame.kind === 'request') return
      for (const { destination, path } of frame.updates) pay.quote(link, side, destination, path.cost)
    } catch (error) {
      // What routing refuses quotes nothing either.
      if (!(error instanceof RoutingError || error instanceof RangeError)) throw error
    }
  }

  /** Whether a packet that is about to be sealed has to wait for odds. */
  holds(nowMs: number, link: Link, packet: Uint8Array): boolean {
    return this.#find(link.peer.nodeId)?.pay.holds(nowMs, link, packet) ?? false
  }

  /** A packet was sealed. */
  handedOver(nowMs: number, link: Link, packet: Uint8Array): void {
    this.#find(link.peer.nodeId)?.pay.handedOver(nowMs, link, packet)
  }

  /** Why a packet of a neighbour is not forwarded; undefined: it is. */
  refuses(nowMs: number, link: Link, packet: Uint8Array): 'no-odds' | 'no-credit' | undefined {
    this.#clock(nowMs)
    const verdict = this.#find(link.peer.nodeId)?.pay.takes(nowMs, link, packet) ?? 'free'
    if (verdict === 'free' || verdict === 'taken') return undefined
    return verdict === 'credit' ? 'no-credit' : 'no-odds'
  }

  /** Share of a neighbour in a medium's time beyond its equal one: by what it owes or is owed, as one who pays more. */
  weight(nodeId: Uint8Array): number {
    const view = this.money.channels.view(nodeId)
    if (view === undefined) return 1
    const { limitMicro, roomMicro } = view.exposure
    return limitMicro === 0n ? 1 : 1 + Number(roomMicro) / Number(limitMicro)
  }

  tick(nowMs: number): void {
    this.#clock(nowMs)
    if (nowMs >= this.#reconciledMs) {
      this.#reconciledMs = Number.NaN
      this.money.channels.reconciled()
    }
    this.#drawsWait = false
    for (const entry of this.#neighbours.values()) {
      entry.pay.tick(nowMs)
      if (entry.pay.relay.draw(TICKETS_PER_TURN)) this.#drawsWait = true
      this.#claim(nowMs, entry.pay)
    }
    this.money.channels.tick(nowMs)
  }

  nextWakeMs(): number {
    if (this.#drawsWait) return this.#nowMs
    let wakeMs = this.money.channels.nextWakeMs()
    if (!Number.isNaN(this.#reconciledMs)) wakeMs = Math.min(wakeMs, this.#reconciledMs)
    for (const { pay } of this.#neighbours.values()) wakeMs = Math.min(wakeMs, pay.nextWakeMs())
    return wakeMs
  }

  /** Writes what a restart needs. */
  stop(): void {
    for (const { pay } of this.#neighbours.values()) this.#keepStanding(pay)
  }

  status(): EconomyStatus {
    const { channels, replica, balanceMicro } = this.money
    return {
      epoch: replica.ledger.snapshot.epoch,
      balanceMicro,
      settlements: replica.ledger.settlementCount,
      channels: channels.list(),
      lottery: [...this.#neighbours.values()].map(({ pay }) => ({
        nodeId: pay.nodeId,
        relay: pay.relay.counts,
        exposureMicro: pay.relay.exposureMicro,
        pendingMicro: pay.payer.pendingMicro,
      })),
    }
  }

  #clock(nowMs: number): void {
    this.#nowMs = nowMs
    this.money.nowMs = nowMs
  }

  #find(nodeId: Uint8Array): Entry | undefined {
    return this.#neighbours.get(toHex(nodeId))
  }

  #add(link: Link): Entry {
    const { nodeId } = link.peer
    if (this.#neighbours.size >= PAY_NEIGHBOURS_MAX) this.#makeRoom()
    const { crypto, identity, random } = this.#parts
    const pay = new PayNeighbour(link, {
      crypto,
      identity,
      random,
      epoch: Number(this.money.replica.ledger.snapshot.epoch),
      standing: this.#storedStanding(nodeId),
      send: (body) => this.#send(nodeId, body),
      creditMicro: () => this.#creditMicro(nodeId),
      offer: (nowMs, to, packet) => this.#parts.offer(nowMs, to, packet),
    })
    const entry = { pay, creditMicro: 0, creditAtMs: Number.NEGATIVE_INFINITY }
    this.#neighbours.set(toHex(nodeId), entry)
    return entry
  }

  /** Forgets the neighbour known for longest of those without a link; what it owes is kept. */
  #makeRoom(): void {
    for (const [key, { pay }] of this.#neighbours) {
      if (pay.links.length > 0) continue
      this.#keepStanding(pay)
      this.#neighbours.delete(key)
      return
    }
  }

  #send(nodeId: Uint8Array, body: Uint8Array): void {
    const link = this.#find(nodeId)?.pay.links[0]
    if (link !== undefined) this.#parts.send(this.#nowMs, link, body)
  }

  /** What the neighbour may yet owe; asked for each packet, so it is remembered for a moment. */
  #creditMicro(nodeId: Uint8Array): number {
    const entry = this.#find(nodeId)
    if (entry === undefined) return 0
    if (this.#nowMs - entry.creditAtMs >= CREDIT_FRESH_MS) {
      entry.creditMicro = Number(this.money.channels.exposure(nodeId).roomMicro)
      entry.creditAtMs = this.#nowMs
    }
    return entry.creditMicro
  }

  #claim(nowMs: number, pay: PayNeighbour): void {
    const { channels } = this.money
    const { relay, nodeId } = pay
    if (relay.counts.taken === 0 || relay.claimed !== undefined) return
    const view = channels.view(nodeId)
    if (view === undefined) channels.open(nowMs, nodeId)
    if (view?.phase !== 'ready') return
    const claim = relay.nextClaim()
    if (claim === undefined) return
    if (!channels.claim(nowMs, nodeId, claim.body, claim.expectedMicro, BigInt(claim.packets))) relay.claimLost()
  }

  #judge(nodeId: Uint8Array, claim: Uint8Array): ReturnType<ChannelPorts['judge']> {
    const verdict = this.#find(nodeId)?.pay.payer.judge(claim)
    if (verdict === undefined) return { refuse: UNKNOWN_WINDOW }
    return verdict.ok ? { payMicro: verdict.minimumPrice } : { refuse: verdict.code }
  }

  #earned(nodeId: Uint8Array, { claim }: Earning): void {
    const entry = this.#find(nodeId)
    if (entry === undefined) return
    entry.creditAtMs = Number.NEGATIVE_INFINITY
    const { relay } = entry.pay
    if (claim !== undefined && relay.claimed !== undefined && equalBytes(relay.claimed.body, claim)) relay.claimPaid()
  }

  #claimRefused(nodeId: Uint8Array, claim: Uint8Array, code: number): void {
    const relay = this.#find(nodeId)?.pay.relay
    if (relay?.claimed !== undefined && equalBytes(relay.claimed.body, claim)) relay.claimRefused()
    this.#parts.event({
      kind: 'problem',
      text: `${toHex(nodeId).slice(0, 8)} does not pay for packets that won (${code}).`,
      facts: { peer: toHex(nodeId), code },
    })
  }

  /** `paid packets u64 | n × (epoch u32, owed μNXS u64)`. */
  #keepStanding({ nodeId, relay }: PayNeighbour): void {
    const { paidPackets, owedMicro } = relay.standing
    if (paidPackets === 0 && owedMicro.size === 0) return
    const writer = new ByteWriter(8 + 12 * owedMicro.size).u64(BigInt(paidPackets))
    for (const [epoch, micro] of owedMicro) writer.u32(epoch).u64(BigInt(Math.ceil(micro)))
    this.#parts.store.put(`${STANDING_PREFIX}${toHex(nodeId)}`, writer.finish())
  }

  #storedStanding(nodeId: Uint8Array): RelayStanding | undefined {
    const bytes = this.#parts.store.get(`${STANDING_PREFIX}${toHex(nodeId)}`)
    if (bytes === undefined) return undefined
    try {
      const reader = new ByteReader(bytes)
      const paidPackets = Number(reader.u64())
      const owedMicro = new Map<number, number>()
      while (reader.remaining > 0) owedMicro.set(reader.u32(), Number(reader.u64()))
      return { paidPackets, owedMicro }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return undefined
    }
  }
}

const UNKNOWN_WINDOW = 33

import type { ChannelPorts, Earning } from '@nexus/channels'
import { equalBytes, toHex } from '@nexus/codec'
import { decodePathCost } from '@nexus/compact-path-cost'
import { announceCost, packetDestination } from '@nexus/framing'
import { type Link, MESSAGE } from '@nexus/link'
import { decodeRouteFrame, RoutingError } from '@nexus/routing'
import { decodeLotteryMessage, LotteryError } from '@nexus/vrf-lottery'
import type { Contacts, TrustedPeer } from '../contacts.ts'
import type { ControlFrame } from '../egress.ts'
import type { CoreEvent } from '../events.ts'
import { PAY_NEIGHBOURS_MAX, TICKETS_PER_TURN } from '../limits.ts'
import { Grants } from './grants.ts'
import { Money, type MoneyParts } from './money.ts'
import { PayNeighbour, probeSpacingMs } from './neighbour.ts'
import { EconomyNews } from './news.ts'
import type { EconomyStatus } from './options.ts'
import { Standings } from './standings.ts'

export interface EconomyParts extends MoneyParts {
  readonly contacts: Contacts
  /** Seals a body of link type 4 and sends it. */
  send(nowMs: number, link: Link, body: Uint8Array): void
  /** Offers a packet of this node, or one that it forwards, to a link. */
  offer(nowMs: number, link: Link, packet: Uint8Array): void
  event(event: CoreEvent): void
}

/** First bytes of link messages of type 4: up to this they are the channel's, above the lottery's. */
const CHANNEL_MESSAGE_MAX = 11
/** How long a neighbour's room to owe may be out of date. */
const CREDIT_FRESH_MS = 1_000

interface Entry {
  readonly pay: PayNeighbour
  creditMicro: number
  creditAtMs: number
  /** The claim that was judged last, and what it is worth. */
  judged: { readonly claim: Uint8Array; readonly micro: bigint } | undefined
}

/**
 * Paid relaying in a node: the lottery with every neighbour, channels that pay its wins, and the ledger that their
 * settlements converge in. Draws and claims are made between packets, never on their way.
 */
export class Economy {
  readonly money: Money
  readonly #grants: Grants
  readonly #news: EconomyNews
  readonly #standings: Standings
  readonly #parts: EconomyParts
  readonly #neighbours = new Map<string, Entry>()
  #nowMs = 0
  /** Whether debits may be signed: the ledger was compared with a neighbour's after the start. */
  #comparison: 'none' | 'made' | 'taken' = 'none'
  #drawsWait = false
  #epoch: bigint

  constructor(parts: EconomyParts) {
    this.#parts = parts
    this.#standings = new Standings(parts.store)
    this.money = new Money(parts, {
      send: (nodeId, body) => this.#send(nodeId, body),
      judge: (_nowMs, nodeId, claim) => this.#judge(nodeId, claim),
      paid: (_nowMs, nodeId, claim) => this.#paid(nodeId, claim),
      earned: (_nowMs, nodeId, earning) => this.#earned(nodeId, earning),
      claimRefused: (_nowMs, nodeId, claim, code) => this.#claimRefused(nodeId, claim, code),
      creditLineMicro: (nodeId) => this.#grants.lineMicro(nodeId),
      settled: (peerId, amountMicro) => this.#news.settled(peerId, amountMicro),
      ledgerChanged: (peerId) => this.#channelChanged(peerId),
    })
    const { contacts } = parts
    this.#news = new EconomyNews(contacts, (event) => parts.event(event))
    const { networkId, replica } = this.money
    this.#epoch = replica.ledger.snapshot.epoch
    const changed = (trustee: Uint8Array): void => this.#chargeCredit(trustee)
    this.#grants = new Grants({ ...parts, networkId, peers: contacts.terms, changed })
  }

  start(): void {
    const { channels } = this.money
    this.#news.known(channels.list())
    this.money.start()
    this.#grants.announce([...this.#parts.contacts.trusted()].filter(({ vouched }) => vouched))
    for (const { peerId } of channels.list()) this.#chargeCredit(peerId)
  }

  /** The operator named a peer, or changed its terms. */
  named({ nodeId, vouched = false }: TrustedPeer): void {
    this.#grants.vouch(nodeId, vouched)
    if (this.#parts.contacts.terms.isFree(nodeId)) this.#grants.follow(nodeId)
    else this.#grants.unfollow(nodeId)
    this.#chargeCredit(nodeId)
  }

  /** The operator trusts a peer no longer. */
  unnamed(nodeId: Uint8Array): void {
    this.#grants.vouch(nodeId, false)
    this.#grants.unfollow(nodeId)
    this.#chargeCredit(nodeId)
  }

  linkUp(nowMs: number, link: Link): void {
    this.#clock(nowMs)
    const entry = this.#find(link.peer.nodeId) ?? this.#add(link)
    entry.pay.linkUp(nowMs, link)
    this.money.channels.linkUp(nowMs, link.peer.publicKey, probeSpacingMs(link))
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

  /** Gossip holds of a tier what a neighbour does: where it is the ledger's, the next turn signs debits. */
  compared(tier: number): void {
    if (tier === LEDGER_TIER && this.#comparison === 'none') this.#comparison = 'made'
  }

  /** A body of link type 4. Returns why it was dropped, if it was. */
  receive(nowMs: number, link: Link, body: Uint8Array): string | undefined {
    this.#clock(nowMs)
    if (body[0]! <= CHANNEL_MESSAGE_MAX) {
      const receipt = this.money.channels.receive(nowMs, link.peer.nodeId, body)
      if (receipt === 'taken') this.#channelChanged(link.peer.nodeId)
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
    if (this.#isEpochNew()) this.#followEpoch(nowMs)
    if (this.#comparison === 'made') {
      this.#comparison = 'taken'
      this.money.channels.reconciled()
    }
    this.#drawsWait = false
    for (const entry of this.#neighbours.values()) {
      entry.pay.tick(nowMs)
      if (entry.pay.relay.draw(TICKETS_PER_TURN)) this.#drawsWait = true
      this.#claim(nowMs, entry.pay)
    }
    this.money.tick(nowMs)
  }

  nextWakeMs(): number {
    if (this.#drawsWait || this.#comparison === 'made' || this.#isEpochNew()) return this.#nowMs
    let wakeMs = this.money.nextWakeMs()
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

  #isEpochNew(): boolean {
    return this.money.replica.ledger.snapshot.epoch !== this.#epoch
  }

  /** The ledger went on to another snapshot: debts of old are forgiven, credit is given anew, channels settle and answer. */
  #followEpoch(nowMs: number): void {
    const { epoch } = this.money.replica.ledger.snapshot
    this.#epoch = epoch
    this.#grants.nextEpoch()
    for (const entry of this.#neighbours.values()) {
      entry.pay.relay.epochIs(Number(epoch))
      entry.creditAtMs = Number.NEGATIVE_INFINITY
    }
    this.money.channels.epochIs(nowMs, epoch)
    for (const { peerId } of this.money.channels.list()) this.#channelChanged(peerId)
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
      standing: this.#standings.get(nodeId),
      send: (body) => this.#send(nodeId, body),
      creditMicro: () => this.#creditMicro(nodeId),
      offer: (nowMs, to, packet) => this.#parts.offer(nowMs, to, packet),
    })
    const entry = { pay, creditMicro: 0, creditAtMs: Number.NEGATIVE_INFINITY, judged: undefined }
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
      this.#chargeCredit(nodeId)
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
    const entry = this.#find(nodeId)
    if (entry === undefined) return { refuse: UNKNOWN_WINDOW }
    const verdict = entry.pay.payer.judge(claim)
    if (verdict.ok) entry.judged = { claim: claim.slice(), micro: verdict.minimumPrice }
    return verdict.ok ? { payMicro: verdict.minimumPrice } : { refuse: verdict.code }
  }

  #paid(nodeId: Uint8Array, claim: Uint8Array): void {
    const entry = this.#find(nodeId)
    entry?.pay.payer.honoured(claim)
    if (entry?.judged !== undefined && equalBytes(entry.judged.claim, claim))
      this.#news.paid(nodeId, entry.judged.micro)
  }

  /** What a peer owes beyond what its balance covers is drawn from a line of credit; packets that are not claimed yet count. */
  #chargeCredit(nodeId: Uint8Array): void {
    const { limitMicro, owedMicro } = this.money.channels.exposure(nodeId)
    const unclaimedMicro = BigInt(Math.ceil(this.#find(nodeId)?.pay.relay.exposureMicro ?? 0))
    const beyond = owedMicro + unclaimedMicro - (limitMicro - this.#grants.lineMicro(nodeId))
    this.#grants.drawn(nodeId, beyond > 0n ? beyond : 0n)
  }

  #channelChanged(peerId: Uint8Array): void {
    this.#news.channel(peerId, this.money.channels.view(peerId))
    this.#chargeCredit(peerId)
  }

  #earned(nodeId: Uint8Array, { claim, paidMicro }: Earning): void {
    this.#news.won(nodeId, paidMicro)
    const entry = this.#find(nodeId)
    if (entry === undefined) return
    entry.creditAtMs = Number.NEGATIVE_INFINITY
    const { relay } = entry.pay
    const isClaimed = claim !== undefined && relay.claimed !== undefined && equalBytes(relay.claimed.body, claim)
    if (isClaimed) relay.claimPaid(paidMicro)
    else relay.paidLate(paidMicro)
  }

  #claimRefused(nodeId: Uint8Array, claim: Uint8Array, code: number): void {
    const relay = this.#find(nodeId)?.pay.relay
    if (relay?.claimed !== undefined && equalBytes(relay.claimed.body, claim)) relay.claimRefused()
    this.#news.claimRefused(nodeId, code)
  }

  #keepStanding({ nodeId, relay }: PayNeighbour): void {
    this.#standings.keep(nodeId, relay.standing)
  }
}

const UNKNOWN_WINDOW = 33
const LEDGER_TIER = 2

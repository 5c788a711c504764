import { toHex } from '@nexus/codec'
import { COST_UNREACHABLE } from '@nexus/compact-path-cost'
import type { Crypto, Random } from '@nexus/crypto'
import { packetDestination, packetHash } from '@nexus/framing'
import type { Identity } from '@nexus/identity'
import type { Link } from '@nexus/link'
import {
  LotteryPayer,
  LotteryRelay,
  type Odds,
  type OpenLot,
  QuoteBook,
  type RelayStanding,
  type Reveal,
  type TakeVerdict,
  WINDOW_FRAMES_NARROW,
  WINDOW_FRAMES_WIDE,
} from '@nexus/vrf-lottery'
import { ODDS_PATIENCE, WAITING_FOR_ODDS_MAX, WAITING_MS_MAX } from '../limits.ts'

export interface PayNeighbourParts {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly epoch: number
  readonly standing: RelayStanding | undefined
  /** Hands a body of link type 4 to any link with the neighbour. */
  send(body: Uint8Array): void
  creditMicro(): number
  /** Offers a packet to a link again: its window is open now. */
  offer(nowMs: number, link: Link, packet: Uint8Array): void
}

/** What is remembered of one link with a neighbour. */
interface Ends {
  readonly link: Link
  /** Encoded costs that the neighbour quoted here, and that it was quoted. */
  readonly heard: QuoteBook
  readonly given: QuoteBook
  /** Key of the series that this node opened, and that the neighbour opened. */
  paying: Uint8Array | undefined
  earning: Uint8Array | undefined
  /** Packets that wait for the odds of their window, oldest first. */
  readonly waiting: { readonly packet: Uint8Array; readonly sinceMs: number }[]
}

/** The lottery with one neighbour, both ways, over all links with it. */
export class PayNeighbour {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
  readonly payer: LotteryPayer
  readonly relay: LotteryRelay
  readonly #parts: PayNeighbourParts
  readonly #ends = new Map<number, Ends>()
  readonly #scratch = new Uint8Array(PACKET_BYTES_MAX)
  readonly #spacingMs: number
  /** Whether the neighbour announced odds since it was first linked with; one that does not may relay for free whatever it quotes. */
  #plays = false
  /** When the first packet was held for it. */
  #askedMs: number | undefined

  constructor(link: Link, parts: PayNeighbourParts) {
    const { crypto, identity, random, epoch, standing } = parts
    const { nodeId, publicKey } = link.peer
    this.#parts = parts
    this.nodeId = nodeId
    this.publicKey = publicKey
    this.#spacingMs = probeSpacingMs(link)
    const send = (body: Uint8Array): void => parts.send(body)
    this.payer = new LotteryPayer({ crypto, random, payeePublicKey: publicKey, repeatMs: this.#spacingMs }, { send })
    this.relay = new LotteryRelay(
      {
        crypto,
        prove: (alpha) => identity.prove(alpha),
        epoch,
        ...(standing === undefined ? {} : { standing }),
      },
      { send, creditMicro: () => parts.creditMicro() },
    )
  }

  /** The links that are up, oldest first. */
  get links(): Link[] {
    return [...this.#ends.values()].map(({ link }) => link)
  }

  linkUp(nowMs: number, link: Link): void {
    this.#ends.set(link.id, {
      link,
      heard: new QuoteBook(),
      given: new QuoteBook(),
      paying: undefined,
      earning: undefined,
      waiting: [],
    })
    this.payer.resume(nowMs)
  }

  linkDown(nowMs: number, link: Link): void {
    const ends = this.#ends.get(link.id)
    if (ends === undefined) return
    this.#ends.delete(link.id)
    if (ends.paying !== undefined) this.payer.endSeries(nowMs, ends.paying)
    if (ends.earning !== undefined) this.relay.endSeries(nowMs, ends.earning)
    if (this.#ends.size > 0) return
    // Over the next link it may be another program, which knows of no lottery.
    this.#plays = false
    this.#askedMs = undefined
  }

  /** The neighbour quoted a destination here (`heard`), or was quoted it (`given`). */
  quote(link: Link, side: 'heard' | 'given', destination: Uint8Array, cost: number): void {
    const ends = this.#ends.get(link.id)
    if (ends === undefined) return
    turn(ends)
    ends[side].quote(toHex(destination), cost === COST_UNREACHABLE ? undefined : cost)
  }

  /**
   * A packet is about to be sealed for a link: true where it is priced and its window has no odds yet. It then waits here
   * and is offered again; of too many the oldest is given up. A neighbour that never announces any is not waited for.
   */
  holds(nowMs: number, link: Link, packet: Uint8Array): boolean {
    const ends = this.#ends.get(link.id)
    if (ends === undefined) return false
    turn(ends)
    if (priceOf(ends.heard, packet) === 0) return false
    this.#follow(nowMs, ends)
    if (ends.paying === undefined) this.#open(nowMs, ends)
    if (this.payer.ready(link.handshakeHash, nextCounter(link)) || this.#isSilent(nowMs)) return false
    this.#askedMs ??= nowMs
    ends.waiting.push({ packet: packet.slice(), sinceMs: nowMs })
    if (ends.waiting.length > WAITING_FOR_ODDS_MAX) ends.waiting.shift()
    return true
  }

  /** A packet was sealed for a link. */
  handedOver(nowMs: number, link: Link, packet: Uint8Array): void {
    const ends = this.#ends.get(link.id)
    const quote = ends === undefined ? 0 : priceOf(ends.heard, packet)
    if (quote === 0) return
    const { handshakeHash, counter } = link.sent
    this.payer.handedOver(nowMs, handshakeHash, counter, this.#hash(packet), packet.length, quote)
  }

  /** Whether a packet that came over a link may be forwarded: it is free, or taken into the lottery. */
  takes(nowMs: number, link: Link, packet: Uint8Array): TakeVerdict | 'free' {
    const ends = this.#ends.get(link.id)
    if (ends === undefined) return 'free'
    turn(ends)
    const quote = priceOf(ends.given, packet)
    if (quote === 0) return 'free'
    const { handshakeHash, counter } = link.received
    return this.relay.take(nowMs, handshakeHash, counter, this.#hash(packet), packet.length, quote)
  }

  /** A message of the lottery came over a link. */
  receive(nowMs: number, link: Link, message: OpenLot | Reveal | Odds): void {
    if (message.kind === 'odds') {
      this.#plays = true
      this.payer.receive(nowMs, message)
      this.#release(nowMs)
      return
    }
    const { handshakeHash, counter } = link.received
    const ends = this.#ends.get(link.id)
    if (message.kind === 'open-lot' && ends !== undefined && ends.earning !== handshakeHash) {
      if (ends.earning !== undefined) this.relay.endSeries(nowMs, ends.earning)
      ends.earning = handshakeHash
    }
    this.relay.receive(nowMs, handshakeHash, counter, windowFrames(link.wideCounters.peer), message)
  }

  tick(nowMs: number): void {
    for (const ends of this.#ends.values()) this.#follow(nowMs, ends)
    this.payer.tick(nowMs)
    this.relay.tick(nowMs)
    this.#release(nowMs)
  }

  nextWakeMs(): number {
    return Math.min(this.payer.nextWakeMs(), this.relay.nextWakeMs(), this.#patienceEndsMs())
  }

  /** Whether it was asked for odds for long enough without an answer. */
  #isSilent(nowMs: number): boolean {
    return !this.#plays && this.#askedMs !== undefined && nowMs >= this.#askedMs + ODDS_PATIENCE * this.#spacingMs
  }

  /** When packets that wait leave unpaid; Infinity where none wait, or odds came before. */
  #patienceEndsMs(): number {
    if (this.#plays || this.#askedMs === undefined) return Number.POSITIVE_INFINITY
    for (const { waiting } of this.#ends.values()) {
      if (waiting.length > 0) return this.#askedMs + ODDS_PATIENCE * this.#spacingMs
    }
    return Number.POSITIVE_INFINITY
  }

  /** Ends the series of a key that was left, and the windows that are over. */
  #follow(nowMs: number, ends: Ends): void {
    const { link } = ends
    if (ends.paying === undefined) return
    if (ends.paying !== link.handshakeHash) {
      this.payer.endSeries(nowMs, ends.paying)
      this.#open(nowMs, ends)
      return
    }
    this.payer.advance(nowMs, link.handshakeHash, nextCounter(link))
  }

  #open(nowMs: number, ends: Ends): void {
    const { link } = ends
    const frames = windowFrames(link.wideCounters.own)
    if (!this.payer.openSeries(nowMs, link.handshakeHash, frames, nextCounter(link))) return
    ends.paying = link.handshakeHash
  }

  #release(nowMs: number): void {
    for (const { link, waiting } of this.#ends.values()) {
      if (waiting.length === 0) continue
      if (!this.payer.ready(link.handshakeHash, nextCounter(link)) && !this.#isSilent(nowMs)) continue
      for (const { packet, sinceMs } of waiting.splice(0)) {
        if (nowMs - sinceMs <= WAITING_MS_MAX) this.#parts.offer(nowMs, link, packet)
      }
    }
  }

  #hash(packet: Uint8Array): Uint8Array {
    return packetHash(this.#parts.crypto, packet, this.#scratch)
  }
}

const PACKET_BYTES_MAX = 484
const PROBE_SPACING_MS = 1_000
const PROBE_SPACING_AIRTIMES = 10
const FRAME_BITS = 8 * 508

/** Spacing of the link's probes (docs/spec/link.md), by which messages without answer are repeated. */
export function probeSpacingMs(link: Link): number {
  return Math.max(PROBE_SPACING_MS, (1_000 * PROBE_SPACING_AIRTIMES * FRAME_BITS) / link.bitrateBps)
}

function windowFrames(isWide: boolean): number {
  return isWide ? WINDOW_FRAMES_WIDE : WINDOW_FRAMES_NARROW
}

/** Brings both books to the windows of the frame that goes next, and of the one that came last. */
function turn({ link, heard, given }: Ends): void {
  const { handshakeHash, received, wideCounters } = link
  heard.turnTo(handshakeHash, Math.floor(nextCounter(link) / windowFrames(wideCounters.own)))
  given.turnTo(received.handshakeHash, Math.floor(received.counter / windowFrames(wideCounters.peer)))
}

/** The lowest quote that counts for a packet's destination; 0: it is free. */
function priceOf(book: QuoteBook, packet: Uint8Array): number {
  return book.lowest(toHex(packetDestination(packet))) ?? 0
}

/** Counter of the frame that a link sends next. */
function nextCounter({ sent, handshakeHash }: Link): number {
  return sent.handshakeHash === handshakeHash ? sent.counter + 1 : 0
}

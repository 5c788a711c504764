import { CHANNELS_MAX, type ChannelView } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import type { Contacts } from '../contacts.ts'
import type { CoreEvent, EventKind } from '../events.ts'

type ChannelNews = 'open' | 'fork' | 'closing'

const CHANNEL_TEXT: Record<ChannelNews | 'over', string> = {
  open: 'is open',
  fork: 'is read-only: both ends signed different states; what is owed is settled by the ledger',
  closing: 'is being closed',
  over: 'is over: the ledger paid it out',
}

/** Tells of money as it moves: one event per claim and per settlement, and one where a channel's life turns. */
export class EconomyNews {
  readonly #contacts: Contacts
  readonly #event: (event: CoreEvent) => void
  /** What was last told of each channel, by the peer's NodeID in hexadecimal, as many as there can be. */
  readonly #told = new Map<string, ChannelNews>()

  constructor(contacts: Contacts, event: (event: CoreEvent) => void) {
    this.#contacts = contacts
    this.#event = event
  }

  won(peerId: Uint8Array, micro: bigint): void {
    this.#amount('win', `${this.#name(peerId)} pays ${micro} μNXS for packets that won.`, peerId, micro)
  }

  paid(peerId: Uint8Array, micro: bigint): void {
    this.#amount('paid', `Paid ${micro} μNXS to ${this.#name(peerId)} for packets that won.`, peerId, micro)
  }

  /** A settlement applies: below 0 this node paid. */
  settled(peerId: Uint8Array, micro: bigint): void {
    const whole = micro < 0n ? -micro : micro
    const text =
      micro < 0n
        ? `Settled: ${whole} μNXS to ${this.#name(peerId)}.`
        : `Settled: ${whole} μNXS from ${this.#name(peerId)}.`
    this.#amount('settled', text, peerId, micro)
  }

  claimRefused(peerId: Uint8Array, code: number): void {
    const text = `${this.#name(peerId)} does not pay for packets that won (${code}).`
    this.#event({ kind: 'problem', text, facts: { peer: toHex(peerId), code } })
  }

  /** Channels that are there already, as after a start, are no news. */
  known(views: readonly ChannelView[]): void {
    for (const view of views) {
      const news = newsOf(view)
      if (news !== undefined) this.#told.set(toHex(view.peerId), news)
    }
  }

  /** A channel may have changed; `view` is undefined where it was forgotten. */
  channel(peerId: Uint8Array, view: ChannelView | undefined): void {
    const peer = toHex(peerId)
    const news = view && newsOf(view)
    if (news === this.#told.get(peer)) return
    const before = this.#told.get(peer)
    if (news === undefined) this.#told.delete(peer)
    else this.#told.set(peer, news)
    // Channels that make room for others go without a word.
    if (this.#told.size > CHANNELS_MAX) this.#told.delete(this.#told.keys().next().value!)
    if (news === undefined && (before === undefined || before === 'open')) return
    const state = news ?? 'over'
    const text = `The channel with ${this.#name(peerId)} ${CHANNEL_TEXT[state]}.`
    this.#event({ kind: 'channel', text, facts: { peer, state } })
  }

  #amount(kind: EventKind, text: string, peerId: Uint8Array, micro: bigint): void {
    this.#event({ kind, text, facts: { peer: toHex(peerId), amountMicro: `${micro}` } })
  }

  #name(nodeId: Uint8Array): string {
    return this.#contacts.labelOf(nodeId) ?? toHex(nodeId).slice(0, 8)
  }
}

function newsOf({ phase }: ChannelView): ChannelNews | undefined {
  if (phase === 'opening') return undefined
  return phase === 'fork' || phase === 'closing' ? phase : 'open'
}

import { equalBytes } from '@nexus/codec'
import { nodeIdOf } from '@nexus/identity'
import { ask, sendStanding } from './asking.ts'
import { ChannelBook } from './book.ts'
import { type Channel, ChannelLink } from './channel.ts'
import { onClaim, onRefuse, onUpdate, pump, sendClaim } from './claims.ts'
import type { CloseRecord } from './close-record.ts'
import { answerClose, closeSeen, type DisputeResult, dispute, forget, isAbandoned, isOver } from './closing.ts'
import { type Context, deliver, keysOf, publishAgain } from './context.ts'
import { ChannelError } from './errors.ts'
import { type Exposure, exposureTo } from './exposure.ts'
import { ASK_SPACINGS_MAX, CHANNELS_MAX, CLAIM_BODY_MAX_BYTES, CLAIMS_MAX } from './limits.ts'
import { type ChannelMessage, decodeChannelMessage, REFUSAL } from './messages.ts'
import { isWorthless, makeRoom, offerChannel, onOpen, onOpened, sendOpen } from './opening.ts'
import { onAccept, sendPending } from './payments.ts'
import type { ChannelPorts, ChannelsOptions } from './ports.ts'
import { onReestablish, onState } from './reestablish.ts'
import {
  onSettleAsk,
  onSettleRefused,
  onSettleSeq,
  onSettleSig,
  refreshBase,
  repeatSettling,
  settle,
  settleIfDue,
} from './settling.ts'
import { type ChannelView, viewOf } from './view.ts'

/** What became of received bytes: `malformed` and `ignored` change nothing. */
export type Receipt = 'taken' | 'ignored' | 'malformed'

/**
 * All payment channels of a node (docs/spec/channels.md): a core without I/O. Each call is one transaction of the store,
 * after which what it promised is sent; where the store throws, the object must not be used again, since it may know more
 * than the disk.
 */
export class Channels {
  readonly #context: Context
  readonly #store: ChannelsOptions['store']
  #depth = 0
  #isBroken = false

  constructor(options: ChannelsOptions, ports: ChannelPorts) {
    const { crypto, identity, random, store, networkId, epoch, exposureLimitMicro, limits } = options
    this.#store = store
    this.#context = {
      crypto,
      identity,
      random,
      networkId,
      ports,
      book: new ChannelBook(crypto, store, random, identity.nodeId),
      limits: { channelsMax: limits?.channelsMax ?? CHANNELS_MAX },
      exposureLimitMicro,
      startEpoch: epoch,
      epoch,
      isReconciled: false,
      outbox: [],
    }
  }

  /** Runs calls of this object as one transaction: one flush of the disk for all, and nothing leaves before it. */
  batch<T>(work: () => T): T {
    if (this.#isBroken) throw new Error('channels: a write failed before; make a new object from the store')
    if (this.#depth > 0) return work()
    const { outbox, book, ports } = this.#context
    this.#depth++
    let result: T
    try {
      result = this.#store.atomically(() => {
        const value = work()
        book.flush()
        return value
      })
    } catch (error) {
      this.#isBroken = true
      throw error
    } finally {
      this.#depth--
    }
    for (const effect of outbox.splice(0)) deliver(ports, effect)
    return result
  }

  /** A link with the neighbour is up; `spacingMs` is that of its probes. A second link with the same one changes nothing. */
  linkUp(nowMs: number, publicKey: Uint8Array, spacingMs: number): void {
    this.batch(() => {
      const { crypto, book, epoch } = this.#context
      const channel = book.of(nodeIdOf(crypto, publicKey), publicKey)
      book.touch(channel)
      channel.link ??= new ChannelLink(spacingMs)
      channel.heardMs = nowMs
      const { record } = channel
      if (record === undefined) return
      if (record.heardEpoch !== epoch) channel.change({ heardEpoch: epoch })
      if (record.openingNonce !== undefined) sendOpen(this.#context, nowMs, channel, channel.link)
      else ask(this.#context, nowMs, channel)
    })
  }

  /** No link with the neighbour is left. */
  linkDown(nodeId: Uint8Array): void {
    const channel = this.#context.book.get(nodeId)
    if (channel === undefined) return
    channel.link = undefined
    if (channel.record === undefined) this.#context.book.drop(channel)
  }

  /** The body of a link message of type 4 whose first byte is 1 to 11, from an authenticated neighbour. */
  receive(nowMs: number, nodeId: Uint8Array, bytes: Uint8Array): Receipt {
    let message: ChannelMessage
    try {
      message = decodeChannelMessage(bytes)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      return 'malformed'
    }
    const channel = this.#context.book.get(nodeId)
    if (channel?.link === undefined) return 'ignored'
    this.#with(channel, () => this.#take(nowMs, channel, message))
    return 'taken'
  }

  /** Offers the neighbour a channel, unless there is one. False: no link, or no room. */
  open(nowMs: number, nodeId: Uint8Array): boolean {
    const channel = this.#context.book.get(nodeId)
    if (channel?.link === undefined) return false
    if (channel.record !== undefined) return true
    return this.#with(channel, () => {
      if (!makeRoom(this.#context)) return false
      offerChannel(this.#context, nowMs, channel)
      return true
    })
  }

  /**
   * Claims from the neighbour what `body` proves: `expectedMicro` is the least that is due, `packets` what it counts for.
   * The claim waits for its slot, once however often it is made; `earned` or `claimRefused` says how it ended. False: no channel, or too many wait.
   * @throws {RangeError} for an empty body or one above {@link CLAIM_BODY_MAX_BYTES}
   */
  claim(nowMs: number, nodeId: Uint8Array, body: Uint8Array, expectedMicro: bigint, packets: bigint): boolean {
    if (body.length === 0 || body.length > CLAIM_BODY_MAX_BYTES) throw new RangeError(`a claim of ${body.length} bytes`)
    const channel = this.#context.book.get(nodeId)
    if (channel?.open === undefined) return false
    if (channel.claims.some((waiting) => equalBytes(waiting.body, body))) return true
    if (channel.claims.length >= CLAIMS_MAX) return false
    this.#with(channel, () => {
      channel.claims.push({ body: body.slice(), expectedMicro, packets })
      pump(this.#context, nowMs, channel)
    })
    return true
  }

  /** Has what is owed settled, whoever owes it. False: nothing to settle, or nobody there. */
  settle(nowMs: number, nodeId: Uint8Array): boolean {
    const channel = this.#context.book.get(nodeId)
    return channel !== undefined && this.#with(channel, () => settle(this.#context, nowMs, channel))
  }

  /** Demands payment without the peer. */
  dispute(nodeId: Uint8Array): DisputeResult {
    const channel = this.#context.book.get(nodeId)
    return channel === undefined ? 'no-channel' : this.#with(channel, () => dispute(this.#context, channel))
  }

  /** Forgets a channel in which less than a settlement moves is owed. False: there is more, or none. */
  forget(nowMs: number, nodeId: Uint8Array): boolean {
    const channel = this.#context.book.get(nodeId)
    const record = channel?.open
    if (channel === undefined || record === undefined || !isWorthless(channel, record)) return false
    this.#with(channel, () => forget(this.#context, nowMs, channel))
    return true
  }

  /** The ledger was compared with a neighbour's: from now on debits may be signed. What was not published is, once more. */
  reconciled(): void {
    this.#context.isReconciled = true
    this.publishAgain()
  }

  /** Publishes once more what the ledger does not hold, as after it refused a record for want of room. */
  publishAgain(): void {
    this.batch(() => {
      for (const channel of this.#context.book.all()) publishAgain(this.#context, channel)
    })
  }

  /** The ledger applied settlements of the channel with that peer, or has another snapshot: one that was closed may be over. */
  settled(nowMs: number, nodeId: Uint8Array): void {
    const channel = this.#context.book.get(nodeId)
    if (channel?.open === undefined) return
    this.#with(channel, () => {
      refreshBase(this.#context, channel)
      if (isOver(this.#context, channel)) return forget(this.#context, nowMs, channel)
      const { settlement, close, newest } = channel.record!
      const { keyA, keyB } = keysOf(this.#context, channel)
      const settled = this.#context.ports.settledSequence(newest.channelId, keyA, keyB)
      if (settlement !== undefined && settled >= settlement.finalSequence) channel.change({ settlement: undefined })
      if (close !== undefined && settled >= close.last.sequence) channel.change({ close: undefined })
    })
  }

  /** A valid close of a channel of this node came into the ledger. */
  closeSeen(nowMs: number, nodeId: Uint8Array, close: CloseRecord): void {
    const channel = this.#context.book.get(nodeId)
    if (channel !== undefined) this.#with(channel, () => closeSeen(this.#context, nowMs, channel, close))
  }

  /** An epoch was activated: what is owed is settled, closes that had to wait are answered, silent debtors closed. */
  epochIs(nowMs: number, epoch: bigint): void {
    if (epoch <= this.#context.epoch) return
    this.batch(() => {
      this.#context.epoch = epoch
      for (const channel of this.#context.book.all()) {
        this.#context.book.touch(channel)
        if (channel.link !== undefined && channel.open !== undefined) channel.change({ heardEpoch: epoch })
        settle(this.#context, nowMs, channel)
        answerClose(this.#context, channel)
        // A ledger that was full has room after a fold.
        publishAgain(this.#context, channel)
        if (isAbandoned(this.#context, channel)) dispute(this.#context, channel)
      }
    })
  }

  /** How far the payer is served. */
  exposure(payerId: Uint8Array): Exposure {
    return exposureTo(this.#context, payerId, this.#context.book.get(payerId))
  }

  view(nodeId: Uint8Array): ChannelView | undefined {
    const channel = this.#context.book.get(nodeId)
    return channel === undefined ? undefined : viewOf(this.#context, channel)
  }

  /** Channels that are stored, in no order. */
  list(): ChannelView[] {
    return [...this.#context.book.all()].flatMap((channel) => viewOf(this.#context, channel) ?? [])
  }

  /** Records of the store that could not be read at start. */
  get unreadable(): number {
    return this.#context.book.unreadable
  }

  /** Repeats what was not answered. */
  tick(nowMs: number): void {
    if (this.nextWakeMs() > nowMs) return
    this.batch(() => {
      for (const channel of this.#context.book.all()) {
        if (channel.link === undefined) continue
        this.#context.book.touch(channel)
        this.#repeat(nowMs, channel, channel.link)
      }
    })
  }

  /** When {@link tick} has something to do; Infinity: never. */
  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { link } of this.#context.book.all()) {
      if (link === undefined) continue
      const { ask, awaiting, claiming, paying, settling, settleAtMs } = link
      for (const { dueMs } of [ask, awaiting, claiming, paying, settling]) wakeMs = Math.min(wakeMs, dueMs)
      wakeMs = Math.min(wakeMs, settleAtMs)
    }
    return wakeMs
  }

  #with<T>(channel: Channel, work: () => T): T {
    return this.batch(() => {
      this.#context.book.touch(channel)
      return work()
    })
  }

  #take(nowMs: number, channel: Channel, message: ChannelMessage): void {
    const context = this.#context
    channel.heardMs = nowMs
    switch (message.kind) {
      case 'open':
        return void onOpen(context, nowMs, channel, message)
      case 'opened':
        return void onOpened(context, nowMs, channel, message)
      case 'reestablish':
        return onReestablish(context, nowMs, channel, message)
      case 'state':
        return this.#moved(nowMs, channel, onState(context, nowMs, channel, message.state))
      case 'claim':
        return onClaim(context, nowMs, channel, message)
      case 'update':
        return this.#moved(nowMs, channel, onUpdate(context, nowMs, channel, message))
      case 'accept':
        return this.#moved(nowMs, channel, onAccept(context, nowMs, channel, message))
      case 'refuse':
        return message.code === REFUSAL.settlement
          ? onSettleRefused(channel, message.sequence)
          : onRefuse(context, nowMs, channel, message)
      case 'settleAsk':
        return onSettleAsk(context, nowMs, channel)
      case 'settleSeq':
        return onSettleSeq(context, channel, message)
      case 'settleSig':
        return onSettleSig(context, channel, message)
    }
  }

  /** Whoever waits for the slot has it; a payer that owes enough is asked to settle. */
  #moved(nowMs: number, channel: Channel, isMoved: boolean): void {
    if (!isMoved) return
    pump(this.#context, nowMs, channel)
    settleIfDue(this.#context, nowMs, channel)
  }

  #repeat(nowMs: number, channel: Channel, link: ChannelLink): void {
    const context = this.#context
    const { record } = channel
    if (link.ask.dueMs <= nowMs) {
      link.ask.backOff(nowMs, link.spacingMs, ASK_SPACINGS_MAX)
      if (link.phase === 'opening') sendOpen(context, nowMs, channel, link)
      else sendStanding(context, nowMs, channel, link)
    }
    if (record === undefined) return
    if (link.awaiting.dueMs <= nowMs) return ask(context, nowMs, channel)
    if (link.claiming.dueMs <= nowMs) {
      if (!link.claiming.again(nowMs, link.spacingMs)) return ask(context, nowMs, channel)
      sendClaim(context, channel, link)
    }
    if (link.paying.dueMs <= nowMs) {
      if (!link.paying.again(nowMs, link.spacingMs)) return ask(context, nowMs, channel)
      sendPending(context, channel, link, record)
    }
    if (link.settling.dueMs <= nowMs && link.settling.again(nowMs, link.spacingMs)) repeatSettling(context, channel)
    if (link.settleAtMs <= nowMs) {
      link.settleAtMs = Number.POSITIVE_INFINITY
      settle(context, nowMs, channel)
    }
  }
}

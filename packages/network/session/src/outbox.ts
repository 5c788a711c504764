import { equalBytes } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import type { Identity, ReservedCounter } from '@nexus/identity'
import { messageDigest } from './content.ts'
import { SessionError } from './errors.ts'
import { ANONYMOUS_BODY_MAX_BYTES, type Limits, MESSAGE_MAX_BYTES } from './limits.ts'
import { expiryReason, type MessageStatus, makeEntry, type OutboxEntry, statusOf } from './outbox-entry.ts'
import { decodeOutgoing, encodeOutgoing, type FailureReason, isSettled, type Outgoing } from './outgoing.ts'
import { NO_DIGEST, type Receipt, STATUS } from './receipt.ts'
import { type Route, RouteBook } from './route-book.ts'
import type { RunTime } from './run-time.ts'
import { numberedKey, type Store } from './store.ts'
import { Transmitter, type TransmitterParts } from './transmitter.ts'

export interface SendOptions {
  /** Running time after which the message fails, {@link Limits.expiresMsDefault} if not said. */
  readonly expiresMs?: number
  /** Hides the sender from the receiver; no receipt, so never `delivered`. */
  readonly anonymous?: boolean
}

/** What the outbox is built on. */
export interface OutboxParts extends TransmitterParts {
  readonly identity: Identity
  readonly random: Random
  readonly store: Store
  readonly prefix: string
  readonly counters: ReservedCounter
  readonly limits: Limits
  readonly runTime: RunTime
  readonly roundTripMs: (destination: Uint8Array, bytes: number) => number | undefined
  readonly stateChanged: (status: MessageStatus) => void
}

/** A new id after "too old" goes this far up, more at each step: the receiver's floor may be that of others. */
const RE_ID_STEPS: readonly bigint[] = [0n, 1n << 16n, 1n << 32n]
const NEWER_RESERVE = 64

/**
 * Messages until they are delivered or failed (docs/spec/session.md, Outbox). Each is on disk before `send` returns, and a
 * state is on disk before it is told.
 */
export class Outbox {
  readonly #parts: OutboxParts
  readonly #transmitter: Transmitter
  readonly #routes: RouteBook
  readonly #active = new Map<bigint, OutboxEntry>()
  /** Settled ones, oldest first. */
  readonly #settled = new Map<bigint, Outgoing>()
  readonly #byWireId = new Map<bigint, bigint>()
  #bytes = 0

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#transmitter = new Transmitter(parts)
    this.#routes = new RouteBook(parts.limits)
    const messages = [...parts.store.entries(parts.prefix)].map(([, record]) => decodeOutgoing(record))
    for (const message of messages.sort((a, b) => (a.handle < b.handle ? -1 : 1))) {
      this.#byWireId.set(message.wireId, message.handle)
      if (wasInterrupted(message)) this.#fail(message, 'interrupted')
      if (isSettled(message)) this.#keepSettled(message)
      else this.#keepActive(makeEntry(message))
    }
  }

  /**
   * Takes a message; it is on disk when this returns, and on its way if it can be.
   * @returns the handle, never used again
   * @throws {SessionError} `session/too-large`, `session/outbox-full`
   * @throws {RangeError} for a destination of another length or a lifetime outside the limits
   */
  send(nowMs: number, destination: Uint8Array, body: Uint8Array, options: SendOptions = {}): bigint {
    const { counters, crypto, identity, limits, runTime } = this.#parts
    const { anonymous = false, expiresMs = limits.expiresMsDefault } = options
    this.#check(destination, body, anonymous, expiresMs)
    const handle = counters.next()
    const runMs = runTime.at(nowMs)
    const message: Outgoing = {
      handle,
      wireId: handle,
      destination: destination.slice(),
      anonymous,
      bodyBytes: body.length,
      body: body.slice(),
      digest: messageDigest(crypto, identity.publicKey, handle, body),
      state: 'queued',
      offers: 0,
      reIds: 0,
      newerStored: 0,
      createdRunMs: runMs,
      expiresRunMs: runMs + expiresMs,
    }
    this.#put(message)
    this.#byWireId.set(handle, handle)
    const entry = makeEntry(message)
    // Somebody asks now: worth a look whether the destination can be reached, whatever was found a while ago.
    delete this.#keepActive(entry).blocked
    this.#attempt(nowMs, entry)
    return handle
  }

  /** The destination was heard: what waits for it is sent once. */
  heard(nowMs: number, nodeId: Uint8Array): void {
    const route = this.#routes.find(nodeId)
    if (route === undefined) return
    if (!this.#routes.heard(route, nowMs)) return
    for (const entry of [...route.entries.values()]) {
      if (isSettled(entry.message)) continue
      if (entry.waitingFor === 'receipt' || entry.waitingFor === 'peer') {
        if (nowMs - entry.lastSentMs < this.#parts.limits.heardMsMin) continue
        entry.bulk?.again()
        this.#transmit(nowMs, route, entry)
      } else this.#attempt(nowMs, entry)
    }
  }

  /** Takes a verified receipt in; `false` where it says nothing new of a message that went to that node. */
  receipt(nowMs: number, from: Uint8Array, receiptId: bigint, receipt: Receipt): boolean {
    const handle = this.#byWireId.get(receipt.id)
    if (handle === undefined) return false
    const entry = this.#active.get(handle)
    const message = entry?.message ?? this.#settled.get(handle)
    if (message === undefined || message.anonymous || !equalBytes(message.destination, from)) return false
    if (receipt.status === STATUS.stored) {
      if (!equalBytes(receipt.digest, message.digest)) return false
      if (entry === undefined) return this.#lateDelivery(nowMs, message)
      const wasSentOnce = message.offers === 1 && entry.bulk === undefined
      // One that an earlier run sent has no time here, nor one that is answered while it is handed over.
      const rttMs = nowMs - entry.lastSentMs
      if (wasSentOnce && rttMs < Number.POSITIVE_INFINITY) this.#routes.sample(message.destination, rttMs)
      this.#settle(nowMs, entry, 'delivered')
      return true
    }
    if (entry === undefined) return false
    if (receipt.status === STATUS.fragments) return this.#partsHeld(nowMs, entry, receiptId, receipt.bitmap)
    const ofParts = entry.bulk !== undefined || receipt.status === STATUS.tooOld
    if (!equalBytes(receipt.digest, message.digest) && !(ofParts && equalBytes(receipt.digest, NO_DIGEST))) return false
    if (receipt.status === STATUS.refused) this.#settle(nowMs, entry, 'failed', 'refused')
    else this.#renew(nowMs, entry)
    return true
  }

  tick(nowMs: number): void {
    const { limits, runTime } = this.#parts
    const runMs = runTime.at(nowMs)
    for (const entry of [...this.#active.values()]) {
      if (isSettled(entry.message)) continue // By an answer to one before it.
      if (entry.message.expiresRunMs <= runMs) this.#settle(nowMs, entry, 'failed', expiryReason(entry))
      else if (entry.nextMs <= nowMs) {
        if (entry.waitingFor === 'receipt' && entry.tries >= limits.triesMax) this.#park(nowMs, entry)
        else {
          if (entry.waitingFor === 'receipt') entry.bulk?.timedOut()
          this.#attempt(nowMs, entry)
        }
      }
    }
    if (this.#active.size > 0) runTime.checkpoint(nowMs)
  }

  nextWakeMs(): number {
    const { runTime } = this.#parts
    let wakeMs = this.#active.size > 0 ? runTime.nextCheckpointMs() : Number.POSITIVE_INFINITY
    for (const { message, nextMs } of this.#active.values()) {
      wakeMs = Math.min(wakeMs, nextMs, runTime.clockAt(message.expiresRunMs))
    }
    return wakeMs
  }

  status(nowMs: number, handle: bigint): MessageStatus | undefined {
    const entry = this.#active.get(handle)
    const message = entry?.message ?? this.#settled.get(handle)
    return message && statusOf(message, this.#parts.runTime.at(nowMs), entry)
  }

  /** All messages at work and the last settled ones, in the order of sending. */
  list(nowMs: number): MessageStatus[] {
    const runMs = this.#parts.runTime.at(nowMs)
    const all = [
      ...[...this.#settled.values()].map((message) => statusOf(message, runMs)),
      ...[...this.#active.values()].map((entry) => statusOf(entry.message, runMs, entry)),
    ]
    return all.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Stops sending a message. `false` where it is settled or unknown. */
  cancel(nowMs: number, handle: bigint): boolean {
    const entry = this.#active.get(handle)
    if (entry === undefined) return false
    this.#settle(nowMs, entry, 'failed', 'cancelled')
    return true
  }

  /** Messages at work, and the bytes of their bodies. */
  get load(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#active.size, bytes: this.#bytes }
  }

  #check(destination: Uint8Array, body: Uint8Array, anonymous: boolean, expiresMs: number): void {
    const { expiresMsMax, outboxBytesMax, outboxMessagesMax } = this.#parts.limits
    if (destination.length !== 16) throw new RangeError(`a destination has 16 bytes, not ${destination.length}`)
    if (!(expiresMs > 0 && expiresMs <= expiresMsMax)) throw new RangeError(`${expiresMs} ms is no lifetime`)
    const bytesMax = anonymous ? ANONYMOUS_BODY_MAX_BYTES : MESSAGE_MAX_BYTES
    if (body.length > bytesMax) throw new SessionError({ code: 'session/too-large', bytes: body.length, bytesMax })
    if (this.#active.size >= outboxMessagesMax || this.#bytes + body.length > outboxBytesMax) {
      throw new SessionError({ code: 'session/outbox-full', ...this.load })
    }
  }

  /** Sends a message if it has a key, a turn and a route; else says what it waits for. */
  #attempt(nowMs: number, entry: OutboxEntry): void {
    const route = this.#routes.find(entry.message.destination)!
    if (route.blocked !== undefined && nowMs < route.blocked.untilMs) {
      entry.waitingFor = route.blocked.by
      entry.nextMs = route.blocked.untilMs
      return
    }
    if (entry.message.offers === 0 && !entry.message.anonymous && !this.#routes.hasTurn(route)) {
      entry.waitingFor = 'turn'
      entry.nextMs = Number.POSITIVE_INFINITY
      return
    }
    if (!this.#transmit(nowMs, route, entry) || isSettled(entry.message)) return
    entry.tries++
    entry.waitingFor = 'receipt'
    entry.nextMs = nowMs + this.#timeoutMs(route, entry)
  }

  /** Hands the message over once. `false` where it could not be; then the whole route is blocked for a while. */
  #transmit(nowMs: number, route: Route, entry: OutboxEntry): boolean {
    const { message } = entry
    const recipientKey = this.#transmitter.recipientKey(message.destination)
    if (recipientKey === undefined) return this.#blocked(nowMs, route, entry, 'key')
    const offersBefore = message.offers
    this.#setOffers(entry, Math.min(2, offersBefore + 1))
    const result = this.#transmitter.transmit(nowMs, entry, recipientKey)
    if (isSettled(message)) return true // Answered while it was handed over.
    if (result === 'no-route') {
      this.#setOffers(entry, offersBefore)
      return this.#blocked(nowMs, route, entry, 'route')
    }
    delete route.blocked
    entry.lastSentMs = nowMs
    if (offersBefore === 0) this.#countNewer(route, entry)
    if (message.anonymous) this.#settle(nowMs, entry, 'sent')
    else if (message.state === 'queued' && result === 'sent' && (entry.bulk?.allSent ?? true)) {
      message.state = 'sent'
      this.#put(message)
      this.#tell(nowMs, message, entry)
    }
    return true
  }

  /** A bitmap came: what it confirms makes room for more parts. */
  #partsHeld(nowMs: number, entry: OutboxEntry, receiptId: bigint, bitmap: Uint8Array): boolean {
    if (entry.bulk === undefined) return false
    const held = entry.bulk.held(receiptId, bitmap, nowMs)
    if (held === undefined) return false
    if (held.rttMs !== undefined) this.#routes.sample(entry.message.destination, held.rttMs)
    const route = this.#routes.find(entry.message.destination)!
    if (this.#transmit(nowMs, route, entry) && !isSettled(entry.message)) {
      entry.tries = 1
      entry.waitingFor = 'receipt'
      entry.nextMs = nowMs + this.#timeoutMs(route, entry)
    }
    return true
  }

  /** The receiver says that the id is too old. Only where it cannot have been shown, it is sent under a new one. */
  #renew(nowMs: number, entry: OutboxEntry): void {
    const { counters, crypto, identity } = this.#parts
    const { message } = entry
    const step = RE_ID_STEPS[message.reIds]
    if (message.offers > 1 || step === undefined) {
      this.#settle(nowMs, entry, 'failed', 'too-old')
      return
    }
    if (step > 0n) counters.raiseTo(counters.last + step)
    this.#byWireId.delete(message.wireId)
    message.wireId = counters.next()
    message.digest = messageDigest(crypto, identity.publicKey, message.wireId, message.body)
    message.reIds++
    message.offers = 0
    message.newerStored = 0
    message.state = 'queued'
    this.#put(message)
    this.#byWireId.set(message.wireId, message.handle)
    Object.assign(entry, makeEntry(message))
    this.#tell(nowMs, message, entry)
    this.#attempt(nowMs, entry)
  }

  #fail(message: Outgoing, reason: FailureReason): void {
    message.state = 'failed'
    message.reason = reason
    message.body = new Uint8Array(0)
    this.#put(message)
  }

  #settle(nowMs: number, entry: OutboxEntry, state: 'sent' | 'delivered' | 'failed', reason?: FailureReason): void {
    const { message } = entry
    message.state = state
    if (reason !== undefined) message.reason = reason
    this.#put(message)
    message.body = new Uint8Array(0)
    this.#bytes -= message.bodyBytes
    this.#active.delete(message.handle)
    const route = this.#routes.find(message.destination)!
    this.#routes.remove(route, entry)
    this.#keepSettled(message)
    this.#tell(nowMs, message)
    this.#giveTurns(nowMs, route)
  }

  /** A receipt that came after the message was given up is still the truth. */
  #lateDelivery(nowMs: number, message: Outgoing): boolean {
    if (message.state === 'delivered') return false
    message.state = 'delivered'
    delete message.reason
    this.#put(message)
    this.#tell(nowMs, message)
    return true
  }

  /** After its last timed try a message only waits to hear the destination, and others get its turn. */
  #park(nowMs: number, entry: OutboxEntry): void {
    entry.waitingFor = 'peer'
    entry.nextMs = Number.POSITIVE_INFINITY
    this.#giveTurns(nowMs, this.#routes.find(entry.message.destination)!)
  }

  #giveTurns(nowMs: number, route: Route): void {
    for (const entry of [...route.entries.values()]) {
      if (entry.waitingFor !== 'turn' || isSettled(entry.message)) continue
      if (!this.#routes.hasTurn(route)) return
      this.#attempt(nowMs, entry)
    }
  }

  #blocked(nowMs: number, route: Route, entry: OutboxEntry, by: 'key' | 'route'): false {
    this.#routes.block(route, by, nowMs)
    entry.waitingFor = by
    entry.nextMs = route.blocked!.untilMs
    return false
  }

  #setOffers(entry: OutboxEntry, offers: number): void {
    entry.message.offers = offers
    if (entry.offersStored === offers) return
    this.#put(entry.message)
    entry.offersStored = offers
  }

  /** Notes on every older message on the way that one more was sent above it. */
  #countNewer(route: Route, sent: OutboxEntry): void {
    for (const entry of route.entries.values()) {
      const { message } = entry
      if (message.offers === 0 || message.wireId >= sent.message.wireId) continue
      if (++entry.newer <= message.newerStored) continue
      message.newerStored += NEWER_RESERVE
      this.#put(message)
    }
  }

  /** Doubled at each try, with up to an eighth of jitter. */
  #timeoutMs(route: Route, { message, tries }: OutboxEntry): number {
    const { random, roundTripMs } = this.#parts
    const expectedMs = roundTripMs(message.destination, message.bodyBytes)
    return this.#routes.timeoutMs(route, tries, expectedMs) * (1 + random(1)[0]! / 2048)
  }

  #keepActive(entry: OutboxEntry): Route {
    this.#active.set(entry.message.handle, entry)
    this.#bytes += entry.message.bodyBytes
    return this.#routes.add(entry)
  }

  #keepSettled(message: Outgoing): void {
    this.#settled.set(message.handle, message)
    if (this.#settled.size <= this.#parts.limits.settledMax) return
    const [oldest, { wireId }] = this.#settled.entries().next().value!
    this.#settled.delete(oldest)
    this.#byWireId.delete(wireId)
    this.#parts.store.delete(numberedKey(this.#parts.prefix, oldest))
  }

  #put(message: Outgoing): void {
    this.#parts.store.put(numberedKey(this.#parts.prefix, message.handle), encodeOutgoing(message))
  }

  #tell(nowMs: number, message: Outgoing, entry?: OutboxEntry): void {
    this.#parts.stateChanged(statusOf(message, this.#parts.runTime.at(nowMs), entry))
  }
}

/** An anonymous box is not known again under a new ephemeral key, so one that may have left is not sent again. */
function wasInterrupted({ anonymous, offers, state }: Outgoing): boolean {
  return anonymous && state === 'queued' && offers > 0
}

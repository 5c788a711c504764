import { equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { CONTEXT } from '@nexus/framing'
import { type Identity, nodeIdOf, type ReservedCounter } from '@nexus/identity'
import { decodeContent, MODE, type SignedContent, verifyContent } from './content.ts'
import { Floors } from './floors.ts'
import { decodeFragment } from './fragment.ts'
import { Inbox, type InboxMessage } from './inbox.ts'
import { DEFAULT_LIMITS, DIGEST_BYTES, type Limits, MESSAGE_MAX_BYTES, PART_BYTES } from './limits.ts'
import { Outbox, type SendOptions } from './outbox.ts'
import type { MessageStatus } from './outbox-entry.ts'
import { readable } from './readable.ts'
import { Reassembly } from './reassembly.ts'
import { decodeReceipt, NO_BITMAP, NO_DIGEST, type Receipt, STATUS } from './receipt.ts'
import { ReceiptQueue } from './receipts.ts'
import { RunTime } from './run-time.ts'
import { openBox } from './sealed-box.ts'
import { Sealer } from './sealer.ts'
import { Senders } from './senders.ts'
import type { Store } from './store.ts'
import type { Stream } from './stream.ts'
import { type StreamEvent, type StreamOptions, Streams } from './streams.ts'
import type { SendPacket } from './transmitter.ts'

/** What a messenger is made of. */
export interface MessengerOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  /** Where everything that must survive is kept. */
  readonly store: Store
  /** Ids of messages and receipts, and inbox handles; of this identity alone. */
  readonly counters: ReservedCounter
  /** Begins the keys in the store: `session/` if not said. */
  readonly storePrefix?: string
  readonly limits?: Partial<Limits>
  /** Whether to send receipts also to nodes that are no contacts: a receipt tells them that this node is up. No, if not said. */
  readonly allowStrangerReceipts?: boolean
  /** Unix time in ms, for people alone: it is kept with each message that comes, and nothing depends on it. */
  readonly wallClockMs?: () => number
}

/** What a messenger asks of its host. Calls may come back into the messenger. */
export interface MessengerPorts {
  readonly sendPacket: SendPacket
  /** The Ed25519 key of a node, from a verified announce or the contacts. */
  publicKeyOf(nodeId: Uint8Array): Uint8Array | undefined
  /** A message was stored: it stays in the inbox until it is taken. */
  message(message: InboxMessage): void
  /** A message of the outbox got on. */
  stateChanged(status: MessageStatus): void
  /** Whose receipts and room in full tables come first; who has a known key, if not said. */
  isContact?(nodeId: Uint8Array): boolean
  /** Something happened to a stream; without this port, nobody's streams are accepted. */
  stream?(event: StreamEvent): void
  /** Whether a node may open streams to this one; contacts may, if not said. */
  acceptsStreams?(nodeId: Uint8Array): boolean
  /** What a packet and its answer will take by what routing knows of the path, if anything. */
  roundTripMs?(destination: Uint8Array, bytes: number): number | undefined
}

/** A packet that came for this node, as a decoded `Packet` of framing is; read during the call and not kept. */
export interface SessionPacket {
  readonly destination: Uint8Array
  readonly context: number
  readonly data: Uint8Array
}

/** What became of a packet. */
export type Received =
  | 'message'
  | 'repeated'
  | 'refused'
  | 'fragment'
  | 'receipt'
  | 'handshake'
  | 'stream'
  | 'stale-receipt'
  | 'not-ours'
  | 'unreadable'
  | 'forged'

export interface MessengerStats {
  readonly outboxMessages: number
  readonly outboxBytes: number
  readonly inboxMessages: number
  readonly inboxBytes: number
  /** Senders whose windows are kept. */
  readonly senders: number
  readonly reassemblies: number
  readonly reassemblyBytes: number
  readonly receiptLanes: number
  /** Open, opening, and closed a moment ago. */
  readonly streams: number
  readonly received: Readonly<Record<Received, number>>
}

/**
 * End-to-end messages of one identity (docs/spec/session.md): what is sent waits in the outbox until it is delivered or
 * failed, what comes waits in the inbox until it is taken, and both survive a kill at any moment. Sans-I/O: the host gives
 * the time, packets, a store and randomness, and calls {@link tick} at {@link nextWakeMs}.
 */
export class Messenger {
  readonly #crypto: Crypto
  readonly #identity: Identity
  readonly #ports: MessengerPorts
  readonly #allowStrangerReceipts: boolean
  readonly #runTime: RunTime
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #reassembly: Reassembly
  readonly #receipts: ReceiptQueue
  readonly #streams: Streams
  readonly #isContact: (nodeId: Uint8Array) => boolean
  readonly #received: Record<Received, number>

  /** Loads what the store holds. @throws {SessionError} where a record cannot be read */
  constructor(options: MessengerOptions, ports: MessengerPorts) {
    const { crypto, identity, random, store, counters, storePrefix: prefix = 'session/' } = options
    const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
    const { sendPacket } = ports
    const sealer = new Sealer(crypto, identity, random)
    this.#crypto = crypto
    this.#identity = identity
    this.#ports = ports
    this.#allowStrangerReceipts = options.allowStrangerReceipts ?? false
    this.#isContact = (nodeId) => ports.isContact?.(nodeId) ?? ports.publicKeyOf(nodeId) !== undefined
    this.#received = {
      message: 0,
      repeated: 0,
      refused: 0,
      fragment: 0,
      receipt: 0,
      handshake: 0,
      stream: 0,
      'stale-receipt': 0,
      'not-ours': 0,
      unreadable: 0,
      forged: 0,
    }
    this.#runTime = new RunTime(store, `${prefix}run-time`)
    const floors = new Floors(crypto, random, store, `${prefix}floors/`)
    const loadedRunMs = this.#runTime.storedMs
    const senders = new Senders(store, `${prefix}windows/`, floors, limits, this.#isContact, loadedRunMs)
    const common = { crypto, store, counters, limits }
    const wallClockMs = () => options.wallClockMs?.()
    this.#inbox = new Inbox(
      { ...common, prefix: `${prefix}in/`, senders, isContact: this.#isContact, wallClockMs },
      loadedRunMs,
    )
    this.#reassembly = new Reassembly(limits)
    this.#receipts = new ReceiptQueue({ counters, limits, sealer, sendPacket })
    const sending = {
      identity,
      random,
      sealer,
      sendPacket,
      publicKeyOf: (nodeId: Uint8Array) => ports.publicKeyOf(nodeId),
      roundTripMs: (destination: Uint8Array, bytes: number) => ports.roundTripMs?.(destination, bytes),
    }
    this.#streams = new Streams({
      ...common,
      ...sending,
      admits: (nodeId) => ports.stream !== undefined && (ports.acceptsStreams?.(nodeId) ?? this.#isContact(nodeId)),
      event: (event) => ports.stream?.(event),
    })
    this.#outbox = new Outbox({
      ...common,
      ...sending,
      prefix: `${prefix}out/`,
      runTime: this.#runTime,
      stateChanged: (status) => ports.stateChanged(status),
    })
  }

  /** See {@link Outbox.send}. */
  send(nowMs: number, destination: Uint8Array, body: Uint8Array, options?: SendOptions): bigint {
    return this.#outbox.send(nowMs, destination, body, options)
  }

  /** Takes a packet in, whatever it holds; never throws for what a peer sent. */
  receivePacket(nowMs: number, packet: SessionPacket): Received {
    this.#runTime.checkpoint(nowMs)
    const received = this.#receive(nowMs, packet)
    this.#received[received]++
    return received
  }

  /** An announce or a packet of the node was heard: what waits for it is sent once. */
  destinationHeard(nowMs: number, nodeId: Uint8Array): void {
    this.#outbox.heard(nowMs, nodeId)
  }

  tick(nowMs: number): void {
    this.#outbox.tick(nowMs)
    for (const { sender, id, bitmap } of this.#reassembly.tick(nowMs)) {
      this.#answer(nowMs, sender, id, { status: STATUS.fragments, digest: NO_DIGEST, bitmap })
    }
    this.#receipts.tick(nowMs)
    this.#streams.tick(nowMs)
  }

  /** Clock reading at which {@link tick} has something to do, infinite if never. */
  nextWakeMs(): number {
    const messagesMs = Math.min(this.#outbox.nextWakeMs(), this.#reassembly.nextWakeMs(), this.#receipts.nextWakeMs())
    return Math.min(messagesMs, this.#streams.nextWakeMs())
  }

  /**
   * Begins a stream to a node; what is written before it is open waits.
   * @throws {SessionError} `session/no-key`, `session/streams-full`
   */
  openStream(nowMs: number, destination: Uint8Array, options?: StreamOptions): Stream {
    return this.#streams.open(nowMs, destination, options)
  }

  /** The state of a message that was sent, while it is at work or among the last settled ones. */
  status(nowMs: number, id: bigint): MessageStatus | undefined {
    return this.#outbox.status(nowMs, id)
  }

  /** All messages at work and the last settled ones. */
  list(nowMs: number): MessageStatus[] {
    return this.#outbox.list(nowMs)
  }

  /** Stops sending a message. `false` where it is settled or unknown. */
  cancel(nowMs: number, id: bigint): boolean {
    return this.#outbox.cancel(nowMs, id)
  }

  /** Messages that the application has not taken, oldest first; also those of before a restart. */
  inbox(): InboxMessage[] {
    return this.#inbox.list()
  }

  /** The application has the message for good. `false` where it was taken before. */
  take(handle: bigint): boolean {
    return this.#inbox.take(handle)
  }

  /** How full the tables are, and what became of the packets. */
  stats(): MessengerStats {
    const { messages, bytes } = this.#outbox.load
    return {
      outboxMessages: messages,
      outboxBytes: bytes,
      inboxMessages: this.#inbox.size,
      inboxBytes: this.#inbox.bytes,
      senders: this.#inbox.senders,
      reassemblies: this.#reassembly.size,
      reassemblyBytes: this.#reassembly.bytes,
      receiptLanes: this.#receipts.lanes,
      streams: this.#streams.size,
      received: { ...this.#received },
    }
  }

  #receive(nowMs: number, { destination, context, data }: SessionPacket): Received {
    if (!equalBytes(destination, this.#identity.nodeId)) return 'not-ours'
    if (context === CONTEXT.HANDSHAKE) return this.#streams.receiveHandshake(nowMs, data) ? 'handshake' : 'unreadable'
    if (context === CONTEXT.STREAM) return this.#streams.receive(nowMs, data) ? 'stream' : 'unreadable'
    if (context !== CONTEXT.SEALED && context !== CONTEXT.FRAGMENT) return 'not-ours'
    const opened = openBox(this.#crypto, this.#identity, context, data)
    if (opened === undefined) return 'unreadable'
    const content = readable(decodeContent, opened.plaintext)
    if (content === undefined) return 'unreadable'
    if (content.mode === MODE.anonymous) {
      return context === CONTEXT.SEALED ? this.#anonymous(data, content.body) : 'unreadable'
    }
    if (!verifyContent(this.#crypto, content, this.#identity.nodeId, opened.ephemeral)) return 'forged'
    const from = { nodeId: nodeIdOf(this.#crypto, content.sender), publicKey: content.sender }
    if (context === CONTEXT.FRAGMENT) return this.#fragment(nowMs, from, content)
    if (content.mode === MODE.signed) return this.#message(nowMs, from, content.id, content.body)
    return this.#receipt(nowMs, from, content)
  }

  #anonymous(box: Uint8Array, body: Uint8Array): Received {
    const digest = this.#crypto.blake2b(box, { length: DIGEST_BYTES })
    if (this.#inbox.hasBox(digest)) return 'repeated'
    const message = this.#inbox.receiveAnonymous(digest, body)
    if (message === undefined) return 'refused'
    this.#ports.message(message)
    return 'message'
  }

  #message(nowMs: number, from: From, id: bigint, body: Uint8Array): Received {
    const { answer, message } = this.#inbox.receive(this.#runTime.at(nowMs), from.publicKey, id, body)
    this.#answer(nowMs, from, id, { ...answer, bitmap: NO_BITMAP })
    if (message === undefined) return answer.status === STATUS.refused ? 'refused' : 'repeated'
    this.#ports.message(message)
    this.#outbox.heard(nowMs, from.nodeId)
    return 'message'
  }

  #fragment(nowMs: number, from: From, content: SignedContent): Received {
    if (content.mode !== MODE.signed) return 'unreadable'
    const fragment = readable(decodeFragment, content.body)
    if (fragment === undefined) return 'unreadable'
    const { id } = content
    const known = this.#inbox.known(from.nodeId, id)
    if (known !== undefined) {
      this.#answer(nowMs, from, id, { ...known, bitmap: NO_BITMAP })
      return 'repeated'
    }
    // Judged by the most the body can be, so that no part of it is carried in vain.
    if (!this.#inbox.hasRoom(from.nodeId, Math.min(MESSAGE_MAX_BYTES, (fragment.last + 1) * PART_BYTES))) {
      this.#answer(nowMs, from, id, { status: STATUS.refused, digest: NO_DIGEST, bitmap: NO_BITMAP })
      return 'refused'
    }
    const result = this.#reassembly.add(nowMs, from, id, fragment)
    if (result.kind === 'refused') return 'refused'
    if (result.kind === 'whole') return this.#message(nowMs, from, id, result.body)
    if (result.bitmap !== undefined) {
      this.#answer(nowMs, from, id, { status: STATUS.fragments, digest: NO_DIGEST, bitmap: result.bitmap })
    }
    return 'fragment'
  }

  #receipt(nowMs: number, from: From, content: SignedContent): Received {
    const receipt = readable(decodeReceipt, content.body)
    if (receipt === undefined) return 'unreadable'
    if (!this.#outbox.receipt(nowMs, from.nodeId, content.id, receipt)) return 'stale-receipt'
    this.#outbox.heard(nowMs, from.nodeId)
    return 'receipt'
  }

  #answer(nowMs: number, to: From, id: bigint, answer: Omit<Receipt, 'id'>): void {
    if (!this.#allowStrangerReceipts && !this.#isContact(to.nodeId)) return
    this.#receipts.add(nowMs, to.nodeId, to.publicKey, { id, ...answer })
  }
}

/** A node whose signature held. */
interface From {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
}

import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { nodeIdOf, type ReservedCounter } from '@nexus/identity'
import { messageDigest } from './content.ts'
import { decodeInboxRecord, encodeInboxRecord, type InboxRecord } from './inbox-record.ts'
import { ANONYMOUS_WINDOW_BOXES, type Limits } from './limits.ts'
import { NO_DIGEST, STATUS } from './receipt.ts'
import { SeenBoxes } from './seen-window.ts'
import type { Sender, Senders } from './senders.ts'
import { numberedKey, type Store } from './store.ts'

const FOLD_BOXES = 64

/** A message that waits for the application. */
export interface InboxMessage {
  /** Never used again: an application that stores what it shows under this key shows nothing twice, whatever crashes. */
  readonly handle: bigint
  /** Absent for an anonymous message. */
  readonly sender?: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array; readonly id: bigint }
  readonly body: Uint8Array
  /** When it came, by the host's wall clock: Unix time, ms. */
  readonly receivedAtMs?: number
}

/** A message in the inbox, with the digest that knows it again. */
type Waiting = InboxMessage & { readonly digest: Uint8Array }

/** What to answer to a message. */
export interface Answer {
  readonly status: typeof STATUS.stored | typeof STATUS.refused | typeof STATUS.tooOld
  readonly digest: Uint8Array
}

/** What the inbox is built on. */
export interface InboxParts {
  readonly crypto: Crypto
  readonly store: Store
  readonly prefix: string
  readonly counters: ReservedCounter
  readonly limits: Limits
  readonly senders: Senders
  readonly isContact: (nodeId: Uint8Array) => boolean
  readonly wallClockMs: () => number | undefined
}

/**
 * Messages on disk until the application took them, and what is needed to know each one again for ever. A message is on disk
 * before {@link receive} says "stored". One sender gets a share of the room; strangers only while half of it is free.
 */
export class Inbox {
  readonly #parts: InboxParts
  readonly #waiting = new Map<bigint, Waiting>()
  readonly #boxes: SeenBoxes
  readonly #takenBoxes: string[] = []
  #waitingBytes = 0
  #anonymousMessages = 0
  #anonymousBytes = 0

  constructor(parts: InboxParts, loadedRunMs: number) {
    this.#parts = parts
    const boxes = parts.store.get(`${parts.prefix}boxes`)
    this.#boxes =
      boxes === undefined ? new SeenBoxes(ANONYMOUS_WINDOW_BOXES) : SeenBoxes.decode(boxes, ANONYMOUS_WINDOW_BOXES)
    const entries = [...parts.store.entries(`${parts.prefix}m/`)].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [key, record] of entries) this.#load(key, decodeInboxRecord(record), loadedRunMs)
  }

  /** Messages not taken, oldest first. */
  list(): InboxMessage[] {
    return [...this.#waiting.values()].map(asMessage)
  }

  get size(): number {
    return this.#waiting.size
  }

  get bytes(): number {
    return this.#waitingBytes
  }

  get senders(): number {
    return this.#parts.senders.size
  }

  /** Whether an anonymous box came before. */
  hasBox(boxDigest: Uint8Array): boolean {
    return this.#boxes.has(boxDigest)
  }

  /** The answer to an id that needs no body to be judged; `undefined` for a new one. */
  known(nodeId: Uint8Array, id: bigint): Answer | undefined {
    const { senders } = this.#parts
    const sender = senders.find(nodeId)
    if (sender === undefined) return id <= senders.floorOf(nodeId) ? TOO_OLD : undefined
    const seen = sender.window.look(id)
    if (seen === 'new') return undefined
    return seen === 'below' ? TOO_OLD : { status: STATUS.stored, digest: seen }
  }

  /** Whether a new message of `bodyBytes` by this sender would be taken now. */
  hasRoom(nodeId: Uint8Array, bodyBytes: number): boolean {
    const { limits, senders, isContact } = this.#parts
    const sender = senders.find(nodeId)
    const share = limits.inboxSenderShare
    if (!this.#fits(bodyBytes, isContact(nodeId))) return false
    if (sender === undefined) return true
    return (
      sender.waitingMessages < limits.inboxMessagesMax / share &&
      sender.waitingBytes + bodyBytes <= limits.inboxBytesMax / share
    )
  }

  /** Stores a signed message if it is new, and says what to answer; `message` is set where it was stored just now. */
  receive(
    runMs: number,
    publicKey: Uint8Array,
    id: bigint,
    body: Uint8Array,
  ): { answer: Answer; message?: InboxMessage } {
    const { crypto, senders } = this.#parts
    const nodeId = nodeIdOf(crypto, publicKey)
    const digest = messageDigest(crypto, publicKey, id, body)
    const known = this.known(nodeId, id)
    if (known !== undefined) return { answer: sameContent(known, digest) ? known : TOO_OLD }
    const refused = { answer: { status: STATUS.refused, digest } as const }
    if (!this.hasRoom(nodeId, body.length)) return refused
    const sender = senders.find(nodeId) ?? senders.admit(nodeId, runMs)
    if (sender === undefined) return refused
    const arrival = this.#arrival()
    const message = { handle: this.#nextHandle(), sender: { nodeId, publicKey, id }, body, digest, ...arrival }
    this.#put(message.handle, { sender: { publicKey, id }, digest, body, ...arrival })
    senders.heard(sender, runMs)
    sender.window.add(id, digest)
    this.#keep(message, sender)
    return { answer: { status: STATUS.stored, digest }, message: asMessage(message) }
  }

  /** Stores the message of an anonymous box that is new, if there is room. */
  receiveAnonymous(boxDigest: Uint8Array, body: Uint8Array): InboxMessage | undefined {
    const { limits } = this.#parts
    if (!this.#fits(body.length, false)) return undefined
    if (this.#anonymousMessages >= limits.inboxMessagesMax / limits.inboxSenderShare) return undefined
    if (this.#anonymousBytes + body.length > limits.inboxBytesMax / limits.inboxSenderShare) return undefined
    const arrival = this.#arrival()
    const message = { handle: this.#nextHandle(), body, digest: boxDigest, ...arrival }
    this.#put(message.handle, { digest: boxDigest, body, ...arrival })
    this.#boxes.add(boxDigest)
    this.#keep(message)
    return asMessage(message)
  }

  /** The application has the message for good. `false` where it was taken before. One atomic write. */
  take(handle: bigint): boolean {
    const message = this.#waiting.get(handle)
    if (message === undefined) return false
    const { sender, digest, body } = message
    this.#put(handle, sender === undefined ? { digest } : { sender, digest })
    this.#waiting.delete(handle)
    this.#count(message, -1, -body.length)
    this.#noteTaken(handle, sender?.nodeId)
    return true
  }

  #load(key: string, record: InboxRecord, loadedRunMs: number): void {
    const { crypto, prefix, senders } = this.#parts
    const handle = BigInt(`0x${key.slice(prefix.length + 2)}`)
    const { digest, body, receivedAtMs } = record
    const arrival = receivedAtMs === undefined ? {} : { receivedAtMs }
    if (record.sender === undefined) {
      this.#boxes.add(digest)
      if (body === undefined) this.#takenBoxes.push(key)
      else this.#keep({ handle, body, digest, ...arrival })
      return
    }
    const { publicKey, id } = record.sender
    const nodeId = nodeIdOf(crypto, publicKey)
    const sender = senders.find(nodeId) ?? senders.restore(nodeId, loadedRunMs)
    sender.window.add(id, digest)
    if (body === undefined) sender.taken.push(key)
    else this.#keep({ handle, sender: { nodeId, publicKey, id }, body, digest, ...arrival }, sender)
  }

  #keep(message: Waiting, sender?: Sender): void {
    this.#waiting.set(message.handle, message)
    this.#count(message, 1, message.body.length, sender)
  }

  #count(message: InboxMessage, messages: number, bytes: number, known?: Sender): void {
    this.#waitingBytes += bytes
    if (message.sender === undefined) {
      this.#anonymousMessages += messages
      this.#anonymousBytes += bytes
      return
    }
    const sender = known ?? this.#parts.senders.find(message.sender.nodeId)
    if (sender === undefined) return
    sender.waitingMessages += messages
    sender.waitingBytes += bytes
  }

  #noteTaken(handle: bigint, nodeId: Uint8Array | undefined): void {
    const { prefix, senders, store } = this.#parts
    const key = this.#key(handle)
    if (nodeId !== undefined) {
      const sender = senders.find(nodeId)
      if (sender !== undefined) senders.noteTaken(sender, key)
      return
    }
    this.#takenBoxes.push(key)
    if (this.#takenBoxes.length < FOLD_BOXES) return
    store.put(`${prefix}boxes`, this.#boxes.encode())
    for (const taken of this.#takenBoxes.splice(0)) store.delete(taken)
  }

  #fits(bodyBytes: number, isContact: boolean): boolean {
    const { inboxMessagesMax, inboxBytesMax } = this.#parts.limits
    const part = isContact ? 1 : 0.5
    return this.#waiting.size < inboxMessagesMax * part && this.#waitingBytes + bodyBytes <= inboxBytesMax * part
  }

  #arrival(): { receivedAtMs?: number } {
    const receivedAtMs = this.#parts.wallClockMs()
    return receivedAtMs === undefined ? {} : { receivedAtMs: Math.max(0, Math.floor(receivedAtMs)) }
  }

  #nextHandle(): bigint {
    return this.#parts.counters.next()
  }

  #put(handle: bigint, record: InboxRecord): void {
    this.#parts.store.put(this.#key(handle), encodeInboxRecord(record))
  }

  #key(handle: bigint): string {
    return numberedKey(`${this.#parts.prefix}m/`, handle)
  }
}

const TOO_OLD: Answer = { status: STATUS.tooOld, digest: NO_DIGEST }

function sameContent(answer: Answer, digest: Uint8Array): boolean {
  return answer.status !== STATUS.stored || equalBytes(answer.digest, digest)
}

function asMessage({ digest: _, ...message }: Waiting): InboxMessage {
  return message
}

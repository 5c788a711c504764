import { decodeEnvelope, type Envelope, encodeEnvelope, MESSAGE_TYPE_MAX } from './channel-codec.ts'
import { ReticulumError } from './errors.ts'
import { Feed } from './feed.ts'
import { ENVELOPE_BYTES } from './limits.ts'
import type { LinkSession } from './link-session.ts'
import { CONTEXT } from './packet.ts'

/** Messages under way at once: at first, and at most. */
const WINDOW_FIRST = 2
export const CHANNEL_WINDOW_MAX = 32
/** Messages that wait for room in the window. */
export const CHANNEL_WAITING_MAX = 1_024
/** Bytes of messages that wait for a loop; while half of them do, no more are taken, and the peer sends them again. */
export const CHANNEL_BYTES_WAITING_MAX: number = 2 * 1024 * 1024
/** Messages that are held until the ones before them have come. */
export const CHANNEL_AHEAD_MAX = 64
/** Times that a message is sent before the link is given up. */
export const CHANNEL_TRIES_MAX = 6
const RETRY_MS_MIN = 250
/** How many times longer a proof is taken than it is waited for. */
const LATE_PROOFS = 4

/** A message as it came, in its order. */
export interface ChannelMessage {
  readonly messageType: number
  readonly data: Uint8Array
}

/** Takes messages of one type. */
export interface ChannelHandler {
  /** Whether what it took before still waits for a reader. */
  readonly isBusy: boolean
  take(data: Uint8Array): void
}

interface Outgoing {
  readonly messageType: number
  readonly data: Uint8Array
  readonly settle: (error: Error | undefined) => void
}

interface UnderWay {
  readonly envelope: Uint8Array
  readonly settle: Outgoing['settle']
  tries: number
  isOver: boolean
}

/** Messages both ways over a link, each delivered once and in order: what is not proved in time is sent again. */
export class Channel {
  /** Messages of all types but those of streams. */
  readonly messages: Feed<ChannelMessage> = new Feed(64, ({ data }) => data.length, CHANNEL_BYTES_WAITING_MAX)
  readonly #session: LinkSession
  readonly #waiting: Outgoing[] = []
  readonly #ahead = new Map<number, Envelope>()
  readonly #handlers = new Map<number, ChannelHandler>()
  #underWay = 0
  #window = WINDOW_FIRST
  #nextOut = 0
  #nextIn = 0
  #closed: string | undefined

  constructor(session: LinkSession) {
    this.#session = session
  }

  /** Largest message, in bytes. */
  get mduBytes(): number {
    return this.#session.mduBytes - ENVELOPE_BYTES
  }

  /** Messages that the peer has not proved yet. */
  get pending(): number {
    return this.#underWay + this.#waiting.length
  }

  /**
   * Sends a message; resolves when the peer has proved it.
   * @throws {RangeError} for a type of Reticulum's own, or a message longer than {@link Channel.mduBytes}
   * @throws {ReticulumError} `reticulum/limit` where too many wait, `reticulum/closed` where the link ends first
   */
  send(messageType: number, data: Uint8Array): Promise<void> {
    if (!(messageType >= 0 && messageType <= MESSAGE_TYPE_MAX)) throw new RangeError(`message type ${messageType}`)
    return this.sendSystem(messageType, data)
  }

  /** {@link Channel.send} for all types. */
  async sendSystem(messageType: number, data: Uint8Array): Promise<void> {
    if (data.length > this.mduBytes) throw new RangeError(`a message of ${data.length} bytes, over ${this.mduBytes}`)
    if (this.#closed !== undefined) throw closedError(this.#closed)
    if (this.#waiting.length >= CHANNEL_WAITING_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'channel messages', max: CHANNEL_WAITING_MAX })
    }
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | undefined) => (error === undefined ? resolve() : reject(error))
      this.#waiting.push({ messageType, data: data.slice(), settle })
      this.#fill()
    })
  }

  /** Takes messages of one type, in place of {@link Channel.messages}. */
  handle(messageType: number, handler: ChannelHandler): void {
    this.#handlers.set(messageType, handler)
  }

  /** An envelope from the peer; whether it is to be proved. @throws {ReticulumError} `reticulum/length` */
  receive(plaintext: Uint8Array): boolean {
    const envelope = decodeEnvelope(plaintext)
    const distance = (envelope.sequence - this.#nextIn) & 0xffff
    // Behind: it was delivered, and its proof was lost.
    if (distance >= 0x8000) return true
    if (distance >= CHANNEL_AHEAD_MAX) return false
    if ((this.#handlers.get(envelope.messageType) ?? this.messages).isBusy) return false
    this.#ahead.set(envelope.sequence, envelope)
    for (let next = this.#ahead.get(this.#nextIn); next !== undefined; next = this.#ahead.get(this.#nextIn)) {
      this.#ahead.delete(this.#nextIn)
      this.#nextIn = (this.#nextIn + 1) & 0xffff
      const handler = this.#handlers.get(next.messageType)
      if (handler === undefined) this.messages.publish({ messageType: next.messageType, data: next.data })
      else handler.take(next.data)
    }
    return true
  }

  /** The link is gone. */
  close(why: string): void {
    this.#closed = why
    for (const { settle } of this.#waiting.splice(0)) settle(closedError(why))
    this.#ahead.clear()
    this.messages.end()
  }

  #fill(): void {
    while (this.#underWay < this.#window && this.#waiting.length > 0 && this.#session.isOpen) {
      const { messageType, data, settle } = this.#waiting.shift() as Outgoing
      const envelope = encodeEnvelope({ messageType, sequence: this.#nextOut, data })
      this.#nextOut = (this.#nextOut + 1) & 0xffff
      this.#underWay++
      this.#try({ envelope, settle, tries: 0, isOver: false })
    }
  }

  /**
   * Sends a message, sealed anew each time: a proof that is lost behind a transport node would be a duplicate there if it
   * came for the same packet again. The proof of any of the packets will do.
   */
  #try(message: UnderWay): void {
    message.tries++
    const waitMs =
      (RETRY_MS_MIN + 2.5 * this.#session.roundTripMs) * 1.5 ** (message.tries - 1) * (1 + this.#underWay / 8)
    const retry = this.#session.agenda.after(waitMs, () => this.#unproved(message))
    const packet = this.#session.sendSealed(CONTEXT.channel, message.envelope)
    this.#session.expectProof(packet, LATE_PROOFS * waitMs, (roundTripMs) => {
      if (roundTripMs === undefined && this.#closed === undefined) return
      retry.cancel()
      this.#settle(message, this.#closed === undefined ? undefined : closedError(this.#closed))
    })
  }

  #unproved(message: UnderWay): void {
    if (message.isOver) return
    if (this.#closed !== undefined) {
      this.#settle(message, closedError(this.#closed))
      return
    }
    if (message.tries < CHANNEL_TRIES_MAX) {
      this.#window = Math.max(1, this.#window >> 1)
      this.#try(message)
      return
    }
    this.#settle(message, closedError('the peer proves no message'))
    this.#session.fail('the peer proves no message of the channel')
  }

  #settle(message: UnderWay, error: Error | undefined): void {
    if (message.isOver) return
    message.isOver = true
    this.#underWay--
    message.settle(error)
    if (error !== undefined) return
    this.#window = Math.min(CHANNEL_WINDOW_MAX, this.#window + 1)
    this.#fill()
  }
}

function closedError(why: string): ReticulumError {
  return new ReticulumError({ code: 'reticulum/closed', what: 'a channel', why })
}

import type { Limits } from './limits.ts'
import { COUNTER_LIMIT, PACKET_DATA_MAX_BYTES, SEGMENT_MAX_BYTES, STREAM_CREDIT_BYTES_FIRST } from './limits.ts'
import { readable } from './readable.ts'
import { ReceivedCounters } from './received-counters.ts'
import { ACK_DELAY_MS_MAX, Recovery, type SentPacket } from './recovery.ts'
import { ackBytes, type Chunk, decodeSegment, encodeSegment, SEGMENT_HEAD_BYTES, type Segment } from './segment.ts'
import { counterOf, type StreamCrypter } from './stream-crypter.ts'
import { ReceiveSide, SendSide } from './stream-sides.ts'
import type { SendResult } from './transmitter.ts'

/** Why a stream ended. `finished`: both ends closed and everything arrived. */
export type StreamEnd =
  | 'finished'
  | 'reset'
  | 'unreachable'
  | 'timeout'
  | 'idle'
  | 'no-route'
  | 'violation'
  | 'counter-limit'

/** Reset code of a peer that broke the rules; 0…254 are the application's. */
export const RESET_VIOLATION = 255

/** A reliable, ordered, two-way stream of bytes with forward secrecy. */
export interface Stream {
  readonly peer: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array }
  readonly isInitiator: boolean
  readonly state: 'opening' | 'open' | 'closed'
  /** Set once closed. */
  readonly end: StreamEnd | undefined
  /** The peer's code, where it reset the stream. */
  readonly resetCode: number | undefined
  /** Bytes that {@link write} would take. */
  readonly writableBytes: number
  /** Bytes that {@link read} would give. */
  readonly readableBytes: number
  /** The peer closed its side and everything was read. */
  readonly isEnded: boolean
  /** Takes what there is room for and returns how much; `writable` follows where that was not all. */
  write(nowMs: number, bytes: Uint8Array): number
  /** Up to `bytesMax` bytes in order, none where none came; lets the peer send as many more. */
  read(nowMs: number, bytesMax?: number): Uint8Array
  /** Ends this side: what was written still arrives. */
  close(nowMs: number): void
  /** Ends both sides at once. @param code 0…254 for the peer's application */
  reset(nowMs: number, code?: number): void
}

export type StreamEventKind = 'incoming' | 'open' | 'readable' | 'writable' | 'closed'

/** What a stream asks of the table that holds it. */
export interface StreamParts {
  readonly limits: Limits
  readonly transmit: (nowMs: number, packet: Uint8Array) => SendResult
  readonly notify: (kind: StreamEventKind) => void
}

const ACK_RANGES_WITH_CHUNK = 4
const BLOCKED_MS_FIRST = 1_000
const BLOCKED_MS_MAX = 60_000
const LINGER_TIMEOUTS = 3

/** The state of one stream behind {@link Stream}: buffers, acknowledgements, timers. */
export class StreamCore implements Stream {
  readonly peer: Stream['peer']
  readonly isInitiator: boolean
  readonly #parts: StreamParts
  readonly #sending: SendSide
  readonly #receiving: ReceiveSide
  readonly #counters = new ReceivedCounters()
  #recovery: Recovery
  #crypter: StreamCrypter | undefined
  #state: Stream['state'] = 'opening'
  #end: StreamEnd | undefined
  #resetCode: number | undefined
  #ownReset: number | undefined
  #counter = 0
  /** Responder: when it answered, until the first packet proves that the initiator has the keys. */
  #answeredMs: number | undefined
  #eliciting = 0
  #ackMs = Number.POSITIVE_INFINITY
  #newestMs = 0
  #owesPing = false
  #toldCredit = 0
  #wantsRoom = false
  #lastHeardMs: number
  #blocked = 0
  #blockedUntilMs = Number.NEGATIVE_INFINITY
  #lingerUntilMs = Number.POSITIVE_INFINITY
  #resetSentMs = Number.NEGATIVE_INFINITY

  constructor(nowMs: number, peer: Stream['peer'], isInitiator: boolean, rtoMsFirst: number, parts: StreamParts) {
    this.peer = peer
    this.isInitiator = isInitiator
    this.#parts = parts
    this.#lastHeardMs = nowMs
    this.#sending = new SendSide(parts.limits.streamBufferBytes, STREAM_CREDIT_BYTES_FIRST)
    this.#receiving = new ReceiveSide(parts.limits.streamBufferBytes)
    this.#recovery = new Recovery(rtoMsFirst)
  }

  get state(): Stream['state'] {
    return this.#state
  }

  get end(): StreamEnd | undefined {
    return this.#end
  }

  get resetCode(): number | undefined {
    return this.#resetCode
  }

  get writableBytes(): number {
    return this.#state === 'closed' ? 0 : this.#sending.roomBytes
  }

  get readableBytes(): number {
    return this.#receiving.readableBytes
  }

  get isEnded(): boolean {
    return this.#receiving.isDone
  }

  /** Whether the table may forget the stream. */
  isGone(nowMs: number): boolean {
    return this.#state === 'closed' && nowMs >= this.#lingerUntilMs
  }

  write(nowMs: number, bytes: Uint8Array): number {
    if (this.#state === 'closed' || this.#sending.isClosed) return 0
    const taken = this.#sending.write(bytes)
    this.#wantsRoom = taken < bytes.length
    this.#pump(nowMs)
    return taken
  }

  read(nowMs: number, bytesMax: number = Number.POSITIVE_INFINITY): Uint8Array {
    const bytes = this.#receiving.read(bytesMax)
    // The peer is told of new room once it is half a buffer; the ping has it repeated until it is heard.
    if (
      this.#state === 'open' &&
      this.#receiving.credit - this.#toldCredit >= this.#parts.limits.streamBufferBytes / 2
    ) {
      this.#owesPing = true
      this.#pump(nowMs)
    }
    this.#finishIfDone(nowMs)
    return bytes
  }

  close(nowMs: number): void {
    this.#sending.close()
    this.#pump(nowMs)
  }

  reset(nowMs: number, code = 0): void {
    if (!Number.isInteger(code) || code < 0 || code > 255) throw new RangeError(`${code} is no reset code`)
    if (this.#state === 'closed') return
    this.#sendReset(nowMs, code)
    this.#closed(nowMs, code === RESET_VIOLATION ? 'violation' : 'reset')
  }

  /** The handshake is done. @param rttMs its round trip, where that was measured */
  established(nowMs: number, crypter: StreamCrypter, rttMs?: number): void {
    this.#crypter = crypter
    this.#state = 'open'
    this.#lastHeardMs = nowMs
    this.#toldCredit = STREAM_CREDIT_BYTES_FIRST
    if (rttMs !== undefined) this.#recovery.rtt.sample(rttMs)
    if (this.isInitiator) {
      // The responder tells its application only when it knows that we are here.
      this.#owesPing = true
      this.#parts.notify('open')
      this.#pump(nowMs)
    } else this.#answeredMs = nowMs
  }

  /** Takes a packet in; `false` where it is a repeat or not authentic. */
  receive(nowMs: number, data: Uint8Array): boolean {
    const counter = counterOf(data)
    if (this.#crypter === undefined || !this.#counters.isNew(counter)) return false
    const plaintext = this.#crypter.open(data)
    if (plaintext === undefined) return false
    this.#lastHeardMs = nowMs
    const inOrder = this.#counters.add(counter)
    if (this.#answeredMs !== undefined) {
      this.#recovery.rtt.sample(nowMs - this.#answeredMs)
      this.#answeredMs = undefined
      this.#parts.notify('incoming')
    }
    const segment = readable(decodeSegment, plaintext)
    if (this.#state === 'closed') this.#answerClosed(nowMs, segment)
    else if (segment === undefined) this.reset(nowMs, RESET_VIOLATION)
    else this.#take(nowMs, segment, inOrder)
    return true
  }

  /** The stream came to nothing or to its end. */
  fail(nowMs: number, end: StreamEnd): void {
    if (this.#state !== 'closed') this.#closed(nowMs, end)
  }

  tick(nowMs: number): void {
    if (this.#state !== 'open') {
      if (this.#state === 'closed' && this.#ackMs <= nowMs) this.#sendAck(nowMs)
      return
    }
    if (nowMs - this.#lastHeardMs >= this.#parts.limits.streamIdleMs) {
      this.#closed(nowMs, 'idle')
      return
    }
    if (this.#recovery.timerMs <= nowMs) this.#onTimer(nowMs)
    if (this.#state === 'open') this.#pump(nowMs)
  }

  nextWakeMs(): number {
    if (this.#state === 'closed') return Math.min(this.#lingerUntilMs, this.#ackMs)
    if (this.#state === 'opening') return Number.POSITIVE_INFINITY
    const idleMs = this.#lastHeardMs + this.#parts.limits.streamIdleMs
    const waits = this.#sending.hasWork || this.#owesPing
    const isBlocked = this.#blocked > 0 && waits && this.#recovery.allows(PACKET_DATA_MAX_BYTES)
    const blockedMs = isBlocked ? this.#blockedUntilMs : Number.POSITIVE_INFINITY
    return Math.min(idleMs, blockedMs, this.#recovery.timerMs, Math.max(this.#ackMs, this.#blockedUntilMs))
  }

  wipe(): void {
    this.#crypter?.wipe()
  }

  #take(nowMs: number, segment: Segment, inOrder: boolean): void {
    if (segment.resetCode !== undefined) {
      this.#resetCode = segment.resetCode
      this.#closed(nowMs, 'reset')
      return
    }
    const { ack, chunk } = segment
    if (ack !== undefined) {
      this.#sending.grant(ack.credit)
      const { acked, lost } = this.#recovery.acked(nowMs, ack.ranges, ack.delayMs)
      for (const { span } of acked) if (span !== undefined) this.#sending.acked(span)
      this.#onLost(lost)
    }
    const before = this.#receiving.readableBytes
    if (chunk !== undefined && !this.#receiving.take(chunk)) {
      this.reset(nowMs, RESET_VIOLATION)
      return
    }
    if (chunk !== undefined || segment.ping) this.#noteEliciting(nowMs, inOrder)
    const told = this.#receiving.readableBytes > before || (chunk?.fin === true && this.#receiving.isComplete)
    // An acknowledgement waits for the tick: one answers all packets that came together.
    this.#sendChunks(nowMs)
    if (told) this.#parts.notify('readable')
    if (this.#wantsRoom && this.writableBytes >= this.#parts.limits.streamBufferBytes / 2) {
      this.#wantsRoom = false
      this.#parts.notify('writable')
    }
    this.#finishIfDone(nowMs)
  }

  #noteEliciting(nowMs: number, inOrder: boolean): void {
    this.#newestMs = nowMs
    this.#eliciting++
    const now = !inOrder || this.#eliciting >= 2
    this.#ackMs = now ? nowMs : Math.min(this.#ackMs, nowMs + ACK_DELAY_MS_MAX)
  }

  /** Sends what may be sent: chunks as far as window and credit reach, else a due acknowledgement. */
  #pump(nowMs: number): void {
    this.#sendChunks(nowMs)
    if (this.#state === 'open' && this.#ackMs <= nowMs && nowMs >= this.#blockedUntilMs) this.#sendAck(nowMs)
  }

  #sendChunks(nowMs: number): void {
    while (this.#state === 'open' && nowMs >= this.#blockedUntilMs && this.#recovery.allows(PACKET_DATA_MAX_BYTES)) {
      if (!this.#sendNext(nowMs)) break
    }
  }

  /** Sends one packet that asks for an acknowledgement. `false` where there is nothing to send or it did not go. */
  #sendNext(nowMs: number): boolean {
    const ranges = this.#counters.newest(ACK_RANGES_WITH_CHUNK)
    const overhead = SEGMENT_HEAD_BYTES + (ranges.length > 0 ? ackBytes(ranges.length) : 0)
    const chunk = this.#sending.nextChunk(SEGMENT_MAX_BYTES - overhead)
    if (chunk === undefined && !this.#owesPing) return false
    return this.#sendEliciting(nowMs, chunk)
  }

  #sendEliciting(nowMs: number, chunk: Chunk | undefined): boolean {
    if (this.#counter >= COUNTER_LIMIT) {
      this.#closed(nowMs, 'counter-limit')
      return false
    }
    const counter = this.#counter
    const span = chunk && { start: chunk.offset, end: chunk.offset + chunk.bytes.length, fin: chunk.fin }
    this.#owesPing = false
    // Noted before it is handed over: the answer may come while it is.
    const packet: SentPacket = { counter, bytes: PACKET_DATA_MAX_BYTES, sentMs: nowMs, ...(span && { span }) }
    this.#recovery.sent(packet)
    const result = this.#sendSegment(nowMs, {
      ...this.#ack(nowMs, ACK_RANGES_WITH_CHUNK),
      ...(chunk && { chunk }),
      ping: !chunk,
    })
    if (result !== 'no-route') {
      this.#blocked = 0
      return true
    }
    this.#recovery.unsent(counter)
    this.#onLost([packet])
    this.#blockedUntilMs = nowMs + Math.min(BLOCKED_MS_MAX, BLOCKED_MS_FIRST * 2 ** this.#blocked)
    if (++this.#blocked > this.#parts.limits.streamTriesMax) this.#closed(nowMs, 'no-route')
    return false
  }

  #sendAck(nowMs: number): void {
    const { ack } = this.#ack(nowMs)
    if (ack === undefined || this.#counter >= COUNTER_LIMIT) this.#ackMs = Number.POSITIVE_INFINITY
    else this.#sendSegment(nowMs, { ack, ping: false })
  }

  #sendReset(nowMs: number, resetCode: number): void {
    this.#ownReset = resetCode
    this.#resetSentMs = nowMs
    if (this.#crypter !== undefined && this.#counter < COUNTER_LIMIT)
      this.#sendSegment(nowMs, { resetCode, ping: false })
  }

  #ack(nowMs: number, rangesMax?: number): Pick<Segment, 'ack'> {
    const ranges = this.#counters.newest(rangesMax)
    if (ranges.length === 0) return {}
    const delayMs = this.#eliciting === 0 ? 0 : Math.min(0xffff, Math.floor(nowMs - this.#newestMs))
    return { ack: { ranges, delayMs, credit: this.#receiving.credit } }
  }

  #sendSegment(nowMs: number, segment: Segment): SendResult {
    if (segment.ack !== undefined) {
      this.#eliciting = 0
      this.#ackMs = Number.POSITIVE_INFINITY
      this.#toldCredit = segment.ack.credit
    }
    return this.#parts.transmit(nowMs, this.#crypter!.seal(this.#counter++, encodeSegment(segment)))
  }

  #onTimer(nowMs: number): void {
    const { lost, probe } = this.#recovery.timer(nowMs)
    this.#onLost(lost)
    if (!probe) return
    if (this.#recovery.timeouts > this.#parts.limits.streamTriesMax) {
      this.#closed(nowMs, 'timeout')
      return
    }
    this.#owesPing = true
    if (nowMs >= this.#blockedUntilMs) this.#sendNext(nowMs)
  }

  #onLost(lost: readonly SentPacket[]): void {
    for (const { span } of lost) {
      if (span === undefined) this.#owesPing = true
      else this.#sending.lost(span)
    }
  }

  #finishIfDone(nowMs: number): void {
    if (this.#state === 'open' && this.#sending.isDone && this.#receiving.isDone) this.#closed(nowMs, 'finished')
  }

  /** A peer that has not heard of the end yet: its last bytes are acknowledged, anything after a reset is answered by one. */
  #answerClosed(nowMs: number, segment: Segment | undefined): void {
    if (segment === undefined || segment.resetCode !== undefined) return
    if (this.#ownReset !== undefined) {
      if (nowMs - this.#resetSentMs >= this.#recovery.rtt.rtoMs) this.#sendReset(nowMs, this.#ownReset)
    } else if (this.#end === 'finished' && (segment.chunk !== undefined || segment.ping)) {
      this.#newestMs = nowMs
      this.#sendAck(nowMs)
    }
  }

  #closed(nowMs: number, end: StreamEnd): void {
    if (end === 'finished' && this.#ackMs < Number.POSITIVE_INFINITY) this.#sendAck(nowMs)
    this.#state = 'closed'
    this.#end = end
    this.#ackMs = Number.POSITIVE_INFINITY
    this.#lingerUntilMs = nowMs + (this.#crypter === undefined ? 0 : LINGER_TIMEOUTS * this.#recovery.rtt.rtoMs)
    this.#parts.notify('closed')
  }
}

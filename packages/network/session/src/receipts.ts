import { toHex } from '@nexus/codec'
import { CONTEXT } from '@nexus/framing'
import type { ReservedCounter } from '@nexus/identity'
import { MODE } from './content.ts'
import type { Limits } from './limits.ts'
import { encodeReceipt, type Receipt } from './receipt.ts'
import type { Sealer } from './sealer.ts'
import type { Priority, SendPacket } from './transmitter.ts'

/** Hand-overs that fail before a receipt is dropped; the sender's next resend asks for it again. */
const TRIES_MAX = 6
const PRIORITY: Priority = 1

/** What the receipt queue is built on. */
export interface ReceiptParts {
  readonly counters: ReservedCounter
  readonly limits: Limits
  readonly sealer: Sealer
  readonly sendPacket: SendPacket
}

interface Lane {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
  /** By the id they answer: a newer answer to the same message takes the place of the older. */
  readonly waiting: Map<bigint, Receipt>
  nextMs: number
  tries: number
}

/**
 * Receipts on their way: one per sender and second, the latest answer per message. Lanes and their receipts are bounded; what
 * falls out is asked for again by the next resend of its message.
 */
export class ReceiptQueue {
  readonly #parts: ReceiptParts
  /** The lane that was used least recently comes first. */
  readonly #lanes = new Map<string, Lane>()
  #nextMs = Number.POSITIVE_INFINITY

  constructor(parts: ReceiptParts) {
    this.#parts = parts
  }

  get lanes(): number {
    return this.#lanes.size
  }

  add(nowMs: number, nodeId: Uint8Array, publicKey: Uint8Array, receipt: Receipt): void {
    const { limits } = this.#parts
    const name = toHex(nodeId)
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { nodeId, publicKey, waiting: new Map(), nextMs: nowMs, tries: 0 }
      if (this.#lanes.size >= limits.receiptSendersMax) this.#lanes.delete(this.#lanes.keys().next().value!)
    } else this.#lanes.delete(name)
    this.#lanes.set(name, lane)
    if (!lane.waiting.has(receipt.id) && lane.waiting.size >= limits.receiptsPerSenderMax) {
      lane.waiting.delete(lane.waiting.keys().next().value!)
    }
    lane.waiting.set(receipt.id, receipt)
    this.#serve(nowMs, name, lane)
    this.#nextMs = Math.min(this.#nextMs, lane.nextMs)
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return
    for (const [name, lane] of [...this.#lanes]) this.#serve(nowMs, name, lane)
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) this.#nextMs = Math.min(this.#nextMs, lane.nextMs)
  }

  nextWakeMs(): number {
    return this.#nextMs
  }

  /** Sends the oldest receipt of a lane if it is time; an empty lane goes once its second is over. */
  #serve(nowMs: number, name: string, lane: Lane): void {
    const { counters, limits, sealer, sendPacket } = this.#parts
    if (nowMs < lane.nextMs) return
    const first = lane.waiting.entries().next().value
    if (first === undefined) {
      this.#lanes.delete(name)
      return
    }
    const [id, receipt] = first
    const recipientKey = sealer.agreementKey(lane.publicKey)
    lane.waiting.delete(id)
    if (recipientKey === undefined) return
    const content = { mode: MODE.receipt, id: counters.next(), body: encodeReceipt(receipt) }
    const packet = sealer.signed(recipientKey, lane.nodeId, CONTEXT.SEALED, content)
    lane.nextMs = nowMs + limits.receiptSpacingMs
    if (sendPacket(nowMs, lane.nodeId, packet, PRIORITY) !== 'no-route') {
      lane.tries = 0
      return
    }
    lane.tries++
    lane.nextMs = nowMs + limits.receiptSpacingMs * 2 ** lane.tries
    if (lane.tries < TRIES_MAX && !lane.waiting.has(id)) lane.waiting.set(id, receipt)
    else lane.tries = 0
  }
}

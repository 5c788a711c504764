import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { CONTEXT } from '@nexus/framing'
import { nodeIdOf } from '@nexus/identity'
import type { Bulk } from './bulk.ts'
import { MODE } from './content.ts'
import { encodeFragment, fragmentOf } from './fragment.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import { isSettled, type Outgoing } from './outgoing.ts'
import type { Sealer } from './sealer.ts'

/** 0 real-time … 3 bulk, as congestion control has them. */
export type Priority = 0 | 1 | 2 | 3
/** `sent`: on a link; `queued`: taken, but not yet on one; `no-route`: not taken. */
export type SendResult = 'sent' | 'queued' | 'no-route'
/** Hands a packet to routing. */
export type SendPacket = (nowMs: number, destination: Uint8Array, packet: Uint8Array, priority: Priority) => SendResult

/** What a transmitter is built on. */
export interface TransmitterParts {
  readonly crypto: Crypto
  readonly sealer: Sealer
  readonly sendPacket: SendPacket
  readonly publicKeyOf: (nodeId: Uint8Array) => Uint8Array | undefined
}

const PRIORITY_WHOLE: Priority = 2
const PRIORITY_PARTS: Priority = 3

/** Makes a message into packets and hands them over. */
export class Transmitter {
  readonly #parts: TransmitterParts

  constructor(parts: TransmitterParts) {
    this.#parts = parts
  }

  /** The X25519 key of a destination, from a verified key that belongs to it. */
  recipientKey(destination: Uint8Array): Uint8Array | undefined {
    const { crypto, publicKeyOf, sealer } = this.#parts
    const publicKey = publicKeyOf(destination)
    if (publicKey === undefined || !equalBytes(nodeIdOf(crypto, publicKey), destination)) return undefined
    return sealer.agreementKey(publicKey)
  }

  /** Sends the whole, or as many parts as the window allows; `queued` where none was due. */
  transmit(nowMs: number, { message, bulk }: OutboxEntry, recipientKey: Uint8Array): SendResult {
    return bulk === undefined
      ? this.#sendWhole(nowMs, message, recipientKey)
      : this.#sendParts(nowMs, message, bulk, recipientKey)
  }

  #sendWhole(nowMs: number, message: Outgoing, recipientKey: Uint8Array): SendResult {
    const { sealer, sendPacket } = this.#parts
    const { destination, wireId, body } = message
    const packet = message.anonymous
      ? sealer.anonymous(recipientKey, destination, CONTEXT.SEALED, body)
      : sealer.signed(recipientKey, destination, CONTEXT.SEALED, { mode: MODE.signed, id: wireId, body })
    return sendPacket(nowMs, destination, packet, PRIORITY_WHOLE)
  }

  #sendParts(nowMs: number, message: Outgoing, bulk: Bulk, recipientKey: Uint8Array): SendResult {
    const { sealer, sendPacket } = this.#parts
    const { destination, wireId } = message
    let result: SendResult | undefined
    for (let part = bulk.next(); part !== undefined && !isSettled(message); part = bulk.next()) {
      const body = encodeFragment(fragmentOf(message.body, part))
      const packet = sealer.signed(recipientKey, destination, CONTEXT.FRAGMENT, { mode: MODE.signed, id: wireId, body })
      // Noted before it is handed over: the answer may come while it is.
      bulk.sent(part, nowMs)
      const sent = sendPacket(nowMs, destination, packet, PRIORITY_PARTS)
      if (sent === 'no-route') {
        bulk.unsent(part)
        return result ?? 'no-route'
      }
      if (result !== 'queued') result = sent
    }
    return result ?? 'queued'
  }
}

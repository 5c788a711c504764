import { readU32, writeU32 } from '@nexus/codec'
import type { Cipher, Crypto } from '@nexus/crypto'
import { ADDRESS_BYTES, CONTEXT, HEADER_BYTES } from '@nexus/framing'
import { STREAM_HEAD_BYTES, TAG_BYTES } from './limits.ts'
import { sealedPacket } from './sealer.ts'

const ASSOCIATED_HEAD_AT: number = ADDRESS_BYTES + 1

/** The two keys of an established session. */
export interface SessionKeys {
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
}

/**
 * Seals and opens the packets of one session: `session id u32 | counter u32 | ciphertext | tag 16`. The nonce is the counter; the
 * associated data are the packet's destination, its context and the eight bytes before the ciphertext.
 */
export class StreamCrypter {
  readonly #send: Cipher
  readonly #receive: Cipher
  /** A packet to the peer up to the counter. */
  readonly #head: Uint8Array
  readonly #associatedOut: Uint8Array
  readonly #associatedIn: Uint8Array

  constructor(crypto: Crypto, keys: SessionKeys, sessionId: number, peer: Uint8Array, self: Uint8Array) {
    this.#send = crypto.cipher(keys.sendKey)
    this.#receive = crypto.cipher(keys.receiveKey)
    this.#head = sealedPacket(peer, CONTEXT.STREAM, new Uint8Array(STREAM_HEAD_BYTES))
    writeU32(this.#head, HEADER_BYTES, sessionId)
    this.#associatedOut = associated(peer)
    this.#associatedIn = associated(self)
  }

  /** A whole packet to the peer. */
  seal(counter: number, plaintext: Uint8Array): Uint8Array {
    const head = this.#head
    writeU32(head, head.length - 4, counter)
    const packet = new Uint8Array(head.length + plaintext.length + TAG_BYTES)
    packet.set(head)
    this.#associatedOut.set(head.subarray(HEADER_BYTES), ASSOCIATED_HEAD_AT)
    this.#send.seal(counter, this.#associatedOut, plaintext, packet, head.length)
    return packet
  }

  /** The plaintext of packet data of at least {@link STREAM_HEAD_BYTES}, `undefined` where the tag does not hold. */
  open(data: Uint8Array): Uint8Array | undefined {
    if (data.length < STREAM_HEAD_BYTES + TAG_BYTES) return undefined
    const plaintext = new Uint8Array(data.length - STREAM_HEAD_BYTES - TAG_BYTES)
    const sealed = data.subarray(STREAM_HEAD_BYTES)
    this.#associatedIn.set(data.subarray(0, STREAM_HEAD_BYTES), ASSOCIATED_HEAD_AT)
    const opened = this.#receive.open(counterOf(data), this.#associatedIn, sealed, plaintext, 0)
    return opened < 0 ? undefined : plaintext
  }

  wipe(): void {
    this.#send.wipe()
    this.#receive.wipe()
  }
}

/** The session that packet data of context 43 name, `undefined` where they are too short. */
export function sessionIdOf(data: Uint8Array): number | undefined {
  return data.length < STREAM_HEAD_BYTES ? undefined : readU32(data, 0)
}

/** The counter of packet data of at least {@link STREAM_HEAD_BYTES}. */
export function counterOf(data: Uint8Array): number {
  return readU32(data, 4)
}

/** Room for the associated data, complete but for the eight bytes at {@link ASSOCIATED_HEAD_AT}. */
function associated(destination: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ASSOCIATED_HEAD_AT + STREAM_HEAD_BYTES)
  bytes.set(destination)
  bytes[ADDRESS_BYTES] = CONTEXT.STREAM
  return bytes
}

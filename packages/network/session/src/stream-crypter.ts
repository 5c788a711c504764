import { ByteReader, ByteWriter } from '@nexus/codec'
import type { Cipher, Crypto } from '@nexus/crypto'
import { CONTEXT } from '@nexus/framing'
import { STREAM_HEAD_BYTES, TAG_BYTES } from './limits.ts'

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
  readonly #sessionId: number
  readonly #peer: Uint8Array
  readonly #self: Uint8Array

  constructor(crypto: Crypto, keys: SessionKeys, sessionId: number, peer: Uint8Array, self: Uint8Array) {
    this.#send = crypto.cipher(keys.sendKey)
    this.#receive = crypto.cipher(keys.receiveKey)
    this.#sessionId = sessionId
    this.#peer = peer
    this.#self = self
  }

  /** Packet data. */
  seal(counter: number, plaintext: Uint8Array): Uint8Array {
    const data = new Uint8Array(STREAM_HEAD_BYTES + plaintext.length + TAG_BYTES)
    new ByteWriter(STREAM_HEAD_BYTES, data).u32(this.#sessionId).u32(counter)
    this.#send.seal(counter, associated(this.#peer, data), plaintext, data, STREAM_HEAD_BYTES)
    return data
  }

  /** The plaintext of packet data of at least {@link STREAM_HEAD_BYTES}, `undefined` where the tag does not hold. */
  open(data: Uint8Array): Uint8Array | undefined {
    if (data.length < STREAM_HEAD_BYTES + TAG_BYTES) return undefined
    const plaintext = new Uint8Array(data.length - STREAM_HEAD_BYTES - TAG_BYTES)
    const sealed = data.subarray(STREAM_HEAD_BYTES)
    const opened = this.#receive.open(counterOf(data), associated(this.#self, data), sealed, plaintext, 0)
    return opened < 0 ? undefined : plaintext
  }

  wipe(): void {
    this.#send.wipe()
    this.#receive.wipe()
  }
}

/** The session that packet data of context 43 name, `undefined` where they are too short. */
export function sessionIdOf(data: Uint8Array): number | undefined {
  return data.length < STREAM_HEAD_BYTES ? undefined : new ByteReader(data).u32()
}

/** The counter of packet data of at least {@link STREAM_HEAD_BYTES}. */
export function counterOf(data: Uint8Array): number {
  return new ByteReader(data.subarray(4)).u32()
}

function associated(destination: Uint8Array, data: Uint8Array): Uint8Array {
  const writer = new ByteWriter(destination.length + 1 + STREAM_HEAD_BYTES)
  return writer.bytes(destination).u8(CONTEXT.STREAM).bytes(data.subarray(0, STREAM_HEAD_BYTES)).finish()
}

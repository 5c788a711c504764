import { toHex } from '@nexus/codec'
import { type Crypto, CryptoError, type Random } from '@nexus/crypto'
import { encodePacket, nativePacket, PACKET_TYPE } from '@nexus/framing'
import type { Identity } from '@nexus/identity'
import { encodeContent, MODE, type SignedContent, signContent } from './content.ts'
import { sealBox } from './sealed-box.ts'

/** Mapping a key costs more than all the rest of a box; so the last ones are kept. */
const AGREEMENT_KEYS_MAX = 256

/** Makes the packets of one identity: content, box, packet. */
export class Sealer {
  readonly #crypto: Crypto
  readonly #identity: Identity
  readonly #random: Random
  readonly #agreementKeys = new Map<string, Uint8Array>()

  constructor(crypto: Crypto, identity: Identity, random: Random) {
    this.#crypto = crypto
    this.#identity = identity
    this.#random = random
  }

  /** The X25519 form of an Ed25519 key; `undefined` where there is none. */
  agreementKey(publicKey: Uint8Array): Uint8Array | undefined {
    const name = toHex(publicKey)
    const known = this.#agreementKeys.get(name)
    const agreementKey = known ?? this.#mapped(publicKey)
    if (agreementKey === undefined) return undefined
    this.#agreementKeys.delete(name)
    this.#agreementKeys.set(name, agreementKey)
    if (this.#agreementKeys.size > AGREEMENT_KEYS_MAX) {
      this.#agreementKeys.delete(this.#agreementKeys.keys().next().value!)
    }
    return agreementKey
  }

  signed(
    recipientKey: Uint8Array,
    destination: Uint8Array,
    context: number,
    content: { mode: SignedContent['mode']; id: bigint; body: Uint8Array },
  ): Uint8Array {
    const ephemeral = this.#crypto.ephemeralKey(this.#random)
    const plaintext = signContent(this.#crypto, this.#identity, content, destination, ephemeral.publicKey)
    return sealedPacket(
      destination,
      context,
      sealBox(this.#crypto, ephemeral, recipientKey, destination, context, plaintext),
    )
  }

  anonymous(recipientKey: Uint8Array, destination: Uint8Array, context: number, body: Uint8Array): Uint8Array {
    const ephemeral = this.#crypto.ephemeralKey(this.#random)
    const plaintext = encodeContent({ mode: MODE.anonymous, body })
    return sealedPacket(
      destination,
      context,
      sealBox(this.#crypto, ephemeral, recipientKey, destination, context, plaintext),
    )
  }

  #mapped(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return this.#crypto.toX25519Public(publicKey)
    } catch (error) {
      if (error instanceof CryptoError) return undefined
      throw error
    }
  }
}

/** A native data packet. */
export function sealedPacket(destination: Uint8Array, context: number, data: Uint8Array): Uint8Array {
  return encodePacket(nativePacket({ type: PACKET_TYPE.DATA, destination, context, data }))
}

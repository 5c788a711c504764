import { concatBytes, encodeUtf8, fromHex } from '@nexus/codec'
import { equalConstantTime } from '@nexus/crypto'
import { hkdf, type ReticulumCrypto } from './crypto.ts'
import { Identity } from './identity.ts'
import { IDENTITY_KEY_BYTES } from './limits.ts'
import { FLAG } from './packet.ts'

const SALT = fromHex('adf54d882c9a9b80771eb4995d702d4a3e733391b2a0f53f416d9f907e55cff8')

export interface AccessCodeOptions {
  readonly networkName?: string
  readonly passphrase?: string
  /** 1 to 64; Reticulum's own default is 16 on TCP and UDP, and 8 on serial lines and radio. */
  readonly sizeBytes: number
}

/**
 * Interface access codes (docs/spec/reticulum.md): packets of an interface carry a signature's last bytes, and are masked,
 * so that only who knows the network's name and passphrase is heard.
 */
export class AccessCode {
  readonly sizeBytes: number
  /** 64 bytes, a secret: also the private key of the signing identity. */
  readonly key: Uint8Array
  readonly identity: Identity
  readonly #crypto: ReticulumCrypto

  /** @throws {RangeError} for a size that no code has; {TypeError} without name and passphrase */
  constructor(crypto: ReticulumCrypto, options: AccessCodeOptions) {
    const { networkName, passphrase, sizeBytes } = options
    if (!Number.isInteger(sizeBytes) || sizeBytes < 1 || sizeBytes > 64) throw new RangeError(`sizeBytes ${sizeBytes}`)
    const parts = [networkName, passphrase].filter((part) => part !== undefined)
    if (parts.length === 0) throw new TypeError('an access code needs a network name or a passphrase')
    const origin = crypto.sha256(concatBytes(...parts.map((part) => crypto.sha256(encodeUtf8(part)))))
    this.#crypto = crypto
    this.sizeBytes = sizeBytes
    this.key = hkdf(crypto, IDENTITY_KEY_BYTES, origin, SALT)
    this.identity = new Identity(crypto, this.key)
  }

  /** The packet as it goes on the wire. */
  protect(packet: Uint8Array): Uint8Array {
    const size = this.sizeBytes
    const code = this.#codeOf(packet)
    const masked = new Uint8Array(packet.length + size)
    masked.set(packet.subarray(0, 2))
    masked.set(code, 2)
    masked.set(packet.subarray(2), 2 + size)
    this.#mask(masked, code)
    masked[0]! |= FLAG.accessCode
    return masked
  }

  /** The packet within what came from the wire, or `undefined` where its code is wrong or missing. */
  open(masked: Uint8Array): Uint8Array | undefined {
    const size = this.sizeBytes
    if (masked.length <= 2 + size || (masked[0]! & FLAG.accessCode) === 0) return undefined
    const code = masked.slice(2, 2 + size)
    const clear = masked.slice()
    this.#mask(clear, code)
    const packet = concatBytes(clear.subarray(0, 2), clear.subarray(2 + size))
    packet[0]! &= ~FLAG.accessCode
    return equalConstantTime(code, this.#codeOf(packet)) ? packet : undefined
  }

  #codeOf(packet: Uint8Array): Uint8Array {
    return this.identity.sign(packet).slice(64 - this.sizeBytes)
  }

  /** Every byte but the code is XORed with the byte of the stream at its place. */
  #mask(bytes: Uint8Array, code: Uint8Array): void {
    const stream = hkdf(this.#crypto, bytes.length, code, this.key)
    for (let at = 0; at < bytes.length; at++) {
      if (at < 2 || at >= 2 + this.sizeBytes) bytes[at]! ^= stream[at]!
    }
  }
}

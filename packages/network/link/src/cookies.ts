import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { type Crypto, equalConstantTime, type Random } from '@nexus/crypto'
import { COOKIE_BYTES, COOKIE_SECRET_MS } from './limits.ts'

/**
 * Cookies of one interface: keyed BLAKE2b-128(secret, source address ‖ e). They prove, without any memory, that whoever
 * asks can be answered at its address. The secret changes every 120 s; the one before still counts.
 */
export class CookieJar {
  readonly #crypto: Crypto
  readonly #random: Random
  #secret: Uint8Array
  #previous: Uint8Array | undefined
  #changedMs: number

  constructor(nowMs: number, crypto: Crypto, random: Random) {
    this.#crypto = crypto
    this.#random = random
    this.#secret = random(32)
    this.#changedMs = nowMs
  }

  make(nowMs: number, address: string | undefined, ephemeral: Uint8Array): Uint8Array {
    this.#turn(nowMs)
    return this.#cookie(this.#secret, address, ephemeral)
  }

  isValid(nowMs: number, address: string | undefined, ephemeral: Uint8Array, cookie: Uint8Array): boolean {
    this.#turn(nowMs)
    if (equalConstantTime(cookie, this.#cookie(this.#secret, address, ephemeral))) return true
    return this.#previous !== undefined && equalConstantTime(cookie, this.#cookie(this.#previous, address, ephemeral))
  }

  #turn(nowMs: number): void {
    const ageMs = nowMs - this.#changedMs
    if (ageMs < COOKIE_SECRET_MS) return
    this.#previous = ageMs < 2 * COOKIE_SECRET_MS ? this.#secret : undefined
    this.#secret = this.#random(32)
    this.#changedMs = nowMs
  }

  #cookie(secret: Uint8Array, address: string | undefined, ephemeral: Uint8Array): Uint8Array {
    return this.#crypto.blake2b(concatBytes(encodeUtf8(address ?? ''), ephemeral), {
      length: COOKIE_BYTES,
      key: secret,
    })
  }
}

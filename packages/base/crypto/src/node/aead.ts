import { createCipheriv, createDecipheriv } from 'node:crypto'
import { wipe } from '../bytes.ts'
import { assertLength, assertRoom, writeCounterNonce } from '../check.ts'
import { CryptoError } from '../errors.ts'
import { AUTH_TAG_BYTES, KEY_BYTES, NONCE_BYTES, WASM_ASSOCIATED_MAX_BYTES, WASM_MESSAGE_MAX_BYTES } from '../limits.ts'
import type { Cipher } from '../provider.ts'
import type { Sodium } from './sodium.ts'

const ALGORITHM = 'chacha20-poly1305'
const TAG_OPTIONS = { authTagLength: AUTH_TAG_BYTES } as const

/** ChaCha20-Poly1305 through fixed places in the wasm heap, so that a small message costs its copies and no object. */
export class WasmAead {
  readonly #sodium: Sodium
  readonly #key: number
  readonly #nonce: number
  readonly #associated: number
  readonly #message: number

  constructor(sodium: Sodium) {
    this.#sodium = sodium
    this.#key = sodium._malloc(KEY_BYTES)
    this.#nonce = sodium._malloc(NONCE_BYTES)
    this.#associated = sodium._malloc(WASM_ASSOCIATED_MAX_BYTES)
    this.#message = sodium._malloc(WASM_MESSAGE_MAX_BYTES + AUTH_TAG_BYTES)
  }

  /** Whether a message fits the places here; else it goes to OpenSSL. */
  fits(associated: Uint8Array, messageBytes: number): boolean {
    return messageBytes <= WASM_MESSAGE_MAX_BYTES && associated.length <= WASM_ASSOCIATED_MAX_BYTES
  }

  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
  ): void {
    const heap = this.#enter(key, nonce, associated, plaintext)
    const message = this.#message
    this.#sodium._crypto_aead_chacha20poly1305_ietf_encrypt(
      message,
      0,
      message,
      plaintext.length,
      0,
      this.#associated,
      associated.length,
      0,
      0,
      this.#nonce,
      this.#key,
    )
    this.#leave(heap, plaintext.length + AUTH_TAG_BYTES, out, at)
  }

  open(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
    out: Uint8Array,
    at: number,
  ): boolean {
    const heap = this.#enter(key, nonce, associated, sealed)
    const message = this.#message
    const failed = this.#sodium._crypto_aead_chacha20poly1305_ietf_decrypt(
      message,
      0,
      0,
      message,
      sealed.length,
      0,
      this.#associated,
      associated.length,
      0,
      this.#nonce,
      this.#key,
    )
    if (failed === 0) this.#leave(heap, sealed.length - AUTH_TAG_BYTES, out, at)
    return failed === 0
  }

  /** Clears the key of the last call: one of a single message is not used again. */
  wipeKey(): void {
    this.#sodium.HEAPU8.fill(0, this.#key, this.#key + KEY_BYTES)
  }

  /** Clears what the last call left in the heap: its key and its message. */
  wipe(): void {
    this.wipeKey()
    const heap = this.#sodium.HEAPU8
    heap.fill(0, this.#message, this.#message + WASM_MESSAGE_MAX_BYTES + AUTH_TAG_BYTES)
  }

  #enter(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, message: Uint8Array): Uint8Array {
    const heap = this.#sodium.HEAPU8
    heap.set(key, this.#key)
    heap.set(nonce, this.#nonce)
    if (associated.length > 0) heap.set(associated, this.#associated)
    heap.set(message, this.#message)
    return heap
  }

  #leave(heap: Uint8Array, length: number, out: Uint8Array, at: number): void {
    out.set(heap.subarray(this.#message, this.#message + length), at)
  }
}

export function opensslSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
  out: Uint8Array,
  at: number,
): void {
  const cipher = createCipheriv(ALGORITHM, key, nonce, TAG_OPTIONS)
  cipher.setAAD(associated, { plaintextLength: plaintext.length })
  out.set(cipher.update(plaintext), at)
  cipher.final()
  out.set(cipher.getAuthTag(), at + plaintext.length)
}

export function opensslOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
  out: Uint8Array,
  at: number,
): boolean {
  const length = sealed.length - AUTH_TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, key, nonce, TAG_OPTIONS)
  decipher.setAAD(associated, { plaintextLength: length })
  decipher.setAuthTag(sealed.subarray(length))
  const plaintext = decipher.update(sealed.subarray(0, length))
  try {
    decipher.final()
  } catch {
    wipe(plaintext)
    return false
  }
  out.set(plaintext, at)
  return true
}

/** {@link Cipher} over both: the shorter way for the message at hand. */
export class NodeCipher implements Cipher {
  readonly #wasm: WasmAead
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  #wiped = false

  constructor(wasm: WasmAead, key: Uint8Array) {
    assertLength('the key', key, KEY_BYTES)
    this.#wasm = wasm
    // Not slice(): that of a Buffer would share the memory of the caller.
    this.#key = Uint8Array.from(key)
  }

  seal(counter: number, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    this.#ready(counter)
    const length = plaintext.length + AUTH_TAG_BYTES
    assertRoom(out, at, length)
    if (this.#wasm.fits(associated, plaintext.length)) {
      this.#wasm.seal(this.#key, this.#nonce, associated, plaintext, out, at)
    } else opensslSeal(this.#key, this.#nonce, associated, plaintext, out, at)
    return length
  }

  open(counter: number, associated: Uint8Array, sealed: Uint8Array, out: Uint8Array, at: number): number {
    this.#ready(counter)
    const length = sealed.length - AUTH_TAG_BYTES
    if (length < 0) return -1
    assertRoom(out, at, length)
    const opened = this.#wasm.fits(associated, length)
      ? this.#wasm.open(this.#key, this.#nonce, associated, sealed, out, at)
      : opensslOpen(this.#key, this.#nonce, associated, sealed, out, at)
    return opened ? length : -1
  }

  wipe(): void {
    wipe(this.#key)
    this.#wasm.wipe()
    this.#wiped = true
  }

  #ready(counter: number): void {
    if (this.#wiped) throw new CryptoError({ code: 'crypto/wiped' })
    writeCounterNonce(counter, this.#nonce)
  }
}

import { CryptoError } from './errors.ts'
import { SIGN_TAG_BYTES, VRF_INPUT_BYTES } from './limits.ts'

/** `"`, the first byte of every RFC 9421 signature base. */
const QUOTE = 0x22

/**
 * The bytes that a signature with a tag covers: 8 printable ASCII bytes, then the parts. The first byte is never `"`,
 * so that no tagged message is also an HTTP signature base.
 * @throws {CryptoError} `crypto/tag`
 */
export function taggedMessage(tag: string, parts: readonly Uint8Array[]): Uint8Array {
  let length = SIGN_TAG_BYTES
  for (const part of parts) length += part.length
  const message = new Uint8Array(length)
  writeTag(tag, message)
  let at = SIGN_TAG_BYTES
  for (const part of parts) {
    message.set(part, at)
    at += part.length
  }
  return message
}

/**
 * Guards a message about to be signed.
 * @throws {CryptoError} `crypto/message-length` for the length that the VRF hashes
 */
export function assertSignable(message: Uint8Array): void {
  if (message.length === VRF_INPUT_BYTES) {
    throw new CryptoError({ code: 'crypto/message-length', lengthBytes: message.length })
  }
}

/** Whether the bytes can be an RFC 9421 signature base: they start with the quote of the first component name. */
export function isHttpBase(base: Uint8Array): boolean {
  return base[0] === QUOTE
}

function writeTag(tag: string, into: Uint8Array): void {
  if (tag.length !== SIGN_TAG_BYTES) throw new CryptoError({ code: 'crypto/tag', tag })
  for (let at = 0; at < SIGN_TAG_BYTES; at++) {
    const code = tag.charCodeAt(at)
    if (code <= 0x20 || code > 0x7e || (at === 0 && code === QUOTE)) throw new CryptoError({ code: 'crypto/tag', tag })
    into[at] = code
  }
}

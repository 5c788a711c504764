import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import type { AesCbc } from '../crypto.ts'

/** AES-CBC of OpenSSL. A key object costs a tenth of what the bytes of a key cost with each call. */
export const nodeAes: AesCbc = (bytes) => {
  const name = bytes.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc'
  const key = createSecretKey(bytes)
  return {
    encrypt: (iv, padded) => asPlainArray(createCipheriv(name, key, iv).setAutoPadding(false).update(padded)),
    decrypt: (iv, ciphertext) => asPlainArray(createDecipheriv(name, key, iv).setAutoPadding(false).update(ciphertext)),
  }
}

/** Without padding all comes from `update`, and nothing is left for `final`. */
function asPlainArray(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

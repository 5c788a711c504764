import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { AesCbc } from '../crypto.ts'

/** AES-CBC of OpenSSL. */
export const nodeAes: AesCbc = {
  encrypt(key, iv, padded) {
    const cipher = createCipheriv(nameOf(key), key, iv)
    cipher.setAutoPadding(false)
    const bytes = cipher.update(padded)
    cipher.final()
    return bytes
  },
  decrypt(key, iv, ciphertext) {
    const decipher = createDecipheriv(nameOf(key), key, iv)
    decipher.setAutoPadding(false)
    const bytes = decipher.update(ciphertext)
    decipher.final()
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  },
}

function nameOf(key: Uint8Array): string {
  return key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc'
}

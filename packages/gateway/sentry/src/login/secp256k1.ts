import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexBytes, loginFault } from './adapter.ts'

const ADDRESS_BYTES = 20
const SIGNATURE_BYTES = 65
/** Twice that, the `0x` and no more: what an externally owned account signs with. */
const SIGNATURE_CHARS = 2 + 2 * SIGNATURE_BYTES

/** EIP-191, and what IoTeX made of it: the byte before the word is the length of the word, and part of it. */
export const ETHEREUM_PREFIX = '\x19Ethereum Signed Message:\n'
export const IOTEX_PREFIX = '\x16IoTeX Signed Message:\n'

/**
 * The 20-byte address of the key that signed a text under a prefix, from `0x` and 65 bytes r, s, v.
 * @throws {SentryError} `sentry/login`: `contract-wallet` for a signature of another length, which only the wallet's
 * contract could judge; `signature`
 */
export function recoverAddress(prefix: string, text: Uint8Array, signature: string): Uint8Array {
  if (signature.startsWith('0x') && signature.length > SIGNATURE_CHARS) throw loginFault('contract-wallet')
  const bytes = hexBytes(signature, SIGNATURE_BYTES)
  const v = bytes[SIGNATURE_BYTES - 1]!
  // Wallets write 27 or 28, and some the bare bit.
  const recovery = v >= 27 ? v - 27 : v
  if (recovery > 1) throw loginFault('signature')
  const hash = keccak_256(concatBytes(encodeUtf8(prefix + text.length), text))
  try {
    const parsed = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact').addRecoveryBit(recovery)
    return addressOf(parsed.recoverPublicKey(hash).toBytes(false))
  } catch (cause) {
    throw loginFault('signature', { cause })
  }
}

/** The last 20 bytes of Keccak-256 over the 64 bytes of an uncompressed public key. */
export function addressOf(publicKey: Uint8Array): Uint8Array {
  return keccak_256(publicKey.subarray(1)).slice(-ADDRESS_BYTES)
}

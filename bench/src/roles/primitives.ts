/** Single operations, by implementation: each question is one of them, done so many times. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { sha256 } from '@noble/hashes/sha2.js'
import sodium from 'libsodium-wrappers-sumo'
import { serve } from '../child.ts'
import { IMPLEMENTATIONS, type Operation, operationId } from '../operations.ts'

await sodium.ready
const ours: Crypto = await nodeCrypto()
const TAG = 'nexusben'
const SEALED_BYTES = 484
const message = systemRandom(200)
const tagged = Buffer.concat([Buffer.from(TAG), message])
const packet = systemRandom(SEALED_BYTES)
const seed = systemRandom(32)
const publicKey = ed25519.getPublicKey(seed)
const signature = ed25519.sign(tagged, seed)
const [secret, peer] = [systemRandom(32), x25519.getPublicKey(systemRandom(32))]
const [key, nonce, header] = [systemRandom(32), new Uint8Array(12), systemRandom(7)]
const sealed = chacha20poly1305(key, nonce, header).encrypt(packet)
const cipher = ours.cipher(key)
const [sealedInto, openedInto] = [new Uint8Array(SEALED_BYTES + 16), new Uint8Array(SEALED_BYTES)]
const [seedKey, publicKeyObject] = [
  imported('Ed25519', publicKey, seed),
  createPublicKey({ key: jwk('Ed25519', publicKey), format: 'jwk' }),
]
const [secretKey, peerKey] = [
  imported('X25519', x25519.getPublicKey(secret), secret),
  createPublicKey({ key: jwk('X25519', peer), format: 'jwk' }),
]
const sodiumSeed = sodium.crypto_sign_seed_keypair(seed).privateKey

const operations: Record<string, Partial<Record<Operation, () => unknown>>> = {
  ours: {
    sign: () => ours.sign(seed, TAG, message),
    verify: () => ours.verify(publicKey, signature, TAG, message),
    agree: () => ours.x25519(secret, peer),
    seal: () => cipher.seal(0, header, packet, sealedInto, 0),
    open: () => cipher.open(0, header, sealed, openedInto, 0),
    blake2b: () => ours.blake2b(packet),
    blake3: () => ours.blake3(packet),
    sha256: () => ours.sha256(packet),
  },
  noble: {
    sign: () => ed25519.sign(tagged, seed),
    verify: () => ed25519.verify(signature, tagged, publicKey),
    agree: () => x25519.getSharedSecret(secret, peer),
    seal: () => chacha20poly1305(key, nonce, header).encrypt(packet),
    open: () => chacha20poly1305(key, nonce, header).decrypt(sealed),
    blake2b: () => blake2b(packet, { dkLen: 32 }),
    blake3: () => blake3(packet),
    sha256: () => sha256(packet),
  },
  node: {
    sign: () => sign(null, tagged, seedKey),
    verify: () => verify(null, tagged, publicKeyObject, signature),
    agree: () => diffieHellman({ privateKey: secretKey, publicKey: peerKey }),
    seal: opensslSeal,
    open: opensslOpen,
    sha256: () => hash('sha256', packet, 'buffer'),
  },
  libsodium: {
    sign: () => sodium.crypto_sign_detached(tagged, sodiumSeed),
    verify: () => sodium.crypto_sign_verify_detached(signature, tagged, publicKey),
    agree: () => sodium.crypto_scalarmult(secret, peer),
    seal: () => sodium.crypto_aead_chacha20poly1305_ietf_encrypt(packet, header, null, nonce, key),
    open: () => sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, header, nonce, key),
    blake2b: () => sodium.crypto_generichash(32, packet, null),
    sha256: () => sodium.crypto_hash_sha256(packet),
  },
}

serve(
  Object.fromEntries(
    IMPLEMENTATIONS.flatMap(({ id }) =>
      Object.entries(operations[id]!).map(([operation, run]) => [
        operationId(id, operation as Operation),
        ({ seconds }) => ({ micros: microsOf(run, Number(seconds)) }),
      ]),
    ),
  ),
)

/** µs per call; some are made before, for the engine to warm up. */
function microsOf(run: () => unknown, seconds: number): number {
  let calls = 1
  for (;;) {
    const startMs = performance.now()
    for (let call = 0; call < calls; call++) if (run() === false) throw new Error('a good input was refused')
    const ms = performance.now() - startMs
    if (ms >= seconds * 1_000) return (ms * 1_000) / calls
    calls = Math.max(calls + 1, Math.ceil((calls * seconds * 1_100) / Math.max(ms, seconds * 100)))
  }
}

function opensslSeal(): Uint8Array {
  const seal = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  seal.setAAD(header, { plaintextLength: SEALED_BYTES })
  const body = seal.update(packet)
  seal.final()
  return Buffer.concat([body, seal.getAuthTag()])
}

function opensslOpen(): Uint8Array {
  const open = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  open.setAAD(header, { plaintextLength: SEALED_BYTES })
  open.setAuthTag(sealed.subarray(SEALED_BYTES))
  const body = open.update(sealed.subarray(0, SEALED_BYTES))
  open.final()
  return body
}

function imported(crv: 'Ed25519' | 'X25519', publicBytes: Uint8Array, secretBytes: Uint8Array): KeyObject {
  const d = Buffer.from(secretBytes).toString('base64url')
  return createPrivateKey({ key: { ...jwk(crv, publicBytes), d }, format: 'jwk' })
}

function jwk(crv: 'Ed25519' | 'X25519', publicBytes: Uint8Array): { kty: string; crv: string; x: string } {
  return { kty: 'OKP', crv, x: Buffer.from(publicBytes).toString('base64url') }
}

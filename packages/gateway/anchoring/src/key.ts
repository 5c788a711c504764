import { concatBytes, encodeUtf8 } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'

const LABEL = 'nexus anchoring 1'

/**
 * The secp256k1 secret of an EVM chain: HKDF-SHA256 of the chain's seed under its name, 48 bytes reduced into 1…n − 1, so
 * that it is unbiased and no two chains or curves share a secret (docs/spec/anchoring.md).
 */
export function secp256k1Secret(crypto: Pick<Crypto, 'hkdfSha256'>, seed: Uint8Array, chain: string): Uint8Array {
  const wide = derive(crypto, seed, 'secp256k1', chain, 48)
  let scalar = 0n
  for (const byte of wide) scalar = (scalar << 8n) | BigInt(byte)
  scalar = (scalar % (SECP256K1_ORDER - 1n)) + 1n
  const secret = new Uint8Array(32)
  for (let at = 31; at >= 0; at--) {
    secret[at] = Number(scalar & 0xffn)
    scalar >>= 8n
  }
  return secret
}

/** The Ed25519 seed of a TON wallet. */
export function ed25519Seed(crypto: Pick<Crypto, 'hkdfSha256'>, seed: Uint8Array, chain: string): Uint8Array {
  return derive(crypto, seed, 'ed25519', chain, 32)
}

const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function derive(
  crypto: Pick<Crypto, 'hkdfSha256'>,
  seed: Uint8Array,
  curve: string,
  chain: string,
  bytes: number,
): Uint8Array {
  const info = concatBytes(encodeUtf8(curve), Uint8Array.of(0), encodeUtf8(chain))
  return crypto.hkdfSha256(seed, encodeUtf8(LABEL), info, bytes)
}

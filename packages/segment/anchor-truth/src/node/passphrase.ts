import { encodeUtf8 } from '@nexus/codec'
import { nodeScrypt } from '@nexus/identity/node'

/** 2^15 · 8 · 128 B = 32 MiB for a tenth of a second: once per start, and once per guess. */
const COST = { log2N: 15, r: 8, p: 1 }

/** scrypt(passphrase, `nxs-segment`), 32 bytes. All nodes must come to the same key, so the salt cannot differ. */
export function passphraseKey(passphrase: string): Uint8Array {
  return nodeScrypt(encodeUtf8(passphrase.normalize('NFKC')), encodeUtf8('nxs-segment'), COST)
}

import { encodeUtf8 } from '@nexus/codec'
import { SCRYPT_COST } from '@nexus/identity'
import { nodeScrypt } from '@nexus/identity/node'

/** Passphrases of networks are short and shared; the salt only keeps these keys apart from other uses of scrypt. */
const SALT = encodeUtf8('nexus network key 1')

/**
 * The 32-byte key of a closed network: scrypt (RFC 7914) of the passphrase in normalisation form C with a fixed salt, so
 * that every node derives the same (docs/spec/control.md).
 */
export function networkKeyOf(passphrase: string): Uint8Array {
  return nodeScrypt(encodeUtf8(passphrase.normalize('NFC')), SALT, SCRYPT_COST)
}

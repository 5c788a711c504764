import { decodeUtf8, encodeUtf8, toHex } from '@nexus/codec'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { base58 } from '@scure/base'
import { SentryError } from './errors.ts'
import { IDENTITY_BYTES_MAX, KEY_BYTES } from './limits.ts'

/** Unsigned varint 0xed: an Ed25519 public key in a did:key (multicodec). */
const ED25519_CODE: readonly number[] = [0xed, 0x01]
const DID_KEY = 'did:key:z'
/** Base58 of 34 bytes is never longer. */
const DID_KEY_CHARS_MAX = 64

/** CAIP-10 within a did:pkh: namespace, reference, address. */
const DID_PKH = /^did:pkh:([-a-z0-9]{3,8}):([-_a-zA-Z0-9]{1,32}):([-.%a-zA-Z0-9]{1,128})$/

/** The did:key of an Ed25519 public key. @throws {RangeError} unless it has 32 bytes */
export function didKey(publicKey: Uint8Array): string {
  if (publicKey.length !== KEY_BYTES) throw new RangeError(`a public key has ${KEY_BYTES} bytes`)
  return DID_KEY + base58.encode(Uint8Array.of(...ED25519_CODE, ...publicKey))
}

/** The Ed25519 public key of a did:key. @throws {SentryError} `sentry/did` */
export function publicKeyOfDidKey(did: string): Uint8Array {
  if (!did.startsWith(DID_KEY) || did.length > DID_KEY_CHARS_MAX) throw fault('no did:key')
  let bytes: Uint8Array
  try {
    bytes = base58.decode(did.slice(DID_KEY.length))
  } catch {
    throw fault('no base58')
  }
  if (
    bytes.length !== ED25519_CODE.length + KEY_BYTES ||
    bytes[0] !== ED25519_CODE[0] ||
    bytes[1] !== ED25519_CODE[1]
  ) {
    throw fault('not an Ed25519 key')
  }
  return bytes.slice(ED25519_CODE.length)
}

/** The parts of a did:pkh. */
export interface ChainAccount {
  /** CAIP-2. */
  readonly namespace: string
  readonly reference: string
  /** CAIP-10, as the chain writes it, with %-escapes for what CAIP-10 does not take. */
  readonly address: string
}

/** A did:pkh: an account of a public chain. @throws {SentryError} `sentry/did` */
export function didPkh({ namespace, reference, address }: ChainAccount): string {
  const did = `did:pkh:${namespace}:${reference}:${address}`
  readDidPkh(did)
  return did
}

/** @throws {SentryError} `sentry/did` */
export function readDidPkh(did: string): ChainAccount {
  const [, namespace, reference, address] = DID_PKH.exec(did) ?? []
  if (namespace === undefined || reference === undefined || address === undefined) throw fault('no did:pkh')
  if (namespace === 'eip155' && !isChecksummed(address)) throw fault('an address without its checksum')
  return { namespace, reference, address }
}

/** An identity that can be kept: 1…255 bytes of UTF-8 without control characters. @throws {SentryError} `sentry/did` */
export function checkIdentity(identity: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]|\p{Cs}/u.test(identity)) throw fault('a character that no identity has')
  const bytes = encodeUtf8(identity).length
  if (bytes < 1 || bytes > IDENTITY_BYTES_MAX) throw fault(`1 to ${IDENTITY_BYTES_MAX} bytes`)
  return identity
}

/** An Ethereum address of 20 bytes with the upper-case letters of EIP-55. */
export function checksumAddress(address: Uint8Array): string {
  const hex = toHex(address)
  const hash = toHex(keccak_256(encodeUtf8(hex)))
  return `0x${[...hex].map((char, at) => (Number.parseInt(hash[at]!, 16) > 7 ? char.toUpperCase() : char)).join('')}`
}

/** Whether an address has exactly the upper-case letters of EIP-55. */
export function isChecksummed(address: string): boolean {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) return false
  const bytes = Uint8Array.from({ length: 20 }, (_, at) => Number.parseInt(address.slice(2 + 2 * at, 4 + 2 * at), 16))
  return checksumAddress(bytes) === address
}

/** @internal UTF-8 that is one identity. @throws {SentryError} `sentry/did` */
export function identityOf(bytes: Uint8Array): string {
  const identity = decodeUtf8(bytes)
  if (identity === undefined) throw fault('no UTF-8')
  return checkIdentity(identity)
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/did', what })
}

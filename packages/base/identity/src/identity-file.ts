import { ByteReader, ByteWriter, encodeUtf8, equalBytes } from '@nexus/codec'
import { type Crypto, NONCE_BYTES, type Random, wipe } from '@nexus/crypto'
import { IdentityError } from './errors.ts'
import {
  FILE_HEADER_BYTES,
  FILE_PLAIN_BYTES,
  FILE_SEALED_BYTES,
  PASSPHRASE_BYTES_MAX,
  SALT_BYTES,
  SEED_BYTES,
} from './limits.ts'
import { isAcceptableCost, portableScrypt, SCRYPT_COST, type Scrypt, type ScryptCost } from './scrypt.ts'

export interface Sealing {
  /** Not empty, at most 1 024 bytes of UTF-8; taken in Unicode normalisation form C. */
  readonly passphrase: string
  /** {@link SCRYPT_COST} if not given. */
  readonly cost?: ScryptCost
  /** {@link portableScrypt} if not given. */
  readonly scrypt?: Scrypt
}

export interface Opening {
  /** For encrypted files. */
  readonly passphrase?: string
  /** Whether an unencrypted file is taken too; refused if not given. */
  readonly plainAllowed?: boolean
  /** {@link portableScrypt} if not given. */
  readonly scrypt?: Scrypt
}

/**
 * An identity file whose seed only the passphrase opens (docs/spec/identity.md).
 *
 * | at | bytes | field       | values                                                                         |
 * | -: | ----: | ----------- | ------------------------------------------------------------------------------ |
 * |  0 |     8 | magic       | ASCII `NXSIDENT`                                                               |
 * |  8 |     1 | version     | 1                                                                              |
 * |  9 |     1 | kind        | 1: encrypted                                                                   |
 * | 10 |     3 | scrypt cost | log2 N, r, p                                                                   |
 * | 13 |    16 | salt        | fresh for each file                                                            |
 * | 29 |    48 | sealed seed | ChaCha20-Poly1305, nonce zero, associated data = the 29 bytes before           |
 *
 * @throws {RangeError} for a seed, passphrase or cost outside its range
 */
export function sealIdentityFile(crypto: Crypto, random: Random, seed: Uint8Array, sealing: Sealing): Uint8Array {
  const { passphrase, cost = SCRYPT_COST, scrypt = portableScrypt } = sealing
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  if (!isAcceptableCost(cost)) throw new RangeError('the scrypt cost is outside the accepted limits')
  const salt = random(SALT_BYTES)
  const file = new Uint8Array(FILE_SEALED_BYTES)
  const writer = new ByteWriter(FILE_SEALED_BYTES, file)
  const at = writeHeader(writer, KIND_SEALED).u8(cost.log2N).u8(cost.r).u8(cost.p).bytes(salt, SALT_BYTES).at
  const key = deriveKey(scrypt, passphrase, salt, cost)
  // The salt makes the key one of a kind, so that a zero nonce is never used with it twice.
  file.set(crypto.seal(key, new Uint8Array(NONCE_BYTES), file.subarray(0, at), seed), at)
  wipe(key)
  return file
}

/**
 * An identity file that anyone who can read it can use: for relays that start without a person, chosen knowingly.
 *
 * | at | bytes | field    | values                                   |
 * | -: | ----: | -------- | ---------------------------------------- |
 * |  0 |     8 | magic    | ASCII `NXSIDENT`                         |
 * |  8 |     1 | version  | 1                                        |
 * |  9 |     1 | kind     | 0: unencrypted                           |
 * | 10 |    32 | seed     |                                          |
 * | 42 |     8 | checksum | BLAKE2b-256 of all before, first 8 bytes |
 *
 * @throws {RangeError} for a seed of another length
 */
export function plainIdentityFile(crypto: Crypto, seed: Uint8Array): Uint8Array {
  const file = new Uint8Array(FILE_PLAIN_BYTES)
  const at = writeHeader(new ByteWriter(FILE_PLAIN_BYTES, file), KIND_PLAIN).bytes(seed, SEED_BYTES).at
  file.set(plainChecksum(crypto, file), at)
  return file
}

/**
 * The seed in an identity file. A wrong passphrase and a damaged file give one and the same error.
 * @throws {IdentityError} `identity/file-format`, `identity/file-cost`, `identity/file-plain`, `identity/file-locked`,
 * `identity/unlock`
 * @throws {RangeError} for a passphrase outside its range
 */
export function openIdentityFile(crypto: Crypto, file: Uint8Array, opening: Opening): Uint8Array {
  const { passphrase, plainAllowed = false, scrypt = portableScrypt } = opening
  if (identityFileKind(file) === 'plain') {
    if (!plainAllowed) throw new IdentityError({ code: 'identity/file-plain' })
    const holds = equalBytes(plainChecksum(crypto, file), file.subarray(FILE_HEADER_BYTES + SEED_BYTES))
    if (!holds) throw new IdentityError({ code: 'identity/unlock' })
    return file.slice(FILE_HEADER_BYTES, FILE_HEADER_BYTES + SEED_BYTES)
  }
  if (passphrase === undefined) throw new IdentityError({ code: 'identity/file-locked' })
  const reader = new ByteReader(file.subarray(FILE_HEADER_BYTES))
  const cost: ScryptCost = { log2N: reader.u8(), r: reader.u8(), p: reader.u8() }
  if (!isAcceptableCost(cost)) throw new IdentityError({ code: 'identity/file-cost', ...cost })
  const key = deriveKey(scrypt, passphrase, reader.view(SALT_BYTES), cost)
  const sealedAt = FILE_HEADER_BYTES + reader.at
  const seed = crypto.open(key, new Uint8Array(NONCE_BYTES), file.subarray(0, sealedAt), file.subarray(sealedAt))
  wipe(key)
  if (seed === undefined) throw new IdentityError({ code: 'identity/unlock' })
  return seed
}

/** Which form an identity file has, by its header and length. @throws {IdentityError} `identity/file-format` */
export function identityFileKind(file: Uint8Array): 'sealed' | 'plain' {
  const isOurs = MAGIC.every((byte, at) => file[at] === byte) && file[MAGIC.length] === FILE_VERSION
  const kind = file[FILE_HEADER_BYTES - 1]
  if (isOurs && kind === KIND_SEALED && file.length === FILE_SEALED_BYTES) return 'sealed'
  if (isOurs && kind === KIND_PLAIN && file.length === FILE_PLAIN_BYTES) return 'plain'
  throw new IdentityError({ code: 'identity/file-format' })
}

const MAGIC = encodeUtf8('NXSIDENT')
const FILE_VERSION = 1
const KIND_PLAIN = 0
const KIND_SEALED = 1

function writeHeader(writer: ByteWriter, kind: number): ByteWriter {
  return writer.bytes(MAGIC).u8(FILE_VERSION).u8(kind)
}

function plainChecksum(crypto: Crypto, file: Uint8Array): Uint8Array {
  return crypto.blake2b(file.subarray(0, FILE_HEADER_BYTES + SEED_BYTES)).subarray(0, 8)
}

function deriveKey(scrypt: Scrypt, passphrase: string, salt: Uint8Array, cost: ScryptCost): Uint8Array {
  const bytes = encodeUtf8(passphrase.normalize('NFC'))
  if (bytes.length === 0 || bytes.length > PASSPHRASE_BYTES_MAX) {
    throw new RangeError(`a passphrase has 1…${PASSPHRASE_BYTES_MAX} bytes of UTF-8, not ${bytes.length}`)
  }
  const key = scrypt(bytes, salt, cost)
  wipe(bytes)
  return key
}

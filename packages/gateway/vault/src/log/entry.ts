import type { Split } from '@nexus/allocation'
import { ByteReader, ByteWriter } from '@nexus/codec'
import { VaultError } from '../errors.ts'
import { HASH_BYTES, ID_BYTES, PSEUDONYM_BYTES } from '../limits.ts'
import { leafHash, type Sha256 } from './tree.ts'

/** Bytes of a canonical entry. */
export const ENTRY_BYTES: number =
  1 + 8 + ID_BYTES + 1 + PSEUDONYM_BYTES + 1 + PSEUDONYM_BYTES + 4 * 8 + 2 + 8 + HASH_BYTES

const VERSION = 1

/** One allocation, as the log keeps it for ever. */
export interface LedgerEntry extends Split {
  /** Place in the log: dense, from 0, in the order of the commits. */
  readonly index: number
  readonly id: Uint8Array
  /** Pseudonym of who asked, and of whose account it is: 32 bytes each. */
  readonly actor: Uint8Array
  readonly account: Uint8Array
  readonly amount: bigint
  /** Version of the policy that divided the amount. */
  readonly policy: number
  /** Unix milliseconds of its batch. */
  readonly timeMs: number
  /** {@link idempotencyHash} of the request that made it. */
  readonly idempotency: Uint8Array
}

/**
 * The canonical form of an entry (docs/spec/vault.md): what its leaf is a hash of.
 *
 * | at  | bytes | field                                   |
 * | --: | ----: | --------------------------------------- |
 * |   0 |     1 | version, 1                              |
 * |   1 |     8 | index u64                               |
 * |   9 |    16 | id                                      |
 * |  25 |  1+32 | actor, its length before it             |
 * |  58 |  1+32 | account, its length before it           |
 * |  91 |     8 | amount u64                              |
 * |  99 |     8 | creator u64                             |
 * | 107 |     8 | pool u64                                |
 * | 115 |     8 | fee u64                                 |
 * | 123 |     2 | policy u16                              |
 * | 125 |     8 | time u64, Unix milliseconds             |
 * | 133 |    32 | idempotency hash                        |
 */
export function encodeEntry(entry: LedgerEntry): Uint8Array {
  const writer = new ByteWriter(ENTRY_BYTES)
  writer.u8(VERSION).u64(BigInt(entry.index)).bytes(entry.id, ID_BYTES)
  writer.u8(PSEUDONYM_BYTES).bytes(entry.actor, PSEUDONYM_BYTES)
  writer.u8(PSEUDONYM_BYTES).bytes(entry.account, PSEUDONYM_BYTES)
  writer.u64(entry.amount).u64(entry.creator).u64(entry.pool).u64(entry.fee)
  writer.u16(entry.policy).u64(BigInt(entry.timeMs)).bytes(entry.idempotency, HASH_BYTES)
  return writer.finish()
}

/** @throws {VaultError} `vault/proof` for bytes that are no canonical entry */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  const reader = new ByteReader(bytes, () => wrong('an entry of another length'))
  if (reader.u8() !== VERSION) throw wrong('an entry of an unknown version')
  const index = safe(reader.u64())
  const id = reader.bytes(ID_BYTES)
  const actor = pseudonym(reader)
  const account = pseudonym(reader)
  const [amount, creator, pool, fee] = [reader.u64(), reader.u64(), reader.u64(), reader.u64()]
  const policy = reader.u16()
  const timeMs = safe(reader.u64())
  const idempotency = reader.bytes(HASH_BYTES)
  reader.end()
  return { index, id, actor, account, amount, creator, pool, fee, policy, timeMs, idempotency }
}

/** The leaf of an entry in the tree: its data is SHA-256 of the canonical form. */
export function entryLeaf(crypto: Sha256, entry: LedgerEntry): Uint8Array {
  return leafHash(crypto, crypto.sha256(encodeEntry(entry)))
}

/** Names a request: SHA-256 over who asked, for what, and the key; each with its length before it. */
export function idempotencyHash(crypto: Sha256, actor: Uint8Array, route: string, key: string): Uint8Array {
  const writer = new ByteWriter(1 + PSEUDONYM_BYTES + 2 + route.length + 2 + key.length)
  writer.u8(PSEUDONYM_BYTES).bytes(actor, PSEUDONYM_BYTES).string16(route).string16(key)
  return crypto.sha256(writer.finish())
}

function pseudonym(reader: ByteReader): Uint8Array {
  if (reader.u8() !== PSEUDONYM_BYTES) throw wrong('a pseudonym of another length')
  return reader.bytes(PSEUDONYM_BYTES)
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong('an index or time beyond 2^53')
  return Number(value)
}

function wrong(what: string): VaultError {
  return new VaultError({ code: 'vault/proof', what })
}

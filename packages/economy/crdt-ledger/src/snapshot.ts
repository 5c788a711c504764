import { NETWORK_ID_BYTES, PAYER_SEQ_FIRST } from '@nexus/channels'
import { ByteReader, ByteWriter, compareBytes, equalBytes } from '@nexus/codec'
import { NODE_ID_BYTES } from '@nexus/identity'
import { LedgerError } from './errors.ts'
import { HASH_BYTES, SUPPLY_MAX } from './limits.ts'
import { type Hash, merkleSiblings, merkleTop } from './merkle.ts'
import { SortedRun } from './sorted-run.ts'

/** `BLAKE3(channel_id ‖ pk_a ‖ pk_b)[0..16]`. */
export const CHANNEL_KEY_BYTES = 16
const VERSION = 1
const HEADER_BYTES = 8 + 1 + 8 + 8 + 3 * 4
const MAGIC = Uint8Array.from('nxs-snap', (letter) => letter.charCodeAt(0))

/**
 * What a fold leaves: the base of the records that follow. Lists are in rising order of their keys; an account that has
 * neither money nor debits, and a channel without settled sequence, is not listed.
 */
export interface SnapshotFields {
  readonly epoch: bigint
  /** All money there is, in μNXS: the sum of the balances. */
  readonly minted: bigint
  /** NodeID → balance in μNXS, next payer_seq ({@link FROZEN_SEQ} for one who signed two of a number). */
  readonly accounts: SortedRun
  /** Channel key → last settled sequence, last sequence that a close executed (0: none). */
  readonly channels: SortedRun
  /** Channel key → epoch whose fold first held a close of it. */
  readonly pending: SortedRun
}

/** A checked snapshot with its root. */
export class Snapshot implements SnapshotFields {
  readonly epoch: bigint
  readonly minted: bigint
  readonly accounts: SortedRun
  readonly channels: SortedRun
  readonly pending: SortedRun
  readonly accountsTop: Uint8Array
  readonly channelsTop: Uint8Array
  readonly pendingTop: Uint8Array
  readonly root: Uint8Array

  /** @throws {LedgerError} `ledger/order`, `ledger/value`, `ledger/supply` */
  constructor(hash: Hash, fields: SnapshotFields) {
    checkRun('accounts', fields.accounts)
    checkRun('channels', fields.channels)
    checkRun('pending', fields.pending)
    const { epoch, minted, accounts, channels, pending } = fields
    let sum = 0n
    for (let index = 0; index < accounts.count; index++) sum += accounts.value(0, index)
    if (sum !== minted || minted > SUPPLY_MAX) throw new LedgerError({ code: 'ledger/supply' })
    this.epoch = epoch
    this.minted = minted
    this.accounts = accounts
    this.channels = channels
    this.pending = pending
    this.accountsTop = merkleTop(hash, accountLeaves(hash, accounts))
    this.channelsTop = merkleTop(hash, listLeaves(hash, CHANNEL_LEAF, channels))
    this.pendingTop = merkleTop(hash, listLeaves(hash, PENDING_LEAF, pending))
    this.root = rootOf(hash, { epoch, count: accounts.count, minted }, this)
  }

  /** Balance and next payer_seq of an account; nothing and the first for one that is not listed. */
  account(nodeId: Uint8Array): { readonly balance: bigint; readonly nextSeq: bigint } {
    const index = this.accounts.find(nodeId)
    if (index < 0) return { balance: 0n, nextSeq: PAYER_SEQ_FIRST }
    return { balance: this.accounts.value(0, index), nextSeq: this.accounts.value(1, index) }
  }

  /** Last settled sequence of a channel, and the last that a close executed; 0 where there is none. */
  channel(key: Uint8Array): { readonly settled: bigint; readonly executed: bigint } {
    const index = this.channels.find(key)
    if (index < 0) return { settled: 0n, executed: 0n }
    return { settled: this.channels.value(0, index), executed: this.channels.value(1, index) }
  }

  /** Siblings of the account at `index`, from below. */
  siblings(hash: Hash, index: number): Uint8Array[] {
    return merkleSiblings(hash, accountLeaves(hash, this.accounts), index)
  }
}

/** The first snapshot of a network: who begins with how much. @throws {LedgerError} where that is more than 2^64 − 1 */
export function genesisSnapshot(hash: Hash, balances: Iterable<readonly [Uint8Array, bigint]>): Snapshot {
  const entries = [...balances].filter(([, balance]) => balance > 0n)
  const accounts = SortedRun.of(
    NODE_ID_BYTES,
    2,
    entries.map(([key, balance]) => ({ key, values: [balance, PAYER_SEQ_FIRST] })),
  )
  return new Snapshot(hash, {
    epoch: 0n,
    minted: entries.reduce((sum, [, balance]) => sum + balance, 0n),
    accounts,
    channels: SortedRun.of(CHANNEL_KEY_BYTES, 2, []),
    pending: SortedRun.of(CHANNEL_KEY_BYTES, 1, []),
  })
}

/** Names a network after its genesis: the first half of the root. Every signature of the economy covers it. */
export function networkIdOf(genesis: Snapshot): Uint8Array {
  return genesis.root.slice(0, NETWORK_ID_BYTES)
}

const ACCOUNT_LEAF = 0x00
const ROOT = 0x02
const CHANNEL_LEAF = 0x03
const PENDING_LEAF = 0x04

/** `BLAKE3(0x00 ‖ NodeID ‖ earned u64 ‖ spent u64 ‖ next payer_seq u64)`, with earned = balance and spent = 0. */
export function accountLeaf(hash: Hash, nodeId: Uint8Array, balance: bigint, nextSeq: bigint): Uint8Array {
  const writer = new ByteWriter(1 + NODE_ID_BYTES + 24)
  return hash(writer.u8(ACCOUNT_LEAF).bytes(nodeId, NODE_ID_BYTES).u64(balance).u64(0n).u64(nextSeq).finish())
}

/** `BLAKE3(0x02 ‖ epoch u64 ‖ count u32 ‖ minted u64 ‖ accounts top ‖ channels top ‖ pending top)`. */
export function rootOf(
  hash: Hash,
  head: { readonly epoch: bigint; readonly count: number; readonly minted: bigint },
  tops: { readonly accountsTop: Uint8Array; readonly channelsTop: Uint8Array; readonly pendingTop: Uint8Array },
): Uint8Array {
  const writer = new ByteWriter(1 + 8 + 4 + 8 + 3 * HASH_BYTES).u8(ROOT).u64(head.epoch).u32(head.count)
  writer.u64(head.minted).bytes(tops.accountsTop, HASH_BYTES).bytes(tops.channelsTop, HASH_BYTES)
  return hash(writer.bytes(tops.pendingTop, HASH_BYTES).finish())
}

/**
 * A snapshot as files and stores keep it (docs/spec/crdt-ledger.md).
 *
 * | at | bytes | field    |                                              |
 * | -: | ----: | -------- | -------------------------------------------- |
 * |  0 |     8 | magic    | `nxs-snap`                                   |
 * |  8 |     1 | version  | 1                                            |
 * |  9 |     8 | epoch    |                                              |
 * | 17 |     8 | minted   | μNXS                                         |
 * | 25 |  3×4 | counts   | accounts a, channels c, pending p            |
 * | 37 | 32·a | accounts | NodeID 16, balance u64, next payer_seq u64   |
 * |    | 32·c | channels | key 16, settled u64, executed u64            |
 * |    | 24·p | pending  | key 16, since epoch u64                      |
 * |    |   32 | root     | what all of the above gives                  |
 */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { accounts, channels, pending } = snapshot
  const lists = [accounts, channels, pending]
  const bytes = lists.reduce((sum, run) => sum + run.count * entryBytes(run), HEADER_BYTES + HASH_BYTES)
  const writer = new ByteWriter(bytes).bytes(MAGIC).u8(VERSION).u64(snapshot.epoch).u64(snapshot.minted)
  for (const run of lists) writer.u32(run.count)
  for (const run of lists) {
    for (let index = 0; index < run.count; index++) {
      writer.bytes(run.key(index))
      for (const column of run.columns) writer.u64(column[index]!)
    }
  }
  return writer.bytes(snapshot.root).finish()
}

/** Reads a snapshot and recomputes its root. @throws {LedgerError} */
export function decodeSnapshot(hash: Hash, bytes: Uint8Array): Snapshot {
  const reader = new ByteReader(bytes, (fault) => new LedgerError({ code: 'ledger/malformed', fault }))
  if (!equalBytes(reader.view(MAGIC.length), MAGIC)) throw new LedgerError({ code: 'ledger/version', version: 0 })
  const version = reader.u8()
  if (version !== VERSION) throw new LedgerError({ code: 'ledger/version', version })
  const epoch = reader.u64()
  const minted = reader.u64()
  const [accountCount, channelCount, pendingCount] = [reader.u32(), reader.u32(), reader.u32()]
  const accounts = readRun(reader, NODE_ID_BYTES, 2, accountCount)
  const channels = readRun(reader, CHANNEL_KEY_BYTES, 2, channelCount)
  const pending = readRun(reader, CHANNEL_KEY_BYTES, 1, pendingCount)
  const root = reader.bytes(HASH_BYTES)
  reader.end()
  const snapshot = new Snapshot(hash, { epoch, minted, accounts, channels, pending })
  if (!equalBytes(snapshot.root, root)) throw new LedgerError({ code: 'ledger/root' })
  return snapshot
}

const entryBytes = (run: SortedRun): number => run.keyBytes + 8 * run.columns.length

function readRun(reader: ByteReader, keyBytes: number, width: number, count: number): SortedRun {
  const entries = reader.view(count * (keyBytes + 8 * width))
  const inner = new ByteReader(entries)
  const keys = new Uint8Array(count * keyBytes)
  const columns = Array.from({ length: width }, () => new BigUint64Array(count))
  for (let index = 0; index < count; index++) {
    keys.set(inner.view(keyBytes), index * keyBytes)
    for (const column of columns) column[index] = inner.u64()
  }
  return new SortedRun(keyBytes, keys, columns)
}

function checkRun(list: 'accounts' | 'channels' | 'pending', run: SortedRun): void {
  for (let index = 0; index < run.count; index++) {
    if (index > 0 && compareBytes(run.key(index - 1), run.key(index)) >= 0) {
      throw new LedgerError({ code: 'ledger/order', list, index })
    }
    if (!isWorthListing(list, run, index)) throw new LedgerError({ code: 'ledger/value', list, index })
  }
}

/** Whether an entry says more than its absence, and nothing that no fold would write. */
function isWorthListing(list: 'accounts' | 'channels' | 'pending', run: SortedRun, index: number): boolean {
  const [first, second] = run.columns.map((column) => column[index]!) as [bigint, bigint]
  if (list === 'pending') return first > 0n
  if (list === 'channels') return first > 0n && second <= first
  return second >= PAYER_SEQ_FIRST && (first > 0n || second > PAYER_SEQ_FIRST)
}

function accountLeaves(hash: Hash, accounts: SortedRun): Uint8Array[] {
  return Array.from({ length: accounts.count }, (_, index) =>
    accountLeaf(hash, accounts.key(index), accounts.value(0, index), accounts.value(1, index)),
  )
}

/** `BLAKE3(kind ‖ key 16 ‖ u64 …)`: kind 0x03 with settled and executed, 0x04 with the epoch since when. */
function listLeaves(hash: Hash, kind: number, run: SortedRun): Uint8Array[] {
  return Array.from({ length: run.count }, (_, index) => {
    const writer = new ByteWriter(1 + entryBytes(run)).u8(kind).bytes(run.key(index))
    for (const column of run.columns) writer.u64(column[index]!)
    return hash(writer.finish())
  })
}

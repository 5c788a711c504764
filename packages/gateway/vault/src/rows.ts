import { HASH_BYTES } from './limits.ts'
import type { LedgerEntry } from './log/entry.ts'
import type { SignedTreeHead } from './log/head.ts'
import { Frontier } from './log/tree.ts'
import type { AccountTotals, Person } from './plan.ts'

/** A row of either engine: an integer is a `bigint` (SQLite) or decimal text (PostgreSQL), bytes a view or a Buffer. */
export type Row = Readonly<Record<string, unknown>>

/** Reads entries with their pseudonyms, for {@link entryOf}; a condition on `e` and an order follow. */
export const ENTRY_SQL = `SELECT e.idx, e.id, a.pseudonym AS actor, c.pseudonym AS account, e.amount, e.creator, e.pool,
  e.fee, e.policy, e.time_ms, e.idempotency
  FROM entry e JOIN party a ON a.no = e.actor JOIN party c ON c.no = e.account`

export function entryOf(row: Row): LedgerEntry {
  return {
    index: Number(row['idx']),
    id: bytes(row, 'id'),
    actor: bytes(row, 'actor'),
    account: bytes(row, 'account'),
    amount: money(row, 'amount'),
    creator: money(row, 'creator'),
    pool: money(row, 'pool'),
    fee: money(row, 'fee'),
    policy: Number(row['policy']),
    timeMs: Number(row['time_ms']),
    idempotency: bytes(row, 'idempotency'),
  }
}

export function totalsOf(row: Row): AccountTotals {
  return {
    amount: money(row, 'amount'),
    creator: money(row, 'creator'),
    pool: money(row, 'pool'),
    fee: money(row, 'fee'),
    entries: Number(row['entries']),
  }
}

export function headOf(logId: Uint8Array, row: Row): SignedTreeHead {
  return {
    logId,
    size: Number(row['size']),
    root: bytes(row, 'root'),
    timeMs: Number(row['time_ms']),
    signature: bytes(row, 'signature'),
  }
}

/** The frontier of the log's row: its hashes stand one after the other. */
export function frontierOf(row: Row): Frontier {
  const stored = bytes(row, 'frontier')
  const hashes = Array.from({ length: stored.length / HASH_BYTES }, (_, at) =>
    stored.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  )
  return new Frontier(Number(row['size']), hashes)
}

export function personOf(row: Row): Person {
  return { salt: bytes(row, 'salt'), pseudonym: bytes(row, 'pseudonym') }
}

/** Bytes of a column, as a copy of their own. */
export function bytes(row: Row, name: string): Uint8Array {
  return new Uint8Array(row[name] as Uint8Array)
}

function money(row: Row, name: string): bigint {
  return BigInt(row[name] as bigint | string)
}

import type { SQLOutputValue } from 'node:sqlite'
import type { LedgerEntry } from '../log/entry.ts'
import type { SignedTreeHead } from '../log/head.ts'
import type { AccountTotals } from '../plan.ts'

/** A row whose integers were read as `bigint`. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** Columns of an entry with its pseudonyms, for {@link entryOf}. */
export const ENTRY_COLUMNS = `e.idx, e.id, a.pseudonym AS actor, c.pseudonym AS account, e.amount, e.creator, e.pool, e.fee,
  e.policy, e.time_ms, e.idempotency`

export const ENTRY_SOURCE = 'entry e JOIN party a ON a.no = e.actor JOIN party c ON c.no = e.account'

export function entryOf(row: Row): LedgerEntry {
  return {
    index: Number(row['idx']),
    id: bytes(row, 'id'),
    actor: bytes(row, 'actor'),
    account: bytes(row, 'account'),
    amount: row['amount'] as bigint,
    creator: row['creator'] as bigint,
    pool: row['pool'] as bigint,
    fee: row['fee'] as bigint,
    policy: Number(row['policy']),
    timeMs: Number(row['time_ms']),
    idempotency: bytes(row, 'idempotency'),
  }
}

export function totalsOf(row: Row): AccountTotals {
  const [amount, creator, pool, fee] = ['amount', 'creator', 'pool', 'fee'].map((name) => row[name] as bigint)
  return { amount: amount!, creator: creator!, pool: pool!, fee: fee!, entries: Number(row['entries']) }
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

/** A blob as plain bytes of its own. */
export function bytes(row: Row, name: string): Uint8Array {
  return new Uint8Array(row[name] as Uint8Array)
}

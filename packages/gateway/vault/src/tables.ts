/** A column of a ledger and its type in PostgreSQL; SQLite has one type for all integers. */
export type ColumnType = 'bigint' | 'bytea' | 'int' | 'text'

/** A table of a ledger: the same in either engine, so that rows go from one to the other as they are. */
export interface Table {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Columns that rows are read in order of. */
  readonly order: string
}

/** Every table, in an order in which rows may be written. */
export const TABLES: readonly Table[] = [
  {
    name: 'log',
    columns: {
      one: 'int',
      log_id: 'bytea',
      public_key: 'bytea',
      size: 'bigint',
      frontier: 'bytea',
      time_ms: 'bigint',
      amount: 'bigint',
      creator: 'bigint',
      pool: 'bigint',
      fee: 'bigint',
    },
    order: 'one',
  },
  {
    name: 'party',
    columns: {
      no: 'bigint',
      pseudonym: 'bytea',
      amount: 'bigint',
      creator: 'bigint',
      pool: 'bigint',
      fee: 'bigint',
      entries: 'bigint',
    },
    order: 'no',
  },
  { name: 'person', columns: { identity: 'text', salt: 'bytea', party: 'bigint' }, order: 'identity' },
  {
    name: 'entry',
    columns: {
      idx: 'bigint',
      id: 'bytea',
      actor: 'bigint',
      account: 'bigint',
      amount: 'bigint',
      creator: 'bigint',
      pool: 'bigint',
      fee: 'bigint',
      policy: 'int',
      time_ms: 'bigint',
      idempotency: 'bytea',
      request_hash: 'bytea',
    },
    order: 'idx',
  },
  { name: 'node', columns: { level: 'int', idx: 'bigint', hash: 'bytea' }, order: 'level, idx' },
  { name: 'head', columns: { size: 'bigint', root: 'bytea', time_ms: 'bigint', signature: 'bytea' }, order: 'size' },
]

/** Reads a table in its order. */
export function selectSql({ name, columns, order }: Table): string {
  return `SELECT ${Object.keys(columns).join(', ')} FROM ${name} ORDER BY ${order}`
}

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { equalBytes } from '@nexus/codec'
import type { SignedTreeHead } from '@nexus/vault'
import type { Submission } from '../chain.ts'
import { AnchoringError } from '../errors.ts'
import { type Receipt, receiptToJson } from '../receipt.ts'
import type { Anchor, AnchorStore, ChainRecord, ConfirmedAnchor } from '../store.ts'
import { attemptOf, bytes, confirmedOf, headOf, type Row } from './rows.ts'
import { migrate } from './schema.ts'

const ANCHOR = `SELECT a.*, h.root, h.time_ms, h.signature FROM anchor a JOIN head h ON h.size = a.size`

/** The queue in an SQLite file, held by this process alone: each call is one transaction, durable when it returns. */
export class SqliteQueue implements AnchorStore {
  readonly #db: DatabaseSync
  readonly #logId: Uint8Array
  readonly #prepared = new Map<string, StatementSync>()

  /**
   * @param path the file; made if it is not there
   * @param log whose heads it holds: a queue serves one log for ever
   * @throws {AnchoringError} `anchoring/locked`, `anchoring/log`, `anchoring/schema`, `anchoring/storage`
   */
  constructor(path: string, log: { readonly logId: Uint8Array; readonly publicKey: Uint8Array }) {
    this.#logId = log.logId
    this.#db = storing(() => new DatabaseSync(path))
    try {
      storing(() => {
        // Two processes that sign with one key would take each other's sequence numbers.
        this.#db.exec('PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL')
        this.#db.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT')
        migrate(this.#db)
        this.#run(
          'INSERT INTO log (one, log_id, public_key) VALUES (1, ?, ?) ON CONFLICT DO NOTHING',
          log.logId,
          log.publicKey,
        )
      })
      const held = this.#get('SELECT * FROM log')!
      const ours = equalBytes(bytes(held, 'log_id'), log.logId) && equalBytes(bytes(held, 'public_key'), log.publicKey)
      if (!ours) throw new AnchoringError({ code: 'anchoring/log' })
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  close(): void {
    this.#db.close()
  }

  enqueue(chain: string, head: SignedTreeHead): void {
    this.#transaction(() => {
      this.#run(
        'INSERT INTO head VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        head.size,
        head.root,
        head.timeMs,
        head.signature,
      )
      this.#wait(chain, head.size)
    })
  }

  waiting(chain: string): SignedTreeHead | undefined {
    const row = this.#get('SELECT h.* FROM waiting w JOIN head h ON h.size = w.size WHERE chain = ?', chain)
    return row && headOf(this.#logId, row)
  }

  newest(chain: string): SignedTreeHead | undefined {
    const sql = `SELECT h.* FROM head h WHERE h.size = (SELECT max(size) FROM (
      SELECT size FROM waiting WHERE chain = ?1
      UNION ALL SELECT size FROM anchor WHERE chain = ?1 AND state != 'abandoned'))`
    const row = this.#get(sql, chain)
    return row && headOf(this.#logId, row)
  }

  begin(chain: string, head: SignedTreeHead, submission: Submission, nowMs: number): Anchor {
    return this.#transaction(() => {
      this.#run('DELETE FROM waiting WHERE chain = ? AND size <= ?', chain, head.size)
      const sql = `INSERT INTO anchor (chain, size, state) VALUES (?, ?, 'open') RETURNING no`
      const no = Number(this.#get(sql, chain, head.size)!['no'])
      this.#attempt(no, submission, nowMs)
      return { no, chain, head, attempts: [{ ...submission, signedMs: nowMs }] }
    })
  }

  addAttempt(no: number, submission: Submission, nowMs: number): void {
    this.#transaction(() => this.#attempt(no, submission, nowMs))
  }

  open(chain: string): readonly Anchor[] {
    return this.#all(`${ANCHOR} WHERE chain = ? AND state = 'open' ORDER BY no`, chain).map((row) => this.#anchor(row))
  }

  confirm(no: number, receipt: Receipt, cost: bigint, nowMs: number): void {
    const json = JSON.stringify(receiptToJson(receipt))
    this.#transaction(() => {
      // Counted apart from the anchors: a place that was given back is never given again.
      const place = this.#get('UPDATE log SET confirmations = confirmations + 1 RETURNING confirmations AS no')
      const sql = `UPDATE anchor SET state = 'confirmed', confirmed_no = ?, receipt = ?, cost = ?, settled_ms = ? WHERE no = ?`
      this.#run(sql, Number(place!['no']), json, `${cost}`, nowMs, no)
    })
  }

  refuse(no: number, reason: string, cost: bigint, nowMs: number): void {
    this.#settle(`state = 'refused', reason = ?, cost = ?, settled_ms = ? WHERE no = ?`, reason, `${cost}`, nowMs, no)
  }

  abandon(no: number): void {
    this.#transaction(() => {
      const sql = `UPDATE anchor SET state = 'abandoned', cost = '0' WHERE no = ? RETURNING chain, size`
      const { chain, size } = this.#get(sql, no) as { chain: string; size: number }
      // A newer one that was refused does not carry what this one says.
      const newer = `SELECT 1 FROM waiting WHERE chain = ?1 AND size >= ?2
        UNION ALL SELECT 1 FROM anchor WHERE chain = ?1 AND size >= ?2 AND state IN ('open', 'confirmed')`
      if (this.#get(newer, chain, size) === undefined) this.#wait(chain, size)
    })
  }

  reopen(no: number): void {
    const sql = `state = 'open', confirmed_no = NULL, receipt = NULL, cost = NULL, settled_ms = NULL WHERE no = ?`
    this.#settle(sql, no)
  }

  newestConfirmed(chain: string): ConfirmedAnchor | undefined {
    return this.#confirmed(`${ANCHOR} WHERE chain = ? AND state = 'confirmed' ORDER BY a.size DESC LIMIT 1`, chain)
  }

  covering(chain: string, index: number): ConfirmedAnchor | undefined {
    const sql = `${ANCHOR} WHERE chain = ? AND state = 'confirmed' AND a.size > ? ORDER BY a.size LIMIT 1`
    return this.#confirmed(sql, chain, index)
  }

  holding(size: number): readonly ConfirmedAnchor[] {
    const rows = this.#all(`${ANCHOR} WHERE a.size = ? AND state = 'confirmed' ORDER BY chain`, size)
    return rows.map((row) => confirmedOf(this.#anchor(row), row))
  }

  confirmedAfter(confirmedNo: number, count: number): readonly ConfirmedAnchor[] {
    const rows = this.#all(`${ANCHOR} WHERE confirmed_no > ? ORDER BY confirmed_no LIMIT ?`, confirmedNo, count)
    return rows.map((row) => confirmedOf(this.#anchor(row), row))
  }

  spent(chain: string, sinceMs: number): bigint {
    // Decimal text orders by length, then by digits; of one anchor's submissions one at most is paid for.
    const sql = `SELECT a.no, a.cost, t.cost_max FROM anchor a JOIN attempt t ON t.anchor = a.no
      WHERE a.chain = ? AND t.signed_ms >= ? ORDER BY a.no, length(t.cost_max), t.cost_max`
    const byAnchor = new Map<unknown, bigint>()
    for (const row of this.#all(sql, chain, sinceMs)) {
      byAnchor.set(row['no'], BigInt((row['cost'] ?? row['cost_max']) as string))
    }
    return [...byAnchor.values()].reduce((sum, cost) => sum + cost, 0n)
  }

  record(chain: string): ChainRecord {
    const refused = this.#get(
      `SELECT reason, settled_ms FROM anchor WHERE chain = ? AND state = 'refused' ORDER BY no DESC LIMIT 1`,
      chain,
    )
    const count = this.#get(`SELECT count(*) AS n FROM anchor WHERE chain = ? AND state = 'confirmed'`, chain)
    return {
      waiting: this.waiting(chain),
      open: this.open(chain),
      confirmed: Number(count?.['n']),
      newest: this.newestConfirmed(chain),
      lastRefusal: refused && { reason: String(refused['reason']), atMs: Number(refused['settled_ms']) },
    }
  }

  #wait(chain: string, size: number): void {
    const before = this.#get('SELECT size FROM waiting WHERE chain = ?', chain)
    this.#run('INSERT INTO waiting VALUES (?1, ?2) ON CONFLICT DO UPDATE SET size = max(size, ?2)', chain, size)
    if (before === undefined) return
    const unused = `DELETE FROM head WHERE size = ?1 AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.size = ?1)
      AND NOT EXISTS (SELECT 1 FROM anchor a WHERE a.size = ?1)`
    this.#run(unused, Number(before['size']))
  }

  #settle(assignments: string, ...values: SQLInputValue[]): void {
    this.#transaction(() => this.#run(`UPDATE anchor SET ${assignments}`, ...values))
  }

  #attempt(no: number, submission: Submission, nowMs: number): void {
    const { bytes: signed, id, sequence, costMax, expiresMs } = submission
    const sql = `INSERT INTO attempt SELECT ?1, count(*), ?2, ?3, ?4, ?5, ?6, ?7 FROM attempt WHERE anchor = ?1`
    this.#run(sql, no, signed, id, sequence, `${costMax}`, expiresMs ?? null, nowMs)
  }

  #confirmed(sql: string, ...values: SQLInputValue[]): ConfirmedAnchor | undefined {
    const row = this.#get(sql, ...values)
    return row && confirmedOf(this.#anchor(row), row)
  }

  #anchor(row: Row): Anchor {
    const no = Number(row['no'])
    const attempts = this.#all('SELECT * FROM attempt WHERE anchor = ? ORDER BY no', no).map(attemptOf)
    return { no, chain: String(row['chain']), head: headOf(this.#logId, row), attempts }
  }

  #transaction<T>(work: () => T): T {
    return storing(() => {
      this.#db.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        this.#db.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  #all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...values) as readonly Row[]
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}

function storing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof AnchoringError) throw error
    if (isBusy(error)) throw new AnchoringError({ code: 'anchoring/locked' })
    throw new AnchoringError({ code: 'anchoring/storage', reason: (error as Error).message }, { cause: error })
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === SQLITE_BUSY
}

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CHAINS_MAX, type ChainAdapter, enqueueDue, isDue } from '@nexus/anchoring'
import { EvmChain } from '@nexus/anchoring/evm'
import { Anchorer } from '@nexus/anchoring/node'
import { SqliteQueue } from '@nexus/anchoring/sqlite'
import type { SignedTreeHead } from '@nexus/vault'
import { http } from 'viem'
import { describe, expect, test } from 'vitest'
import { folder } from './rig/ledger.ts'

const log = { logId: new Uint8Array(16).fill(1), publicKey: new Uint8Array(32).fill(2) }
const CHAIN = 'eip155:31337'
const secret = new Uint8Array(32).fill(7)
const EVM = { transport: http('http://127.0.0.1:9'), contract: new Uint8Array(20), secret, depth: 1 }

function head(size: number): SignedTreeHead {
  const root = new Uint8Array(32).fill(size)
  return { logId: log.logId, size, root, timeMs: size * 10, signature: new Uint8Array(64).fill(size) }
}

function submission(sequence: number, costMax = 100n) {
  return { bytes: Uint8Array.of(sequence, 7), id: new Uint8Array(32).fill(sequence), sequence, costMax }
}

function receipt() {
  const block = { number: 5, hash: new Uint8Array(32).fill(3), timeMs: 1_000 }
  const parties = { contract: new Uint8Array(20), anchorer: new Uint8Array(20) }
  return { kind: 'evm' as const, chain: CHAIN, ...parties, transaction: new Uint8Array(32), block }
}

describe('the queue', () => {
  test('keeps of waiting heads the newest, and of a head what stands on disk is what was put in', () => {
    const queue = new SqliteQueue(':memory:', log)
    for (let size = 1; size <= 100; size++) queue.enqueue(CHAIN, head(size))
    expect(queue.waiting(CHAIN)).toEqual(head(100))
    queue.enqueue(CHAIN, head(7))
    expect(queue.waiting(CHAIN)).toEqual(head(100))
    queue.close()
  })

  test('does not grow while its chain is down', () => {
    const path = join(folder(), 'queue.db')
    const queue = new SqliteQueue(path, log)
    for (let size = 1; size <= 250; size++) queue.enqueue(CHAIN, head(size))
    queue.close()
    const db = new DatabaseSync(path)
    expect(db.prepare('SELECT count(*) AS n FROM head').get()).toEqual({ n: 1 })
    db.close()
  })

  test('opens where it was closed, whatever stood in it', () => {
    const path = join(folder(), 'queue.db')
    const first = new SqliteQueue(path, log)
    first.enqueue(CHAIN, head(3))
    const begun = first.begin(CHAIN, head(3), submission(9), 50)
    first.enqueue(CHAIN, head(4))
    first.addAttempt(begun.no, { ...submission(9, 200n), expiresMs: 99 }, 60)
    first.close()
    const again = new SqliteQueue(path, log)
    const attempts = [
      { ...submission(9), signedMs: 50 },
      { ...submission(9, 200n), expiresMs: 99, signedMs: 60 },
    ]
    expect(again.open(CHAIN)).toEqual([{ no: begun.no, chain: CHAIN, head: head(3), attempts }])
    expect(again.waiting(CHAIN)).toEqual(head(4))
    again.confirm(begun.no, receipt(), 42n, 70)
    expect(again.open(CHAIN)).toEqual([])
    expect(again.newestConfirmed(CHAIN)).toMatchObject({ head: head(3), receipt: receipt(), confirmedMs: 70 })
    again.close()
  })

  test('an abandoned head waits again, unless a newer one does', () => {
    const queue = new SqliteQueue(':memory:', log)
    const lone = queue.begin(CHAIN, enqueued(queue, 5), submission(1), 0)
    queue.abandon(lone.no)
    expect(queue.waiting(CHAIN)?.size).toBe(5)
    const overtaken = queue.begin(CHAIN, head(5), submission(2), 0)
    queue.enqueue(CHAIN, head(8))
    queue.abandon(overtaken.no)
    expect(queue.waiting(CHAIN)?.size).toBe(8)
    queue.close()
  })

  test('a refused head is not due again, and keeps no older one from waiting', () => {
    const queue = new SqliteQueue(':memory:', log)
    const schedule = { everyEntries: 1, everyMs: 1 }
    const older = queue.begin(CHAIN, enqueued(queue, 5), submission(1), 0)
    const refused = queue.begin(CHAIN, enqueued(queue, 8), submission(2), 0)
    queue.refuse(refused.no, 'NotGrown', 9n, 10)
    queue.abandon(older.no)
    expect(queue.waiting(CHAIN)?.size).toBe(5)
    queue.begin(CHAIN, head(5), submission(1), 0)
    for (const force of [false, true]) {
      expect(enqueueDue(queue, [CHAIN], schedule, head(8), { nowMs: 1e9, force })).toEqual([])
      expect(queue.waiting(CHAIN)).toBeUndefined()
    }
    expect(enqueueDue(queue, [CHAIN], schedule, head(9), { nowMs: 1e9 })).toEqual([CHAIN])
    queue.close()
  })

  test('counts of each anchor what it may cost at most, and once it is confirmed what it did', () => {
    const queue = new SqliteQueue(':memory:', log)
    const first = queue.begin(CHAIN, enqueued(queue, 1), submission(1, 9n), 100)
    queue.addAttempt(first.no, submission(1, 1_000n), 200)
    queue.addAttempt(first.no, submission(1, 90n), 300)
    expect(queue.spent(CHAIN, 0)).toBe(1_000n)
    queue.confirm(first.no, receipt(), 11n, 400)
    queue.begin(CHAIN, enqueued(queue, 2), submission(2, 2n ** 70n), 500)
    expect(queue.spent(CHAIN, 0)).toBe(11n + 2n ** 70n)
    expect(queue.spent(CHAIN, 450)).toBe(2n ** 70n)
    expect(queue.spent('eip155:1', 0)).toBe(0n)
    queue.close()
  })

  test('is held by one process alone', () => {
    const path = join(folder(), 'queue.db')
    const holder = new SqliteQueue(path, log)
    const locked = expect.objectContaining({ detail: { code: 'anchoring/locked' } })
    expect(() => new SqliteQueue(path, log)).toThrow(locked)
    holder.enqueue(CHAIN, head(1))
    holder.close()
    new SqliteQueue(path, log).close()
  })

  test('serves one log, and no schema of a newer program', () => {
    const path = join(folder(), 'queue.db')
    new SqliteQueue(path, log).close()
    const other = { ...log, logId: new Uint8Array(16) }
    expect(() => new SqliteQueue(path, other)).toThrow(expect.objectContaining({ detail: { code: 'anchoring/log' } }))
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    const newer = { detail: { code: 'anchoring/schema', found: 99, known: 2 } }
    expect(() => new SqliteQueue(path, log)).toThrow(expect.objectContaining(newer))
    const nowhere = expect.objectContaining({ detail: expect.objectContaining({ code: 'anchoring/storage' }) })
    expect(() => new SqliteQueue(join(path, 'below', 'a-file'), log)).toThrow(nowhere)
  })
})

test.each([
  ['nothing to anchor', undefined, 0, 0, false],
  ['the first head', undefined, 1, 0, true],
  ['nothing new', 50, 50, 1e9, false],
  ['too few, too early', 50, 59, 1_499, false],
  ['few, but time', 50, 51, 1_500, true],
  ['enough at once', 50, 60, 0, true],
])('due: %s', (_, before, size, nowMs, due) => {
  const schedule = { everyEntries: 10, everyMs: 1_000 }
  expect(isDue(schedule, before === undefined ? undefined : head(before), head(size), nowMs)).toBe(due)
})

function enqueued(queue: SqliteQueue, size: number): SignedTreeHead {
  queue.enqueue(CHAIN, head(size))
  return head(size)
}

test('an anchorer serves 1 to 16 chains, each once', () => {
  const adapter = (chain: string): ChainAdapter => new EvmChain({ ...EVM, chainId: Number(chain.slice(7)) })
  const anchorer = (names: readonly string[]) => {
    const chains = names.map((name) => ({ adapter: adapter(name), dailyCap: 1n, patienceMs: 1 }))
    const schedule = { everyEntries: 1, everyMs: 1_000 }
    return new Anchorer({ vault: {} as never, store: new SqliteQueue(':memory:', log), chains, schedule })
  }
  const names = Array.from({ length: CHAINS_MAX + 1 }, (_, at) => `eip155:${at + 1}`)
  expect(anchorer(names.slice(1)).status().length).toBe(CHAINS_MAX)
  expect(() => anchorer(names)).toThrow(RangeError)
  expect(() => anchorer([])).toThrow(RangeError)
  expect(() => anchorer([CHAIN, CHAIN])).toThrow(RangeError)
})

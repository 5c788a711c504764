import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { toHex } from '@nexus/codec'
import { expect, test } from 'vitest'
import { Disk, type DiskOp } from '../../../../tools/power-cut/disk.ts'
import { canRecord, record } from '../../../../tools/power-cut/record.ts'
import { idempotencyHash, recount } from '../src/index.ts'
import { readSqliteLedger } from '../src/sqlite.ts'
import { crypto, folder, random, request } from './kit.ts'

const cuts = Number(process.env['NEXUS_CUTS'] ?? 100)
const skipped = !canRecord() && process.env['CI'] === undefined
if (skipped) console.warn('no C compiler, or not Linux: the power cuts of the vault are SKIPPED')

const chance = (): number => random(1)[0]! / 256

/** Opens what a cut left as SQLite would, and checks it against what had been answered by then. */
async function check(files: ReadonlyMap<string, Uint8Array>, answered: ReadonlyMap<string, number>): Promise<void> {
  const left = join(folder(), 'left')
  mkdirSync(left)
  for (const [name, bytes] of files)
    if (name !== 'answers' && !name.includes('shm')) writeFileSync(join(left, name), bytes)
  const path = join(left, 'ledger.db')
  // The first opening replays the log of writes, as a restart does.
  const db = new DatabaseSync(path)
  const [sound] = db.prepare('PRAGMA integrity_check(1)').all()
  expect(sound?.['integrity_check']).toBe('ok')
  const begun = db.prepare("SELECT name FROM sqlite_schema WHERE name = 'log'").get() !== undefined
  const isEmpty = !begun || db.prepare('SELECT size FROM log').get() === undefined
  db.close()
  if (isEmpty) return expect(answered.size).toBe(0)
  const ledger = readSqliteLedger(path)
  const { faults, entries } = await recount(crypto, ledger)
  expect(faults).toEqual([])
  expect(entries).toBeGreaterThanOrEqual(answered.size)
  const held = new Map((await ledger.entries(0, entries)).map((entry) => [toHex(entry.idempotency), entry.index]))
  const actor = await ledger.person('did:key:app')
  for (const [key, index] of answered) {
    const hash = idempotencyHash(crypto, actor!.pseudonym, request().route, key)
    expect(held.get(toHex(hash))).toBe(index)
  }
  await ledger.close()
}

test.skipIf(skipped)(
  `${cuts} power cuts, with unflushed writes lost or torn, lose no answered entry`,
  async () => {
    const watched = folder()
    const child = fileURLToPath(new URL('power-child.ts', import.meta.url))
    const args = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', child, watched, '400']
    const ops = await record({ folder: watched, args })
    const flushes = ops.flatMap(({ kind, name }, at) => (kind === 'sync' && name.startsWith('ledger.db') ? [at] : []))
    expect(flushes.length).toBeGreaterThan(50)

    const disk = new Disk()
    const answered = new Map<string, number>()
    const points = cutPoints(ops, cuts)
    let checked = 0
    let at = 0
    for (const point of points) {
      for (; at < point; at++) follow(ops[at]!, disk, answered)
      await check(disk.cut(chance), answered)
      checked++
    }
    expect(checked).toBe(cuts)
    console.log(
      `${cuts} cuts over ${ops.length} changes and ${flushes.length} flushes, ${answered.size} answers, 0 lost`,
    )
  },
  60_000 + cuts * 1_000,
)

/** Places over the whole run; half of them right after a flush, where the promise is newest. */
function cutPoints(ops: readonly DiskOp[], count: number): number[] {
  const flushed = ops.flatMap(({ kind }, at) => (kind === 'sync' ? [at + 1] : []))
  const points = Array.from({ length: count }, (_, n) =>
    n % 2 === 0 ? flushed[Math.floor(chance() * flushed.length)]! : Math.floor((n / count) * ops.length),
  )
  return points.toSorted((a, b) => a - b)
}

function follow(op: DiskOp, disk: Disk, answered: Map<string, number>): void {
  if (op.name !== 'answers') return disk.apply(op)
  if (op.kind !== 'write') return
  for (const line of new TextDecoder().decode(op.data).split('\n')) {
    const [key, index] = line.split(' ')
    if (key !== undefined && index !== undefined) answered.set(key, Number(index))
  }
}

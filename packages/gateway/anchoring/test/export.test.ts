import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ExportLine, exportLines, exportSchema } from '@nexus/anchoring'
import { SqliteQueue } from '@nexus/anchoring/sqlite'
import { expect, test } from 'vitest'
import { schemas } from '../schema/generate.ts'
import { folder, grow, openVault } from './rig/ledger.ts'

test('the published schemas are those of the code', () => {
  for (const [name, text] of Object.entries(schemas())) {
    const published = readFileSync(new URL(`../schema/${name}`, import.meta.url), 'utf8')
    expect(JSON.parse(published)).toEqual(JSON.parse(text))
  }
})

test('an export has every entry and anchor once, each line as the schema says, and goes on where it ended', async () => {
  const vault = await openVault(folder())
  await grow(vault, 1_005)
  const queue = new SqliteQueue(':memory:', vault)
  const head = (await vault.head())!
  const block = { number: 5, hash: new Uint8Array(32), timeMs: 1_000 }
  const parties = { contract: new Uint8Array(20), anchorer: new Uint8Array(20), transaction: new Uint8Array(32) }
  for (const chain of ['eip155:1', 'eip155:2']) {
    queue.enqueue(chain, head)
    const signed = { bytes: new Uint8Array(1), id: new Uint8Array(32), sequence: 0, costMax: 1n }
    const { no } = queue.begin(chain, head, signed, 0)
    queue.confirm(no, { kind: 'evm', chain, ...parties, block }, 1n, 0)
  }
  const lines = await all(exportLines(vault, queue, { index: 0, anchorNo: 0 }))
  expect(lines.flatMap((line) => (line.kind === 'entry' ? Number(line.index) : []))).toEqual([...Array(1_005).keys()])
  expect(lines.flatMap((line) => (line.kind === 'anchor' ? line.receipt.chain : []))).toEqual(['eip155:1', 'eip155:2'])
  for (const line of lines) expect(exportSchema.parse(JSON.parse(JSON.stringify(line)))).toEqual(line)
  const later = await all(exportLines(vault, queue, { index: 1_000, anchorNo: 2 }))
  expect(later.map(({ kind }) => kind)).toEqual([...Array(5).fill('entry'), 'anchor'])
  queue.close()
})

test('an anchor that is confirmed late, or once more, comes after all that was exported before', async () => {
  const path = folder()
  const vault = await openVault(path)
  await grow(vault, 1)
  const head = (await vault.head())!
  let queue = new SqliteQueue(join(path, 'anchors.db'), vault)
  const receiptOf = (chain: string) => {
    const block = { number: 5, hash: new Uint8Array(32), timeMs: 1_000 }
    const parties = { contract: new Uint8Array(20), anchorer: new Uint8Array(20), transaction: new Uint8Array(32) }
    return { kind: 'evm' as const, chain, ...parties, block }
  }
  const begin = (chain: string) => {
    const signed = { bytes: new Uint8Array(1), id: new Uint8Array(32), sequence: 0, costMax: 1n }
    queue.enqueue(chain, head)
    return queue.begin(chain, head, signed, 0).no
  }
  let anchorNo = 0
  const exported = async () => {
    const chains: string[] = []
    for (const line of await all(exportLines(vault, queue, { index: 1, anchorNo }))) {
      if (line.kind !== 'anchor') throw new Error('no anchor')
      expect(Number(line.no)).toBeGreaterThanOrEqual(anchorNo)
      anchorNo = Number(line.no) + 1
      chains.push(line.receipt.chain)
    }
    return chains
  }
  const [slow, fast] = [begin('eip155:1'), begin('eip155:2')]
  queue.confirm(fast, receiptOf('eip155:2'), 1n, 0)
  expect(await exported()).toEqual(['eip155:2'])
  queue.confirm(slow, receiptOf('eip155:1'), 1n, 0)
  expect(await exported()).toEqual(['eip155:1'])
  // The newest place of all was given back: the next one must not take it again, nor after the file is opened anew.
  queue.reopen(slow)
  expect(await exported()).toEqual([])
  queue.close()
  queue = new SqliteQueue(join(path, 'anchors.db'), vault)
  queue.confirm(slow, receiptOf('eip155:1'), 1n, 0)
  expect(await exported()).toEqual(['eip155:1'])
  expect(await exported()).toEqual([])
  queue.close()
})

test('a queue of the schema before goes on with the places that its exports had', async () => {
  const path = folder()
  const vault = await openVault(path)
  await grow(vault, 1)
  const file = join(path, 'anchors.db')
  new SqliteQueue(file, vault).close()
  const db = new DatabaseSync(file)
  db.exec(
    'DROP INDEX anchor_confirmed; ALTER TABLE anchor DROP COLUMN confirmed_no; ALTER TABLE log DROP COLUMN confirmations',
  )
  const { size, root, timeMs, signature } = (await vault.head())!
  db.prepare('INSERT INTO head VALUES (?, ?, ?, ?)').run(size, root, timeMs, signature)
  const hash = '00'.repeat(32)
  const parties = { contract: '00'.repeat(20), anchorer: '00'.repeat(20), transaction: hash }
  const receipt = { kind: 'evm', chain: 'eip155:1', ...parties, block: { number: '5', hash, timeMs: '1000' } }
  const insert = db.prepare(`INSERT INTO anchor VALUES (?, 'eip155:1', ?, ?, ?, NULL, '1', 0)`)
  insert.run(3, size, 'confirmed', JSON.stringify(receipt))
  insert.run(4, size, 'open', null)
  db.exec('PRAGMA user_version = 1')
  db.close()
  const queue = new SqliteQueue(file, vault)
  const places = () => queue.confirmedAfter(0, 9).map(({ no, confirmedNo }) => [no, confirmedNo])
  expect(places()).toEqual([[3, 3]])
  queue.confirm(4, queue.confirmedAfter(0, 1)[0]!.receipt, 1n, 0)
  expect(places()).toEqual([
    [3, 3],
    [4, 5],
  ])
  queue.close()
})

async function all(lines: AsyncIterable<ExportLine>): Promise<ExportLine[]> {
  const collected: ExportLine[] = []
  for await (const line of lines) collected.push(line)
  return collected
}

import { readFileSync } from 'node:fs'
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

async function all(lines: AsyncIterable<ExportLine>): Promise<ExportLine[]> {
  const collected: ExportLine[] = []
  for await (const line of lines) collected.push(line)
  return collected
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSnapshotFile, writeSnapshotFile } from '@nexus/crdt-ledger/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { crypto, genesis } from './kit.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-ledger-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a snapshot file is read back, and replaced whole', () => {
  const path = join(folder, 'ledger.snapshot')
  expect(readSnapshotFile(crypto, path)).toEqual({})
  for (const ada of [5n, 6n]) {
    const snapshot = genesis({ ada })
    writeSnapshotFile(path, snapshot)
    expect(readSnapshotFile(crypto, path).snapshot?.root).toEqual(snapshot.root)
  }
  expect(readdirSync(folder)).toEqual(['ledger.snapshot'])
})

test('a damaged file is reported and put aside, never overwritten', () => {
  const path = join(folder, 'ledger.snapshot')
  writeSnapshotFile(path, genesis({ ada: 5n }))
  const bytes = readFileSync(path)
  for (const [n, size] of [bytes.length - 1, 40, 0].entries()) {
    writeFileSync(path, bytes.subarray(0, size))
    const { snapshot, setAside } = readSnapshotFile(crypto, path)
    expect(snapshot).toBeUndefined()
    expect(setAside?.asidePath).toBe(`${path}.damaged-${n + 1}`)
    expect(setAside?.why).not.toBe('')
  }
  expect(readFileSync(`${path}.damaged-1`).length).toBe(bytes.length - 1)
})

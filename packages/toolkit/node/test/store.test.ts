import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore, type Store } from '../src/core/store.ts'
import { openStore } from '../src/driver/sqlite-store.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-store-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe.each<[string, () => Store]>([
  ['memory', () => new MemoryStore()],
  ['sqlite', () => openStore(join(folder, 'state.db')).store],
])('store in %s', (_name, open) => {
  test('keeps, replaces, lists by prefix in key order, and deletes', () => {
    const store = open()
    store.put('b/2', bytes(2))
    store.put('b/1', bytes(1))
    store.put('c/1', bytes(9))
    store.put('b/1', bytes(1, 1))
    expect(store.get('b/1')).toEqual(bytes(1, 1))
    expect(store.get('b/9')).toBeUndefined()
    expect([...store.entries('b/')].map(([key]) => key)).toEqual(['b/1', 'b/2'])
    store.delete('b/1')
    expect([...store.entries('b/')]).toHaveLength(1)
  })

  test('hands out copies', () => {
    const store = open()
    const value = bytes(1)
    store.put('k', value)
    value[0] = 9
    expect(store.get('k')).toEqual(bytes(1))
  })
})

describe('state file', () => {
  test('a failed transaction leaves nothing behind', () => {
    const { store } = openStore(join(folder, 'state.db'))
    store.put('a', bytes(1))
    expect(() =>
      store.atomically(() => {
        store.put('a', bytes(2))
        store.put('b', bytes(2))
        throw new Error('power')
      }),
    ).toThrow('power')
    expect(store.get('a')).toEqual(bytes(1))
    expect(store.get('b')).toBeUndefined()
  })

  test.each([
    [
      'overwritten',
      (path: string) => writeFileSync(path, 'not a database at all, whatever its name says '.repeat(100)),
    ],
    ['torn', (path: string) => truncateSync(path, 5_000)],
  ])('a file that was %s is set aside with its content, told of, and begun anew', (_how, damage) => {
    const path = join(folder, 'state.db')
    const first = openStore(path)
    for (let n = 0; n < 200; n++) first.store.put(`key/${n}`, new Uint8Array(200).fill(n))
    first.store.close()
    damage(path)
    const damaged = readFileSync(path)
    const { store, setAside } = openStore(path)
    expect(setAside?.path).toBe(path)
    expect(setAside?.asidePath).toBe(`${path}.damaged-1`)
    expect(readFileSync(`${path}.damaged-1`)).toEqual(damaged)
    expect([...store.entries('')]).toHaveLength(0)
    store.put('new', bytes(1))
    store.close()
    expect(openStore(path).setAside).toBeUndefined()
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toHaveLength(1)
  })

  test('what was put is there after kill -9', async () => {
    const path = join(folder, 'state.db')
    const program = join(folder, 'writer.ts')
    const source = new URL('../src/driver/sqlite-store.ts', import.meta.url)
    writeFileSync(
      program,
      `import { openStore } from ${JSON.stringify(source.href)}
       const { store } = openStore(process.argv[2])
       for (let n = 1; ; n++) { store.put('count', Uint8Array.of(n & 255, n >> 8)); process.stdout.write(n + '\\n') }`,
    )
    const child = spawn(process.execPath, ['--conditions=nexus-source', program, path])
    let told = 0
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop()!
      told = Number(lines.at(-1) ?? told)
      if (told > 50) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('exit', resolve))
    expect(told).toBeGreaterThan(50)
    const value = openStore(path).store.get('count')!
    expect(value[0]! | (value[1]! << 8)).toBeGreaterThanOrEqual(told)
  })

  test('a second process waits its turn instead of failing', () => {
    const path = join(folder, 'state.db')
    const { store } = openStore(path)
    store.put('mine', bytes(1))
    const source = new URL('../src/driver/sqlite-store.ts', import.meta.url)
    const code = `const { openStore } = await import(${JSON.stringify(source.href)}); openStore(${JSON.stringify(path)}).store.put('theirs', Uint8Array.of(2))`
    execFileSync(process.execPath, ['--conditions=nexus-source', '--input-type=module', '-e', code])
    expect(store.get('theirs')).toEqual(bytes(2))
  })
})

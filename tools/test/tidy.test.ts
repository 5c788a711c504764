import { describe, expect, test } from 'vitest'
import { importsOf, members, readText, repositoryFiles } from '../lib/house.ts'
import { coreFaults, exportStarFaults, hasPackageComment, isCore, longParts, wordFaults } from '../lib/tidy.ts'
import { LONG_PARTS } from './exceptions.ts'

const files = repositoryFiles()
const code = files.filter((file) => /\.(ts|tsx|mts|mjs)$/.test(file))
const sources = code.filter((file) => /^(packages\/[^/]+\/[^/]+|apps\/[^/]+|bench)\/src\/|^tools\//.test(file))
const texts = files.filter((file) =>
  /\.(ts|tsx|mts|mjs|js|md|json|jsonc|toml|yaml|yml|sh|html|css|svg)$|^[^.]+$|^\.ci\//.test(file),
)
const lockfiles = /(^|\/)(pnpm-lock\.yaml|package-lock\.json)$/

describe('the rules themselves', () => {
  test.each([
    'const t = Date.now()',
    'const t = globalThis.performance.now()',
    'const r = Math.random()',
    'setTimeout(() => {}, 1)',
    'globalThis.setInterval(f, 1)',
    'const d = new Date()',
    'const b = Buffer.from([1])',
    "import { readFile } from 'node:fs/promises'",
    "export { join } from 'node:path'",
    'const k = crypto.getRandomValues(new Uint8Array(2))',
  ])('a core may not say: %s', (text) => expect(coreFaults('a.ts', text)).toHaveLength(1))

  test.each([
    '/** Date.now() would be wrong here. */ const s = "setTimeout(1)"',
    'const d = new Date(nowMs)',
    'clock.now(); random(8)',
  ])('a core may say: %s', (text) => expect(coreFaults('a.ts', text)).toEqual([]))

  test.each([
    ['packages/base/crypto/src/provider.ts', true],
    ['packages/base/crypto/src/node.ts', false],
    ['packages/base/crypto/src/node/batch.ts', false],
    ['packages/network/link/src/testing.ts', false],
    ['packages/toolkit/node/src/core/peers.ts', true],
    ['packages/toolkit/node/src/core.ts', true],
    ['packages/toolkit/node/src/driver.ts', false],
    ['packages/transport/udp/src/index.ts', false],
    ['packages/base/crypto/test/a.test.ts', false],
  ])('%s is a core: %s', (path, core) => expect(isCore(path)).toBe(core))

  test('long files and functions are found', () => {
    expect(longParts('a.ts', '\n'.repeat(401))).toEqual([{ what: 'a.ts', lines: 401 }])
    expect(longParts('a.ts', `function f() {${'\n'.repeat(71)}}`)).toEqual([{ what: 'a.ts:f', lines: 72 }])
    expect(longParts('a.ts', `class A { m() {${'\n'.repeat(60)}} }`)).toEqual([])
  })

  test('words that must not be there are found', () => {
    const word = ['TO', 'DO'].join('')
    const path = ['', 'tmp', 'x'].join('/')
    expect(wordFaults('a', `one\n// ${word}: later\n`)).toHaveLength(1)
    expect(wordFaults('a', `open('${path}')`)).toHaveLength(1)
    expect(wordFaults('a', 'net/work/ and todo lists')).toEqual([])
  })

  test('the other rules trip too', () => {
    expect(exportStarFaults('a.ts', "export * from './b.ts'")).toHaveLength(1)
    expect(exportStarFaults('a.ts', "export { b } from './b.ts'")).toEqual([])
    expect(hasPackageComment('export {}')).toBe(false)
    expect(hasPackageComment('/** What this is. */\nexport {}')).toBe(true)
    const text =
      "import type { A } from 'a'\nexport { b } from 'b'\nconst c = await import('c')\ntype D = import('d').D"
    expect(importsOf('a.ts', text).map(({ specifier }) => specifier)).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('this repository', () => {
  test('cores reach for nothing outside', () => {
    const cores = sources.filter(isCore)
    expect(cores.length).toBeGreaterThan(10)
    expect(cores.flatMap((file) => coreFaults(file, readText(file)))).toEqual([])
  })

  test('files and functions are short, and exceptions only shrink', () => {
    const long = sources.flatMap((file) => longParts(file, readText(file)))
    expect(Object.fromEntries(long.map(({ what, lines }) => [what, lines]))).toEqual(LONG_PARTS)
  })

  test('exports are named', () => {
    expect(sources.flatMap((file) => exportStarFaults(file, readText(file)))).toEqual([])
  })

  test('each package opens with its comment', () => {
    const indexes = members().flatMap(({ folder, files: own }) =>
      own.filter((file) => file === `${folder}/src/index.ts`),
    )
    expect(indexes.filter((file) => !hasPackageComment(readText(file)))).toEqual([])
  })

  test('no unfinished work, no path of one machine, no test left out', () => {
    const own = texts.filter((file) => !lockfiles.test(file) && file !== 'LICENSE')
    expect(own.flatMap((file) => wordFaults(file, readText(file)))).toEqual([])
  })
})

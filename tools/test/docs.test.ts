import parseChangeset from '@changesets/parse'
import { describe, expect, test } from 'vitest'
import { members, readText, repositoryFiles } from '../lib/house.ts'
import { brokenLinks, citedPages } from '../lib/pages.ts'
import { packageMap, README_MAP } from '../readme-map.ts'

const files = repositoryFiles()
const pages = files.filter((file) => file.endsWith('.md'))
const texts = new Map(files.map((file) => [file, file.endsWith('.md') ? readText(file) : '']))
const packages = members().filter(({ folder }) => folder.startsWith('packages/'))

describe('the rules themselves', () => {
  const known = new Map([
    ['a.md', '# One\n\n## Two words, really\n'],
    ['b/c.md', ''],
  ])
  test.each(['[x](a.md)', '[x](./b/)', '[x](a.md#two-words-really)', '`[x](none.md)`', '[x](https://none)'])(
    '%s is fine',
    (page) => {
      expect(brokenLinks('index.md', page, known)).toEqual([])
    },
  )
  test.each(['[x](none.md)', '[x](a.md#three)', '![x](b/d.svg)', '[x]: none.md', '<img src="none.svg">'])(
    '%s is not',
    (page) => {
      expect(brokenLinks('index.md', page, known)).toHaveLength(1)
    },
  )
})

test('links between pages lead somewhere', () => {
  expect(pages.flatMap((page) => brokenLinks(page, readText(page), texts))).toEqual([])
})

test('the pages that sources and documents cite exist', () => {
  const citing = files.filter((file) => /\.(ts|tsx|mjs|md)$/.test(file) && !file.startsWith('tools/'))
  const missing = citing.flatMap((file) =>
    citedPages(readText(file))
      .filter((page) => !texts.has(page))
      .map((page) => `${file}: ${page}`),
  )
  expect(missing).toEqual([])
})

test('the map in the README is the one that the packages give', () => {
  const [, map] = README_MAP.exec(readText('README.md')) ?? []
  expect(map).toBe(packageMap())
})

test('each changeset parses and names packages of ours', () => {
  const names = new Set(members().map(({ manifest }) => manifest.name))
  for (const file of files.filter((path) => /^\.changeset\/.*\.md$/.test(path) && !path.endsWith('/README.md'))) {
    const { summary, releases } = parseChangeset(readText(file))
    expect(summary.trim().length, file).toBeGreaterThan(10)
    expect(releases.length, file).toBeGreaterThan(0)
    for (const { name } of releases) expect(names, file).toContain(name)
  }
})

test('a package that was never released has a changeset', () => {
  const announced = files
    .filter((path) => /^\.changeset\/.*\.md$/.test(path))
    .flatMap((path) => parseChangeset(readText(path)).releases.map(({ name }) => name))
  const unreleased = packages
    .filter(({ manifest }) => manifest.version === '0.0.0')
    .map(({ manifest }) => manifest.name)
  expect(unreleased.filter((name) => !announced.includes(name))).toEqual([])
})

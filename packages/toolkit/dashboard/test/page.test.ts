import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { PAGE_FOLDER } from '@nexus/dashboard'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPage } from './demo.ts'

const SCRIPT_GZIP_BYTES_MAX = 60_000
const folder = mkdtempSync(join(tmpdir(), 'nexus-page-'))
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

beforeAll(() => buildPage(folder))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the page is small', () => {
  expect(gzipSync(read('page.js')).length).toBeLessThan(SCRIPT_GZIP_BYTES_MAX)
})

test('the same sources make the same bytes', async () => {
  const before = ['page.js', 'page.css', 'index.html', 'icon.svg'].map(read)
  await buildPage(folder)
  expect(['page.js', 'page.css', 'index.html', 'icon.svg'].map(read)).toEqual(before)
})

test('the document holds no script, style or source that its policy would refuse', () => {
  const html = read('index.html')
  expect(html).not.toMatch(/\son\w+=|\sstyle=|<style/)
  expect([...html.matchAll(/<script[^>]*>([^<]*)/g)].map(([, inline]) => inline)).toEqual([''])
  const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
  expect(loaded.map((path) => existsSync(join(folder, path)))).toEqual(loaded.map(() => true))
  expect(read('page.css')).not.toMatch(/url\(|@import/)
})

test('its folder is that of the package', () => {
  expect(PAGE_FOLDER).toBe(fileURLToPath(new URL('../dist/page/', import.meta.url)))
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Every source file that an entry brings in, our own packages included. */
function graph(entry: URL, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(entry.href)) return seen
  const text = readFileSync(entry, 'utf8')
  seen.set(entry.href, text)
  for (const [, name = ''] of text.matchAll(/from '([^']+)'/g)) {
    if (name.startsWith('.')) graph(new URL(name, entry), seen)
    else if (name === '@nexus/transport') graph(new URL('../../transport/src/index.ts', import.meta.url), seen)
    else seen.set(name, '')
  }
  return seen
}

test('the client needs nothing but a browser', () => {
  const files = graph(new URL('../src/index.ts', import.meta.url))
  expect([...files.keys()].filter((name) => !name.startsWith('file:'))).toEqual([])
  expect(files.size).toBeGreaterThan(5)
  for (const [name, text] of files) expect(text, name).not.toMatch(/\b(process|Buffer|setImmediate|require)\b[.(]/)
})

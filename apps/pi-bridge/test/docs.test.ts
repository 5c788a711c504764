import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { guideParts, schemaFiles, withParts } from '../src/docs/reference.ts'

const docs = join(import.meta.dirname, '..', '..', '..', 'docs')

describe('what is made from the code', () => {
  test('docs/schemas is up to date, and holds nothing else', () => {
    const files = schemaFiles()
    expect(readdirSync(join(docs, 'schemas')).sort()).toEqual([...files.keys()].sort())
    for (const [name, text] of files) expect(readFileSync(join(docs, 'schemas', name), 'utf8'), name).toBe(text)
  })

  test('the tables of docs/guides/operator.md are up to date', () => {
    const page = readFileSync(join(docs, 'guides', 'operator.md'), 'utf8')
    expect(withParts(page, guideParts())).toBe(page)
  })
})

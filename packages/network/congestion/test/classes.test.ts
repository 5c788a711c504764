import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { priorityOfContext } from '../src/index.ts'

const file = new URL('../../../../conformance-vectors/congestion/congestion.priorityOfContext.json', import.meta.url)

test('all 256 contexts have the priority that the vectors say', () => {
  const { cases } = JSON.parse(readFileSync(file, 'utf8'))
  expect(cases).toHaveLength(256)
  for (const { in: given, out } of cases) expect({ priority: priorityOfContext(given.context) }).toEqual(out)
})

/** The table of docs/spec/congestion.md, written out once more. */
test.each([
  [0x40, 2, 'sealed message'],
  [0x41, 3, 'fragment'],
  [0x42, 1, 'session handshake'],
  [0x43, 2, 'stream'],
  [0x44, 1, 'trace'],
  [0x45, 1, 'trace answer'],
  [0x46, 2, 'onion'],
  [0x47, 2, ''],
  [0x4f, 2, ''],
  [0x50, 0, ''],
  [0x5f, 0, ''],
  [0x60, 1, ''],
  [0x7f, 1, ''],
  [0x80, 2, ''],
  [0xbf, 2, ''],
  [0xc0, 3, ''],
  [0xdf, 3, ''],
  [0xe0, 0, 'private use'],
  [0xe3, 0, 'private use'],
  [0xe4, 1, 'private use'],
  [0xe9, 1, 'private use'],
  [0xea, 2, 'private use'],
  [0xf1, 2, 'private use'],
  [0xf2, 3, 'private use'],
  [0xf9, 3, 'private use'],
  [0x00, 2, 'unassigned'],
  [0xfa, 2, 'of another protocol'],
  [256, 2, 'no context'],
])('context %i has priority %i', (context, priority) => expect(priorityOfContext(context)).toBe(priority))

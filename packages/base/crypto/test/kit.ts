import { readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import type { CryptoTestKit } from '../src/testing.ts'

const STANDARDS = new URL('../../../../conformance-vectors/standards/', import.meta.url)

export const kit: CryptoTestKit = {
  describe,
  test: (name, body) => test(name, body, process.env['NEXUS_SLOW'] ? 3_600_000 : undefined),
  vectors: (file) => JSON.parse(readFileSync(new URL(file, STANDARDS), 'utf8')),
  slow: process.env['NEXUS_SLOW'] !== undefined,
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export { crypto, random, seed } from './keys.ts'

/** A folder that goes with its test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-sentry-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SentryError } from '@nexus/sentry'
import { VaultError } from '@nexus/vault'
import { describe, expect, test } from 'vitest'
import { exportPerson } from '../src/commands/ledger.ts'
import { loadConfig, withoutSecrets } from '../src/config/load.ts'
import { asProblem, refusal } from '../src/http/problem.ts'
import { folder } from './harness.ts'

async function* pagesOf(count: number, fault?: Error): AsyncGenerator<unknown> {
  for (let page = 0; page < count; page++) yield { page }
  if (fault !== undefined) throw fault
}

describe('an export', () => {
  test('leaves the file alone where nothing is known of the person, or where it fails half way', async () => {
    const at = folder()
    const out = join(at, 'person.jsonl')
    writeFileSync(out, 'of somebody else\n')
    expect(await exportPerson({ out }, pagesOf(0))).toBe(0)
    await expect(exportPerson({ out }, pagesOf(1, new Error('away')))).rejects.toThrow('away')
    expect(readFileSync(out, 'utf8')).toBe('of somebody else\n')
    expect(readdirSync(at)).toEqual(['person.jsonl'])
  })

  test('is for its owner alone, whatever stood there before', async () => {
    const at = folder()
    const out = join(at, 'person.jsonl')
    writeFileSync(out, 'readable by all\n', { mode: 0o644 })
    expect(await exportPerson({ out }, pagesOf(2))).toBe(2)
    expect(readFileSync(out, 'utf8')).toBe('{"page":0}\n{"page":1}\n')
    expect(statSync(out).mode & 0o777).toBe(0o600)
    expect(readdirSync(at)).toEqual(['person.jsonl'])
  })
})

describe('the configuration as it is shown', () => {
  test.each([
    ['postgres://nexus:s3cret@db/ledger', 'postgres://nexus:***@db/ledger'],
    ['postgres://db/ledger?user=nexus&password=s3cret', 'postgres://db/ledger?user=nexus&password=***'],
    ['postgres://nexus@db/ledger', 'postgres://nexus@db/ledger'],
    ['postgres://nexus:s3cret@db:not-a-port/ledger', '***'],
    ['', ''],
  ])('%s', (database, shown) => {
    const config = loadConfig({ env: {}, flags: { database, stateDir: folder() } })
    expect(withoutSecrets(config).database).toBe(shown)
  })
})

describe('what the database says', () => {
  const secret = 'relation "nexus_log" at 10.0.0.7 is read-only'
  const faults = [
    new SentryError({ code: 'sentry/store', reason: secret }),
    new SentryError({ code: 'sentry/schema', found: 9, known: 3 }),
    new VaultError({ code: 'vault/storage', reason: secret }),
    new VaultError({ code: 'vault/corrupt', what: secret }),
  ]
  test.each(faults)('$detail.code stays in the log', (error) => {
    const given = asProblem(error)
    expect(given.problem.detail).toBe('the database cannot be used now')
    expect(given.cause).toBe(error)
  })

  test('a refusal for it neither', () => {
    const error = new SentryError({ code: 'sentry/store', reason: secret })
    const given = refusal({ kind: 'refused', requestId: '00', status: 503, error })
    expect(given.problem.detail).toBe('the database cannot be used now')
    expect(given.cause).toBe(error)
  })
})

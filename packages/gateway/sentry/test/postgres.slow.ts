import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresPrograms, startPostgres, type TestServer } from '../../vault/test/postgres-server.ts'
import { openPostgresSentryStore } from '../src/postgres.ts'
import { checkSentryStore } from '../src/testing.ts'
import { openGate, signed, signerOf } from './gate.ts'

const programs = postgresPrograms()
if (programs === undefined && process.env['CI'] === undefined) {
  console.warn('PostgreSQL is not on this machine (initdb, postgres): its suite of the sentry is SKIPPED')
}

describe.skipIf(programs === undefined && process.env['CI'] === undefined)('PostgreSQL', { timeout: 60_000 }, () => {
  let server: TestServer
  let schemas = 0
  beforeAll(async () => {
    if (programs === undefined)
      throw new Error('PostgreSQL (initdb, postgres) is needed here and is not on this machine')
    server = await startPostgres(programs)
  }, 60_000)
  afterAll(() => server?.stop())

  async function schema(more = ''): Promise<string> {
    const name = `sentry_${schemas++}`
    const client = new Client({ connectionString: server.url })
    await client.connect()
    await client.query(`CREATE SCHEMA ${name}`)
    await client.end()
    return `${server.url}?options=${encodeURIComponent(`-c search_path=${name}${more}`)}`
  }

  checkSentryStore('PostgreSQL', async () => ({
    async create() {
      const url = await schema()
      const open = () => openPostgresSentryStore({ url })
      return { store: await open(), reopen: open }
    },
  }))

  test('several gateways that start at once make one schema, and take each request once', async () => {
    const url = await schema(' -c default_transaction_isolation=serializable')
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresSentryStore({ url })))
    const gates = await Promise.all(stores.map((store) => openGate({ store })))
    const requests = Array.from({ length: 60 }, (_, at) => signed(gates[0]!, signerOf(`app ${at % 5}`)))
    const verdicts = await Promise.all(gates.flatMap((gate) => requests.map((request) => gate.sentry.admit(request))))
    expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(60)
    expect(verdicts.filter((verdict) => verdict.kind === 'refused' && verdict.status !== 401)).toEqual([])
    await Promise.all(stores.map((store) => store.close()))
  })

  test('a server that dies refuses, and once it is back it remembers what was taken', async () => {
    const store = await openPostgresSentryStore({ url: await schema() })
    const gate = await openGate({ store })
    const request = signed(gate, signerOf('ann'))
    expect((await gate.sentry.admit(request)).kind).toBe('admitted')
    const crashed = server.crashAndRestart()
    const meanwhile = await gate.sentry.admit(signed(gate, signerOf('ann')))
    if (meanwhile.kind === 'refused') expect(meanwhile.status).toBe(503)
    await crashed
    expect(await gate.sentry.admit(request)).toMatchObject({
      status: 401,
      error: { detail: { code: 'sentry/replayed' } },
    })
    expect((await gate.sentry.admit(signed(gate, signerOf('ann')))).kind).toBe('admitted')
    await store.close()
  })

  test('a schema of a newer program and a database that is not there are refused', async () => {
    const url = await schema()
    await (await openPostgresSentryStore({ url })).close()
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('UPDATE sentry_schema SET version = 99')
    await client.end()
    await expect(openPostgresSentryStore({ url })).rejects.toMatchObject({
      detail: { code: 'sentry/schema', found: 99 },
    })
    const nowhere = openPostgresSentryStore({ url: `${server.url}-not-there` })
    await expect(nowhere).rejects.toMatchObject({ detail: { code: 'sentry/store' } })
  })
})

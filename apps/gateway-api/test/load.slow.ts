import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromHex } from '@nexus/codec'
import { recount, type VaultStore } from '@nexus/vault'
import { openPostgresStore } from '@nexus/vault/postgres'
import { openSqliteStore } from '@nexus/vault/sqlite'
import { describe, expect, test } from 'vitest'
import { postgresPrograms, startPostgres } from '../../../packages/gateway/vault/test/postgres-server.ts'
import { askAs, crypto, didOf, folder, seedOf, sessionSigner, signerOf, statementOf, systemRandom } from './harness.ts'
import { postEntries, postEntry } from './load.ts'

const entries = Number(process.env['NEXUS_ENTRIES'] ?? 50_000)
const kills = Number(process.env['NEXUS_KILLS'] ?? 10)
const child = fileURLToPath(new URL('gateway-child.ts', import.meta.url))

/** A gateway in a process of its own. */
async function startGateway(stateDir: string, database: string) {
  const args = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', child, stateDir, database]
  const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(gateway, 'exit')
  const [line] = await Promise.race([once(gateway.stdout, 'data'), ended.then(() => [undefined])])
  if (line === undefined) throw new Error('the gateway did not come up')
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    gateway.kill(signal)
    await ended
  }
  return { url: String(line).trim(), end }
}

async function grantApp(url: string): Promise<void> {
  const statement = Buffer.from(statementOf('app', 'app', '*')).toString('hex')
  expect((await askAs(url, signerOf('admin'), 'POST', '/v1/grants', { json: { statement } })).status).toBe(201)
}

async function sessionOf(url: string) {
  const { json } = await askAs(url, signerOf('app'), 'POST', '/v1/sessions')
  return sessionSigner(crypto, { id: fromHex(json.keyid.slice('session:'.length)), secret: fromHex(json.secret) })
}

async function soundAt(store: VaultStore): Promise<number> {
  const { entries: held, faults } = await recount(crypto, store).finally(() => store.close())
  expect(faults).toEqual([])
  return held
}

interface Engine {
  readonly name: string
  readonly database: string
  readonly open: (stateDir: string) => Promise<VaultStore> | VaultStore
}

async function checkLoad({ name, database, open }: Engine): Promise<void> {
  const stateDir = folder()
  const { url, end } = await startGateway(stateDir, database)
  await grantApp(url)
  // A session ends after 15 minutes: a long load opens another in time.
  let signer = await sessionOf(url)
  const renew = setInterval(
    () =>
      void sessionOf(url).then((next) => {
        signer = next
      }),
    300_000,
  )
  const keyed = {
    get keyid() {
      return signer.keyid
    },
    get alg() {
      return signer.alg
    },
    sign: (base: Uint8Array) => signer.sign(base),
  }
  const statuses = new Map<number, number>()
  const each = (_: number, { status }: { status: number }) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const { waitsMs, tookS } = await postEntries({
    url,
    signer: keyed,
    count: entries,
    connections: 50,
    keyOf: (at) => `load-${at}`,
    each,
  })
  clearInterval(renew)
  await end('SIGTERM')
  expect([...statuses]).toEqual([[201, entries]])
  expect(await soundAt(await open(stateDir))).toBe(entries)
  const at = (share: number): string => `${waitsMs[Math.floor(entries * share)]!.toFixed(1)} ms`
  console.log(
    `${name}: ${entries} signed POSTs in ${tookS.toFixed(1)} s, ${Math.round(entries / tookS)}/s, p50 ${at(0.5)}, p99 ${at(0.99)}; recount without fault`,
  )
}

/** Kills the gateway at random under load, again and again; then every answered entry is there, once. */
async function checkKills({ name, database, open }: Engine): Promise<void> {
  const stateDir = folder()
  const answered = new Map<string, number>()
  for (let run = 0; run < kills; run++) {
    const { url, end } = await startGateway(stateDir, database)
    if (run === 0) await grantApp(url)
    const signer = await sessionOf(url)
    let killed = false
    const agent = new Agent({ keepAlive: true, maxSockets: 20 })
    const writer = async (place: number): Promise<void> => {
      for (let n = 0; !killed; n++) {
        const key = `run-${run}-${place}-${n}`
        const posted = await postEntry(agent, url, signer, key, 'did:example:ann').catch(() => undefined)
        if (posted?.index !== undefined) answered.set(key, posted.index)
      }
    }
    const writers = Array.from({ length: 20 }, (_, place) => writer(place))
    await new Promise((resolve) => setTimeout(resolve, 100 + systemRandom(1)[0]! * 2))
    await end('SIGKILL')
    killed = true
    await Promise.all(writers)
    agent.destroy()
  }
  const { url, end } = await startGateway(stateDir, database)
  const signer = await sessionOf(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  for (const [key, index] of [...answered].slice(-2_000)) {
    expect((await postEntry(agent, url, signer, key, 'did:example:ann')).index).toBe(index)
  }
  agent.destroy()
  await end('SIGTERM')
  expect(answered.size).toBeGreaterThan(kills)
  expect(new Set(answered.values()).size).toBe(answered.size)
  const held = await soundAt(await open(stateDir))
  expect(held).toBeGreaterThanOrEqual(answered.size)
  console.log(`${name}: ${kills} kills, ${answered.size} answered over HTTP, ${held} entries, 0 lost`)
}

const own = { seed: seedOf('gateway'), crypto, random: systemRandom }
const sqlite: Engine = {
  name: 'SQLite',
  database: '',
  open: (stateDir) => openSqliteStore({ path: join(stateDir, 'ledger.db'), ...own }),
}
const loadMs = 120_000 + entries * 10
const killsMs = 60_000 + kills * 8_000

describe('SQLite', () => {
  test(`${entries} entries over HTTP`, () => checkLoad(sqlite), loadMs)
  test(`${kills} kills of the gateway`, () => checkKills(sqlite), killsMs)
})

const programs = postgresPrograms()
const skipped = programs === undefined && process.env['CI'] === undefined
if (skipped) console.warn('PostgreSQL is not on this machine (initdb, postgres): its load is SKIPPED')

describe.skipIf(skipped)('PostgreSQL', () => {
  const withServer = async (work: (engine: Engine) => Promise<void>): Promise<void> => {
    if (programs === undefined) throw new Error('PostgreSQL (initdb, postgres) is needed here')
    const { url, stop } = await startPostgres(programs)
    const open = () => openPostgresStore({ url, ...own })
    await work({ name: 'PostgreSQL', database: url, open }).finally(stop)
  }
  test(`${entries} entries over HTTP`, () => withServer(checkLoad), loadMs)
  test(`${kills} kills of the gateway`, () => withServer(checkKills), killsMs)

  test(
    'two gateways that are asked under one key at once make one entry',
    () =>
      withServer(async ({ database, open }) => {
        const [one, two] = await Promise.all([startGateway(folder(), database), startGateway(folder(), database)])
        await grantApp(one.url)
        const agent = new Agent({ keepAlive: true, maxSockets: 20 })
        for (let round = 0; round < 50; round++) {
          const asked = [one.url, two.url, one.url, two.url].map((url) =>
            postEntry(agent, url, signerOf('app'), `round-${round}`, didOf('ann')),
          )
          const indices = (await Promise.all(asked)).map(({ index }) => index)
          expect(new Set(indices)).toEqual(new Set([round]))
        }
        // A session of one is known to the other, and a request that one took is a replay to the other.
        const signer = await sessionOf(one.url)
        expect((await postEntry(agent, two.url, signer, 'elsewhere', didOf('ann'))).status).toBe(201)
        agent.destroy()
        await Promise.all([one.end('SIGTERM'), two.end('SIGTERM')])
        expect(await soundAt(await open(''))).toBe(51)
      }),
    120_000,
  )
})

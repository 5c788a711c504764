import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folder } from './harness.ts'

const program = fileURLToPath(new URL('../src/bin/nexus-gateway.ts', import.meta.url))

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in a folder of its own; `env` names its state. */
function commands(home: string, more: Record<string, string> = {}) {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
    NEXUS_GATEWAY_STATE_DIR: join(home, 'state'),
    NEXUS_GATEWAY_LISTEN_PORT: '0',
    NEXUS_GATEWAY_OPS_PORT: '0',
    ...more,
  }
  const run = async (...args: string[]): Promise<Ran> => {
    const given = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', program, ...args]
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, given, { env, cwd: home })) }
    } catch (error) {
      const { code, stdout, stderr } = error as Ran
      return { code, stdout, stderr }
    }
  }
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('--json', ...args)
    expect([args, code, stderr]).toEqual([args, 0, ''])
    return JSON.parse(stdout)
  }
  return { run, json }
}

describe('nexus-gateway', { timeout: 180_000 }, () => {
  test('the life of a gateway, by its commands alone', async () => {
    const home = folder()
    const first = commands(home)
    for (const name of ['admin', 'app', 'auditor'])
      await first.json('key', 'create', '--plain', '--file', `${name}.key`)
    await first.json('key', 'create', '--plain')
    const dids = Object.fromEntries(
      await Promise.all(
        ['admin', 'app', 'auditor'].map(async (name) => [
          name,
          (await first.json('key', 'show', '--file', `${name}.key`)).did,
        ]),
      ),
    )
    const { publicKey } = await first.json('key', 'show')
    writeFileSync(join(home, 'gateway.toml'), `admins = ["${dids['admin']}"]\n[identity]\nplainAllowed = true\n`)
    const { run, json } = commands(home, { NEXUS_GATEWAY_CONFIG: join(home, 'gateway.toml') })

    expect((await run('status')).code).toBe(3)
    const up = await json('up')
    onTestFinished(() => void run('down'))
    expect((await run('up')).code).toBe(6)
    await json('grant', 'add', dids['app'], 'app', '--account', '*', '--key', 'admin.key')
    const granted = await json('grant', 'add', dids['auditor'], 'auditor', '--key', 'admin.key')
    expect((await run('grant', 'add', dids['app'], 'auditor', '--key', 'app.key')).code).toBe(5)
    for (let at = 0; at < 3; at++) {
      const { entry } = await json('entry', 'did:example:ann', `${1_000 + at}`, '--key', 'app.key')
      expect(entry.index).toBe(at)
    }
    expect((await run('entry', 'did:example:ann', '99', '--key', 'app.key')).code).toBe(5)
    expect((await json('history', '--key', 'auditor.key')).entries).toHaveLength(3)
    expect((await json('history', 'did:example:ann', '--key', 'app.key', '--count', '2')).entries).toHaveLength(2)
    await json('prove', '1', '--key', 'auditor.key', '--out', 'proof.json')
    expect(await json('verify', 'proof.json', '--public-key', publicKey)).toMatchObject({
      holds: true,
      index: 1,
      size: 3,
    })
    writeFileSync(join(home, 'bent.json'), readFileSync(join(home, 'proof.json'), 'utf8').replace('"1001"', '"1002"'))
    expect((await run('verify', 'bent.json')).code).toBe(5)
    const status = await json('status')
    expect(status).toMatchObject({ pid: up.pid, publicKey, totals: { entries: 3, amount: '3003' } })

    expect(await json('recount')).toMatchObject({ entries: 3, accounts: 1 })
    expect(await json('backup', 'backup.db')).toMatchObject({ entries: 3 })
    await json('entry', 'did:example:ann', '1003', '--key', 'app.key')
    await json('grant', 'revoke', granted.id, '--key', 'admin.key')
    expect((await run('history', '--key', 'auditor.key')).code).toBe(5)
    expect((await run('restore', 'backup.db', '--replace')).code).toBe(6)
    expect((await run('logs')).stdout).toContain('takes requests')
    await json('down')
    expect((await run('down')).code).toBe(3)

    const exported = await run('export', 'did:example:ann')
    expect(JSON.parse(exported.stdout).credited).toHaveLength(4)
    expect((await run('restore', 'backup.db')).code).toBe(1)
    expect(await json('restore', 'backup.db', '--replace')).toMatchObject({ entries: 3 })
    expect(await json('erase', 'did:example:ann')).toEqual({ erased: true })
    expect((await run('export', 'did:example:ann')).code).toBe(4)
    expect(await json('recount')).toMatchObject({ entries: 3 })
  })

  test('what is wrong is said in one line, with a code', async () => {
    const home = folder()
    writeFileSync(join(home, 'bad.toml'), 'origin = "https://gateway.example/path"\n')
    writeFileSync(join(home, 'unknown.toml'), '[listen]\nprot = 1\n')
    const { run, json } = commands(home)
    expect(await run('--config', 'bad.toml', 'config')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('https://gateway.example/path'),
    })
    expect(await run('--config', 'unknown.toml', 'config')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('prot'),
    })
    expect((await run('--config', 'none.toml', 'config')).code).toBe(7)
    expect(await run('up')).toMatchObject({ code: 7, stderr: expect.stringContaining('key create') })
    expect((await run('upp')).code).toBe(2)
    expect((await run('--json', 'status')).stderr).toMatch(/^\{"error":\{"code":"no-gateway"/)
    expect((await json('config', '--listen-port', '9000')).listen).toEqual({ host: '127.0.0.1', port: 9_000 })
    expect((await json('openapi')).openapi).toBe('3.1.0')
  })

  test('the demo comes up from nothing, makes entries and ends', async () => {
    const { run } = commands(folder())
    const { code, stdout, stderr } = await run('demo', '--port', '0', '--entries', '2')
    expect([code, stderr.includes('Ctrl-C')]).toEqual([0, true])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 2)),
    ).toEqual(['#0', '#1'])
  })
})

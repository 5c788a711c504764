import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const NODE = fileURLToPath(new URL('roaming-node.ts', import.meta.url))
const namespace = `nxt${process.pid % 10_000}`
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

function makeNamespace(): boolean {
  try {
    ip('netns', 'add', namespace)
    return true
  } catch {
    return false
  }
}

const namespaces = process.platform === 'linux' && makeNamespace()
if (!namespaces) {
  const why = 'Roaming is NOT tested: network namespaces need root, `ip` and Linux'
  if (process.env['CI'] === 'true') throw new Error(why)
  console.warn(`\n*** ${why} ***\n`)
}

describe.runIf(namespaces)('a machine that changes networks', () => {
  let child: ChildProcess | undefined
  const events: { readonly atMs: number; readonly event: string }[] = []

  async function see(count: number): Promise<{ readonly atMs: number; readonly event: string }> {
    const endMs = Date.now() + 8_000
    while (events.length < count) {
      if (Date.now() > endMs) throw new Error(`saw only ${JSON.stringify(events)}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return events[count - 1]!
  }

  afterAll(() => {
    child?.kill()
    ip('netns', 'del', namespace)
  })

  test('drops a connection whose network is gone, and is back within 2 s of the next one', async () => {
    const on = (...args: string[]) => ip('-n', namespace, ...args)
    on('link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'net1')
    for (const name of ['net0', 'net1']) on('link', 'set', name, 'up')
    on('addr', 'add', '10.9.9.1/24', 'dev', 'net0')
    on('link', 'set', 'lo', 'up')
    const node = [process.execPath, '--conditions=nexus-source', NODE, '10.9.9.1:4242']
    child = spawn('ip', ['netns', 'exec', namespace, ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout?.on('data', (chunk) => {
      for (const line of String(chunk).trim().split('\n')) events.push(JSON.parse(line))
    })
    expect((await see(1)).event).toBe('up')
    on('addr', 'del', '10.9.9.1/24', 'dev', 'net0')
    expect((await see(2)).event).toBe('down: the network it used is gone')
    await new Promise((resolve) => setTimeout(resolve, 500))
    on('addr', 'add', '10.9.9.1/24', 'dev', 'net0')
    const backMs = Date.now()
    const up = await see(3)
    expect(up.event).toBe('up')
    expect(up.atMs - backMs).toBeLessThan(2_000)
  })
})

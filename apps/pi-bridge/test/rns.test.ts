import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeUtf8, fromHex } from '@nexus/codec'
import { startReticulum, tcpServerMedium } from '@nexus/reticulum/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

const PROGRAM = fileURLToPath(new URL('../src/bin/nexus-rns.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nexus-rns-'))
const hub = tcpServerMedium({ host: '127.0.0.1', port: 0 })
let running: Awaited<ReturnType<typeof startReticulum>>
let echo: string

beforeAll(async () => {
  const starter = await startReticulum()
  const transport = starter.newIdentity()
  await starter.stop()
  running = await startReticulum({ media: [hub], transport })
  echo = Buffer.from(running.node.serve(running.newIdentity(), 'test.echo').hash).toString('hex')
})
afterAll(async () => {
  await running.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The published schema of what says `nexus-rns-path/1`, as anyone would use it. */
function published(name: string): z.ZodType {
  const file = `${name.replace(/^nexus-/, '').replace('/1', '')}.json`
  return z.fromJSONSchema(
    JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'schemas', file), 'utf8')),
  )
}

function rns(...args: string[]) {
  const flags = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  const network = ['--connect', hub.address as string, '--identity', join(folder, `identity-${args[0]}-${args[1]}`)]
  const child = spawn(process.execPath, [...flags, PROGRAM, ...args, ...network, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  const values = () =>
    text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
  let checked = 0
  child.stdout.on('data', () => {
    // Whatever is printed is what was published.
    for (const value of values().slice(checked)) {
      checked++
      if (value.schema !== undefined) published(value.schema).parse(value)
    }
  })
  const first = async (schema: string) => {
    await expect.poll(() => values().some((value) => value.schema === schema), { timeout: 20_000 }).toBe(true)
    return values().find((value) => value.schema === schema)
  }
  return {
    child,
    values,
    first,
    text: () => text,
    exit: new Promise<number | null>((done) => child.once('close', done)),
  }
}

test('path, probe and status look at the network', async () => {
  const path = rns('path', echo)
  expect(await path.exit, path.text()).toBe(0)
  expect(path.values()).toMatchObject([{ schema: 'nexus-rns-path/1', hash: echo, hops: 1, nextHop: echo }])
  const probe = rns('probe', echo, '-n', '2')
  expect(await probe.exit, probe.text()).toBe(0)
  expect(probe.values().map(({ rttMs }) => typeof rttMs)).toEqual(['number', 'number'])
  const status = rns('status', '--for', '1s')
  expect(await status.exit, status.text()).toBe(0)
  expect(status.values()[0].interfaces).toHaveLength(1)
}, 60_000)

test('what cannot be done ends with its exit code', async () => {
  const nowhere = rns('path', '00'.repeat(16), '--timeout', '1s')
  expect(await nowhere.exit).toBe(4)
  expect(await rns('probe', 'xyz').exit).toBe(2)
}, 60_000)

test('a file of someone who may not send is refused before it comes', async () => {
  const receiver = rns('cp', '--receive', '--folder', folder, '--allow', '00'.repeat(16))
  const { hash } = await receiver.first('nexus-rns-receiving/1')
  const file = join(folder, 'unwanted.txt')
  writeFileSync(file, 'a line\n')
  const sender = rns('cp', file, hash)
  expect(await sender.exit).not.toBe(0)
  expect(sender.text()).toContain('refused by the peer')
  receiver.child.kill('SIGINT')
  await receiver.exit
  expect(receiver.text()).not.toContain('nexus-rns-received/1')
}, 60_000)

test('a file and a message go from one command to another', async () => {
  const receiver = rns('cp', '--receive', '--folder', folder, '--once')
  const { hash } = await receiver.first('nexus-rns-receiving/1')
  const file = join(folder, 'sent.txt')
  writeFileSync(file, 'a line\n'.repeat(5_000))
  const sender = rns('cp', file, hash)
  expect(await sender.exit, sender.text()).toBe(0)
  expect(await receiver.exit, receiver.text()).toBe(0)
  const received = await receiver.first('nexus-rns-received/1')
  expect(readFileSync(received.file)).toEqual(readFileSync(file))

  const listener = rns('lxmf', 'listen', '-n', '1')
  const { hash: address } = await listener.first('nexus-rns-lxmf-listening/1')
  const talker = rns('lxmf', 'send', address, 'hello there')
  expect(await talker.exit, talker.text()).toBe(0)
  expect(await listener.exit, listener.text()).toBe(0)
  expect(await listener.first('nexus-rns-lxmf/1')).toMatchObject({ content: 'hello there', signature: 'valid' })
}, 120_000)

test('a file whose name no disk takes ends no receiver', async () => {
  const receiver = rns('cp', '--receive', '--folder', folder, '--once')
  const { hash } = await receiver.first('nexus-rns-receiving/1')
  const { node } = running
  const link = await node.connect(await node.resolve(fromHex(hash), { timeoutMs: 10_000 }))
  for (const name of ['n'.repeat(300), 'short']) {
    await link.sendResource(encodeUtf8('a line'), { metadata: { name: encodeUtf8(name) } }).done
  }
  expect(await receiver.exit, receiver.text()).toBe(0)
  expect(await receiver.first('nexus-rns-received/1')).toMatchObject({ file: join(folder, 'short') })
}, 60_000)

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import type { MessageStatus, ReceivedMessage, Status } from '@nexus/node/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rnsPython } from '../../../packages/transport/reticulum/test/live/python.ts'
import { Bench, freePort, until } from './harness.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const bench = new Bench()
const daemons: ChildProcess[] = []
let python = ''

beforeAll(async () => {
  python = await rnsPython()
}, 300_000)
afterAll(async () => {
  await bench.end()
  for (const daemon of daemons) {
    const closed = once(daemon, 'close')
    daemon.kill('SIGKILL')
    await closed
  }
})

interface Rnsd {
  readonly tcp: number
  readonly shared: number
  restart(awayMs: number): Promise<void>
}

/** The daemon of Reticulum as it comes, with a TCP interface and a shared instance, by its Unix socket or by TCP. */
async function rnsd(name: string, how: 'unix' | 'tcp'): Promise<Rnsd> {
  const [tcp, shared, control] = [await freePort(), await freePort(), await freePort()]
  const byTcp = [`  shared_instance_port = ${shared}`, `  instance_control_port = ${control}`]
  const folder = bench.path(name)
  mkdirSync(folder)
  const config = [
    '[reticulum]',
    '  enable_transport = Yes',
    '  share_instance = Yes',
    `  shared_instance_type = ${how}`,
    `  instance_name = ${name}`,
    ...byTcp,
    '[interfaces]',
    '  [[server]]',
    '    type = TCPServerInterface',
    '    enabled = Yes',
    '    listen_ip = 127.0.0.1',
    `    listen_port = ${tcp}`,
  ]
  writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`)
  const run = async () => {
    const daemon = spawn(join(dirname(python), 'rnsd'), ['--config', folder], { stdio: 'ignore' })
    daemons.push(daemon)
    for (const port of how === 'tcp' ? [tcp, shared] : [tcp])
      await until(`${name} listens`, () => answers(port), 30_000)
    return daemon
  }
  let daemon = await run()
  const restart = async (awayMs: number) => {
    const closed = once(daemon, 'close')
    daemon.kill('SIGKILL')
    await closed
    daemons.splice(daemons.indexOf(daemon), 1)
    await new Promise((resolve) => setTimeout(resolve, awayMs))
    daemon = await run()
  }
  return { tcp, shared, restart }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** A node whose one medium is a Reticulum network. */
async function start(node: string, way: string, more = ''): Promise<string> {
  const file = bench.path(`${node}.toml`)
  writeFileSync(file, `[[interfaces]]\ntype = "reticulum"\n${more}\n[[interfaces.ways]]\n${way}\n`)
  const child = await bench.start(node, ['--config', file])
  return (await child.started).nodeId
}

const status = async (node: string) => (await bench.json<Status>(node, 'nexus-status'))[0] as Status

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('by configuration alone, time %i', (time) => {
  const ways = process.platform === 'linux' ? (['unix', 'tcp'] as const) : (['tcp'] as const)
  test.each(ways)(
    'two nodes meet across a stock rnsd: one by TCP, the other through its shared instance by %s',
    async (how) => {
      const name = `rnsd${process.pid}${how}${time}`
      const { tcp, shared } = await rnsd(name, how)
      const [west, east] = [`west${how}${time}`, `east${how}${time}`]
      await start(west, `type = "tcp-client"\naddress = "127.0.0.1:${tcp}"`)
      const at = how === 'tcp' ? `port = ${shared}` : `instanceName = "${name}"`
      const eastId = await start(east, `type = "shared-instance"\n${at}`)
      await until('the two know each other', async () => (await status(west)).routesTotal === 1, 60_000)
      const { interfaces } = await status(west)
      const [medium] = interfaces.filter(({ listens }) => listens !== undefined)
      expect(medium).toMatchObject({
        id: 'reticulum',
        kind: 'reticulum',
        listens: expect.stringMatching(/^[0-9a-f]{32}$/),
      })
      expect(interfaces.filter(({ kind, links }) => kind === 'reticulum' && links === 1)).toHaveLength(1)
      const [sent] = await bench.json<MessageStatus>(west, 'nexus-send', [east, 'across rnsd', '--wait'])
      expect(sent).toMatchObject({ state: 'delivered', to: eastId })
      const [got] = await bench.json<ReceivedMessage>(east, 'nexus-listen', ['-n', '1'])
      expect(got).toMatchObject({ text: 'across rnsd', fromLabel: west })
      const seen = await bench.run(undefined, 'nexus-rns', [
        'status',
        '--shared',
        how === 'tcp' ? `${shared}` : name,
        '--for',
        '1s',
        '--json',
      ])
      expect(JSON.parse(seen.out).interfaces).toHaveLength(1)
      const people = await bench.run(west, 'nexus-status')
      expect(people.out).toMatch(/^reticulum:[0-9a-f]{32} +1 /m)
    },
    120_000,
  )

  test('a node that does not announce itself finds the other, and is found by none', async () => {
    const { tcp } = await rnsd(`rnsd${process.pid}b${time}`, 'tcp')
    const way = `type = "tcp-client"\naddress = "127.0.0.1:${tcp}"`
    const [loud, quiet] = [`loud${time}`, `quiet${time}`]
    await start(quiet, way, 'announce = false')
    await start(loud, way)
    await until('the two know each other', async () => (await status(loud)).routesTotal === 1, 60_000)
    const { interfaces } = await status(quiet)
    expect(interfaces.filter(({ listens }) => listens !== undefined)).toEqual([])
  }, 120_000)

  test('a daemon that was killed and came back joins them again', async () => {
    const { tcp, shared, restart } = await rnsd(`rnsd${process.pid}c${time}`, 'tcp')
    const [north, south] = [`north${time}`, `south${time}`]
    await start(north, `type = "tcp-client"\naddress = "127.0.0.1:${tcp}"`)
    await start(south, `type = "shared-instance"\nport = ${shared}`)
    await until('the two know each other', async () => (await status(north)).routesTotal === 1, 60_000)
    await restart(5_000)
    const linked = async (node: string) => (await status(node)).links.length === 1
    await until(
      'no link over the old one',
      async () => !(await linked(north)) || (await status(north)).links[0]!.upForMs < 10_000,
    )
    await until('the two are linked again', async () => (await linked(north)) && linked(south), 60_000)
    const [sent] = await bench.json<MessageStatus>(north, 'nexus-send', [south, 'again', '--wait'])
    expect(sent).toMatchObject({ state: 'delivered' })
  }, 180_000)
})

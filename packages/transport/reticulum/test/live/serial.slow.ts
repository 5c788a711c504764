import { createMediumAccess } from '@nexus/congestion'
import type { Link } from '@nexus/reticulum'
import {
  kissMedium,
  type Medium,
  type RunningReticulum,
  serialMedium,
  startReticulum,
  transportMedium,
} from '@nexus/reticulum/node'
import { createAir } from '@nexus/transport-lora-sim'
import { rnode } from '@nexus/transport-serial'
import { openCable, openPty, RNodeEmulator } from '@nexus/transport-serial/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { linkArguments, noise, serveEcho } from './exercise.ts'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const RESOURCE_BYTES = 20_000
const closers: (() => Promise<unknown> | unknown)[] = []

beforeAll(async () => {
  await rnsPython()
}, 300_000)
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function ours(medium: Medium): Promise<RunningReticulum> {
  const here = await startReticulum({ media: [medium] })
  closers.push(() => here.stop())
  await here.node.online()
  return here
}

async function stock(...args: readonly string[]): Promise<Peer> {
  const peer = await Peer.start(...args)
  closers.push(() => peer.stop())
  return peer
}

/** What a narrow medium carries in the time of a test: a packet with its proof, a link, a request, a resource there and back. */
async function ask(here: RunningReticulum, echo: Peer, resourceBytes: number): Promise<Link> {
  const to = await here.node.resolve(echo.destination, { timeoutMs: 30_000 })
  expect(await here.node.send(to, noise(200), { timeoutMs: 20_000 }).proved).toBeTypeOf('number')
  const link = await here.node.connect(to, { resources: 'all', timeoutMs: 30_000 })
  const packet = link.packets.first()
  link.send(noise(link.mduBytes))
  expect(await packet).toEqual(noise(link.mduBytes))
  expect(await link.request('/echo', noise(100), { timeoutMs: 20_000 })).toEqual(noise(100))
  const back = link.resources.first()
  await link.sendResource(noise(resourceBytes)).done
  expect((await back).data).toEqual(noise(resourceBytes))
  return link
}

/** The last of an argument that is given twice counts. */
const less = (bytes: number) => ['--resource-size', String(bytes), '--request-size', '500']

const LINE = 'speed = 115200; databits = 8; parity = none; stopbits = 1'

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('over serial ports, time %i', () => {
  test.each([
    ['SerialInterface', LINE, (path: string) => serialMedium({ serial: { path } })],
    [
      'KISSInterface',
      `${LINE}; preamble = 150; txtail = 10; persistence = 200; slottime = 20; flow_control = false`,
      (path: string) => kissMedium({ serial: { path } }),
    ],
  ])(
    '%s of a stock node at the other end of a cable, both ways',
    async (type, settings, medium) => {
      const cable = async () => {
        const { a, b } = await openCable()
        closers.push(a.unplug, b.unplug)
        const port = ['--interface', `type = ${type}; port = ${b.path}; ${settings}`]
        return { here: await ours(medium(a.path)), port }
      }
      // When one end is hung up, so is the other: each asks over a cable of its own.
      const first = await cable()
      await ask(first.here, await stock('echo', ...first.port, '--echo-resources'), RESOURCE_BYTES)
      const second = await cable()
      const asks = linkArguments(serveEcho(second.here), ...second.port)
      expect(await (await stock(...asks, ...less(RESOURCE_BYTES))).done()).toMatchObject({ ok: true })
    },
    120_000,
  )

  test('an RNode of a stock node and one of ours hear each other on the air, both ways', async () => {
    const air = createAir({ access: createMediumAccess, random: noise, speed: AIR_SPEED })
    air.setPathLoss('ours', 'stock', 110)
    closers.push(() => air.close())
    const [near, far] = [await device(air, 'ours'), await device(air, 'stock')]
    const here = await ours(transportMedium(rnode({ ...RADIO, path: near })))
    const row = [
      'type = RNodeInterface',
      `port = ${far}`,
      'frequency = 868100000',
      'bandwidth = 125000',
      'txpower = 14',
    ]
    const port = ['--interface', [...row, 'spreadingfactor = 7', 'codingrate = 5', 'flow_control = False'].join('; ')]
    const peer = await stock('echo', ...port, '--echo-resources')
    await ask(here, peer, 2_000)
    await peer.stop()
    const echo = serveEcho(here)
    const client = await stock(...linkArguments(echo, ...port), ...less(2_000))
    expect(await client.done()).toMatchObject({ ok: true })
  }, 180_000)
})

const AIR_SPEED = 50
const RADIO = {
  frequencyHz: 868_100_000,
  txPowerDbm: 14,
  spreadingFactor: 7,
  bandwidthHz: 125_000,
  codingRate: 5,
  dutyCycle: 1,
  settleMs: 0,
  airSpeed: AIR_SPEED,
} as const

/** A pseudo-terminal with an emulated RNode behind it. */
async function device(air: ReturnType<typeof createAir>, radio: string): Promise<string> {
  const pty = await openPty()
  const emulator = new RNodeEmulator({ air, radio, write: (data) => pty.write(data) })
  pty.onData = (chunk) => emulator.push(chunk)
  closers.push(
    () => pty.unplug(),
    () => emulator.close(),
  )
  return pty.path
}

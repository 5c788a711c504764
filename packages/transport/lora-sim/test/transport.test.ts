import { createMediumAccess } from '@nexus/congestion'
import { checkTransport, RecordingHost, until } from '@nexus/transport/testing'
import { createAir, loraSim, MODULATION_DEFAULT, STATION_QUEUE_BYTES_MAX } from '@nexus/transport-lora-sim'
import { type AirServer, connectControls, remoteAir, serveAir } from '@nexus/transport-lora-sim/node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bytes, LAB, seeded } from './support.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function meeting(speed: number) {
  const air = createAir({ access: createMediumAccess, random: seeded(1), speed })
  air.setPathLoss('alice', 'bob', 110)
  closers.push(() => air.close())
  return air
}

const traits = { reliable: true, queues: true, queueBytesMax: STATION_QUEUE_BYTES_MAX }

checkTransport('lora-sim in one process, a thousand times faster', traits, () => {
  const air = meeting(1_000)
  return { a: loraSim({ air, radio: 'alice', settings: LAB }), b: loraSim({ air, radio: 'bob', settings: LAB }) }
})

describe('over an air server', () => {
  const air = createAir({ access: createMediumAccess, random: seeded(1), speed: 1_000 })
  let server: AirServer
  let pairs = 0
  beforeAll(async () => {
    server = await serveAir({ air })
  })
  afterAll(async () => {
    await server.close()
    air.close()
  })

  checkTransport('lora-sim over an air server, a thousand times faster', traits, () => {
    const names = [`alice${++pairs}`, `bob${pairs}`] as const
    air.setPathLoss(...names, 110)
    const [a, b] = names.map((radio) => loraSim({ air: remoteAir(server), radio, settings: LAB }))
    return { a: a!, b: b! }
  })
})

async function started(transport: ReturnType<typeof loraSim>) {
  const host = new RecordingHost()
  await transport.start(host)
  closers.push(() => transport.stop())
  await until([host], 'an interface', () => host.open.length === 1)
  return host
}

test('facts are those of the radio, and of the speed of its air', async () => {
  const air = meeting(2)
  const host = await started(loraSim({ air, radio: 'alice' }))
  const { facts } = host.open[0]!
  expect(facts).toMatchObject({
    id: 'lora:alice',
    kind: 'lora',
    mtuBytes: 508,
    duplex: 'half',
    dutyCycle: 0.01,
    reach: 'shared',
    addressed: false,
  })
  expect(facts.bitrateBps).toBeCloseTo(2 * 5468.75, 6)
  // 255 bytes last 409.9 ms with the default preamble of 18 symbols.
  expect(facts.airtimeSeconds!(508)).toBeCloseTo(0.409856, 6)
})

test('at real speed a frame takes its airtime', async () => {
  const air = meeting(1)
  const modulation = { ...MODULATION_DEFAULT, bandwidthHz: 500_000 }
  const settings = { ...LAB, modulation }
  const [alice, bob] = [
    await started(loraSim({ air, radio: 'alice', settings })),
    await started(loraSim({ air, radio: 'bob', settings })),
  ]
  const sentMs = performance.now()
  expect(alice.open[0]!.send(bytes(200))).toBe(true)
  await until([bob], 'the frame', () => bob.frames.length === 1)
  const tookMs = performance.now() - sentMs
  const wantedMs = alice.open[0]!.facts.airtimeSeconds!(200) * 1_000 + 5
  expect(tookMs).toBeGreaterThanOrEqual(wantedMs - 0.5)
  expect(tookMs).toBeLessThan(wantedMs + 200)
})

test('live controls: a radio out of reach, moved back, unplugged, plugged in', async () => {
  const air = createAir({ access: createMediumAccess, random: seeded(1), speed: 1_000 })
  closers.push(() => air.close())
  air.setPosition('alice', { xMeters: 0, yMeters: 0 })
  air.setPosition('bob', { xMeters: 1_000_000, yMeters: 0 })
  const alice = await started(loraSim({ air, radio: 'alice', settings: LAB }))
  const signals: number[] = []
  const bob = await started(
    loraSim({ air, radio: 'bob', settings: LAB, onSignal: (signal) => signals.push(signal.rssiDbm) }),
  )
  alice.open[0]!.send(bytes(10))
  await until([alice], 'an empty queue', () => alice.open[0]!.queuedBytes === 0)
  expect(bob.frames).toEqual([])
  air.setPosition('bob', { xMeters: 10, yMeters: 0 })
  alice.open[0]!.send(bytes(11))
  await until([bob], 'a frame', () => bob.frames.length === 1)
  expect(signals).toHaveLength(1)
  const before = bob.open[0]!
  air.setOn('bob', false)
  expect(bob.events.at(-1)).toBe('down lora:bob: unplugged')
  expect(before.send(bytes(1))).toBe(false)
  air.setOn('bob', true)
  alice.open[0]!.send(bytes(12))
  await until([bob], 'a frame again', () => bob.frames.length === 2)
  expect(bob.frames[1]!.bytes).toEqual(bytes(12))
})

test('a frame that never gets the medium is reported', async () => {
  const air = meeting(1_000)
  const settings = { ...LAB, dutyCycle: 0.000001 }
  const alice = await started(loraSim({ air, radio: 'alice', settings }))
  alice.open[0]!.send(bytes(100))
  await until([alice], 'the report', () => alice.problems.length > 0)
  expect(alice.problems[0]!.message).toBe('lora:alice: a frame was dropped: duty-cycle')
  expect(alice.open[0]!.queuedBytes).toBe(0)
})

test('a second radio of one name, or one on a closed air, is misuse', async () => {
  const air = meeting(1)
  await started(loraSim({ air, radio: 'alice' }))
  await expect(loraSim({ air, radio: 'alice' }).start(new RecordingHost())).rejects.toThrow(TypeError)
  air.close()
  await expect(loraSim({ air, radio: 'bob' }).start(new RecordingHost())).rejects.toThrow(TypeError)
})

test('the air server dies and returns: the interface goes down and comes back', async () => {
  const air = meeting(1_000)
  let server: AirServer = await serveAir({ air })
  const { port, token } = server
  const port2 = remoteAir({ port, token, retryMsMin: 20, retryMsMax: 50 })
  const alice = await started(loraSim({ air: port2, radio: 'alice', settings: LAB }))
  const bob = await started(loraSim({ air: port2, radio: 'bob', settings: LAB }))
  await server.close()
  await until([alice, bob], 'both down', () => alice.open.length + bob.open.length === 0)
  await until([alice], 'a report', () => alice.problems.some(({ detail }) => detail.code === 'transport/connect'))
  server = await serveAir({ air, port, token })
  closers.push(() => server.close())
  await until([alice, bob], 'both up again', () => alice.open.length + bob.open.length === 2)
  alice.open[0]!.send(bytes(300))
  await until([bob], 'a frame', () => bob.frames.length === 1)
  expect(bob.frames[0]!.bytes).toEqual(bytes(300))
})

test('a wrong token is refused; controls over the server work and are answered', async () => {
  const air = meeting(1_000)
  const server = await serveAir({ air })
  closers.push(() => server.close())
  const stranger = new RecordingHost()
  const transport = loraSim({ air: remoteAir({ ...server, token: '0'.repeat(32) }), radio: 'eve' })
  await transport.start(stranger)
  closers.push(() => transport.stop())
  await until([stranger], 'the refusal', () => stranger.problems.length > 0)
  expect(stranger.problems[0]!.message).toContain('wrong token')
  expect(stranger.open).toEqual([])

  const alice = await started(loraSim({ air: remoteAir(server), radio: 'alice', settings: LAB }))
  const bob = await started(loraSim({ air: remoteAir(server), radio: 'bob', settings: LAB }))
  const controls = connectControls(server)
  closers.push(() => controls.close())
  controls.setPathLoss('alice', 'bob', Number.POSITIVE_INFINITY)
  controls.setLossRatio(0)
  await controls.settled()
  alice.open[0]!.send(bytes(10))
  await until([alice], 'an empty queue', () => alice.open[0]!.queuedBytes === 0)
  expect(air.stats.delivered).toBe(0)
  controls.setOn('bob', false)
  await until([bob], 'unplugged', () => bob.open.length === 0)
  controls.setOn('bob', true)
  controls.setPathLoss('alice', 'bob', undefined)
  controls.setPosition('alice', { xMeters: 0, yMeters: 0 })
  controls.setPosition('bob', { xMeters: 5, yMeters: 0 })
  await controls.settled()
  await until([bob], 'plugged in', () => bob.open.length === 1)
  alice.open[0]!.send(bytes(20))
  await until([bob], 'a frame', () => bob.frames.length === 1)
  controls.setLossRatio(2)
  await expect(controls.settled()).rejects.toThrow('loss ratio')
})

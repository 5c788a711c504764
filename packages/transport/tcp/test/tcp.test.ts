import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { QUEUE_BYTES_MAX } from '@nexus/transport'
import { RecordingHost, until } from '@nexus/transport/testing'
import { tcpProxy } from '@nexus/transport-memory/proxy'
import { afterEach, expect, test } from 'vitest'
import {
  encodeHdlc,
  hdlcBytesMax,
  type TcpClientOptions,
  type TcpServerOptions,
  tcpClient,
  tcpServer,
} from '../src/index.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(options: Partial<TcpServerOptions> = {}) {
  const server = tcpServer({ host: '127.0.0.1', port: 0, ...options })
  const host = new RecordingHost()
  await server.start(host)
  cleanups.push(() => server.stop())
  return { server, host, port: Number(server.address?.split(':').at(-1)) }
}

async function dial(address: string, options: Partial<TcpClientOptions> = {}) {
  const client = tcpClient({ address, retryMsMin: 40, networkWatchMs: 0, ...options })
  const host = new RecordingHost()
  await client.start(host)
  cleanups.push(() => client.stop())
  return { client, host }
}

async function raw(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  cleanups.push(() => socket.destroy())
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return { socket, closed }
}

function hdlc(frame: Uint8Array): Uint8Array {
  const into = new Uint8Array(hdlcBytesMax(frame.length))
  return into.subarray(0, encodeHdlc(frame, into, 0))
}

test('a server says where it listens, with or without connections', async () => {
  const { server, port } = await serve({ mtuBytes: 600, bitrateBps: 5_000_000 })
  const facts = { address: `127.0.0.1:${port}`, kind: 'tcp', mtuBytes: 600, bitrateBps: 5_000_000 }
  expect(server.listening).toEqual(facts)
  await dial(`127.0.0.1:${port}`)
  expect(server.listening).toEqual(facts)
  await server.stop()
  expect(server.listening).toBeUndefined()
})

test('all frames of one turn go out in one write', async () => {
  const sizes: number[] = []
  const sink = createServer((socket) => socket.on('data', (chunk) => sizes.push(chunk.length)))
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => sink.close(resolve)))
  const { host } = await dial(`127.0.0.1:${(sink.address() as AddressInfo).port}`)
  for (let i = 0; i < 40; i++) host.open[0]?.send(new Uint8Array(100))
  while (sizes.length === 0) await sleep(2)
  await sleep(20)
  expect(sizes).toEqual([40 * 102])
})

test('a client comes back by itself when the connection ends, and again when the server does', async () => {
  const { server, host: serverHost, port } = await serve()
  const { host } = await dial(`127.0.0.1:${port}`)
  await until([serverHost], 'the server to accept', () => serverHost.open.length === 1)
  await serverHost.open[0]?.close()
  await until([host], 'down and up again', () => host.events.length === 3)
  expect(host.events.map((event) => event.split(' ')[0])).toEqual(['up', 'down', 'up'])
  await server.stop()
  await until([host], 'a failed attempt', () =>
    host.problems.some(({ detail }) => 'why' in detail && detail.why === 'ECONNREFUSED'),
  )
  const again = await serve({ port })
  await until([host, again.host], 'up at the new server', () => host.open.length === 1, 10_000)
})

test('a kick dials at once, however long the wait', async () => {
  const { server, port } = await serve()
  await server.stop()
  const { client, host } = await dial(`127.0.0.1:${port}`, { retryMsMin: 60_000 })
  expect(host.open.length).toBe(0)
  await serve({ port })
  client.kick()
  await until([host], 'up after the kick', () => host.open.length === 1, 1_000)
})

test('waits grow with failures and carry the jitter that was injected', async () => {
  const { server, port } = await serve()
  await server.stop()
  const { host } = await dial(`127.0.0.1:${port}`, { retryMsMin: 8, random: (length) => new Uint8Array(length) })
  const waits = () => host.problems.flatMap(({ detail }) => (detail.code === 'transport/connect' ? detail.retryMs : []))
  await until([host], 'five attempts', () => waits().length >= 5)
  expect(waits().slice(0, 5)).toEqual([4, 8, 16, 32, 64])
})

test('a dead cable is noticed: silence ends the connection on both sides', async () => {
  const { host: serverHost, port } = await serve({ idleMs: 300 })
  const proxy = await tcpProxy({ target: `127.0.0.1:${port}` })
  cleanups.push(() => proxy.close())
  const { host } = await dial(proxy.address, { idleMs: 300 })
  await until([serverHost], 'the server to accept', () => serverHost.open.length === 1)
  const beat = setInterval(() => {
    host.open[0]?.send(new Uint8Array(40))
    serverHost.open[0]?.send(new Uint8Array(40))
  }, 50)
  cleanups.push(() => clearInterval(beat))
  await sleep(1_300)
  expect([host.events.length, serverHost.events.length]).toEqual([1, 1])
  proxy.cut()
  await until([host, serverHost], 'both down', () => host.events.length > 1 && serverHost.events.length > 1)
  expect(host.events[1]).toContain('silent')
})

test('frames survive a bad network in order', async () => {
  const { host: serverHost, port } = await serve()
  const impairment = { lossRatio: 0.05, jitterMs: 5 }
  const proxy = await tcpProxy({ target: `127.0.0.1:${port}`, impairment, bitrateBps: 20_000_000, seed: 11 })
  cleanups.push(() => proxy.close())
  const { host } = await dial(proxy.address)
  await until([serverHost], 'the server to accept', () => serverHost.open.length === 1)
  for (let number = 0; number < 500; number++) {
    host.open[0]?.send(new Uint8Array(200).fill(number & 255))
    if (number % 50 === 0) await sleep(2)
  }
  await until([serverHost], 'all frames', () => serverHost.frames.length === 500, 10_000)
  expect(serverHost.frames.every(({ bytes }, number) => bytes.every((byte) => byte === (number & 255)))).toBe(true)
})

test('connections are limited in all and per address, and places come back', async () => {
  const { server, host, port } = await serve({ connectionsMax: 6, connectionsPerNetworkMax: 4 })
  const held = []
  for (let i = 0; i < 8; i++) held.push(await raw(port))
  await until([host], 'the limit to be told', () => host.problems.length > 0)
  await sleep(30)
  expect(server.connections).toBe(4)
  expect(host.problems[0]?.detail.code).toBe('transport/limit')
  for (const { socket } of held) socket.destroy()
  await until([host], 'all down', () => host.open.length === 0)
  await sleep(10)
  await raw(port)
  await until([host], 'a place again', () => host.open.length === 1)
})

test('who sends nothing, too slowly, too long frames or nonsense is closed; who behaves is not', async () => {
  const { host, port } = await serve({ firstFrameMs: 400, idleMs: 3_000, faultsMax: 3, mtuBytes: 508 })
  const good = await raw(port)
  const beat = setInterval(() => good.socket.write(hdlc(new Uint8Array(60))), 50)
  cleanups.push(() => clearInterval(beat))
  const silent = await raw(port)
  const slow = await raw(port)
  // A byte at a time keeps the connection busy, and never ends a frame.
  const drip = setInterval(() => slow.socket.write('x'), 20)
  cleanups.push(() => clearInterval(drip))
  const long = await raw(port)
  long.socket.write(Buffer.concat([Buffer.from([0x7e]), Buffer.alloc(600, 1)]))
  const broken = await raw(port)
  broken.socket.write(Buffer.from('7e7d017e7e7d017e7e7d017e', 'hex'))
  await Promise.all([silent, slow, long, broken].map(({ closed }) => closed))
  await sleep(20)
  expect(host.open.length).toBe(1)
  expect(host.problems.map(({ message }) => message.replace(/^\S+: /, '')).sort()).toEqual([
    '3 malformed frames',
    'a frame over 508 bytes',
    'no frame within 400 ms',
    'no frame within 400 ms',
  ])
})

test('who takes nothing is closed, and costs no more than its queue', async () => {
  const { host, port } = await serve({ stallMs: 300 })
  const stuck = await raw(port)
  stuck.socket.pause()
  await until([host], 'the connection', () => host.open.length === 1)
  const iface = host.open[0]!
  const frame = new Uint8Array(1_232)
  const fill = setInterval(() => {
    while (iface.send(frame)) if (iface.queuedBytes > QUEUE_BYTES_MAX) throw new Error('the queue has no bound')
  }, 5)
  cleanups.push(() => clearInterval(fill))
  await until([host], 'the end', () => host.open.length === 0, 10_000)
  expect(host.events.at(-1)).toContain('takes nothing')
})

test('a flood of garbage and of connections leaves the server up and quick', async () => {
  const { server, host, port } = await serve({ connectionsPerNetworkMax: 16 })
  const floods = await Promise.all(Array.from({ length: 15 }, () => raw(port)))
  const garbage = Buffer.alloc(65_536)
  for (let i = 0; i < garbage.length; i++) garbage[i] = (i * 2_654_435_761) >>> 13
  // Empty frames are the cheapest to send, and no frames at all.
  const empty = Buffer.alloc(65_536, 0x7e)
  for (const [index, { socket }] of floods.entries()) {
    for (let i = 0; i < 20; i++) socket.write(index % 2 === 0 ? garbage : empty)
  }
  for (let i = 0; i < 300; i++)
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .end('x')
  await sleep(300)
  for (const { socket } of floods) socket.destroy()
  await until([host], 'quiet', () => server.connections === 0)
  const { host: client } = await dial(`127.0.0.1:${port}`)
  await until([client, host], 'a peer after the flood', () => client.open.length === 1 && host.open.length === 1)
  const heard = host.frames.length
  client.open[0]?.send(new Uint8Array(50))
  await until([host], 'its frame', () => host.frames.length > heard)
})

test('a port that is taken, and settings that cannot work, are refused', async () => {
  const { port } = await serve()
  await expect(tcpServer({ host: '127.0.0.1', port }).start(new RecordingHost())).rejects.toMatchObject({
    detail: { code: 'transport/bind', address: `127.0.0.1:${port}`, why: 'EADDRINUSE' },
  })
  expect(() => tcpClient({ address: 'nowhere' })).toThrow(TypeError)
  for (const options of [{ mtuBytes: 20 }, { mtuBytes: 40_000 }, { queueBytesMax: 100 }]) {
    expect(() => tcpServer({ port: 0, ...options })).toThrow(RangeError)
  }
})

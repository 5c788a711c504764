import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { QUEUE_BYTES_MAX } from '@nexus/transport'
import { RecordingHost, until } from '@nexus/transport/testing'
import { tcpProxy } from '@nexus/transport-memory/proxy'
import { afterEach, expect, test } from 'vitest'
import { WebSocket as Client, WebSocketServer as Handshaker } from 'ws'
import { type WebSocketClientOptions, webSocketClient } from '../src/index.ts'
import { type WebSocketServerOptions, webSocketServer } from '../src/server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(options: Partial<WebSocketServerOptions> = {}, port = 0) {
  const server = webSocketServer({ listen: { host: '127.0.0.1', port }, ...options })
  const host = new RecordingHost()
  await server.start(host)
  cleanups.push(() => server.stop())
  return { server, host, url: `ws://${server.address}`, port: Number(server.address?.split(':').at(-1)) }
}

async function dial(url: string, options: Partial<WebSocketClientOptions> = {}) {
  const client = webSocketClient({ url, retryMsMin: 40, ...options })
  const host = new RecordingHost()
  await client.start(host)
  cleanups.push(() => client.stop())
  return { client, host }
}

/** A client that may misbehave; `ended` gives the close code, or the HTTP status that it was refused with. */
function raw(url: string, options: object = {}) {
  const socket = new Client(url, { perMessageDeflate: false, ...options })
  socket.on('error', () => {})
  const opened = new Promise<void>((resolve) => socket.once('open', resolve))
  const ended = new Promise<number>((resolve) => {
    socket.once('close', resolve)
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
  })
  cleanups.push(() => socket.terminate())
  return { socket, opened, ended }
}

test('a server of its own says where it listens', async () => {
  const { server, port } = await serve({ path: '/mesh' })
  expect(server.listening).toMatchObject({ address: `127.0.0.1:${port}/mesh`, kind: 'websocket' })
  await server.stop()
  expect(server.listening).toBeUndefined()
})

test('the server agrees to no compression', async () => {
  const { url } = await serve()
  const { socket, opened } = raw(url, { perMessageDeflate: true })
  await opened
  expect(socket.extensions).toBe('')
})

test('path and origin are checked; programs without origin pass', async () => {
  const { url } = await serve({ path: '/mesh', origins: ['https://app.example'] })
  expect(await raw(`${url}/other`).ended).toBe(404)
  expect(await raw(`${url}/mesh`, { origin: 'https://evil.example' }).ended).toBe(403)
  await raw(`${url}/mesh`, { origin: 'https://app.example' }).opened
  await raw(`${url}/mesh?token=1`).opened
})

test('on a server that is there, other paths and requests stay with it', async () => {
  const shared = createServer((_request, response) => response.end('page'))
  const other = new Handshaker({ noServer: true })
  shared.on('upgrade', (request, socket, head) => {
    if (request.url === '/chat') other.handleUpgrade(request, socket, head, (chat) => chat.send('welcome'))
  })
  await new Promise<void>((resolve) => shared.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    shared.closeAllConnections()
    return new Promise((resolve) => shared.close(resolve))
  })
  const { port } = shared.address() as AddressInfo
  const server = webSocketServer({ server: shared, path: '/mesh' })
  const host = new RecordingHost()
  await server.start(host)
  expect(shared.listenerCount('upgrade')).toBe(2)
  const chat = raw(`ws://127.0.0.1:${port}/chat`)
  expect(String(await new Promise((resolve) => chat.socket.once('message', resolve)))).toBe('welcome')
  await dial(`ws://127.0.0.1:${port}/mesh`)
  await until([host], 'the node', () => host.open.length === 1)
  await server.stop()
  const page = await new Promise<string>((resolve) => {
    get({ port, host: '127.0.0.1' }, (response) => response.on('data', (chunk) => resolve(String(chunk))))
  })
  expect(page).toBe('page')
  expect(shared.listenerCount('upgrade')).toBe(1)
})

test('alone on a server that is there, it refuses other paths', async () => {
  const shared = createServer()
  await new Promise<void>((resolve) => shared.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => shared.close(resolve)))
  const server = webSocketServer({ server: shared, path: '/mesh' })
  await server.start(new RecordingHost())
  cleanups.push(() => server.stop())
  expect(await raw(`ws://127.0.0.1:${(shared.address() as AddressInfo).port}/chat`).ended).toBe(404)
})

test('a plain request to its own server is told what it wants', async () => {
  const { port } = await serve()
  const status = await new Promise((resolve) =>
    get({ port, host: '127.0.0.1' }, ({ statusCode }) => resolve(statusCode)),
  )
  expect(status).toBe(426)
})

test('too long, text, fragments without end, and silence end the connection; who behaves stays', async () => {
  const { host, url } = await serve({ mtuBytes: 508, firstFrameMs: 400, idleMs: 3_000 })
  const good = raw(url)
  await good.opened
  const beat = setInterval(() => good.socket.send(new Uint8Array(60)), 50)
  cleanups.push(() => clearInterval(beat))
  const [long, text, pieces, silent] = [raw(url), raw(url), raw(url), raw(url)]
  await Promise.all([long, text, pieces, silent].map(({ opened }) => opened))
  long.socket.send(new Uint8Array(509))
  text.socket.send('hello')
  for (let i = 0; i < 70; i++) pieces.socket.send(new Uint8Array(1), { fin: false })
  expect(await text.ended).toBe(1003)
  expect(await long.ended).toBe(1009)
  await Promise.all([pieces.ended, silent.ended])
  await until([host], 'all but one down', () => host.open.length === 1)
  const told = host.problems.map(({ message }) => message).join('\n')
  for (const word of ['max payload', 'text message', 'fragments', 'no frame within 400 ms'])
    expect(told.toLowerCase()).toContain(word)
})

test('connections are limited per address, half-done handshakes included, and places come back', async () => {
  const { server, host, url, port } = await serve({ connectionsPerNetworkMax: 3 })
  const held = [raw(url), raw(url), raw(url)]
  await Promise.all(held.map(({ opened }) => opened))
  expect(await raw(url).ended).toBe(503)
  expect(host.problems[0]?.detail.code).toBe('transport/limit')
  for (const { socket } of held) socket.terminate()
  await until([host], 'all down', () => server.connections === 0)
  const bad = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume()
  bad.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n\r\n',
  )
  await new Promise((resolve) => bad.once('close', resolve))
  const idle = Array.from({ length: 20 }, () =>
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume(),
  )
  const refused = idle.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  await Promise.any(refused)
  for (const socket of idle) socket.destroy()
  await Promise.all(refused)
  const again = [raw(url), raw(url), raw(url)]
  await Promise.all(again.map(({ opened }) => opened))
})

test('who takes nothing is closed, and costs no more than its queue', async () => {
  const { host, url } = await serve({ stallMs: 300 })
  const { socket, opened } = raw(url)
  await opened
  socket.pause()
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

test('a client comes back by itself, at once when kicked, and notices a dead cable', async () => {
  const { server, host: serverHost, port } = await serve()
  const proxy = await tcpProxy({ target: `127.0.0.1:${port}` })
  cleanups.push(() => proxy.close())
  const { client, host } = await dial(`ws://${proxy.address}/`, { idleMs: 300 })
  await until([serverHost], 'the server', () => serverHost.open.length === 1)
  const beat = setInterval(() => serverHost.open.at(-1)?.send(new Uint8Array(40)), 50)
  cleanups.push(() => clearInterval(beat))
  await serverHost.open[0]?.close()
  await until([host], 'up again', () => host.events.length === 3)
  proxy.cut()
  await until([host], 'down by silence', () => host.events.length === 4)
  expect(host.events[3]).toContain('silent')
  proxy.heal()
  client.kick()
  await until([host], 'up after the kick', () => host.open.length === 1)
  await server.stop()
  await until([host], 'down with the server', () => host.open.length === 0)
})

test('a server that sends too long or text messages is left', async () => {
  const bad = new Handshaker({ port: 0, host: '127.0.0.1' })
  cleanups.push(() => new Promise((resolve) => bad.close(resolve)))
  await new Promise((resolve) => bad.once('listening', resolve))
  let number = 0
  bad.on('connection', (socket) => socket.send(number++ % 2 === 0 ? 'text' : new Uint8Array(5_000)))
  const { host } = await dial(`ws://127.0.0.1:${(bad.address() as AddressInfo).port}/`)
  await until([host], 'two ends', () => host.events.filter((event) => event.startsWith('down')).length >= 2)
  const told = host.problems.map(({ detail }) => detail.code)
  expect(told).toContain('transport/framing')
  expect(told).toContain('transport/frame-size')
  await host.open[0]?.close()
})

test('a flood of garbage leaves the server up', async () => {
  const { server, host, url, port } = await serve({ connectionsPerNetworkMax: 64 })
  const garbage = Buffer.alloc(20_000)
  for (let i = 0; i < garbage.length; i++) garbage[i] = (i * 2_654_435_761) >>> 11
  for (let i = 0; i < 100; i++)
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .end(garbage)
  const upgraded = Array.from({ length: 20 }, () => raw(url))
  await Promise.all(upgraded.map(({ opened }) => opened))
  for (const { socket } of upgraded) {
    // Past the handshake, straight onto the stream: headers, lengths and opcodes that mean nothing.
    const { _socket } = socket as unknown as { _socket: NodeJS.WritableStream }
    _socket.write(garbage)
  }
  await Promise.all(upgraded.map(({ ended }) => ended))
  await until([host], 'quiet', () => server.connections === 0)
  const { host: client } = await dial(url)
  await until([client, host], 'a peer after the flood', () => client.open.length === 1 && host.open.length === 1)
})

test('settings that cannot work are refused', async () => {
  const { port } = await serve()
  await expect(
    webSocketServer({ listen: { host: '127.0.0.1', port } }).start(new RecordingHost()),
  ).rejects.toMatchObject({
    detail: { code: 'transport/bind', why: 'EADDRINUSE' },
  })
  expect(() => webSocketServer({})).toThrow(TypeError)
  expect(() => webSocketClient({ url: 'http://x/' })).toThrow(TypeError)
  for (const options of [{ mtuBytes: 20 }, { bitrateBps: 0 }, { queueBytesMax: 100 }]) {
    expect(() => webSocketClient({ url: 'ws://x/', ...options })).toThrow(RangeError)
  }
})

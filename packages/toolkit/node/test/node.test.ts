import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { tcpClient, tcpServer } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ApiError, type MessageStatus, type ReceivedMessage } from '../src/api.ts'
import { ControlServer, ControlUnreachableError, connectControl } from '../src/control.ts'
import { createNode, type Node, openStore } from '../src/index.ts'

const crypto = await nodeCrypto()
const seeds = Array.from({ length: 4 }, () => systemRandom(32))
const identityOf = (at: number): ReturnType<typeof createIdentity> => createIdentity(crypto, seeds[at]!)

let folder = ''
const running: { stop(): Promise<void> }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-node-'))
})
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function until<T>(what: string, get: () => T | undefined | false, limitMs = 15_000): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const value = get()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Three nodes on real sockets: a – b over UDP, b – c over TCP. */
async function threeNodes(): Promise<[Node, Node, Node]> {
  const udpB = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
  const server = tcpServer({ host: '127.0.0.1', port: 0 })
  const b = await createNode({ identity: identityOf(1), crypto, label: 'b', transports: [udpB, server] })
  running.push(b)
  await b.start()
  const udpA = udpTransport({ host: '127.0.0.1', port: 0, peers: [udpB.address!], multicast: false })
  const a = await createNode({ identity: identityOf(0), crypto, label: 'a', transports: [udpA] })
  const client = tcpClient({ address: server.address! })
  const c = await createNode({ identity: identityOf(2), crypto, label: 'c', transports: [client] })
  running.push(a, c)
  await a.start()
  await c.start()
  return [a, b, c]
}

describe('nodes on real sockets', () => {
  test('find each other, carry a message both ways to its receipt, and explain the way', async () => {
    const [a, b, c] = await threeNodes()
    await until('a knows c', () => a.status().routes.some(({ destination }) => destination === c.nodeId))
    const received: string[] = []
    c.on('message', ({ text }) => received.push(text ?? ''))
    const sent = await a.api.call('send', { to: 'c', text: 'héllo' })
    expect(['queued', 'sent']).toContain(sent.state)
    const states = async (): Promise<MessageStatus> => a.api.call('message', { id: sent.id })
    await until('the message arrives', () => received.includes('héllo'))
    let state = await states()
    for (let tries = 0; state.state !== 'delivered' && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      state = await states()
    }
    expect(state.state).toBe('delivered')
    const trace = await a.api.call('trace', { to: c.nodeId })
    expect(trace).toMatchObject({
      outcome: 'arrived',
      hops: [
        { node: b.nodeId, label: 'b', medium: 'tcp' },
        { node: c.nodeId, medium: 'none' },
      ],
    })
    const path = await a.api.call('path', { to: 'c' })
    expect(path.candidates).toMatchObject([{ nextHop: b.nodeId, chosen: true, hops: 1 }])
    const ping = await c.api.call('ping', { to: 'a' })
    expect(ping.outcome).toBe('arrived')
    expect(b.status().counters.forwarded).toBeGreaterThan(0)
  })

  test('carry a stream, to who listens for streams', async () => {
    const [a, b, c] = await threeNodes()
    await until('a knows c', () => a.status().routes.some(({ destination }) => destination === c.nodeId))
    await until('c knows a', () => c.status().routes.some(({ destination }) => destination === a.nodeId))
    const sent = systemRandom(1_000_000)
    const got: Uint8Array[] = []
    const ends: unknown[] = []
    c.on('stream', ({ kind, stream }) => {
      if (kind === 'incoming') expect(stream.peer).toBe(a.nodeId)
      if (kind === 'readable') got.push(stream.read())
      if (stream.isEnded) stream.close()
      if (kind === 'closed') ends.push(stream.end)
    })
    const stream = a.openStream(c.nodeId)
    let at = stream.write(sent)
    a.on('stream', ({ kind, stream: told }) => {
      expect(told).toBe(stream)
      if (kind === 'writable') at += stream.write(sent.subarray(at))
      if (at === sent.length) stream.close()
      if (kind === 'closed') ends.push(stream.end)
    })
    await until('both ends have finished', () => ends.length === 2)
    expect(ends).toEqual(['finished', 'finished'])
    expect(Buffer.concat(got).equals(sent)).toBe(true)
    expect(b.status().counters.forwarded).toBeGreaterThan(1_000_000 / 465)
    expect(() => a.openStream('ff'.repeat(16))).toThrow(/key/)
  })

  test('show where they listen, before anybody connects', async () => {
    const server = tcpServer({ host: '127.0.0.1', port: 0 })
    const node = await createNode({ identity: identityOf(0), crypto, transports: [server] })
    running.push(node)
    expect(node.status().interfaces).toEqual([])
    await node.start()
    const listening = { id: server.name, kind: 'tcp', listens: server.address, links: 0, sentBytes: 0 }
    expect(node.status().interfaces).toMatchObject([listening])
    const client = await createNode({
      identity: identityOf(1),
      crypto,
      transports: [tcpClient({ address: server.address! })],
    })
    running.push(client)
    await client.start()
    await until('they are linked', () => node.status().links.length === 1)
    expect(node.status().interfaces.filter(({ listens }) => listens !== undefined)).toMatchObject([listening])
    expect(node.status().interfaces.filter(({ links }) => links === 1)).toHaveLength(1)
    await node.stop()
    expect(node.status().interfaces).toEqual([])
  })

  test('say why a message does not get through', async () => {
    const lonely = await createNode({ identity: identityOf(0), crypto })
    running.push(lonely)
    await lonely.start()
    await expect(lonely.api.call('send', { to: 'nobody', text: 'x' })).rejects.toMatchObject({
      detail: { code: 'unknown-node' },
    })
    const stranger = identityOf(3)
    const sent = await lonely.api.call('send', {
      to: Buffer.from(stranger.nodeId).toString('hex'),
      text: 'x',
      expiresMs: 300,
    })
    expect(sent.state).toBe('queued')
    await until('it fails', () => lonely.core.messenger.list(performance.now()).some(({ state }) => state === 'failed'))
    const state = await lonely.api.call('message', { id: sent.id })
    expect(state).toMatchObject({ state: 'failed', reason: 'no-key' })
    expect(state.next).toMatch(/announce/)
    expect((await lonely.api.call('ping', { to: 'ff'.repeat(16) })).outcome).toBe('no-route')
    await expect(lonely.api.call('send', { to: 'ff'.repeat(16), bodyHex: '00'.repeat(70_000) })).rejects.toMatchObject({
      detail: { code: 'too-large' },
    })
  })

  test('what came before a kill and was not taken is there after it, once', async () => {
    const path = join(folder, 'state.db')
    const server = tcpServer({ host: '127.0.0.1', port: 0 })
    const receiver = await createNode({
      identity: identityOf(1),
      crypto,
      transports: [server],
      store: openStore(path).store,
    })
    await receiver.start()
    const sender = await createNode({
      identity: identityOf(0),
      crypto,
      transports: [tcpClient({ address: server.address! })],
    })
    running.push(sender)
    await sender.start()
    await until('a route', () => sender.status().routesTotal === 1)
    sender.send(receiver.nodeId, 'one')
    await until('it is stored', () => receiver.core.messenger.inbox().length === 1)
    await receiver.stop()
    const storedMs = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const again = await createNode({ identity: identityOf(1), crypto, store: openStore(path).store })
    running.push(again)
    const texts: string[] = []
    again.on('message', ({ text, handle, receivedAt }) => {
      texts.push(text ?? '')
      // When it came, not when somebody looked.
      expect(receivedAt.getTime()).toBeLessThanOrEqual(storedMs)
      again.take(handle)
    })
    await again.start()
    expect(texts).toEqual(['one'])
    expect(again.core.messenger.inbox()).toHaveLength(0)
    expect(again.core.contacts.publicKeyOf(sender.core.nodeId)).toBeDefined()
  })
})

describe('control socket', () => {
  const socketPath = (): string => join(folder, 'control.sock')

  test('carries calls, errors and streams', async () => {
    const [a, , c] = await threeNodes()
    const control = new ControlServer(socketPath(), a.api)
    running.push(control)
    await control.start()
    await until('a knows c', () => a.status().routes.some(({ destination }) => destination === c.nodeId))
    const client = await connectControl(socketPath())
    const status = await client.call('status', {})
    expect(status.node.nodeId).toBe(a.nodeId)
    expect(status.routesTotal).toBe(2)
    await expect(client.call('send', { to: 'c' })).rejects.toBeInstanceOf(ApiError)
    await expect(client.call('nonsense' as never, {} as never)).rejects.toMatchObject({
      detail: { code: 'unknown-method' },
    })
    await expect(client.call('status', { routesMax: -1 })).rejects.toMatchObject({ detail: { code: 'bad-request' } })
    const messages: ReceivedMessage[] = []
    const done = new AbortController()
    const listening = (async () => {
      for await (const message of client.stream('listen', {}, done.signal)) {
        messages.push(message)
        if (messages.length === 2) done.abort()
      }
    })()
    for (const text of ['one', 'two']) c.send(a.nodeId, text)
    await listening
    expect(messages.map(({ text }) => text)).toEqual(['one', 'two'])
    expect(messages[0]).toMatchObject({ from: c.nodeId, fromLabel: 'c' })
    client.close()
    await until('both were taken', () => a.core.messenger.inbox().length <= 1)
  })

  test('is for its owner alone, replaces a dead one, and respects a living one', async () => {
    const node = await createNode({ identity: identityOf(0), crypto })
    running.push(node)
    await node.start()
    const first = new ControlServer(socketPath(), node.api)
    await first.start()
    const { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = await import('node:fs')
    expect(statSync(socketPath()).mode & 0o777).toBe(0o600)
    await expect(new ControlServer(socketPath(), node.api).start()).rejects.toThrow(/already running/)
    // Stopping removes the socket by its name; under another it stays, as after a crash.
    linkSync(socketPath(), `${socketPath()}-left`)
    await first.stop()
    await expect(connectControl(socketPath())).rejects.toBeInstanceOf(ControlUnreachableError)
    writeFileSync(socketPath(), 'notes')
    await expect(new ControlServer(socketPath(), node.api).start()).rejects.toThrow(/is no socket/)
    expect(readFileSync(socketPath(), 'utf8')).toBe('notes')
    rmSync(socketPath())
    renameSync(`${socketPath()}-left`, socketPath())
    const second = new ControlServer(socketPath(), node.api)
    running.push(second)
    await second.start()
    const client = await connectControl(socketPath())
    expect((await client.call('peer-list', {})).peers).toEqual([])
    client.close()
  })

  test('survives clients that send nonsense', async () => {
    const node = await createNode({ identity: identityOf(0), crypto })
    running.push(node)
    await node.start()
    const control = new ControlServer(socketPath(), node.api)
    running.push(control)
    await control.start()
    const { connect } = await import('node:net')
    for (let n = 0; n < 50; n++) {
      const socket = connect(socketPath())
      socket.on('error', () => {})
      await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
      socket.write(systemRandom(1 + (n % 64)))
      socket.destroy()
    }
    const client = await connectControl(socketPath())
    expect((await client.call('status', {})).schema).toBe('nexus-status/1')
    client.close()
  })
})

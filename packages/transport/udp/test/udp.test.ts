import { createSocket, type Socket } from 'node:dgram'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PROBLEMS_PER_SECOND } from '@nexus/transport'
import { RecordingHost, until } from '@nexus/transport/testing'
import { udpProxy } from '@nexus/transport-memory/proxy'
import { afterEach, expect, test } from 'vitest'
import { PEERS_MAX, type UdpOptions, udpTransport } from '../src/index.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(options: Partial<UdpOptions> = {}) {
  const transport = udpTransport({ host: '127.0.0.1', port: 0, multicast: false, ...options })
  const host = new RecordingHost()
  await transport.start(host)
  cleanups.push(() => transport.stop())
  return {
    transport,
    host,
    iface: host.open[0]!,
    address: transport.address as string,
    port: Number(transport.address?.split(':').at(-1)),
  }
}

async function raw(): Promise<Socket> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  cleanups.push(() => socket.close())
  return socket
}

test('a frame without address goes to every peer, one with address to that one alone', async () => {
  const [b, c] = [await open(), await open()]
  const a = await open({ peers: [b.address, c.address] })
  a.iface.send(new Uint8Array([1]))
  await until([b.host, c.host], 'both', () => b.host.frames.length === 1 && c.host.frames.length === 1)
  a.iface.send(new Uint8Array([2]), c.address)
  await until([c.host], 'the second', () => c.host.frames.length === 2)
  expect(b.host.frames.length).toBe(1)
  expect(c.host.frames.map(({ from }) => from)).toEqual([a.address, a.address])
})

test('with nobody configured a frame is taken and goes nowhere', async () => {
  const { iface } = await open()
  expect(iface.send(new Uint8Array(50))).toBe(true)
})

test('interleaved sources keep their own addresses', async () => {
  const a = await open()
  const senders = await Promise.all(Array.from({ length: 4 }, raw))
  for (let round = 0; round < 25; round++)
    for (const [index, sender] of senders.entries()) sender.send(new Uint8Array([index]), a.port, '127.0.0.1')
  await until([a.host], 'all frames', () => a.host.frames.length === 100)
  for (const { bytes, from } of a.host.frames) expect(from).toBe(`127.0.0.1:${senders[bytes[0]!]!.address().port}`)
})

test('the name of a peer is looked up, and again after a failure', async () => {
  const b = await open()
  const a = await open({ peers: [`localhost:${b.port}`, 'no-such-name.invalid:1'], resolveMs: 50 })
  await until([a.host], 'an address for the name', () => a.host.reachChanges > 0)
  a.iface.send(new Uint8Array([1]))
  await until([b.host], 'the frame', () => b.host.frames.length > 0)
  const failures = () => a.host.problems.filter(({ detail }) => detail.code === 'transport/connect').length
  await until([a.host], 'two failures', () => failures() >= 2)
  expect(a.host.reachChanges).toBe(1)
})

test('a kick tells the host to greet, at once and some times more', async () => {
  const { transport, host } = await open({ networkWatchMs: 60_000 })
  transport.kick()
  expect(host.reachChanges).toBe(1)
  await until([host], 'a second greeting', () => host.reachChanges === 2)
})

test('frames that the network doubled, lost or reordered still come byte for byte', async () => {
  const b = await open()
  const proxy = await udpProxy({
    target: b.address,
    seed: 9,
    impairment: { lossRatio: 0.1, duplicateRatio: 0.1, reorderRatio: 0.2 },
  })
  cleanups.push(() => proxy.close())
  const a = await open({ peers: [proxy.address] })
  for (let number = 0; number < 300; number++) {
    a.iface.send(new Uint8Array(100).fill(number & 255))
    if (number % 20 === 0) await sleep(2)
  }
  await sleep(150)
  expect(b.host.frames.length).toBeGreaterThan(200)
  expect(b.host.frames.every(({ bytes }) => bytes.length === 100 && bytes.every((byte) => byte === bytes[0]))).toBe(
    true,
  )
})

test('datagrams of no or too many bytes go no further, and their flood is told in a few lines', async () => {
  const a = await open({ mtuBytes: 508 })
  const flood = await raw()
  const big = new Uint8Array(9_000)
  for (let i = 0; i < 2_000; i++) {
    flood.send(i % 2 === 0 ? big : new Uint8Array(0), a.port, '127.0.0.1')
    if (i % 50 === 0) await sleep(1)
  }
  flood.send(new Uint8Array(508), a.port, '127.0.0.1')
  await until([a.host], 'the sound one', () => a.host.frames.length > 0)
  expect(a.host.frames.map(({ bytes }) => bytes.length)).toEqual([508])
  expect(a.host.problems.length).toBeGreaterThan(0)
  expect(a.host.problems.length).toBeLessThan(4 * PROBLEMS_PER_SECOND)
})

test('a flood from ever new ports costs no memory', async () => {
  const a = await open()
  const quiet = { frames: 0 }
  a.host.frame = () => quiet.frames++
  const count = Number(process.env['NEXUS_FLOOD'] ?? 20_000)
  const frame = new Uint8Array(200)
  const burst = async (datagrams: number) => {
    for (let sent = 0; sent < datagrams; ) {
      const socket = createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
      for (let i = 0; i < 100; i++, sent++) socket.send(frame, a.port, '127.0.0.1')
      await sleep(0)
      socket.close()
    }
  }
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const held = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  await burst(2_000)
  const before = held()
  await burst(count)
  expect(quiet.frames).toBeGreaterThan(count / 2)
  expect(held() - before).toBeLessThan(2_000_000)
})

test('what cannot be sent is told, not thrown', async () => {
  const a = await open()
  expect(a.iface.send(new Uint8Array(10), '[::1]:9')).toBe(true)
  expect(a.iface.send(new Uint8Array(10), 'not-an-address:9')).toBe(true)
  await until([a.host], 'the problems', () => a.host.problems.length === 2)
  for (const { detail } of a.host.problems) expect(detail.code).toBe('transport/device')
  for (const to of ['127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', '[::1]', ':5']) {
    expect(() => a.iface.send(new Uint8Array(10), to), to).toThrow(TypeError)
  }
  expect(a.host.open).toEqual([a.iface])
})

test('a port that is taken, and settings that cannot work, are refused', async () => {
  const a = await open()
  const second = udpTransport({ host: '127.0.0.1', port: a.port, multicast: false })
  await expect(second.start(new RecordingHost())).rejects.toMatchObject({
    detail: { code: 'transport/bind', why: 'EADDRINUSE' },
  })
  await second.stop()
  expect(() => udpTransport({ port: 0, peers: ['nowhere'] })).toThrow(TypeError)
  for (const options of [
    { mtuBytes: 20 },
    { mtuBytes: 65_508 },
    { queueBytesMax: 100 },
    { multicast: { group: 'ff0e::1' } },
    { peers: Array.from({ length: PEERS_MAX + 1 }, () => '127.0.0.1:1') },
  ]) {
    expect(() => udpTransport({ port: 0, ...options })).toThrow(RangeError)
  }
})

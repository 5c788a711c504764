import { expect, test } from 'vitest'
import {
  Admission,
  Backoff,
  formatAddress,
  HostGate,
  networkOf,
  PROBLEMS_PER_SECOND,
  parseAddress,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  TransportError,
  type TransportErrorDetail,
  type TransportHost,
} from '../src/index.ts'
import { machineInterfaces, watchNetwork } from '../src/node.ts'
import { RecordingHost } from '../src/testing.ts'

const problem: TransportErrorDetail = { code: 'transport/device', interfaceId: 'x', why: 'gone' }
const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

test('a socket address has one text', () => {
  for (const text of [
    '127.0.0.1:4242',
    '[::1]:1',
    '[fe80::1%eth0]:4242',
    'relay.example.org:65535',
    '[2001:db8::2]:0',
  ]) {
    const { host, port } = parseAddress(text)
    expect(formatAddress(host, port)).toBe(text)
  }
  expect(formatAddress('::ffff:10.0.0.1', 5)).toBe('10.0.0.1:5')
  expect(parseAddress('[::ffff:10.0.0.1]:5')).toEqual({ host: '10.0.0.1', port: 5 })
  expect(parseAddress('[2001:0DB8:0:0::0002]:7')).toEqual({ host: '2001:db8::2', port: 7 })
  expect(parseAddress('[FE80:0::1%eth0]:7')).toEqual({ host: 'fe80::1%eth0', port: 7 })
  expect(parseAddress('Relay.Example:7').host).toBe('relay.example')
  for (const text of [
    '',
    'host',
    ':1',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '::1:5',
    '[::1]',
    '[::1]5',
    'a b:1',
    '[1::2::3]:4',
    '[%x]:1',
    'u@h:1',
  ]) {
    expect(() => parseAddress(text), text).toThrow(TypeError)
  }
})

test('limits count an IPv4 address, an IPv6 /64, and each host of a link', () => {
  expect(networkOf('10.0.0.1')).toBe('10.0.0.1')
  expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1')
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:db8:1:2::6')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:db8::6')).toBe('2001:db8:0:0::/64')
  expect(networkOf('2001:db8:1::')).toBe('2001:db8:1:0::/64')
  expect(networkOf('::1')).toBe('0:0:0:0::/64')
  expect(networkOf('fe80::1%eth0')).not.toBe(networkOf('fe80::2%eth0'))
})

test('admission is full in all, full per network, and empty again', () => {
  const admission = new Admission({ connectionsMax: 5, connectionsPerNetworkMax: 2 })
  expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((host) => admission.admit(host))).toEqual([
    'admitted',
    'admitted',
    'network-full',
  ])
  for (const host of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) expect(admission.admit(host)).toBe('admitted')
  expect(admission.admit('10.0.0.4')).toBe('full')
  admission.release('10.0.0.2')
  expect(admission.admit('10.0.0.4')).toBe('admitted')
  for (const host of ['2001:db8::9', '2001:db8::9', '10.0.0.1', '10.0.0.3', '10.0.0.4']) admission.release(host)
  expect(admission.total).toBe(0)
  expect(() => admission.release('10.0.0.1')).toThrow(RangeError)
})

test('waits double from the first to the longest, within the upper half of their range', () => {
  for (const [byte, share] of [
    [0, 0.5],
    [255, 1],
  ] as const) {
    const backoff = new Backoff({ random: (length) => new Uint8Array(length).fill(byte) })
    for (let n = 0; n < 12; n++) {
      expect(backoff.nextMs()).toBeCloseTo(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** n) * share, -1)
    }
    backoff.reset()
    expect(backoff.nextMs()).toBeLessThanOrEqual(RETRY_MS_MIN)
  }
  const drawn = new Set(Array.from({ length: 20 }, () => new Backoff().nextMs()))
  expect(drawn.size).toBeGreaterThan(10)
  expect(() => new Backoff({ retryMsMin: 10, retryMsMax: 5 })).toThrow(RangeError)
})

test('every kind of trouble explains itself', () => {
  const details = {
    'transport/bind': { code: 'transport/bind', address: '[::]:1', why: 'EACCES' },
    'transport/connect': { code: 'transport/connect', address: 'a:1', why: 'ECONNREFUSED', retryMs: 1_500 },
    'transport/frame-size': { code: 'transport/frame-size', interfaceId: 'udp:x', bytes: 9, mtuBytes: 8 },
    'transport/framing': { code: 'transport/framing', interfaceId: 'tcp:x', why: 'a text message' },
    'transport/device': { code: 'transport/device', interfaceId: 'tcp:x', why: 'EMFILE' },
    'transport/limit': { code: 'transport/limit', interfaceId: 'tcp:x', why: 'full' },
  } satisfies { [Code in TransportErrorDetail['code']]: Extract<TransportErrorDetail, { code: Code }> }
  for (const detail of Object.values(details)) {
    const { message } = new TransportError(detail)
    for (const [key, fact] of Object.entries(detail)) {
      if (key !== 'code' && key !== 'retryMs') expect(message).toContain(String(fact))
    }
  }
  expect(new TransportError(details['transport/connect']).message).toContain('1.5 s')
})

test('problems are told outside of the caller, so many a second, and the rest as a number', async () => {
  let nowMs = 0
  const host = new RecordingHost()
  const gate = new HostGate('x', host, () => nowMs)
  for (let i = 0; i < 100_000; i++) gate.problem(problem)
  expect(host.problems).toEqual([])
  await settle()
  expect(host.problems.length).toBe(PROBLEMS_PER_SECOND)
  nowMs = 1_000
  gate.problem(problem)
  await settle()
  expect(host.problems.at(-2)?.message).toBe(`x: ${100_000 - PROBLEMS_PER_SECOND} more problems`)
  expect(host.problems.at(-1)?.detail).toEqual(problem)
})

test('a shut gate lets nothing pass, not even what was on its way', async () => {
  const host = new RecordingHost()
  const gate = new HostGate('x', host)
  const iface = { facts: { id: 'memory:x' } } as Parameters<TransportHost['up']>[0]
  gate.frame(iface, new Uint8Array(1))
  gate.down(iface, 'never up')
  gate.up(iface)
  gate.down(iface, 'first')
  gate.down(iface, 'second')
  gate.drain(iface)
  gate.problem(problem)
  gate.shut()
  gate.up(iface)
  await settle()
  expect([host.events, host.frames, host.problems, host.drains]).toEqual([
    ['up memory:x', 'down memory:x: first'],
    [],
    [],
    0,
  ])
})

test('the machine shows loopback, and a watch ends when told', async () => {
  const loopback = machineInterfaces().find(({ addresses }) => addresses.includes('127.0.0.1'))
  expect(loopback?.internal).toBe(true)
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const watch = watchNetwork(() => {}, 5)
  await settle()
  watch.stop()
  expect(timers()).toBeLessThanOrEqual(before)
})

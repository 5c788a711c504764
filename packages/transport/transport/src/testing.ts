import { describe, expect, test } from 'vitest'
import type { Interface, Transport } from './interface.ts'
import { FRAME_BYTES_MIN } from './limits.ts'
import { RecordingHost, until } from './recording-host.ts'
import { openTimerLedger } from './timer-ledger.ts'

export { RecordingHost, until } from './recording-host.ts'

/** Two transports that reach each other once both have started, fresh for each check. */
export interface TransportPair {
  /** Starts first: the one that listens, where one does. */
  readonly a: Transport
  /** A function where it needs what `a` knows only after its start, such as its port. */
  readonly b: Transport | (() => Transport)
}

/** What the suite may expect of the medium. */
export interface MediumTraits {
  /** Frames arrive, each once and in order. */
  readonly reliable: boolean
  /** Sends in one turn fill the interface's own queue. False for a medium that hands each frame to the kernel at once. */
  readonly queues: boolean
  /** Most bytes that may wait in an interface. */
  readonly queueBytesMax: number
}

/**
 * The contract of a transport, as tests: interfaces come up and go down, frames of every size arrive byte for byte, what
 * does not fit is refused, queues are bounded and drain, order holds where the medium keeps it, and after `stop` nothing
 * is left: no callback, no handle.
 *
 * @param setup makes a fresh pair
 */
export function checkTransport(
  name: string,
  traits: MediumTraits,
  setup: () => Promise<TransportPair> | TransportPair,
): void {
  describe(`transport contract: ${name}`, () => {
    test('comes up with sane facts and goes down at stop', () => withPair(setup, checkLife))
    test('carries frames of every size both ways, byte for byte', () => withPair(setup, checkSizes), 60_000)
    test('leaves the bytes to the caller after send', () => withPair(setup, checkCopies))
    test('refuses what does not fit, and says so outside of send', () => withPair(setup, checkRefusals))
    test('makes no callback from inside send', () => withPair(setup, checkNoReentry))
    if (traits.queues) {
      test('bounds its queue and tells when it drained', () =>
        withPair(setup, (pair) => checkBackpressure(pair, traits)))
    }
    if (traits.reliable) test('keeps the order of many frames', () => withPair(setup, checkOrder))
    test('closes one interface by itself', () => withPair(setup, checkClose))
    test('is silent after stop and leaves no handle', () => checkSilence(setup))
    test('can be stopped while it starts', () => checkEarlyStop(setup))
    test('starts once and stops twice', () => withPair(setup, checkTwice))
  })
}

interface Running {
  readonly a: Transport
  readonly b: Transport
  readonly hostA: RecordingHost
  readonly hostB: RecordingHost
  /** Sends to the other side: by the address it was heard from, where the medium has addresses. */
  readonly sendA: (frame: Uint8Array) => boolean
  readonly sendB: (frame: Uint8Array) => boolean
  readonly ifaceA: Interface
  readonly ifaceB: Interface
}

async function run(setup: () => Promise<TransportPair> | TransportPair): Promise<Running> {
  const { a, b: later } = await setup()
  const hostA = new RecordingHost()
  const hostB = new RecordingHost()
  await a.start(hostA)
  const b = typeof later === 'function' ? later() : later
  await b.start(hostB)
  await until([hostA, hostB], 'both sides up', () => hostA.open.length > 0 && hostB.open.length > 0)
  const ifaceA = hostA.open[0] as Interface
  const ifaceB = hostB.open[0] as Interface
  let addressOfA: string | undefined
  let addressOfB: string | undefined
  if (ifaceB.facts.addressed) {
    addressOfB = await meet((frame) => ifaceB.send(frame), hostA)
    addressOfA = await meet((frame) => ifaceA.send(frame, addressOfB), hostB)
  }
  const sendA = (frame: Uint8Array) => ifaceA.send(frame, addressOfB)
  const sendB = (frame: Uint8Array) => ifaceB.send(frame, addressOfA)
  return { a, b, hostA, hostB, sendA, sendB, ifaceA, ifaceB }
}

/** Sends until the other host has heard, and returns the address it heard. */
async function meet(send: (frame: Uint8Array) => void, host: RecordingHost): Promise<string> {
  const timer = setInterval(() => send(pattern(FRAME_BYTES_MIN, 1)), 50)
  send(pattern(FRAME_BYTES_MIN, 1))
  try {
    await until([host], 'a first frame', () => host.frames.length > 0)
  } finally {
    clearInterval(timer)
  }
  const address = host.frames[0]?.from
  if (address === undefined) throw new Error('an addressed interface gave no source address')
  // A second copy may be under way.
  await new Promise((resolve) => setTimeout(resolve, 30))
  host.frames.length = 0
  return address
}

async function withPair(
  setup: () => Promise<TransportPair> | TransportPair,
  check: (pair: Running) => Promise<void>,
): Promise<void> {
  const pair = await run(setup)
  try {
    await check(pair)
  } finally {
    await Promise.all([pair.a.stop(), pair.b.stop()])
  }
}

async function checkLife({ a, b, hostA, hostB }: Running): Promise<void> {
  for (const host of [hostA, hostB]) {
    for (const { facts } of host.open) {
      expect(facts.id).toMatch(/^[a-z]+:./)
      expect(facts.id.startsWith(`${facts.kind}:`)).toBe(true)
      expect(facts.mtuBytes).toBeGreaterThanOrEqual(FRAME_BYTES_MIN)
      expect(facts.bitrateBps).toBeGreaterThan(0)
      expect(facts.dutyCycle).toBeGreaterThan(0)
      expect(facts.dutyCycle).toBeLessThanOrEqual(1)
      expect(['half', 'full']).toContain(facts.duplex)
      if (facts.addressed) expect(facts.reach).toBe('shared')
      if (facts.airtimeSeconds) expect(facts.airtimeSeconds(100)).toBeGreaterThan(facts.airtimeSeconds(10))
    }
    expect(new Set(host.open.map(({ facts }) => facts.id)).size).toBe(host.open.length)
  }
  const ifaces = [...hostA.open, ...hostB.open]
  await Promise.all([a.stop(), b.stop()])
  for (const iface of ifaces) expect(iface.send(pattern(40, 1))).toBe(false)
  for (const { events } of [hostA, hostB]) {
    const ups = events.filter((event) => event.startsWith('up ')).length
    expect(events.filter((event) => event.startsWith('down ')).length).toBe(ups)
  }
}

async function checkSizes(pair: Running): Promise<void> {
  const ways = [
    { send: pair.sendA, host: pair.hostB, mtuBytes: Math.min(pair.ifaceA.facts.mtuBytes, 1_500) },
    { send: pair.sendB, host: pair.hostA, mtuBytes: Math.min(pair.ifaceB.facts.mtuBytes, 1_500) },
  ]
  for (const { send, host, mtuBytes } of ways) {
    const strides = 16
    for (let first = 1; first <= mtuBytes; first += strides) {
      const sizes = Array.from({ length: Math.min(strides, mtuBytes - first + 1) }, (_, index) => first + index)
      host.frames.length = 0
      for (const size of sizes) expect(send(pattern(size, size))).toBe(true)
      await until([host], `frames of ${first} bytes and more`, () => host.frames.length >= sizes.length)
      const got = host.frames.map(({ bytes }) => bytes).sort((x, y) => x.length - y.length)
      for (const [index, size] of sizes.entries())
        expect(Buffer.compare(got[index] as Uint8Array, pattern(size, size))).toBe(0)
      expect(got.length).toBe(sizes.length)
    }
  }
}

async function checkCopies({ sendA, hostB }: Running): Promise<void> {
  const frame = pattern(200, 7)
  hostB.frames.length = 0
  expect(sendA(frame)).toBe(true)
  frame.fill(0)
  await until([hostB], 'the frame', () => hostB.frames.length > 0)
  expect(hostB.frames[0]?.bytes).toEqual(pattern(200, 7))
}

async function checkRefusals({ sendA, ifaceA, hostA, hostB }: Running): Promise<void> {
  hostB.frames.length = 0
  for (const bytes of [ifaceA.facts.mtuBytes + 1, 0]) {
    hostA.problems.length = 0
    expect(sendA(new Uint8Array(bytes))).toBe(false)
    expect(hostA.problems).toEqual([])
    await until([hostA], 'the problem', () => hostA.problems.length > 0)
    const { mtuBytes, id: interfaceId } = ifaceA.facts
    expect(hostA.problems[0]?.detail).toEqual({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
  }
  expect(ifaceA.queuedBytes).toBe(0)
  expect(sendA(pattern(40, 3))).toBe(true)
  await until([hostB], 'a frame after refused ones', () => hostB.frames.length > 0)
  expect(hostB.frames.map(({ bytes }) => bytes)).toEqual([pattern(40, 3)])
}

async function checkNoReentry({ sendA, sendB, hostA, hostB, ifaceA }: Running): Promise<void> {
  let inside = false
  let broken = 0
  for (const host of [hostA, hostB]) {
    const watch = () => {
      if (inside) broken++
    }
    for (const event of ['up', 'down', 'frame', 'drain', 'problem', 'reachChanged'] as const) host[event] = watch
  }
  for (let i = 0; i < 200; i++) {
    inside = true
    sendA(pattern(300, i))
    sendB(pattern(300, i))
    if (i % 50 === 0) sendA(new Uint8Array(ifaceA.facts.mtuBytes + 1))
    inside = false
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(broken).toBe(0)
}

async function checkBackpressure({ sendA, ifaceA, hostA, hostB }: Running, traits: MediumTraits): Promise<void> {
  const frame = pattern(ifaceA.facts.mtuBytes, 5)
  hostA.drains = 0
  hostB.frames.length = 0
  let taken = 0
  const most = Math.ceil(traits.queueBytesMax / frame.length) + 1
  while (taken <= most && sendA(frame)) {
    taken++
    expect(ifaceA.queuedBytes).toBeLessThanOrEqual(traits.queueBytesMax)
  }
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThanOrEqual(most)
  await until([hostA], 'a drain', () => hostA.drains > 0, 10_000)
  expect(ifaceA.queuedBytes).toBeLessThanOrEqual(traits.queueBytesMax / 2)
  expect(sendA(frame)).toBe(true)
  if (traits.reliable) await until([hostB], 'all frames taken', () => hostB.frames.length === taken + 1, 10_000)
  await until([hostA], 'an empty queue', () => ifaceA.queuedBytes === 0)
}

async function checkOrder({ sendA, hostA, hostB }: Running): Promise<void> {
  const count = 2_000
  hostB.frames.length = 0
  for (let number = 0; number < count; number++) {
    const frame = pattern(FRAME_BYTES_MIN + (number % 400), number)
    while (!sendA(frame)) {
      const drains = hostA.drains
      await until([hostA], 'a drain', () => hostA.drains > drains)
    }
  }
  await until([hostB], 'all frames', () => hostB.frames.length >= count, 10_000)
  expect(hostB.frames.length).toBe(count)
  for (const [number, { bytes }] of hostB.frames.entries()) {
    expect(Buffer.compare(bytes, pattern(FRAME_BYTES_MIN + (number % 400), number))).toBe(0)
  }
}

async function checkClose({ ifaceA, ifaceB, hostA, hostB }: Running): Promise<void> {
  await ifaceA.close()
  expect(hostA.open).not.toContain(ifaceA)
  expect(ifaceA.send(pattern(40, 1))).toBe(false)
  if (ifaceA.facts.reach === 'point') {
    await until([hostB], 'the other end down', () => !hostB.open.includes(ifaceB))
  }
}

async function checkSilence(setup: () => Promise<TransportPair> | TransportPair): Promise<void> {
  await settle()
  const before = handles()
  const timers = openTimerLedger()
  try {
    const { a, b, hostA, hostB, sendA, sendB } = await run(setup)
    for (let i = 0; i < 50; i++) {
      sendA(pattern(300, i))
      sendB(pattern(300, i))
    }
    await Promise.all([a.stop(), b.stop()])
    let late = 0
    for (const host of [hostA, hostB]) {
      for (const event of ['up', 'down', 'frame', 'drain', 'problem', 'reachChanged'] as const)
        host[event] = () => late++
    }
    sendA(pattern(300, 1))
    sendB(new Uint8Array(1 << 20))
    await settle()
    expect(late).toBe(0)
    for (let tries = 0; tries < 40 && handles().length + timers.live > before.length; tries++) await settle()
    expect(timers.live, 'timers left behind').toBe(0)
    expect(handles()).toEqual(before)
  } finally {
    timers.close()
  }
}

async function checkEarlyStop(setup: () => Promise<TransportPair> | TransportPair): Promise<void> {
  await settle()
  const before = handles()
  const timers = openTimerLedger()
  try {
    const { a, b: later } = await setup()
    if (typeof later !== 'function') await startAndStop(later)
    else {
      // What `b` needs to know of `a` it knows of one that runs.
      const { a: other, b } = await setup()
      await other.start(new RecordingHost())
      if (typeof b === 'function') await startAndStop(b())
      await other.stop()
    }
    await startAndStop(a)
    for (let tries = 0; tries < 40 && handles().length + timers.live > before.length; tries++) await settle()
    expect(timers.live, 'timers left behind').toBe(0)
    expect(handles()).toEqual(before)
  } finally {
    timers.close()
  }
}

async function startAndStop(transport: Transport): Promise<void> {
  const host = new RecordingHost()
  const started = transport.start(host)
  await transport.stop()
  const count = host.events.length
  await started
  await settle()
  expect(host.events.length).toBe(count)
  expect(host.open).toEqual([])
}

async function checkTwice({ a, b, hostA, hostB }: Running): Promise<void> {
  await expect(a.start(hostA)).rejects.toThrow(TypeError)
  await expect(b.start(hostB)).rejects.toThrow(TypeError)
  await a.stop()
  await a.stop()
}

/** Sockets and servers of the process; what the test runner itself needs comes and goes and is left out. */
function handles(): string[] {
  const ours = /^(TCP|UDP|Immediate)/
  return process
    .getActiveResourcesInfo()
    .filter((kind) => ours.test(kind))
    .sort()
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 25))
}

/** Bytes that follow from size and number, rich in the values that stream framings escape. */
function pattern(size: number, number: number): Uint8Array {
  const special = [0x7e, 0x7d, 0xc0, 0xdb, 0x5e, 0x5d, 0x00, 0xff]
  const bytes = new Uint8Array(size)
  let state = (number * 2_654_435_761 + size) >>> 0
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const draw = state >>> 24
    bytes[i] = draw < 64 ? (special[draw & 7] as number) : draw
  }
  return bytes
}

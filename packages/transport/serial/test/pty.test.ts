import { createMediumAccess } from '@nexus/congestion'
import { checkTransport, RecordingHost, until } from '@nexus/transport/testing'
import { createAir } from '@nexus/transport-lora-sim'
import {
  type LineFraming,
  type OpenSerialPort,
  openSerialPort,
  openTty,
  RNODE_QUEUE_BYTES_MAX,
  type RNodeOptions,
  rnode,
  SERIAL_QUEUE_BYTES_MAX,
  serial,
} from '@nexus/transport-serial'
import { openCable, openPty, type Pty, RNodeEmulator, type RNodeEmulatorOptions } from '@nexus/transport-serial/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { bytes, hasPty, RADIO, seeded } from './support.ts'

const closers: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const drivers: readonly (readonly [string, OpenSerialPort])[] = [
  ['serialport', openSerialPort],
  ['tty', openTty],
]

function newAir() {
  const air = createAir({ access: createMediumAccess, random: seeded(1), speed: 1_000 })
  air.setPathLoss('alice', 'bob', 110)
  closers.push(() => air.close())
  return air
}

/** A pseudo-terminal with an emulated RNode behind it. */
async function device(air: ReturnType<typeof newAir>, radio: string, options: Partial<RNodeEmulatorOptions> = {}) {
  const pty = await openPty()
  closers.push(() => pty.unplug())
  const emulator = emulate(pty, { air, radio, ...options })
  return { pty, emulator }
}

function emulate(pty: Pty, options: Omit<RNodeEmulatorOptions, 'write'>): RNodeEmulator {
  const emulator = new RNodeEmulator({ ...options, write: (data) => pty.write(data) })
  pty.onData = (chunk) => emulator.push(chunk)
  closers.push(() => emulator.close())
  return emulator
}

async function started(options: Partial<RNodeOptions> & { path: string }) {
  const host = new RecordingHost()
  const transport = rnode({ ...RADIO, retryMsMin: 20, retryMsMax: 50, ...options })
  await transport.start(host)
  closers.push(() => transport.stop())
  return { host, transport }
}

describe.runIf(hasPty())('over real pseudo-terminals', () => {
  for (const [driver, open] of drivers) {
    const traits = { reliable: true, queues: true, queueBytesMax: SERIAL_QUEUE_BYTES_MAX }
    checkTransport(`serial by ${driver}`, traits, async () => {
      const { a, b } = await openCable()
      closers.push(a.unplug, b.unplug)
      return { a: serial({ path: a.path, open }), b: serial({ path: b.path, open }) }
    })
  }

  const lengthFirst: LineFraming = {
    encode: (frame) => Uint8Array.of(frame.length >> 8, frame.length & 0xff, ...frame),
    decoder: ({ onFrame }) => {
      let held = new Uint8Array(0)
      return {
        push(chunk) {
          held = Uint8Array.from([...held, ...chunk])
          for (let end = 2; held.length >= 2; held = held.slice(end)) {
            end = 2 + ((held[0]! << 8) | held[1]!)
            if (held.length < end) return
            onFrame(held.subarray(2, end))
          }
        },
      }
    },
  }
  const traits = { reliable: true, queues: true, queueBytesMax: SERIAL_QUEUE_BYTES_MAX }
  checkTransport('serial with a framing of its own', traits, async () => {
    const { a, b } = await openCable()
    closers.push(a.unplug, b.unplug)
    return { a: serial({ path: a.path, framing: lengthFirst }), b: serial({ path: b.path, framing: lengthFirst }) }
  })

  test('a modem speaks KISS and nothing else', () => {
    const tnc = { bitrateBps: 1_200, preambleMs: 350, txTailMs: 20, persistence: 64, slotTimeMs: 20 }
    expect(() => serial({ path: '/dev/null', framing: lengthFirst, tnc })).toThrow(TypeError)
  })

  checkTransport('rnode', { reliable: true, queues: true, queueBytesMax: RNODE_QUEUE_BYTES_MAX }, async () => {
    const air = newAir()
    const [a, b] = await Promise.all([device(air, 'alice'), device(air, 'bob')])
    return { a: rnode({ ...RADIO, path: a.pty.path }), b: rnode({ ...RADIO, path: b.pty.path }) }
  })

  test.each(drivers)('two RNodes talk through emulated radios, by %s; signal and device are told', async (_, open) => {
    const air = newAir()
    const [a, b] = await Promise.all([device(air, 'alice'), device(air, 'bob')])
    const signals: unknown[] = []
    const devices: unknown[] = []
    const alice = await started({ path: a.pty.path, open })
    const bob = await started({
      path: b.pty.path,
      open,
      onSignal: (signal) => signals.push(signal),
      onDevice: (info) => devices.push(info),
    })
    await until([alice.host, bob.host], 'both up', () => alice.host.open.length + bob.host.open.length === 2)
    expect(devices).toEqual([{ firmware: '1.85', platform: 0x80, mcu: 0x81 }])
    expect(bob.host.open[0]!.facts).toMatchObject({ kind: 'lora', mtuBytes: 508, duplex: 'half', reach: 'shared' })
    alice.host.open[0]!.send(bytes(400))
    await until([bob.host], 'the frame', () => bob.host.frames.length === 1)
    expect(bob.host.frames[0]!.bytes).toEqual(bytes(400))
    // 14 dBm less 110 dB.
    expect(signals).toEqual([{ rssiDbm: -96, snrDb: 21 }])
    await alice.transport.stop()
    await until([bob.host], 'the radio off', () => !a.emulator.isRadioOn)
  })

  test('the device is unplugged and comes back at the same path', async () => {
    const air = newAir()
    const first = await device(air, 'alice')
    let pty = first.pty
    const open: OpenSerialPort = (_, baudRate, events) => openSerialPort(pty.path, baudRate, events)
    const { host } = await started({ path: '/dev/ttyUSB0', open })
    await until([host], 'up', () => host.open.length === 1)
    const before = host.open[0]!
    await first.pty.unplug()
    await until([host], 'down', () => host.open.length === 0)
    expect(before.send(bytes(1))).toBe(false)
    await until([host], 'a report', () => host.problems.some(({ detail }) => detail.code === 'transport/connect'))
    await first.emulator.close()
    pty = await openPty()
    closers.push(() => pty.unplug())
    emulate(pty, { air, radio: 'alice' })
    await until([host], 'up again', () => host.open.length === 1, 10_000)
  })

  test('a device that resets, or gives an error, is set up anew', async () => {
    const { pty, emulator } = await device(newAir(), 'alice')
    const { host } = await started({ path: pty.path })
    await until([host], 'up', () => host.open.length === 1)
    emulator.reset()
    await until([host], 'down and up again', () => host.events.length === 3 && host.open.length === 1)
    emulator.raise(0x06)
    await until([host], 'down and up once more', () => host.events.length === 5 && host.open.length === 1)
    expect(host.events[1]).toContain('it was reset')
    expect(host.events[3]).toContain('the modem does not answer')
  })

  test('a radio that can do less than asked never comes up', async () => {
    const { pty, emulator } = await device(newAir(), 'alice', { txPowerDbmMax: 17 })
    const { host } = await started({ path: pty.path, txPowerDbm: 22 })
    await until([host], 'the report', () => host.problems.some(({ detail }) => detail.code === 'transport/device'))
    const told = host.problems.find(({ detail }) => detail.code === 'transport/device')!
    expect(told.message).toContain('txPower 17 instead of 22')
    expect(host.events).toEqual([])
    await until([host], 'the radio off', () => !emulator.isRadioOn)
  })

  test('the device keeps to the duty cycle: what is over it stays in the queue', async () => {
    const air = newAir()
    const { pty } = await device(air, 'alice')
    const { host } = await started({ path: pty.path, dutyCycle: 0.001 })
    await until([host], 'up', () => host.open.length === 1)
    const iface = host.open[0]!
    // 3.6 s of the hour: four full frames of 0.83 s.
    for (let count = 0; count < 8; count++) expect(iface.send(bytes(508))).toBe(true)
    await until([host], 'the share used up', () => air.stats.airtimeMs > 3_200)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(air.stats.airtimeMs).toBeLessThanOrEqual(3_600)
  })

  test('a port that is not there is tried again', async () => {
    const { host } = await started({ path: '/dev/no-such-port' })
    await until([host], 'two reports', () => host.problems.length >= 2)
    expect(host.problems[0]!.detail).toMatchObject({ code: 'transport/connect', address: '/dev/no-such-port' })
    expect(host.open).toEqual([])
  })
})

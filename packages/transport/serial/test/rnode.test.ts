import { readFileSync } from 'node:fs'
import {
  decodeRNodeReport,
  encodeKiss,
  KissDecoder,
  RNODE_COMMAND,
  RNODE_QUEUE_BYTES_MAX,
  RNodeModem,
  type RNodeReport,
  rnode,
  rnodeDetect,
  rnodeLeave,
  rnodeModulation,
  rnodeSetup,
} from '@nexus/transport-serial'
import { RNodeEmulator } from '@nexus/transport-serial/testing'
import { describe, expect, test } from 'vitest'
import { bytes, hex, RADIO, seeded } from './support.ts'

interface Vectors {
  readonly rnode: {
    settings: {
      frequency: number
      bandwidth: number
      txpower: number
      spreadingfactor: number
      codingrate: number
      airtime_limit_long?: number
    }
    startup_writes: string[]
    bitrate: number
    detach_writes: string[]
    data_frames: { payload: string; frame: string }[]
  }[]
  readonly rnode_reports: {
    name: string
    bytes: string
    reported: Record<string, number | boolean | null>
    packets: { payload: string; rssi: number; snr: number }[]
  }[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../../../conformance-vectors/reticulum/interfaces.json', import.meta.url), 'utf8'),
)
const toHex = (data: Uint8Array) => Buffer.from(data).toString('hex')

function reports(stream: Uint8Array): RNodeReport[] {
  const found: RNodeReport[] = []
  const decoder = new KissDecoder({
    frameBytesMax: 508,
    strayEscapes: 'keep',
    onFrame: (command, payload) => {
      const report = decodeRNodeReport(command, payload.slice())
      if (report !== undefined) found.push(report)
    },
  })
  decoder.push(stream)
  return found
}

describe('Reticulum vectors', () => {
  test.each(vectors.rnode)('start-up at $settings.frequency Hz', (vector) => {
    const { frequency, bandwidth, txpower, spreadingfactor, codingrate, airtime_limit_long } = vector.settings
    const settings = {
      frequencyHz: frequency,
      bandwidthHz: bandwidth,
      txPowerDbm: txpower,
      spreadingFactor: spreadingfactor,
      codingRate: codingrate,
      dutyCycle: (airtime_limit_long ?? 100) / 100,
    }
    const writes = [rnodeDetect(), ...rnodeSetup(settings)].map(toHex)
    // The short-term limit is Reticulum's own, and not set here.
    expect(writes).toEqual(vector.startup_writes.filter((write) => !write.startsWith('c00b')))
    expect(vector.detach_writes.slice(1).join('')).toBe(toHex(rnodeLeave()))
    for (const { payload, frame } of vector.data_frames) expect(toHex(encodeKiss(0, hex(payload)))).toBe(frame)
    const { spreadingFactor, bandwidthHz, codingRate } = rnodeModulation(settings)
    expect(spreadingFactor * (4 / codingRate / (2 ** spreadingFactor / bandwidthHz))).toBeCloseTo(vector.bitrate, 6)
  })

  const known: Record<string, RNodeReport[]> = {
    'detected, firmware, platform, mcu': [
      { kind: 'detected', isRNode: true },
      { kind: 'firmware', major: 1, minor: 74 },
      { kind: 'platform', value: 128 },
      { kind: 'mcu', value: 129 },
    ],
    'frequency and bandwidth with escapes': [
      { kind: 'frequency', value: 868_276_992 },
      { kind: 'bandwidth', value: 121_792 },
    ],
    'power, spreading, coding, state': [
      { kind: 'txPower', value: 14 },
      { kind: 'spreadingFactor', value: 11 },
      { kind: 'codingRate', value: 7 },
      { kind: 'radioState', value: 1 },
    ],
    'airtime limits': [{ kind: 'airtimeLimitLong', value: 150 }],
  }
  test.each(vectors.rnode_reports)('report: $name', ({ name, bytes: stream, packets }) => {
    const found = reports(hex(stream))
    if (known[name] !== undefined) expect(found).toEqual(known[name])
    for (const { payload, rssi, snr } of packets) {
      expect(found).toEqual([
        { kind: 'rssi', dbm: rssi },
        { kind: 'snr', db: snr },
        { kind: 'data', frame: hex(payload) },
      ])
    }
  })
})

/** A modem whose device is answered for by hand. */
function bench(settings: { readonly dutyCycle?: number } = {}) {
  const writes: string[] = []
  const log: string[] = []
  const modem = new RNodeModem(
    { ...RADIO, airSpeed: 1, ...settings },
    {
      write: (data) => writes.push(toHex(data)),
      online: (info) => log.push(`online ${info.firmware}`),
      frame: (frame, signal) => log.push(`frame ${toHex(frame)} ${signal.rssiDbm} ${signal.snrDb}`),
      sent: () => log.push('sent'),
      warn: (why) => log.push(`warn ${why}`),
      failed: (why) => log.push(`failed ${why}`),
    },
  )
  const say = (nowMs: number, command: number, ...payload: number[]) =>
    modem.push(nowMs, encodeKiss(command, Uint8Array.from(payload)))
  const detect = () => {
    modem.open(0)
    modem.tick(0)
    say(1, RNODE_COMMAND.detect, 0x46)
    say(1, RNODE_COMMAND.firmware, 1, 85)
  }
  const confirm = () => {
    for (const write of rnodeSetup({ ...RADIO, ...settings })) modem.push(2, write)
  }
  return { modem, writes, log, say, detect, confirm }
}

describe('modem', () => {
  test('sends nothing on the air before every setting is confirmed', () => {
    const { modem, writes, log, detect, confirm } = bench({ dutyCycle: 0.01 })
    expect(modem.send(0, bytes(10))).toBe(false)
    detect()
    expect(modem.send(1, bytes(10))).toBe(false)
    confirm()
    expect(log).toEqual(['online 1.85'])
    expect(writes).toEqual([rnodeDetect(), ...rnodeSetup({ ...RADIO, dutyCycle: 0.01 })].map(toHex))
    expect(writes).toContain('c00c0064c0')
    expect(modem.send(3, bytes(10))).toBe(true)
  })

  test('what a device says while it starts is passed over', () => {
    const { modem, log, say, detect, confirm } = bench()
    modem.open(0)
    say(0, RNODE_COMMAND.reset, 0xf8)
    say(0, RNODE_COMMAND.error, 0x01)
    detect()
    say(1, RNODE_COMMAND.reset, 0xf8)
    confirm()
    expect(log).toEqual(['failed it was reset'])

    const calm = bench()
    calm.modem.open(0)
    calm.say(0, RNODE_COMMAND.reset, 0xf8)
    calm.detect()
    calm.confirm()
    expect(calm.log).toEqual(['online 1.85'])
  })

  test('frames go one by one: it asks for room, and lets the air have its time', () => {
    const { modem, writes, log, say, detect, confirm } = bench()
    detect()
    confirm()
    writes.length = 0
    modem.send(10, Uint8Array.of(1))
    modem.send(10, Uint8Array.of(2))
    modem.tick(10)
    expect(writes).toEqual(['c00f01c0'])
    say(11, RNODE_COMMAND.ready, 0)
    expect(modem.nextWakeMs()).toBe(511)
    modem.tick(511)
    say(512, RNODE_COMMAND.ready, 1)
    expect(writes).toEqual(['c00f01c0', 'c00f01c0', 'c00001c0'])
    // Two bytes at SF 7 with a preamble of 24 symbols: 24 + 4.25 + 8 + 10 symbols.
    expect(modem.nextWakeMs()).toBeCloseTo(512 + 46.25 * 1.024, 6)
    modem.tick(modem.nextWakeMs())
    say(600, RNODE_COMMAND.ready, 1)
    expect(writes.at(-1)).toBe('c00002c0')
    modem.tick(modem.nextWakeMs())
    expect(modem.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
    expect(log).toEqual(['online 1.85', 'sent', 'sent'])
  })

  test('a device that no longer answers is given up', () => {
    const { modem, log, detect, confirm } = bench()
    detect()
    confirm()
    modem.send(10, bytes(1))
    for (let asks = 0; asks < 6; asks++) modem.tick(modem.nextWakeMs())
    expect(log.at(-1)).toBe('failed it no longer answers')
    expect(modem.send(20_000, bytes(1))).toBe(false)
  })

  test('signal figures belong to the next frame only', () => {
    const { log, say, detect, confirm } = bench()
    detect()
    confirm()
    say(3, RNODE_COMMAND.statRssi, 0x41)
    say(3, RNODE_COMMAND.statSnr, 0xe4)
    say(3, RNODE_COMMAND.data, 1, 2)
    say(4, RNODE_COMMAND.data, 3)
    expect(log.slice(1)).toEqual(['frame 0102 -92 -7', 'frame 03 undefined undefined'])
  })

  test('old firmware, silence, and other settings than asked are refused, and the radio is switched off', () => {
    const old = bench()
    old.modem.open(0)
    old.modem.tick(0)
    old.say(1, RNODE_COMMAND.firmware, 1, 51)
    old.say(1, RNODE_COMMAND.detect, 0x46)
    expect(old.log).toEqual(['failed its firmware 1.51 is older than 1.52'])

    const mute = bench()
    mute.modem.open(0)
    mute.modem.tick(0)
    mute.modem.tick(mute.modem.nextWakeMs())
    expect(mute.log).toEqual(['failed it does not answer as an RNode'])

    const weak = bench()
    weak.detect()
    for (const write of rnodeSetup({ ...RADIO, txPowerDbm: 13 })) weak.modem.push(2, write)
    expect(weak.log).toEqual(['failed it has other settings than asked: txPower 13 instead of 14'])
    expect(weak.writes.at(-1)).toBe('c00600c0c00affc0')

    const silent = bench()
    silent.detect()
    silent.modem.tick(silent.modem.nextWakeMs())
    expect(silent.log[0]).toMatch(/^failed it did not confirm its settings: frequency unsaid instead of 868100000/)
  })

  test('errors: fatal ones end it, others are told; a reset and a changed setting end it', () => {
    const cases: [number, number[], string][] = [
      [RNODE_COMMAND.error, [0x04], 'warn its queue is full, a frame was lost'],
      [RNODE_COMMAND.error, [0x77], 'warn error 119'],
      [RNODE_COMMAND.error, [0x06], 'failed the modem does not answer'],
      [RNODE_COMMAND.reset, [0xf8], 'failed it was reset'],
      [RNODE_COMMAND.radioState, [0], 'failed its settings changed: radioState 0 instead of 1'],
    ]
    for (const [command, payload, wanted] of cases) {
      const { log, say, detect, confirm } = bench()
      detect()
      confirm()
      say(3, command, ...payload)
      expect(log.at(-1)).toBe(wanted)
    }
  })

  test('its queue is bounded in bytes', () => {
    const { modem, detect, confirm } = bench()
    detect()
    confirm()
    let taken = 0
    while (modem.send(3, bytes(508))) taken++
    expect(taken).toBe(RNODE_QUEUE_BYTES_MAX / 508)
    expect(modem.queuedBytes).toBe(RNODE_QUEUE_BYTES_MAX)
  })

  const cases = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
  test(`${cases} chunks of noise and mangled reports: no throw, no frame while not online, no growth`, () => {
    const random = seeded(9)
    const commands = Object.values(RNODE_COMMAND)
    const { modem, writes, log, detect, confirm } = bench()
    for (let run = 0; run < cases; run++) {
      if (run % 50 === 0) {
        modem.close()
        detect()
        if (run % 100 === 0) confirm()
      }
      const [kind, command, length] = random(3) as unknown as [number, number, number]
      const online = modem.online
      const before = log.length
      modem.push(
        run,
        kind < 128 ? random(length) : encodeKiss(commands[command % commands.length]!, random(length % 6)),
      )
      if (!online && !modem.online) expect(log.slice(before).some((entry) => entry.startsWith('frame'))).toBe(false)
      if (kind < 20) modem.send(run, bytes(1 + length))
      modem.tick(run)
      expect(modem.queuedBytes).toBeLessThanOrEqual(RNODE_QUEUE_BYTES_MAX)
      if (run % 1_000 === 0) writes.length = 0
      if (run % 1_000 === 0) log.length = 0
    }
    expect(log.length).toBeGreaterThan(0)
  })
})

describe('options', () => {
  test.each([
    { frequencyHz: 100_000_000 },
    { txPowerDbm: 38 },
    { txPowerDbm: -1 },
    { spreadingFactor: 4 },
    { bandwidthHz: 0 },
    { codingRate: 9 },
    { dutyCycle: 0 },
  ])('%o is refused', (wrong) => {
    expect(() => rnode({ path: '/dev/null', ...RADIO, ...wrong })).toThrow(RangeError)
  })

  test('the emulator is no transmitter before it is set up either', () => {
    const written: string[] = []
    const air = {
      plug: () => {
        throw new Error('went on the air')
      },
    }
    const emulator = new RNodeEmulator({ air, radio: 'x', write: (data) => written.push(toHex(data)) })
    emulator.push(hex('c00601c0c00001c0'))
    expect(written).toEqual(['c09001c0', 'c00600c0', 'c09002c0'])
    expect(emulator.isRadioOn).toBe(false)
  })
})

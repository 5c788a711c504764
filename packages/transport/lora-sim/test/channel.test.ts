import assert from 'node:assert/strict'
import { BUILT_UP, LoraChannel, MODULATION_DEFAULT, type RadioSettings, SUBURBAN } from '@nexus/transport-lora-sim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bareChannel, bytes, LAB, seeded } from './support.ts'

const SF8 = { ...MODULATION_DEFAULT, spreadingFactor: 8 }
// 14 dBm, sensitivity −124.5 dBm at SF 7: heard up to 138.5 dB of loss.
const WEAK_DB = 130
const STRONG_DB = 120

/** Two senders and a receiver; `a` and `b` do not hear each other. */
function triangle(lossA: number, lossB: number, settingsB: Partial<RadioSettings> = LAB) {
  const channel = bareChannel()
  const a = channel.addRadio(LAB)
  const b = channel.addRadio(settingsB)
  const receiver = channel.addRadio(LAB)
  channel.setPathLoss(a, receiver, lossA)
  channel.setPathLoss(b, receiver, lossB)
  return { channel, a, b, receiver }
}

const MS_PER_SYMBOL = 1.024

describe('one packet', () => {
  test('arrives after its airtime at those in reach, with its power', () => {
    const { channel, a, receiver } = triangle(WEAK_DB, STRONG_DB)
    const result = channel.transmit(100, a, bytes(20))
    const endMs = 100 + channel.airtimeMs(a, 20)
    expect(result).toEqual({ kind: 'sent', endMs })
    expect(channel.nextEventMs()).toBe(endMs)
    expect(channel.advance(endMs - 0.001)).toEqual([])
    const [delivery, ...more] = channel.advance(endMs)
    expect(more).toEqual([])
    expect(delivery).toMatchObject({
      radio: receiver,
      from: a,
      bytes: bytes(20),
      rssiDbm: -116,
      startMs: 100,
      atMs: endMs,
    })
    expect(delivery!.snrDb).toBeCloseTo(1.03, 2)
    expect(channel.nextEventMs()).toBe(Number.POSITIVE_INFINITY)
  })

  test.each([
    [138.4, 1, { outOfRange: 0 }],
    [138.6, 0, { outOfRange: 1 }],
    [145, 0, { outOfRange: 0 }],
  ])('loss of %f dB: %i received', (lossDb, received, lost) => {
    const { channel, a } = triangle(lossDb, STRONG_DB)
    channel.transmit(0, a, bytes(20))
    expect(channel.advance(1_000)).toHaveLength(received)
    expect(channel.stats.lost).toMatchObject(lost)
  })

  test('the sender keeps its buffer', () => {
    const { channel, a } = triangle(WEAK_DB, WEAK_DB)
    const buffer = bytes(5)
    channel.transmit(0, a, buffer)
    buffer.fill(9)
    expect(channel.advance(1_000)[0]!.bytes).toEqual(bytes(5))
  })

  test('random loss is its share of the receptions', () => {
    const { channel, a } = triangle(WEAK_DB, WEAK_DB)
    channel.setLossRatio(0.3)
    let nowMs = 0
    for (let count = 0; count < 2_000; count++) {
      channel.transmit(nowMs, a, bytes(1))
      nowMs += 100
      channel.advance(nowMs)
    }
    expect(channel.stats.delivered + channel.stats.lost.random).toBe(2_000)
    // Binomial, five deviations: 600 ± 103.
    expect(Math.abs(channel.stats.lost.random - 600)).toBeLessThan(103)
  })
})

describe('two packets at once', () => {
  test('of like power: none arrives', () => {
    const { channel, a, b } = triangle(WEAK_DB, WEAK_DB - 5.9)
    channel.transmit(0, a, bytes(20))
    channel.transmit(10, b, bytes(20))
    expect(channel.advance(1_000)).toEqual([])
    expect(channel.stats.lost.collision).toBe(2)
  })

  test('the stronger first: it arrives', () => {
    const { channel, a, b } = triangle(STRONG_DB, WEAK_DB)
    channel.transmit(0, a, bytes(20))
    channel.transmit(30, b, bytes(20))
    expect(channel.advance(1_000).map((delivery) => delivery.from)).toEqual([a])
    expect(channel.stats).toMatchObject({ captured: 1, lost: { collision: 1 } })
  })

  test('the stronger within the preamble of the weaker: it is captured', () => {
    const { channel, a, b } = triangle(WEAK_DB, STRONG_DB)
    channel.transmit(0, a, bytes(20))
    channel.transmit(22 * MS_PER_SYMBOL, b, bytes(20))
    expect(channel.advance(1_000).map((delivery) => delivery.from)).toEqual([b])
    expect(channel.stats.captured).toBe(1)
  })

  test('the stronger after the receiver synchronised to the weaker: none arrives', () => {
    const { channel, a, b } = triangle(WEAK_DB, STRONG_DB)
    channel.transmit(0, a, bytes(20))
    channel.transmit(23 * MS_PER_SYMBOL, b, bytes(20))
    expect(channel.advance(1_000)).toEqual([])
    expect(channel.stats.lost).toMatchObject({ collision: 1, receiverBusy: 1 })
  })

  test('the end of one within the first symbols of the other: both arrive', () => {
    for (const [gapMs, received] of [
      [-12, 2],
      [-14, 1],
    ] as const) {
      const { channel, a, b } = triangle(WEAK_DB, WEAK_DB + 0.5)
      channel.transmit(0, a, bytes(20))
      channel.transmit(channel.airtimeMs(a, 20) + gapMs, b, bytes(20))
      // The weaker loses the symbols that it can do without; the one before is spoiled by any overlap.
      expect(channel.advance(1_000).map((delivery) => delivery.from)).toEqual(received === 2 ? [b] : [])
    }
  })

  test('of two spreading factors: both arrive, unless one drowns the other', () => {
    for (const [lossDb, received] of [
      [WEAK_DB - 7, 1],
      [WEAK_DB - 8, 0],
    ] as const) {
      const { channel, a, b } = triangle(WEAK_DB, lossDb, { ...LAB, modulation: SF8 })
      channel.transmit(0, a, bytes(20))
      channel.transmit(5, b, bytes(20))
      expect(channel.advance(1_000)).toHaveLength(received)
      expect(channel.stats.lost.foreign).toBe(1)
    }
  })

  test('on channels apart: no matter', () => {
    const { channel, a, b } = triangle(WEAK_DB, 80, { ...LAB, frequencyHz: 868_300_000 })
    channel.transmit(0, a, bytes(20))
    channel.transmit(5, b, bytes(20))
    expect(channel.advance(1_000).map((delivery) => delivery.from)).toEqual([a])
    expect(channel.stats.lost.foreign).toBe(0)
  })
})

describe('half duplex and receivers', () => {
  test('who sends does not hear', () => {
    const { channel, a, receiver } = triangle(WEAK_DB, WEAK_DB)
    channel.transmit(0, a, bytes(40))
    channel.transmit(50, receiver, bytes(1))
    const heard = channel.advance(1_000).map((delivery) => delivery.radio)
    expect(heard).not.toContain(receiver)
    expect(channel.stats.lost).toMatchObject({ halfDuplex: 2, receiverBusy: 0 })
  })

  test('a radio that stops sending within the preamble of another hears it', () => {
    const { channel, a, receiver } = triangle(WEAK_DB, WEAK_DB)
    const ownMs = channel.airtimeMs(receiver, 1)
    channel.transmit(0, receiver, bytes(1))
    channel.transmit(ownMs - 10, a, bytes(40))
    expect(channel.advance(1_000).map((delivery) => delivery.radio)).toContain(receiver)
  })

  test('a radio sends one packet at a time, and none while off', () => {
    const { channel, a } = triangle(WEAK_DB, WEAK_DB)
    const sent = channel.transmit(0, a, bytes(10))
    expect(channel.transmit(1, a, bytes(10))).toEqual({ kind: 'refused', reason: 'busy' })
    assert.equal(sent.kind, 'sent')
    expect(channel.transmit(sent.endMs, a, bytes(10)).kind).toBe('sent')
    channel.setOn(a, false)
    expect(channel.transmit(sent.endMs, a, bytes(10))).toEqual({ kind: 'refused', reason: 'off' })
  })

  test('unplugged in mid-packet: what it sent and what it heard are lost; afterwards it works again', () => {
    const { channel, a, b, receiver } = triangle(WEAK_DB, WEAK_DB)
    channel.transmit(0, a, bytes(40))
    channel.advance(20)
    channel.setOn(a, false)
    expect(channel.advance(1_000)).toEqual([])
    expect(channel.stats.lost.truncated).toBe(1)
    channel.transmit(1_000, b, bytes(40))
    channel.setOn(receiver, false)
    channel.setOn(receiver, true)
    expect(channel.advance(2_000)).toEqual([])
    expect(channel.stats.lost.absent).toBe(1)
    channel.setOn(a, true)
    channel.transmit(2_000, a, bytes(40))
    expect(channel.advance(3_000)).toHaveLength(1)
  })

  test('channel-activity detection sees what could be received, during and since', () => {
    const { channel, a, b, receiver } = triangle(WEAK_DB, WEAK_DB, { ...LAB, modulation: SF8 })
    expect(channel.activity(0, receiver, 0)).toBe(false)
    channel.transmit(0, b, bytes(10))
    expect(channel.activity(1, receiver, 0)).toBe(false)
    expect(channel.activity(1, b, 0)).toBe(true)
    channel.advance(1_000)
    const endMs = 1_000 + channel.airtimeMs(a, 10)
    channel.transmit(1_000, a, bytes(10))
    expect(channel.activity(1_001, receiver, 1_001)).toBe(true)
    expect(channel.activity(1_001, b, 1_001)).toBe(false)
    expect(channel.activity(endMs + 2, receiver, endMs - 3)).toBe(true)
    expect(channel.activity(endMs + 9, receiver, endMs + 4)).toBe(false)
  })
})

describe('duty cycle', () => {
  test('refuses above the share of the hour, says how long, and allows then', () => {
    const { channel, a } = triangle(WEAK_DB, WEAK_DB)
    channel.setSettings(a, { dutyCycle: 0.01 })
    const airtimeMs = channel.airtimeMs(a, 255)
    let nowMs = 0
    let sent = 0
    for (;;) {
      const result = channel.transmit(nowMs, a, bytes(255))
      if (result.kind === 'refused') {
        assert.equal(result.reason, 'duty-cycle')
        expect(sent).toBe(Math.floor(36_000 / airtimeMs))
        expect(channel.dutySpentMs(nowMs, a)).toBeCloseTo(sent * airtimeMs, 6)
        expect(result.waitMs).toBe(3_660_000 - nowMs)
        expect(channel.transmit(nowMs + result.waitMs - 1, a, bytes(255)).kind).toBe('refused')
        expect(channel.transmit(nowMs + result.waitMs, a, bytes(255)).kind).toBe('sent')
        break
      }
      sent++
      nowMs = result.endMs
    }
    expect(channel.stats.dutyRefused).toBe(2)
  })
})

describe('places', () => {
  const at = (xMeters: number, yMeters = 0) => ({ ...LAB, position: { xMeters, yMeters } })

  test('loss over distance as the model says, the same both ways', () => {
    const channel = new LoraChannel({ random: seeded(1), propagation: { ...SUBURBAN, shadowingDb: 0 } })
    const here = channel.addRadio(at(0))
    const there = channel.addRadio(at(10_000))
    expect(channel.pathLossDb(here, there)).toBeCloseTo(128.95 + 23.2, 9)
    expect(channel.audience(here)).toEqual([])
    channel.setPosition(there, { xMeters: 0, yMeters: 1_000 })
    expect(channel.pathLossDb(there, here)).toBeCloseTo(128.95, 9)
    expect(channel.audience(here)).toEqual([there])
    expect(channel.audience(there)).toEqual([here])
  })

  test('shadowing: by pair and seed, in the asked spread', () => {
    const channel = new LoraChannel({ random: seeded(3) })
    const twin = new LoraChannel({ random: seeded(3) })
    const other = new LoraChannel({ random: seeded(4) })
    const all = [channel, twin, other]
    const base = all.map((each) => each.addRadio(at(0)))[0]!
    const draws: number[] = []
    for (let count = 0; count < 3_000; count++) {
      const [radio] = all.map((each) => each.addRadio(at(1_000)))
      draws.push((channel.pathLossDb(base, radio!) - 128.95) / 7.8)
      expect(channel.pathLossDb(radio!, base)).toBe(channel.pathLossDb(base, radio!))
      expect(twin.pathLossDb(base, radio!)).toBe(channel.pathLossDb(base, radio!))
    }
    expect(other.pathLossDb(base, 2)).not.toBe(channel.pathLossDb(base, 2))
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length
    const variance = draws.reduce((sum, draw) => sum + draw * draw, 0) / draws.length
    expect(Math.abs(mean)).toBeLessThan(0.1)
    expect(Math.abs(variance - 1)).toBeLessThan(0.12)
    expect(Math.max(...draws.map(Math.abs))).toBeLessThanOrEqual(3 + 1e-9)
  })

  test('an explicit loss wins over places, one way or both, until it is freed', () => {
    const channel = new LoraChannel({ random: seeded(1), propagation: { ...SUBURBAN, shadowingDb: 0 } })
    const [a, b] = [channel.addRadio(at(0)), channel.addRadio(at(500))]
    channel.setPathLoss(a, b, Number.POSITIVE_INFINITY, 'forward')
    expect([channel.audience(a), channel.audience(b)]).toEqual([[], [a]])
    channel.setPathLoss(a, b, undefined)
    expect([channel.audience(a), channel.audience(b)]).toEqual([[b], [a]])
    channel.setPosition(b, { xMeters: 1_000_000, yMeters: 0 })
    channel.setPathLoss(a, b, 100)
    expect([channel.audience(a), channel.audience(b)]).toEqual([[b], [a]])
  })

  test('the kept lists are what a look at every radio gives, whatever moved', () => {
    const coordinate = fc.oneof(fc.integer({ min: -30_000, max: 30_000 }), fc.integer({ min: -900_000, max: 900_000 }))
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        x: coordinate,
        y: coordinate,
        power: fc.integer({ min: 0, max: 27 }),
      }),
      fc.record({ kind: fc.constant('move' as const), which: fc.nat(), x: coordinate, y: coordinate }),
      fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('retune' as const), which: fc.nat(), sf: fc.integer({ min: 7, max: 12 }) }),
      fc.record({
        kind: fc.constant('loss' as const),
        which: fc.nat(),
        to: fc.nat(),
        db: fc.constantFrom(100, 200, undefined),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), fc.nat(), (steps, seed) => {
        const channel = new LoraChannel({ random: seeded(seed) })
        const ids: number[] = []
        for (const action of steps) {
          if (action.kind === 'add') {
            ids.push(channel.addRadio({ ...at(action.x, action.y), txPowerDbm: action.power }))
            continue
          }
          const id = ids[action.which % Math.max(ids.length, 1)]
          if (id === undefined) continue
          if (action.kind === 'move') channel.setPosition(id, { xMeters: action.x, yMeters: action.y })
          if (action.kind === 'retune')
            channel.setSettings(id, { modulation: { ...MODULATION_DEFAULT, spreadingFactor: action.sf } })
          if (action.kind === 'remove') ids.splice(ids.indexOf(id), 1).forEach((gone) => void channel.removeRadio(gone))
          if (action.kind === 'loss') {
            const to = ids[action.to % ids.length]!
            if (to !== id) channel.setPathLoss(id, to, action.db)
          }
          // Asking now makes the lists, so that the next change must find them.
          for (const each of ids) assert.deepEqual(channel.audience(each), plainAudience(channel, ids, each))
        }
      }),
      { numRuns: 60 },
    )
  })
})

function plainAudience(channel: LoraChannel, ids: readonly number[], from: number): number[] {
  const sender = channel.settings(from)
  const heard = ids.filter((to) => {
    if (to === from) return false
    const receiver = channel.settings(to)
    const { spreadingFactor } = receiver.modulation
    if (spreadingFactor !== sender.modulation.spreadingFactor) return false
    const sensitivityDbm = -174 + 10 * Math.log10(125_000) + 6 + 10 - 2.5 * spreadingFactor
    return sender.txPowerDbm - channel.pathLossDb(from, to) >= sensitivityDbm
  })
  return heard.sort((a, b) => a - b)
}

describe('a crowd', () => {
  /** Radios at one density, each sending at random times. */
  function crowd(radios: number, transmissions: number, seed: number) {
    const channel = new LoraChannel({ random: seeded(seed), propagation: BUILT_UP })
    const side = 100 * Math.sqrt(radios)
    const random = seeded(seed + 1)
    const unit = () => new DataView(random(4).buffer).getUint32(0) / 2 ** 32
    const ids = Array.from({ length: radios }, () =>
      channel.addRadio({ ...LAB, position: { xMeters: unit() * side, yMeters: unit() * side } }),
    )
    let nowMs = 0
    const trace: number[] = []
    for (let count = 0; count < transmissions; count++) {
      nowMs += (unit() * 20_000) / radios
      for (const delivery of channel.advance(nowMs)) trace.push(delivery.radio, delivery.from, delivery.atMs)
      const id = ids[Math.floor(unit() * radios)]!
      channel.transmit(nowMs, id, bytes(10 + Math.floor(unit() * 200)))
    }
    for (const delivery of channel.advance(nowMs + 10_000)) trace.push(delivery.radio, delivery.from, delivery.atMs)
    return { channel, trace }
  }

  test('every reception has one fate, and all kinds come up', () => {
    const { channel } = crowd(200, 3_000, 9)
    const { delivered, lost, captured, transmissions, airtimeMs } = channel.stats
    const total = delivered + Object.values(lost).reduce((sum, count) => sum + count, 0)
    expect(total).toBeGreaterThan(transmissions)
    expect(Math.min(delivered, captured, lost.collision, lost.halfDuplex, lost.outOfRange)).toBeGreaterThan(0)
    expect(airtimeMs).toBeGreaterThan(0)
    expect(channel.nextEventMs()).toBe(Number.POSITIVE_INFINITY)
  })

  test('the same seed gives the same events, another seed others', () => {
    expect(crowd(100, 500, 5).trace).toEqual(crowd(100, 500, 5).trace)
    expect(crowd(100, 500, 5).trace).not.toEqual(crowd(100, 500, 6).trace)
  })

  test('work grows with the neighbours, not with the radios', () => {
    const msPerTransmission = (radios: number) => {
      const startMs = performance.now()
      crowd(radios, 8 * radios, 3)
      return (performance.now() - startMs) / (8 * radios)
    }
    msPerTransmission(300)
    const small = Math.min(msPerTransmission(300), msPerTransmission(300))
    expect(msPerTransmission(3_000)).toBeLessThan(4 * small)
  })
})

describe('misuse', () => {
  test('is a RangeError', () => {
    const channel = bareChannel()
    const a = channel.addRadio(LAB)
    channel.advance(10)
    const calls = [
      () => channel.transmit(9, a, bytes(1)),
      () => channel.transmit(10, a, bytes(0)),
      () => channel.transmit(10, a, bytes(256)),
      () => channel.transmit(10, 99, bytes(1)),
      () => channel.setPathLoss(a, a, 1),
      () => channel.addRadio({ dutyCycle: 0 }),
      () => channel.addRadio({ frequencyHz: Number.NaN }),
      () => channel.addRadio({ modulation: { ...MODULATION_DEFAULT, spreadingFactor: 13 } }),
      () => channel.setPosition(a, { xMeters: 1e9, yMeters: 0 }),
      () => channel.setLossRatio(1),
    ]
    for (const call of calls) expect(call).toThrow(RangeError)
    expect(channel.radioCount).toBe(1)
  })
})

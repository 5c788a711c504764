import {
  AirDecoder,
  AirError,
  type AirErrorDetail,
  type AirMessage,
  encodeAirMessage,
  MODULATION_DEFAULT,
} from '@nexus/transport-lora-sim'
import { describe, expect, test } from 'vitest'
import { bytes, LAB, seeded } from './support.ts'

const CASES = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
const token = '0123456789abcdef'.repeat(2)

const samples: readonly AirMessage[] = [
  { kind: 'join', token, radio: 'alice', settings: { ...LAB, modulation: MODULATION_DEFAULT } },
  { kind: 'join', token, radio: 'bob', settings: { position: { xMeters: 1, yMeters: -2.5 } } },
  { kind: 'attach-controls', token },
  { kind: 'control', control: { kind: 'position', radio: 'alice', position: { xMeters: 0, yMeters: 9 } } },
  { kind: 'control', control: { kind: 'path-loss', from: 'a', to: 'b', lossDb: 'off', direction: 'both' } },
  { kind: 'control', control: { kind: 'path-loss', from: 'a', to: 'b', lossDb: null, direction: 'forward' } },
  { kind: 'control', control: { kind: 'on', radio: 'a', on: false } },
  { kind: 'control', control: { kind: 'loss-ratio', lossRatio: 0.25 } },
  { kind: 'send', frame: bytes(508) },
  { kind: 'up', speed: 1 },
  { kind: 'down', reason: 'unplugged' },
  { kind: 'refused', reason: 'wrong token' },
  { kind: 'accepted' },
  { kind: 'heard', rssiDbm: -97.5, snrDb: 3.25, frame: bytes(3) },
  { kind: 'done', outcome: 'medium-busy' },
]
const stream = Uint8Array.from(samples.flatMap((message) => [...encodeAirMessage(message)]))

describe('messages of an air server', () => {
  test('come out of the stream as they went in, however it is cut', () => {
    for (const size of [1, 2, 3, 7, 100, stream.length]) {
      const decoder = new AirDecoder()
      const got: AirMessage[] = []
      for (let at = 0; at < stream.length; at += size) got.push(...decoder.push(stream.subarray(at, at + size)))
      expect(got).toEqual(samples)
      expect(decoder.pendingBytes).toBe(0)
    }
  })

  const rejects = {
    'lora/air-length': [0, 0],
    'lora/air-type': [0, 1, 99],
    'lora/air-body': [0, 2, 22, 7],
  } satisfies Record<AirErrorDetail['code'], number[]>
  test.each(Object.entries(rejects))('%s', (code, message) => {
    const decode = () => [...new AirDecoder().push(Uint8Array.from(message))]
    expect(decode).toThrow(AirError)
    expect(decode).toThrow(expect.objectContaining({ detail: expect.objectContaining({ code }) }))
  })

  test(`${CASES} broken streams: the typed error or messages, and never more than one message held`, () => {
    const random = seeded(11)
    let refused = 0
    for (let run = 0; run < CASES; run++) {
      const whole = encodeAirMessage(samples[run % samples.length]!)
      const broken = whole.slice(0, whole.length - (random(1)[0]! < 32 ? random(1)[0]! % whole.length : 0))
      for (let flips = random(1)[0]! % 3; flips >= 0 && broken.length > 0; flips--) {
        const [at, value] = random(2) as unknown as [number, number]
        broken[at % broken.length] = value
      }
      const decoder = new AirDecoder()
      try {
        for (const message of decoder.push(broken)) expect(samples.map(({ kind }) => kind)).toContain(message.kind)
      } catch (error) {
        if (!(error instanceof AirError)) throw error
        refused++
      }
      expect(decoder.pendingBytes).toBeLessThan(2_050)
    }
    expect(refused).toBeGreaterThan(CASES / 4)
  })
})

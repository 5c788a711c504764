import assert from 'node:assert/strict'
import { fromHex, toHex } from '@nexus/codec'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import {
  decodeContent,
  decodeFragment,
  decodeHandshake,
  decodeReceipt,
  decodeSegment,
  encodeContent,
  encodeFragment,
  encodeHandshake,
  encodeReceipt,
  encodeSegment,
  SessionError,
  type SessionErrorDetail,
} from '@nexus/session'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { PartSet } from '../src/fragment.ts'
import { decodeInboxRecord, encodeInboxRecord } from '../src/inbox-record.ts'
import {
  BODY_MAX_BYTES,
  DEFAULT_LIMITS,
  MESSAGE_MAX_BYTES,
  PART_BYTES,
  PARTS_MAX,
  PLAINTEXT_MAX_BYTES,
  SEGMENT_MAX_BYTES,
  STREAM_CREDIT_BYTES_FIRST,
  WINDOW_IDS,
} from '../src/limits.ts'
import { decodeOutgoing, encodeOutgoing } from '../src/outgoing.ts'
import { RangeSet } from '../src/range-set.ts'
import { RttEstimator } from '../src/rtt.ts'
import { SeenBoxes, SeenWindow } from '../src/seen-window.ts'

/** Each decoder with its encoder, and bytes that it takes. */
const CODECS: Record<string, { run: (bytes: Uint8Array) => Uint8Array; examples: Uint8Array[] }> = {
  content: {
    run: (bytes) => encodeContent(decodeContent(bytes)),
    examples: [
      Uint8Array.of(0, 1, 2, 3),
      Uint8Array.of(1, ...new Uint8Array(32 + 8 + 5 + 64).fill(7)),
      Uint8Array.of(2, ...new Uint8Array(32 + 8 + 25 + 64).fill(7)),
    ],
  },
  fragment: {
    run: (bytes) => encodeFragment(decodeFragment(bytes)),
    examples: [Uint8Array.of(0, 2, ...new Uint8Array(310)), Uint8Array.of(211, 211, ...new Uint8Array(126))],
  },
  receipt: {
    run: (bytes) => encodeReceipt(decodeReceipt(bytes)),
    examples: [new Uint8Array(25), Uint8Array.of(...new Uint8Array(24), 3, 255, 1)],
  },
  handshake: {
    run: (bytes) => encodeHandshake(decodeHandshake(bytes)),
    examples: [
      Uint8Array.of(1, 2, 3, 4, 1, ...new Uint8Array(128)),
      Uint8Array.of(1, 2, 3, 4, 2, ...new Uint8Array(80)),
    ],
  },
  segment: {
    run: (bytes) => encodeSegment(decodeSegment(bytes)),
    examples: [
      Uint8Array.of(8),
      Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 65, 66),
      Uint8Array.of(1, 200, 0, 0, 0, 5, 0, 0, 64, 0, 0, 0, 0, 1, 3, 0, 2, 0, 1, 0),
      Uint8Array.of(7, 9, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0),
      Uint8Array.of(16, 9),
    ],
  },
  'inbox record': {
    run: (bytes) => encodeInboxRecord(decodeInboxRecord(bytes)),
    examples: [
      Uint8Array.of(1, 1, ...new Uint8Array(40 + 16 + 3)),
      Uint8Array.of(1, 3, ...new Uint8Array(40 + 16)),
      Uint8Array.of(1, 2, ...new Uint8Array(16)),
      Uint8Array.of(1, 5, ...new Uint8Array(40 + 16), 1, 2, 3, 4, 5, 0, 0, 0, 9),
    ],
  },
  'outbox record': {
    run: (bytes) => encodeOutgoing(decodeOutgoing(bytes)),
    examples: [
      Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, ...new Uint8Array(64), 1, 2, 3),
      Uint8Array.of(1, 3, 4, 0, 2, 0, 1, 0, 0, 3, 0, 0, 0, ...new Uint8Array(64)),
    ],
  },
  window: {
    run: (bytes) => SeenWindow.decode(bytes).encode(),
    examples: [Uint8Array.of(1, 5, ...new Uint8Array(7), 9, ...new Uint8Array(7), ...new Uint8Array(16))],
  },
}

const FUZZ = fuzzCases(process.env)

describe.each(Object.entries(CODECS))('%s', (_name, { run, examples }) => {
  test('its examples are canonical', () => {
    for (const example of examples) assert.equal(toHex(run(example)), toHex(example))
  })

  test('any bytes are taken canonically or refused by the typed error', () => {
    const isTyped = (error: unknown) => error instanceof SessionError
    const { accepted, refused } = fuzzDecoder({
      decode: run,
      encode: (bytes: Uint8Array) => bytes,
      isTyped,
      corpus: examples,
      cases: FUZZ,
      seed: 1,
    })
    assert.ok(accepted > FUZZ / 50 && refused > 0)
  })
})

test('each decoder error has bytes that raise it', () => {
  type Wire = Exclude<
    SessionErrorDetail['code'],
    'session/too-large' | 'session/outbox-full' | 'session/streams-full' | 'session/no-key'
  >
  const rejects: Record<Wire, () => unknown> = {
    'session/length': () => decodeContent(new Uint8Array(0)),
    'session/mode': () => decodeContent(Uint8Array.of(3)),
    'session/status': () => decodeReceipt(Uint8Array.of(...new Uint8Array(24), 4)),
    'session/fragment': () => decodeFragment(Uint8Array.of(1, 0, 9)),
    'session/handshake': () => decodeHandshake(fromHex('0000000003')),
    'session/segment': () => decodeSegment(Uint8Array.of(4)),
    'session/record': () => decodeInboxRecord(Uint8Array.of(2, 0)),
  }
  for (const [code, act] of Object.entries(rejects)) {
    assert.throws(act, (error) => error instanceof SessionError && error.detail.code === code && error.message !== '')
  }
})

test('limits fit together', () => {
  assert.equal(PLAINTEXT_MAX_BYTES, 417)
  assert.equal(BODY_MAX_BYTES, 312)
  assert.equal(PART_BYTES, 310)
  assert.equal(PARTS_MAX, 212)
  assert.equal(SEGMENT_MAX_BYTES, 441)
  assert.ok(DEFAULT_LIMITS.newerMax + DEFAULT_LIMITS.inFlightMax < WINDOW_IDS)
  assert.ok(DEFAULT_LIMITS.streamBufferBytes >= STREAM_CREDIT_BYTES_FIRST)
  assert.ok(DEFAULT_LIMITS.reassemblyBytesMax >= MESSAGE_MAX_BYTES * DEFAULT_LIMITS.reassembliesPerSenderMax)
  assert.ok(DEFAULT_LIMITS.inboxBytesMax / DEFAULT_LIMITS.inboxSenderShare >= MESSAGE_MAX_BYTES)
  assert.ok(DEFAULT_LIMITS.inFlightMax <= DEFAULT_LIMITS.receiptsPerSenderMax)
})

describe('sets', () => {
  test('a range set is the set of its numbers', () => {
    const step = fc.record({ add: fc.boolean(), start: fc.nat(60), length: fc.nat(12) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const plain = new Set<number>()
        const set = new RangeSet()
        for (const { add, start, length } of steps) {
          if (add) set.add(start, start + length)
          else set.remove(start, start + length)
          for (let value = start; value < start + length; value++) {
            if (add) plain.add(value)
            else plain.delete(value)
          }
        }
        for (let value = 0; value < 80; value++) assert.equal(set.has(value), plain.has(value))
        for (let at = 1; at < set.ranges.length; at++) assert.ok(set.ranges[at - 1]!.end < set.ranges[at]!.start)
      }),
    )
  })

  test('a window knows the highest 1 024 ids and nothing below them', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(1n, 3_000n), { maxLength: 2_500, minLength: 1_500 }), (ids) => {
        let window = new SeenWindow(0n)
        const shown = new Set<bigint>()
        for (const [at, id] of ids.entries()) {
          if (window.look(id) === 'new') {
            assert.ok(!shown.has(id), 'shown twice')
            shown.add(id)
            window.add(id, new Uint8Array(16).fill(Number(id & 0xffn)))
          }
          if (at % 500 === 0) window = SeenWindow.decode(window.encode())
        }
        const kept = [...shown].sort((a, b) => (a < b ? 1 : -1)).slice(0, window.size)
        for (const id of kept) assert.deepEqual(window.look(id), new Uint8Array(16).fill(Number(id & 0xffn)))
        assert.equal(window.size, Math.min(shown.size, 1_024))
      }),
      { numRuns: 10 },
    )
  })

  test('boxes are first in, first out', () => {
    let boxes = new SeenBoxes(3)
    const digest = (value: number) => new Uint8Array(16).fill(value)
    for (const value of [1, 2, 2, 3, 4]) boxes.add(digest(value))
    boxes = SeenBoxes.decode(boxes.encode(), 3)
    assert.deepEqual(
      [1, 2, 3, 4].map((value) => boxes.has(digest(value))),
      [false, true, true, true],
    )
  })

  test('a part set takes only bitmaps of its own size without spare bits', () => {
    const set = new PartSet(11)
    assert.equal(set.replace(Uint8Array.of(255)), false)
    assert.equal(set.replace(Uint8Array.of(255, 8)), false)
    assert.equal(set.replace(Uint8Array.of(255, 7)), true)
    assert.equal(set.isFull, true)
    assert.deepEqual(set.toBitmap(), Uint8Array.of(255, 7))
    assert.equal(new PartSet(8).replace(Uint8Array.of(128)), true)
  })
})

test('the round-trip estimate follows RFC 6298', () => {
  const rtt = new RttEstimator(3_000, 100)
  assert.equal(rtt.rtoMs, 3_000)
  rtt.sample(400)
  assert.equal(rtt.rtoMs, 400 + 4 * 200)
  rtt.sample(400)
  assert.equal(rtt.rtoMs, 400 + 4 * 150)
  for (let repeat = 0; repeat < 100; repeat++) rtt.sample(20)
  assert.equal(rtt.rtoMs, 100)
})

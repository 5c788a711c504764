import { fuzzCases, fuzzDecoder, mutatedInput, seededChoice } from '@nexus/codec/testing'
import { expect, test } from 'vitest'
import {
  decodeClose,
  decodeCookieFrame,
  decodeHandshakePayload,
  decodeHello,
  decodeHs1,
  decodeHs2,
  decodeHs3,
  decodePart,
  decodeProbe,
  decodeRekey,
  encodeCookieFrame,
  encodeHandshakePayload,
  encodeHello,
  encodeHs1,
  encodeHs2,
  encodeHs3,
  encodePart,
  encodeProbe,
  encodeRekey,
  LinkError,
  MESSAGE,
} from '../src/index.ts'
import type { LinkState } from '../src/link-state.ts'
import { paddedBodyEnd } from '../src/messages.ts'
import { Sender } from '../src/sender.ts'
import { areLinked, linkedPair, RADIO, SMALL, TCP, UDP } from './kit.ts'

const CASES = fuzzCases(process.env)

const payload = encodeHandshakePayload({
  publicKey: new Uint8Array(32).fill(5),
  clockMs: 77n,
  linkId: 9,
  parameters: { flags: 3, mtuBytes: 1_400, bitrate: 160 },
})
const noise = new Uint8Array(48).fill(1)
const rest = { cookie: new Uint8Array(16), mac: new Uint8Array(16).fill(3) }
const hs1 = { senderId: 5, destTag: new Uint8Array(8), noise: noise.subarray(0, 32), ...rest }

const decoders: Record<string, { corpus: Uint8Array[]; again: (bytes: Uint8Array) => Uint8Array }> = {
  hello: {
    corpus: [encodeHello({ nodeId: new Uint8Array(16), capabilities: 255, costTier: 3, load: 9 })],
    again: (bytes) => encodeHello(decodeHello(bytes)),
  },
  hs1: { corpus: [encodeHs1(hs1, false)], again: (bytes) => encodeHs1(decodeHs1(bytes, 32, false), false) },
  hs1Psk: {
    corpus: [encodeHs1({ ...hs1, noise }, true)],
    again: (bytes) => encodeHs1(decodeHs1(bytes, 48, true), true),
  },
  hs2: {
    corpus: [encodeHs2({ receiverId: 1, senderId: 2, noise: new Uint8Array(143) })],
    again: (bytes) => encodeHs2(decodeHs2(bytes)),
  },
  hs3: {
    corpus: [encodeHs3({ receiverId: 1, noise: new Uint8Array(111) })],
    again: (bytes) => encodeHs3(decodeHs3(bytes)),
  },
  cookie: {
    corpus: [encodeCookieFrame({ receiverId: 1, cookie: new Uint8Array(16) })],
    again: (bytes) => encodeCookieFrame(decodeCookieFrame(bytes)),
  },
  part: {
    corpus: [encodePart({ receiverId: 1, frameId: 2, index: 3, last: 4, bytes: noise })],
    again: (bytes) => encodePart(decodePart(bytes)),
  },
  payload: { corpus: [payload], again: (bytes) => encodeHandshakePayload(decodeHandshakePayload(bytes)) },
  probe: {
    corpus: [encodeProbe({ answer: true, token: 7 })],
    again: (bytes) => encodeProbe(decodeProbe(bytes)),
  },
  rekey: {
    corpus: [encodeRekey({ step: 0 }), encodeRekey({ step: 1, noise: new Uint8Array(50) })],
    again: (bytes) => encodeRekey(decodeRekey(bytes)),
  },
  close: { corpus: [Uint8Array.of(1)], again: (bytes) => Uint8Array.of(decodeClose(bytes)) },
}

test.each(Object.entries(decoders))(
  '%s: any bytes decode canonically or raise the one error',
  (_, { corpus, again }) => {
    const isTyped = (error: unknown) => error instanceof LinkError
    const { accepted, refused } = fuzzDecoder({
      decode: again,
      encode: (bytes: Uint8Array) => bytes,
      isTyped,
      corpus,
      cases: CASES,
      seed: 1,
    })
    expect(accepted).toBeGreaterThan(CASES / 50)
    expect(refused).toBeGreaterThan(0)
  },
)

test('padding: any plaintext has an end of its body, or raises the one error', () => {
  const choose = seededChoice(2)
  for (let n = 0; n < CASES; n++) {
    const bytes = mutatedInput([new Uint8Array(64), Uint8Array.of(1, 0, 0, 3), new Uint8Array(33).fill(31)], choose)
    if (bytes.length === 0) continue
    try {
      const end = paddedBodyEnd(bytes)
      expect(end).toBeGreaterThan(0)
      expect(end).toBeLessThan(bytes.length)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
    }
  }
})

test.each([UDP, TCP, RADIO, SMALL])(
  'real traffic on $id, mutated, into a layer: no exception, no growth, no harm',
  (facts) => {
    const { pump, a, b } = linkedPair(facts)
    for (let n = 0; n < 10; n++) {
      a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, new Uint8Array(20 * n))
      pump.run(1_000)
    }
    const corpus = [
      ...pump.captured.map(({ bytes }) => bytes),
      encodeCookieFrame({ receiverId: 1, cookie: new Uint8Array(16) }),
      ...Object.values(decoders).flatMap((decoder) => decoder.corpus),
    ]
    const heardBefore = b.messages.length
    const choose = seededChoice(3)
    for (let n = 0; n < CASES; n++) {
      pump.inject(b, facts.id, mutatedInput(corpus, choose), `from ${choose(40)}`)
      if (n % 100 === 0) pump.run(50)
    }
    expect(b.messages.length).toBe(heardBefore)
    expect(b.layer.stats().halfOpen).toBeLessThanOrEqual(64)
    expect(b.layer.stats().attempts).toBeLessThanOrEqual(64)
    pump.run(200_000)
    expect([a.downs, b.downs]).toEqual([[], []])
    expect(b.layer.stats()).toMatchObject({ links: 1, halfOpen: 0 })
  },
)

test.each([UDP, RADIO])('nonsense that a linked neighbour seals on $id is refused, and nothing grows', (facts) => {
  for (const name of ['a', 'b'] as const) {
    const nodes = linkedPair(facts)
    const { pump, a, b } = nodes
    const [mad, sane] = name === 'a' ? [a, b] : [b, a]
    const choose = seededChoice(4)
    const corpus = [
      encodeProbe({ answer: true, token: 1 }),
      encodeProbe({ answer: false, token: 1 }),
      encodeRekey({ step: 0 }),
      encodeRekey({ step: 1, noise: new Uint8Array(50) }),
      encodeRekey({ step: 2, noise: new Uint8Array(50) }),
      new Uint8Array(64),
    ]
    const sender = new Sender()
    const types = [0, 5, 6, 8, 9, 100, 127, 0x80 | 1, 0x80 | 5, 0x80 | 6]
    for (let n = 0; n < CASES / 10; n++) {
      const link = mad.links[0] as LinkState
      const body = mutatedInput(corpus, choose).subarray(0, 400)
      const type = types[choose(types.length)]!
      if (type === MESSAGE.close && body.length === 1) continue
      pump.transmit(mad.name, facts.id, sender.seal(link.key, type, body), sane.name)
      if (n % 20 === 0) pump.run(20)
    }
    pump.run(600)
    expect(sane.messages.every(({ type }) => type === MESSAGE.packet)).toBe(true)
    expect(sane.layer.stats().interfaces.get(facts.id)!.refused.malformed).toBeGreaterThan(100)
    pump.run(300_000)
    expect(sane.layer.stats()).toMatchObject({ links: 1, halfOpen: 0, attempts: 0 })
    expect(areLinked(nodes)).toBe(true)
  }
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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
  type LinkErrorDetail,
} from '../src/index.ts'
import { padBytesFor, paddedBodyEnd } from '../src/messages.ts'
import { cutFrame, Reassembler } from '../src/shim.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)

function code(run: () => unknown): LinkErrorDetail['code'] | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof LinkError) return error.detail.code
    throw error
  }
  return undefined
}

describe('each codec gives back what it was given', () => {
  test('HELLO', () => {
    fc.assert(
      fc.property(fc.record({ nodeId: bytes(16), capabilities: u16, costTier: u8, load: u8 }), (hello) => {
        expect(encodeHello(hello)).toHaveLength(21)
        expect(decodeHello(encodeHello(hello))).toEqual(hello)
      }),
    )
  })

  test.each([
    [32, false, 75],
    [48, false, 91],
    [32, true, 148],
    [48, true, 148],
  ])('HS1 with a Noise message of %d bytes, padded %s: %d bytes', (noiseBytes, padded, frameBytes) => {
    const hs1 = fc.record({
      senderId: u16,
      destTag: bytes(8),
      noise: bytes(noiseBytes),
      cookie: bytes(16),
      mac: bytes(16),
    })
    fc.assert(
      fc.property(hs1, (value) => {
        const frame = encodeHs1(value, padded)
        expect(frame).toHaveLength(frameBytes)
        expect(decodeHs1(frame, noiseBytes, padded)).toEqual(value)
        if (!padded) return
        frame[147] = 1
        expect(code(() => decodeHs1(frame, noiseBytes, padded))).toBe('link/zeros')
      }),
    )
  })

  test('HS2, HS3 and COOKIE', () => {
    fc.assert(
      fc.property(u16, u16, bytes(143), bytes(111), bytes(16), (receiverId, senderId, two, three, cookie) => {
        const hs2 = { receiverId, senderId, noise: two }
        expect(encodeHs2(hs2)).toHaveLength(148)
        expect(decodeHs2(encodeHs2(hs2))).toEqual(hs2)
        const hs3 = { receiverId, noise: three }
        expect(encodeHs3(hs3)).toHaveLength(114)
        expect(decodeHs3(encodeHs3(hs3))).toEqual(hs3)
        const frame = { receiverId, cookie }
        expect(encodeCookieFrame(frame)).toHaveLength(19)
        expect(decodeCookieFrame(encodeCookieFrame(frame))).toEqual(frame)
      }),
    )
  })

  test('PART', () => {
    const part = fc
      .tuple(u16, u8, fc.integer({ min: 1, max: 15 }), fc.nat(15), fc.uint8Array({ minLength: 1, maxLength: 60 }))
      .map(([receiverId, frameId, last, any, piece]) => ({
        receiverId,
        frameId,
        index: any % (last + 1),
        last,
        bytes: piece,
      }))
    fc.assert(
      fc.property(part, (value) => {
        expect(decodePart(encodePart(value))).toEqual(value)
      }),
    )
    const fits = { receiverId: 0, frameId: 0, bytes: new Uint8Array(1) }
    expect(() => encodePart({ ...fits, index: 0, last: 0 })).toThrow(RangeError)
    expect(() => encodePart({ ...fits, index: 3, last: 2 })).toThrow(RangeError)
    expect(() => encodePart({ ...fits, index: 3, last: 16 })).toThrow(RangeError)
  })

  test('handshake payload', () => {
    const payload = fc.record({
      publicKey: bytes(32),
      clockMs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      linkId: u16,
      parameters: fc.record({ flags: u8, mtuBytes: fc.integer({ min: 508, max: 0xffff }), bitrate: u8 }),
    })
    fc.assert(
      fc.property(payload, (value) => {
        expect(encodeHandshakePayload(value)).toHaveLength(47)
        expect(decodeHandshakePayload(encodeHandshakePayload(value))).toEqual(value)
      }),
    )
  })

  test('probe and rekey', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(0xffff_ffff), (answer, token) => {
        expect(decodeProbe(encodeProbe({ answer, token }))).toEqual({ answer, token })
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom(1 as const, 2 as const), bytes(50), (step, noise) => {
        expect(decodeRekey(encodeRekey({ step, noise }))).toEqual({ step, noise })
      }),
    )
    expect(decodeRekey(encodeRekey({ step: 0 }))).toEqual({ step: 0 })
  })
})

describe('what is not in form is refused by name', () => {
  const payload = encodeHandshakePayload({
    publicKey: new Uint8Array(32),
    clockMs: 0n,
    linkId: 1,
    parameters: { flags: 0, mtuBytes: 508, bitrate: 0 },
  })
  const changed = (from: Uint8Array, at: number, byte: number) => {
    const copy = from.slice()
    copy[at] = byte
    return copy
  }
  const hello = encodeHello({ nodeId: new Uint8Array(16), capabilities: 0, costTier: 0, load: 0 })

  const rejects: Record<LinkErrorDetail['code'], (() => unknown)[]> = {
    'link/length': [
      () => decodeHello(hello.subarray(1)),
      () => decodeHello(new Uint8Array(22)),
      () => decodeHs1(new Uint8Array(76), 32, false),
      () => decodeHs2(new Uint8Array(0)),
      () => decodeHs3(new Uint8Array(113)),
      () => decodeCookieFrame(new Uint8Array(18)),
      () => decodePart(Uint8Array.of(6, 0, 0, 0, 1)),
      () => decodeHandshakePayload(payload.subarray(1)),
      () => decodeProbe(new Uint8Array(4)),
      () => decodeRekey(new Uint8Array(0)),
      () => decodeRekey(Uint8Array.of(0, 0)),
      () => decodeRekey(Uint8Array.of(1, 0)),
      () => decodeClose(new Uint8Array(2)),
    ],
    'link/kind': [() => decodeHello(changed(hello, 0, 2)), () => decodePart(Uint8Array.of(7, 0, 0, 0, 1, 9))],
    'link/zeros': [() => paddedBodyEnd(Uint8Array.of(0x81, 1, 0, 1, 3))],
    'link/padding': [
      () => paddedBodyEnd(Uint8Array.of(0x81, 0)),
      () => paddedBodyEnd(Uint8Array.of(0x81)),
      () => paddedBodyEnd(Uint8Array.of(0x81, 2)),
      () => paddedBodyEnd(new Uint8Array(64).fill(32)),
    ],
    'link/version': [() => decodeHandshakePayload(changed(payload, 42, 2))],
    'link/mtu': [() => decodeHandshakePayload(changed(payload, 44, 0xfb))],
    'link/part': [
      () => decodePart(Uint8Array.of(6, 0, 0, 0, 0x00, 1)),
      () => decodePart(Uint8Array.of(6, 0, 0, 0, 0x21, 1)),
    ],
    'link/step': [() => decodeProbe(Uint8Array.of(2, 0, 0, 0, 0)), () => decodeRekey(new Uint8Array(51).fill(3))],
  }

  test.each(Object.entries(rejects))('%s', (wanted, cases) => {
    for (const run of cases) expect(code(run)).toBe(wanted)
    expect(new LinkError({ code: 'link/kind', kind: 7 }).message).toContain('0x07')
  })
})

describe('padding', () => {
  test('always leads to a multiple of 32 or the end of the medium, and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 487 }), fc.integer({ min: 487, max: 600 }), (length, lengthMax) => {
        const pad = padBytesFor(length, lengthMax)
        expect(pad).toBeLessThan(32)
        expect((length + pad) % 32 === 0 || length + pad === lengthMax).toBe(true)
        if (pad === 0) return
        const plaintext = new Uint8Array(length + pad).fill(0xee, 0, length)
        plaintext[length + pad - 1] = pad
        expect(paddedBodyEnd(plaintext)).toBe(length)
      }),
    )
  })
})

describe('parts', () => {
  const reassembler = () => new Reassembler({ timeoutMs: 1_000, frameBytesMax: 508, slotsMax: 4 })

  test('in any order, with copies, give the frame once', () => {
    const frames = fc.uint8Array({ minLength: 17, maxLength: 508 })
    fc.assert(
      fc.property(frames, fc.integer({ min: 2, max: 16 }), fc.infiniteStream(fc.nat(1_000)), (frame, count, order) => {
        const parts = cutFrame(frame, count, 7, 3)
        expect(parts.length).toBeLessThanOrEqual(count)
        const shuffled = parts
          .map((part) => ({ part, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ part }) => part)
        const assembly = reassembler()
        const out = shuffled.flatMap((part, n) => [
          assembly.receive(0, part, 'x'),
          ...(n === shuffled.length - 1 ? [] : [assembly.receive(0, part, 'x')]),
        ])
        expect(out.filter((whole) => whole !== undefined)).toEqual([frame])
        expect(assembly.size).toBe(0)
      }),
    )
  })

  test('of different frames, sources or ages do not mix', () => {
    const assembly = reassembler()
    const [a0, a1] = cutFrame(new Uint8Array(40).fill(1), 2, 7, 1)
    const [b0, b1] = cutFrame(new Uint8Array(40).fill(2), 2, 7, 2)
    expect(assembly.receive(0, a0!, 'x')).toBeUndefined()
    expect(assembly.receive(0, b1!, 'x')).toBeUndefined()
    expect(assembly.receive(0, a1!, 'x')).toBeUndefined()
    expect(assembly.receive(0, b0!, 'y')).toBeUndefined()
    expect(assembly.receive(0, a0!, 'x')).toEqual(new Uint8Array(40).fill(1))
    expect(assembly.receive(1_001, b1!, 'y')).toBeUndefined()
    expect(assembly.receive(1_001, b0!, 'y')).toEqual(new Uint8Array(40).fill(2))
  })

  test('uneven pieces, or more than a frame may have, are dropped; the table has its limit', () => {
    const assembly = reassembler()
    const piece = (index: number, last: number, length: number, receiverId = 0, frameId = 0) =>
      encodePart({ receiverId, frameId, index, last, bytes: new Uint8Array(length) })
    assembly.receive(0, piece(0, 1, 4), undefined)
    expect(assembly.receive(0, piece(1, 1, 5), undefined)).toBeUndefined()
    for (let index = 0; index < 16; index++) {
      expect(assembly.receive(0, piece(index, 15, 40), undefined)).toBeUndefined()
    }
    expect(assembly.size).toBeLessThanOrEqual(1)
    for (let n = 0; n < 100; n++) assembly.receive(0, piece(0, 3, 4, n), undefined)
    for (let n = 0; n < 100; n++) assembly.receive(0, piece(0, 3, 4, 0, n), undefined)
    expect(assembly.size).toBe(4)
  })
})

import { toHex } from '@nexus/codec'
import { COST_MAX } from '@nexus/compact-path-cost'
import { decodeRouteFrame, encodeRouteFrame, type RouteFrame, RoutingError, WITHDRAWN } from '@nexus/routing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const destination = fc.uint8Array({ minLength: 16, maxLength: 16 })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const path = fc.oneof(
  fc.record({
    cost: fc.integer({ min: 0, max: COST_MAX }),
    latencyMs: fc.nat(0xffff),
    bandwidth: fc.nat(255),
    hops: fc.nat(255),
  }),
  fc.constant(WITHDRAWN),
)
const frame: fc.Arbitrary<RouteFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('update' as const),
    updates: fc.array(fc.record({ destination, lamport: u64, path }), { minLength: 1, maxLength: 16 }),
  }),
  fc.record({ kind: fc.constant('request' as const), request: fc.record({ destination, wanted: u64 }) }),
)

test('a frame is read as it was written', () => {
  fc.assert(
    fc.property(frame, (given) => {
      expect(decodeRouteFrame(encodeRouteFrame(given))).toEqual(given)
    }),
  )
})

test('every malformed frame has its code', () => {
  const update = `01${'11'.repeat(16)}${'05'.padEnd(16, '0')}`
  const rejects: Record<string, string> = {
    'routing/short': '',
    'routing/trailing': `02${'11'.repeat(25)}`,
    'routing/subtype': '03',
    'routing/empty': '01',
    'routing/cost': `${update}810200000000`,
    'routing/withdrawal': `${update}ffff00000001`,
  }
  for (const [code, hex] of Object.entries(rejects)) {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    expect(() => decodeRouteFrame(bytes), code).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code }) }),
    )
  }
  expect(() => decodeRouteFrame(new Uint8Array([1, 2, 3]))).toThrow(RoutingError)
})

test('what a caller may not write is refused', () => {
  expect(() => encodeRouteFrame({ kind: 'update', updates: [] })).toThrow(RangeError)
  const bad = { destination: new Uint8Array(16), lamport: 1n, path: { ...WITHDRAWN, hops: 1 } }
  expect(() => encodeRouteFrame({ kind: 'update', updates: [bad] })).toThrow(RangeError)
  const short = { destination: new Uint8Array(15), wanted: 1n }
  expect(() => encodeRouteFrame({ kind: 'request', request: short })).toThrow(RangeError)
  expect(toHex(encodeRouteFrame({ kind: 'request', request: { destination: new Uint8Array(16), wanted: 1n } }))).toBe(
    `02${'00'.repeat(16)}0100000000000000`,
  )
})

import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import {
  decodeRouteFrame,
  encodeRouteFrame,
  POLICIES,
  type PolicyName,
  RoutingError,
  ringDistance,
  selectRoute,
} from '@nexus/routing'
import { expect, test } from 'vitest'

function cases<In, Out>(op: string): { id: string; in: In; out: Out; error?: string }[] {
  const file = new URL(`../../../../conformance-vectors/routing/${op}.json`, import.meta.url)
  const parsed = JSON.parse(readFileSync(file, 'utf8'))
  expect(parsed).toMatchObject({ schema: 'nexus-vectors/1', op })
  return parsed.cases
}

test('route.select: both arithmetics choose the index, Q0.16 has the scores', () => {
  type In = {
    policy: PolicyName
    candidates: { nodeId: string; cost: number; latencyMs: number; reliability: number; hops: number }[]
  }
  for (const each of cases<In, { index: number; scoresQ16: string[] }>('route.select')) {
    const candidates = each.in.candidates.map((one) => ({ ...one, nodeId: fromHex(one.nodeId) }))
    const q16 = selectRoute(POLICIES[each.in.policy], 'q16', candidates)
    expect({ index: q16.index, scoresQ16: q16.scores.map(String) }, each.id).toEqual(each.out)
    expect(selectRoute(POLICIES[each.in.policy], 'f64', candidates).index, each.id).toBe(each.out.index)
  }
})

test('route.frame.decode: both ways, and every error', () => {
  for (const each of cases<{ bytes: string }, object>('route.frame.decode')) {
    if (each.error !== undefined) {
      const code = each.error
      expect(() => decodeRouteFrame(fromHex(each.in.bytes)), each.id).toThrow(RoutingError)
      expect(() => decodeRouteFrame(fromHex(each.in.bytes)), each.id).toThrow(
        expect.objectContaining({ detail: expect.objectContaining({ code }) }),
      )
      continue
    }
    const frame = decodeRouteFrame(fromHex(each.in.bytes))
    const shown = JSON.parse(
      JSON.stringify(frame, (_, value) =>
        typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? toHex(value) : value,
      ),
    )
    expect(shown, each.id).toEqual(each.out)
    expect(toHex(encodeRouteFrame(frame)), each.id).toBe(each.in.bytes)
  }
})

test('route.ringDistance', () => {
  for (const each of cases<{ a: string; b: string }, { distance: string }>('route.ringDistance')) {
    const distance = ringDistance(fromHex(each.in.a), fromHex(each.in.b))
    expect(distance.toString(16).padStart(32, '0'), each.id).toBe(each.out.distance)
  }
})

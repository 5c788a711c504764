import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TRACES_MAX, TRACES_PER_SECOND } from '../src/core/limits.ts'
import {
  decodeTraceAnswer,
  decodeTraceRequest,
  encodeTraceAnswer,
  encodeTraceRequest,
  TRACE_HOPS_MAX,
  TRACE_OUTCOMES,
  TraceError,
} from '../src/core/trace.ts'
import { type TraceReport, Traces } from '../src/core/traces.ts'

const id = (fill: number): Uint8Array => new Uint8Array(16).fill(fill)
const hop = fc.record({
  nodeIdHead: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  rttMs: fc.integer({ min: 0, max: 0xffff }),
  queueFill: fc.integer({ min: 0, max: 255 }),
  addedCost: fc.integer({ min: 0, max: 0xffff }),
  medium: fc.integer({ min: 0, max: 255 }),
})
const hops = fc.array(hop, { maxLength: TRACE_HOPS_MAX })
const traceId = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const isTyped = (error: unknown): boolean => error instanceof TraceError

describe('trace codec', () => {
  test('requests and answers come back as they went, and fit a packet', () => {
    fc.assert(
      fc.property(traceId, hops, fc.boolean(), fc.constantFrom(...TRACE_OUTCOMES), (id64, list, record, outcome) => {
        const request = { traceId: id64, origin: id(3), record, hops: list }
        const bytes = encodeTraceRequest(request)
        expect(bytes.length).toBeLessThanOrEqual(465)
        expect(decodeTraceRequest(bytes)).toEqual(request)
        const answer = { traceId: id64, outcome, hops: list }
        expect(decodeTraceAnswer(encodeTraceAnswer(answer))).toEqual(answer)
      }),
    )
  })

  test('decoders hold under mutation', () => {
    const sample = [{ nodeIdHead: new Uint8Array(8), rttMs: 1, queueFill: 2, addedCost: 3, medium: 4 }]
    const request = encodeTraceRequest({ traceId: 1n, origin: id(1), record: true, hops: sample })
    const answer = encodeTraceAnswer({ traceId: 1n, outcome: 'no-route', hops: sample })
    const cases = fuzzCases(process.env)
    fuzzDecoder({ decode: decodeTraceRequest, encode: encodeTraceRequest, corpus: [request], isTyped, cases, seed: 1 })
    fuzzDecoder({ decode: decodeTraceAnswer, encode: encodeTraceAnswer, corpus: [answer], isTyped, cases, seed: 2 })
  })
})

describe('traces', () => {
  const own = { rttMs: 20, queueFill: 0, addedCost: 5, medium: 2 }

  test('gather a hop per relay and come back from the destination', () => {
    const [origin, relay, target] = [new Traces(id(1)), new Traces(id(2)), new Traces(id(3))]
    let report: TraceReport | undefined
    const data = origin.begin(0, 77n, true, 5_000, (result) => {
      report = result
    })
    const passed = relay.pass(10, data, own)
    expect(passed.kind).toBe('forward')
    const ended = target.end(20, (passed as { data: Uint8Array }).data, 'arrived')
    expect(ended).toMatchObject({ kind: 'answer', origin: id(1) })
    origin.answered(40, (ended as { data: Uint8Array }).data)
    expect(report).toMatchObject({ outcome: 'arrived', rttMs: 40 })
    expect(report?.hops.map((entry) => entry.nodeIdHead[0])).toEqual([2, 3])
    expect(report?.hops[0]).toMatchObject(own)
  })

  test('end with a timeout where nothing comes back, and only once', () => {
    const origin = new Traces(id(1))
    const reports: TraceReport[] = []
    origin.begin(0, 1n, false, 100, (result) => reports.push(result))
    expect(origin.nextWakeMs()).toBe(100)
    origin.tick(99)
    expect(reports).toHaveLength(0)
    origin.tick(100)
    origin.answered(101, encodeTraceAnswer({ traceId: 1n, outcome: 'arrived', hops: [] }))
    expect(reports.map(({ outcome }) => outcome)).toEqual(['timeout'])
  })

  test('are bounded: own ones, and those answered or passed on per second', () => {
    const node = new Traces(id(1))
    for (let n = 0n; n < TRACES_MAX; n++) node.begin(0, n, false, 1_000, () => {})
    expect(() => node.begin(0, 9_999n, false, 1_000, () => {})).toThrow(RangeError)
    const strange = encodeTraceRequest({ traceId: 5n, origin: id(9), record: true, hops: [] })
    const kinds = Array.from({ length: TRACES_PER_SECOND + 5 }, () => node.end(10, strange, 'arrived').kind)
    expect(kinds.filter((kind) => kind === 'answer')).toHaveLength(TRACES_PER_SECOND)
    expect(node.end(1_010, strange, 'arrived').kind).toBe('answer')
  })

  test('that are full go back to where they came from', () => {
    const sample = { nodeIdHead: new Uint8Array(8), rttMs: 1, queueFill: 2, addedCost: 3, medium: 4 }
    const full = encodeTraceRequest({
      traceId: 5n,
      origin: id(9),
      record: true,
      hops: new Array(TRACE_HOPS_MAX).fill(sample),
    })
    const step = new Traces(id(1)).pass(0, full, own)
    expect(step.kind).toBe('answer')
    expect(decodeTraceAnswer((step as { data: Uint8Array }).data).outcome).toBe('full')
  })
})

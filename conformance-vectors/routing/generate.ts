// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/routing/generate.ts
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import {
  encodeRouteFrame,
  POLICIES,
  type PolicyName,
  type RouteCandidate,
  ringDistance,
  selectRoute,
  WITHDRAWN,
} from '@nexus/routing'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

/** Numbers that repeat: 32 bits of a multiplicative generator. */
let state = 0x2545f491
function below(end: number): number {
  state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + 0x1b873593
  return ((state ^ (state >>> 16)) >>> 0) % end
}

const address = (): Uint8Array => Uint8Array.from({ length: 16 }, () => below(256))
const same = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
const names = Object.keys(POLICIES) as PolicyName[]

function selectCase(id: string, policy: PolicyName, candidates: readonly RouteCandidate[]): Case {
  const f64 = selectRoute(POLICIES[policy], 'f64', candidates)
  const q16 = selectRoute(POLICIES[policy], 'q16', candidates)
  if (f64.index !== q16.index) throw new Error(`${id} is too close to a tie`)
  const shown = candidates.map((each) => ({ ...each, nodeId: toHex(each.nodeId) }))
  return { id, in: { policy, candidates: shown }, out: { index: q16.index, scoresQ16: q16.scores.map(String) } }
}

const one: RouteCandidate = { nodeId: same(1), cost: 64, latencyMs: 50, reliability: 200, hops: 2 }
const sets: [string, RouteCandidate[]][] = [
  ['none', []],
  ['one', [one]],
  [
    'all equal but the NodeID',
    [
      { ...one, nodeId: same(3) },
      { ...one, nodeId: same(2) },
    ],
  ],
  ['equal cost, fewer hops', [one, { ...one, nodeId: same(9), hops: 1 }]],
  [
    'free and unmeasured',
    [
      { ...one, cost: 0, latencyMs: 0, reliability: 0 },
      { ...one, cost: 0, latencyMs: 0, reliability: 0, hops: 1 },
    ],
  ],
  [
    'cheap and slow, dear and fast',
    [
      { ...one, cost: 16, latencyMs: 900 },
      { ...one, cost: 160, latencyMs: 10, nodeId: same(2) },
    ],
  ],
  [
    'costs 2^40 apart',
    [
      { ...one, cost: 0 },
      { ...one, cost: 640, nodeId: same(2) },
    ],
  ],
  [
    'unknown against reliable',
    [
      { ...one, reliability: 0 },
      { ...one, cost: 80, reliability: 255, nodeId: same(2) },
    ],
  ],
]
for (let set = 0; set < 40; set++) {
  const candidates = Array.from({ length: 2 + below(6) }, () => ({
    nodeId: address(),
    cost: set % 2 === 0 ? below(641) : 150 + below(60),
    latencyMs: below(set % 3 === 0 ? 60_000 : 400),
    reliability: below(256),
    hops: below(12),
  }))
  sets.push([`random ${set}`, candidates])
}
write(
  'route.select',
  sets.flatMap(([id, candidates]) => names.map((policy) => selectCase(`${id}, ${policy}`, policy, candidates))),
)

const path = { cost: 133, latencyMs: 500, bandwidth: 99, hops: 3 }
const hex = (frame: Parameters<typeof encodeRouteFrame>[0]): string => toHex(encodeRouteFrame(frame))
const update = { destination: same(0x11), lamport: 5n, path }
const shownUpdate = { destination: toHex(same(0x11)), lamport: '5', path }
const withdrawal = { destination: same(0x22), lamport: 2n ** 64n - 1n, path: WITHDRAWN }
const request = { destination: same(0x33), wanted: 6n }
const updateHead = `01${toHex(same(0x11))}0500000000000000`
write('route.frame.decode', [
  {
    id: 'one update',
    in: { bytes: hex({ kind: 'update', updates: [update] }) },
    out: { kind: 'update', updates: [shownUpdate] },
  },
  {
    id: 'an update and a withdrawal',
    in: { bytes: hex({ kind: 'update', updates: [update, withdrawal] }) },
    out: {
      kind: 'update',
      updates: [shownUpdate, { destination: toHex(same(0x22)), lamport: '18446744073709551615', path: WITHDRAWN }],
    },
  },
  {
    id: 'a request',
    in: { bytes: hex({ kind: 'request', request }) },
    out: { kind: 'request', request: { destination: toHex(same(0x33)), wanted: '6' } },
  },
  { id: 'nothing', in: { bytes: '' }, error: 'routing/short' },
  { id: 'no updates', in: { bytes: '01' }, error: 'routing/empty' },
  { id: 'an unknown sub-type', in: { bytes: '03' }, error: 'routing/subtype' },
  {
    id: 'a cut update',
    in: { bytes: hex({ kind: 'update', updates: [update] }).slice(0, -2) },
    error: 'routing/short',
  },
  { id: 'a cost between 640 and unreachable', in: { bytes: `${updateHead}810200000000` }, error: 'routing/cost' },
  { id: 'a withdrawal with a latency', in: { bytes: `${updateHead}ffff01000000` }, error: 'routing/withdrawal' },
  { id: 'a request with a tail', in: { bytes: `${hex({ kind: 'request', request })}00` }, error: 'routing/trailing' },
])

const pairs: [string, Uint8Array, Uint8Array][] = [
  ['itself', same(7), same(7)],
  ['over zero', same(0xff), same(0)],
  ['half way', Uint8Array.from(same(0)).fill(0x80, 0, 1), same(0)],
  ...Array.from({ length: 12 }, (_, index): [string, Uint8Array, Uint8Array] => [
    `random ${index}`,
    address(),
    address(),
  ]),
]
write(
  'route.ringDistance',
  pairs.map(([id, a, b]) => ({
    id,
    in: { a: toHex(a), b: toHex(b) },
    out: { distance: ringDistance(a, b).toString(16).padStart(32, '0') },
  })),
)

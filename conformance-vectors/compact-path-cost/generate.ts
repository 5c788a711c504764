// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/compact-path-cost/generate.ts
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import {
  addCost,
  BANDWIDTH_MAX,
  COST_MAX,
  COST_UNREACHABLE,
  costTable,
  decodeBandwidth,
  encodeBandwidth,
  encodeCost,
  encodePathCost,
  type HopCost,
  type PathCost,
  relay,
} from '@nexus/compact-path-cost'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

const scale = Array.from({ length: COST_MAX + 1 }, (_, cost) => cost)

write(
  'pathCost.decodeCost',
  scale.map((cost) => ({ id: `D[${cost}]`, in: { cost }, out: { valueQ16: `${costTable[cost]}` } })),
)

write('pathCost.encodeCost', [
  ...scale.flatMap((cost) => {
    const value = costTable[cost]!
    const around: [string, bigint][] = [
      [`D[${cost}]`, value],
      [`D[${cost}] + 1`, value + 1n],
    ]
    if (cost > 0) around.unshift([`D[${cost}] - 1`, value - 1n])
    return around.map(([id, valueQ16]) => ({
      id,
      in: { valueQ16: `${valueQ16}` },
      out: { cost: encodeCost(valueQ16) },
    }))
  }),
  ...[2n * costTable[COST_MAX]!, (1n << 64n) - 1n].map((valueQ16) => ({
    id: `above the scale: ${valueQ16}`,
    in: { valueQ16: `${valueQ16}` },
    out: { cost: encodeCost(valueQ16) },
  })),
])

/** The greatest whole bit/s that is still encoded as `bandwidth`. */
function lastOf(bandwidth: number): number {
  let below = 0
  let above = 2 ** 33
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (encodeBandwidth(middle) <= bandwidth) below = middle
    else above = middle
  }
  return below
}

const rates = new Set<number>([0])
for (let bandwidth = 0; bandwidth < BANDWIDTH_MAX; bandwidth++) {
  rates
    .add(lastOf(bandwidth))
    .add(lastOf(bandwidth) + 1)
    .add(decodeBandwidth(bandwidth))
}
for (const bps of [decodeBandwidth(BANDWIDTH_MAX), 2 ** 32, 1e12, Number.MAX_SAFE_INTEGER]) rates.add(bps)
write(
  'pathCost.encodeBandwidth',
  [...rates]
    .sort((a, b) => a - b)
    .map((bps) => ({ id: `${bps} bit/s`, in: { bps }, out: { bandwidth: encodeBandwidth(bps) } })),
)
write(
  'pathCost.decodeBandwidth',
  Array.from({ length: BANDWIDTH_MAX + 1 }, (_, bandwidth) => ({
    id: `${bandwidth}`,
    in: { bandwidth },
    out: { bps: decodeBandwidth(bandwidth) },
  })),
)

const sums: [number, number][] = []
for (let a = 0; a <= COST_MAX; a += 40) for (let b = 0; b <= a; b += 40) sums.push([a, b])
for (let a = 1; a < COST_MAX; a += 9) sums.push([a, 1], [a, a], [a, Math.floor(a / 2)], [1, a])
sums.push([0, 0], [639, 1], [640, 1], [639, 639], [640, 640], [624, 624], [625, 624])
sums.push([COST_UNREACHABLE, 0], [0, COST_UNREACHABLE], [640, COST_UNREACHABLE], [COST_UNREACHABLE, COST_UNREACHABLE])
write(
  'pathCost.add',
  [...new Map(sums.map(([a, b]) => [`${a} + ${b}`, { a, b }]))].map(([id, pair]) => ({
    id,
    in: pair,
    out: { cost: addCost(pair.a, pair.b) },
  })),
)

const paths: Record<string, PathCost> = {
  origin: { cost: 0, latencyMs: 0, bandwidth: 255, hops: 0 },
  typical: { cost: 217, latencyMs: 40, bandwidth: 99, hops: 3 },
  'slow and dear': { cost: 598, latencyMs: 9_000, bandwidth: 30, hops: 100 },
  'at the ceiling': { cost: 640, latencyMs: 65_535, bandwidth: 0, hops: 254 },
  saturated: { cost: 640, latencyMs: 65_535, bandwidth: 0, hops: 255 },
  unreachable: { cost: COST_UNREACHABLE, latencyMs: 12, bandwidth: 34, hops: 5 },
}
const relays: Record<string, HopCost> = {
  'a free relay': { cost: 0, latencyMs: 1, bandwidth: 240 },
  'the smallest share': { cost: 1, latencyMs: 0, bandwidth: 255 },
  'a typical relay': { cost: 211, latencyMs: 350, bandwidth: 99 },
  'a dear relay': { cost: 639, latencyMs: 65_535, bandwidth: 1 },
  'a dead link': { cost: COST_UNREACHABLE, latencyMs: 0, bandwidth: 255 },
}
write(
  'pathCost.relay',
  Object.entries(paths).flatMap(([path, cost]) =>
    Object.entries(relays).map(([name, own]) => ({
      id: `${path} behind ${name}`,
      in: { path: cost, own },
      out: relay(cost, own),
    })),
  ),
)

const encoded = Object.entries(paths).map(([id, path]) => ({ id, path, bytes: toHex(encodePathCost(path)) }))
write(
  'pathCost.encode',
  encoded.map(({ id, path, bytes }) => ({ id, in: path, out: { bytes } })),
)
write('pathCost.decode', [
  ...encoded.map(({ id, path, bytes }) => ({ id, in: { bytes }, out: path })),
  { id: 'cost 641', in: { bytes: '810200000000' }, error: 'path-cost/cost' },
  { id: 'cost 0xFFFE', in: { bytes: 'feff00000000' }, error: 'path-cost/cost' },
  { id: 'big-endian 1', in: { bytes: '000101000000' }, out: { cost: 256, latencyMs: 1, bandwidth: 0, hops: 0 } },
  { id: 'no bytes', in: { bytes: '' }, error: 'path-cost/length' },
  { id: 'five bytes', in: { bytes: '0000000000' }, error: 'path-cost/length' },
  { id: 'seven bytes', in: { bytes: '00000000000000' }, error: 'path-cost/length' },
])

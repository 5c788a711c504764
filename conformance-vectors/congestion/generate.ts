// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/congestion/generate.ts
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import {
  type CongestionSignal,
  effectiveCost,
  encodeSignal,
  isNewerSequence,
  priorityOfContext,
  type Severity,
} from '@nexus/congestion'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

const signals: CongestionSignal[] = []
for (const severity of [0, 1, 2, 3] as Severity[]) {
  for (const scope of ['link', 'all'] as const) {
    signals.push({ severity, scope, drainMs: 0, sequence: 0 })
    signals.push({ severity, scope, drainMs: 1_000 + severity, sequence: 17 })
    signals.push({ severity, scope, drainMs: 0xffff, sequence: 255 })
  }
}
signals.push({ severity: 2, scope: 'link', drainMs: 256, sequence: 1 })

write('congestion.decodeSignal', [
  ...signals.map((signal) => ({
    id: `${signal.severity} ${signal.scope} ${signal.drainMs} ms #${signal.sequence}`,
    in: { bytes: toHex(encodeSignal(signal)) },
    out: signal,
  })),
  { id: 'no bytes', in: { bytes: '' }, error: 'congestion/length' },
  { id: 'three bytes', in: { bytes: '010000' }, error: 'congestion/length' },
  { id: 'five bytes', in: { bytes: '0100000000' }, error: 'congestion/length' },
  { id: 'scope 2', in: { bytes: '09000000' }, error: 'congestion/scope' },
  { id: 'scope 3', in: { bytes: '0d000000' }, error: 'congestion/scope' },
  { id: 'bit 4', in: { bytes: '11000000' }, error: 'congestion/reserved' },
  { id: 'bit 7', in: { bytes: '80000000' }, error: 'congestion/reserved' },
  {
    id: 'bit 5 and scope 2: the reserved bits are looked at first',
    in: { bytes: '28000000' },
    error: 'congestion/reserved',
  },
])

const pairs = [0, 1, 127, 128, 129, 254, 255].flatMap((than) =>
  [0, 1, 2, 126, 127, 128, 129, 255].map((ahead) => ({ sequence: (than + ahead) & 0xff, than })),
)
write(
  'congestion.isNewerSequence',
  pairs.map((pair) => ({
    id: `${pair.sequence} after ${pair.than}`,
    in: pair,
    out: { newer: isNewerSequence(pair.sequence, pair.than) },
  })),
)

write(
  'congestion.effectiveCost',
  [0, 1 / 4, 1 / 2, 5 / 8, 3 / 4, 7 / 8, 1].flatMap((fill) =>
    [0, 1_000, 12_288].map((base) => ({
      id: `${base} at ${fill}`,
      in: { base, fill },
      out: { cost: effectiveCost(base, fill) },
    })),
  ),
)

write(
  'congestion.priorityOfContext',
  Array.from({ length: 256 }, (_, context) => ({
    id: context.toString(16).padStart(2, '0'),
    in: { context },
    out: { priority: priorityOfContext(context) },
  })),
)

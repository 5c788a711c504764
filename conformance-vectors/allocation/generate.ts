// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/allocation/generate.ts
import { writeFileSync } from 'node:fs'
import { AllocationError, AMOUNT_MAX, amountFromJson, POLICY_60_30_10, split } from '@nexus/allocation'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

function attempt(id: string, input: object, run: () => object): Case {
  try {
    return { id, in: input, out: run() }
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    return { id, in: input, error: error.detail.code }
  }
}

const amounts = [
  0n,
  1n,
  99n,
  100n,
  101n,
  102n,
  103n,
  104n,
  105n,
  106n,
  107n,
  108n,
  109n,
  110n,
  199n,
  333n,
  1_005n,
  9_999n,
]
const large = [2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 10n ** 18n, AMOUNT_MAX - 1n, AMOUNT_MAX, AMOUNT_MAX + 1n]

write(
  'allocation.split',
  [...amounts, ...large].map((amount) =>
    attempt(`${amount}`, { policy: POLICY_60_30_10.version, amount: `${amount}` }, () => {
      const { creator, pool, fee } = split(amount, POLICY_60_30_10)
      return { creator: `${creator}`, pool: `${pool}`, fee: `${fee}` }
    }),
  ),
)

const written = [
  ...['100', '"100"', '1', '"9223372036854775807"', '9007199254740991', '9007199254740992', '9223372036854775807'],
  ...[
    '"9223372036854775808"',
    '"99999999999999999999"',
    '0',
    '"0"',
    '-1',
    '"-1"',
    '1.0',
    '1e3',
    '1E3',
    '100.5',
    '"1e3"',
  ],
  ...['"+1"', '"01"', '" 1"', '"1 "', '"1\\n"', '"0x10"', '"١"', '"1_000"', '"1,000"', '""', '"NaN"', '"Infinity"'],
  ...['null', 'true', '[]', '[100]', '{}', '{"amount":100}'],
]

write(
  'allocation.amount',
  written.map((json) =>
    attempt(json, { json }, () => {
      let source: string | undefined
      const value = JSON.parse(json, (key, parsed, context?: { source?: string }) => {
        if (key === '') source = context?.source
        return parsed
      })
      return { amount: `${amountFromJson(value, source)}` }
    }),
  ),
)

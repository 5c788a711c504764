import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AllocationError,
  type AllocationErrorDetail,
  AMOUNT_MAX,
  addSplit,
  amountFromJson,
  NO_TOTALS,
  POLICIES,
  POLICY_60_30_10,
  parseAmount,
  policyOf,
  split,
} from '../src/index.ts'

const amounts = fc.bigInt({ min: POLICY_60_30_10.minimum, max: AMOUNT_MAX })

const codeOf = (run: () => unknown): AllocationErrorDetail['code'] | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    return error.detail.code
  }
}

describe('split', () => {
  test('the parts sum, and none is further than a unit from its share', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const { creator, pool, fee } = split(amount, POLICY_60_30_10)
        expect(creator + pool + fee).toBe(amount)
        for (const [part, percent] of [
          [fee, 10n],
          [pool, 30n],
        ] as const) {
          expect(part * 100n).toBeLessThanOrEqual(amount * percent)
          expect((part + 1n) * 100n).toBeGreaterThan(amount * percent)
        }
        expect(creator * 100n).toBeGreaterThanOrEqual(amount * 60n)
      }),
    )
  })

  test('below the least amount, and outside the amounts, nothing is split', () => {
    for (const amount of [1n, 9n, 99n]) expect(codeOf(() => split(amount, POLICY_60_30_10))).toBe('allocation/minimum')
    for (const amount of [-1n, 0n, AMOUNT_MAX + 1n]) {
      expect(codeOf(() => split(amount, POLICY_60_30_10))).toBe('allocation/amount-range')
    }
  })
})

describe('sum invariant', () => {
  const count = Number(process.env['NEXUS_AMOUNTS'] ?? 200_000)

  test(`${count} random and boundary amounts sum`, () => {
    let state = 0x9e3779b97f4a7c15n
    const next = (): bigint => {
      // xorshift64: every width from 7 to 63 bits is met.
      state ^= (state << 13n) & 0xffff_ffff_ffff_ffffn
      state ^= state >> 7n
      state ^= (state << 17n) & 0xffff_ffff_ffff_ffffn
      return state
    }
    const boundary = (turn: number): bigint => (1n << BigInt(7 + (turn % 57))) + BigInt((turn % 7) - 3)
    let worst = 0n
    for (let turn = 0; turn < count; turn++) {
      const drawn = turn % 4 === 0 ? boundary(turn >> 2) : next() >> BigInt(1 + (turn % 57))
      const amount = drawn < 100n ? drawn + 100n : drawn > AMOUNT_MAX ? AMOUNT_MAX : drawn
      const { creator, pool, fee } = split(amount, POLICY_60_30_10)
      if (creator + pool + fee !== amount) worst = amount
    }
    expect(worst).toBe(0n)
  }, 600_000)
})

describe('amounts', () => {
  test('what is printed is read, and nothing but digits is', () => {
    fc.assert(fc.property(fc.bigInt({ min: 1n, max: AMOUNT_MAX }), (amount) => parseAmount(`${amount}`) === amount))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (codeOf(() => parseAmount(text)) === undefined) expect(`${BigInt(text)}`).toBe(text)
      }),
    )
  })

  test('a number without its source text is refused: its digits are not known', () => {
    expect(codeOf(() => amountFromJson(100, undefined))).toBe('allocation/amount-syntax')
  })

  test('a long text is refused by its length', () => {
    expect(codeOf(() => parseAmount('1'.repeat(1_000_000)))).toBe('allocation/amount-syntax')
  })
})

describe('totals', () => {
  test('take each part, and never pass the largest total', () => {
    const parts = split(AMOUNT_MAX - 100n, POLICY_60_30_10)
    const totals = addSplit(addSplit(NO_TOTALS, parts), split(100n, POLICY_60_30_10))
    expect(totals.amount).toBe(AMOUNT_MAX)
    expect(totals.creator + totals.pool + totals.fee).toBe(AMOUNT_MAX)
    expect(codeOf(() => addSplit(totals, split(100n, POLICY_60_30_10)))).toBe('allocation/total')
  })
})

describe('policies', () => {
  test('are named by their version, and each gives away exactly the whole', () => {
    expect(policyOf(1)).toBe(POLICY_60_30_10)
    for (const { feePercent, poolPercent } of POLICIES) expect(feePercent + poolPercent).toBeLessThanOrEqual(100n)
    expect(new Set(POLICIES.map(({ version }) => version)).size).toBe(POLICIES.length)
    for (const version of [0, 2, -1, 1.5]) expect(codeOf(() => policyOf(version))).toBe('allocation/policy')
  })
})

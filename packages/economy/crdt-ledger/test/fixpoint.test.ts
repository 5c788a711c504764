import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { balance, genesis, kept, offerUntilQuiet, pay, player, replica, stateOf, type Transfer, total } from './kit.ts'
import { plainly } from './plain-ledger.ts'

const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 2_000)

const names = ['ada', 'bob', 'cyd', 'dan', 'eve']
const transfer: fc.Arbitrary<Transfer> = fc
  .record({
    from: fc.constantFrom(...names),
    to: fc.constantFrom(...names),
    amount: fc.bigInt(1_000n, 9_000n),
    seq: fc.oneof({ weight: 9, arbitrary: fc.bigInt(1n, 4n) }, { weight: 1, arbitrary: fc.bigInt(15n, 22n) }),
    mark: fc.constantFrom(0, 0, 0, 1, 2),
  })
  .filter(({ from, to }) => from !== to)

describe('the state of a set', () => {
  test('is the least fixpoint, and what is kept a function of what was offered, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(transfer, { maxLength: 24 }),
        fc.bigInt(0n, 20_000n),
        fc.infiniteStream(fc.nat()),
        (offered, cyd, dice) => {
          const opening = { ada: 10_000n, bob: 5_000n, cyd }
          const expected = plainly(opening, offered)
          const ledger = replica(genesis(opening))
          const shuffled = shuffle(offered, dice)
          for (const one of shuffled) {
            ledger.insert(pay(one))
            expect(total(ledger)).toBe(15_000n + cyd)
          }
          offerUntilQuiet(ledger, shuffled.map(pay))
          for (const name of names) {
            expect(balance(ledger, name), name).toBe(expected.balances[name] ?? 0n)
          }
          expect(kept(ledger)).toEqual(expected.kept)
        },
      ),
      { numRuns: Math.ceil(SEEDS / 4) },
    )
  })

  test('a replica that loads all at once, or merges another, holds the same', () => {
    fc.assert(
      fc.property(fc.array(transfer, { maxLength: 24 }), fc.nat(24), (offered, cut) => {
        const opening = { ada: 10_000n, bob: 5_000n }
        const [whole, left, right, loaded] = [0, 1, 2, 3].map(() => replica(genesis(opening)))
        offerUntilQuiet(whole!, offered.map(pay))
        loaded!.load(whole!.records())
        offerUntilQuiet(left!, offered.slice(0, cut).map(pay))
        offerUntilQuiet(right!, offered.slice(cut).map(pay))
        left!.merge(right!)
        expect(total(left!)).toBe(15_000n)
        offerUntilQuiet(left!, offered.map(pay))
        expect(kept(loaded!)).toEqual(kept(whole!))
        expect(stateOf(loaded!)).toBe(stateOf(whole!))
        expect(kept(left!)).toEqual(kept(whole!))
        expect(stateOf(left!)).toBe(stateOf(whole!))
      }),
      { numRuns: Math.ceil(SEEDS / 8) },
    )
  })

  test('money that was only ever lent in a circle does not carry itself', () => {
    const ledger = replica(genesis({ ada: 1_000n }))
    const first = { from: 'ada', to: 'bob', amount: 1_000n, seq: 1n }
    for (const one of [
      first,
      { from: 'bob', to: 'cyd', amount: 1_000n, seq: 1n },
      { from: 'cyd', to: 'bob', amount: 1_000n, seq: 1n },
    ]) {
      expect(ledger.insert(pay(one))).toBe('kept')
    }
    expect(balance(ledger, 'bob')).toBe(1_000n)
    ledger.insert(pay({ ...first, to: 'eve' }))
    expect(['ada', 'bob', 'cyd', 'eve'].map((name) => balance(ledger, name))).toEqual([1_000n, 0n, 0n, 0n])
  })

  test('what a late rival uncovered applies again where later money covers it', () => {
    const ledger = replica(genesis({ ada: 1_000n, bob: 1_000n }))
    ledger.insert(pay({ from: 'ada', to: 'cyd', amount: 1_000n, seq: 1n }))
    ledger.insert(pay({ from: 'cyd', to: 'dan', amount: 1_000n, seq: 1n }))
    ledger.insert(pay({ from: 'bob', to: 'cyd', amount: 1_000n, seq: 1n }))
    ledger.insert(pay({ from: 'ada', to: 'eve', amount: 1_000n, seq: 1n }))
    expect(['cyd', 'dan'].map((name) => balance(ledger, name))).toEqual([0n, 1_000n])
  })

  test('a late rival takes back what rested on it, and only that', () => {
    const ledger = replica(genesis({ ada: 5_000n, bob: 2_000n }))
    ledger.insert(pay({ from: 'bob', to: 'cyd', amount: 2_000n, seq: 1n }))
    ledger.insert(pay({ from: 'ada', to: 'cyd', amount: 5_000n, seq: 1n }))
    ledger.insert(pay({ from: 'cyd', to: 'dan', amount: 1_500n, seq: 1n }))
    ledger.insert(pay({ from: 'cyd', to: 'eve', amount: 4_000n, seq: 2n }))
    expect(balance(ledger, 'eve')).toBe(4_000n)
    ledger.insert(pay({ from: 'ada', to: 'fay', amount: 5_000n, seq: 1n }))
    expect(['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'].map((name) => balance(ledger, name))).toEqual([
      5_000n,
      0n,
      500n,
      1_500n,
      0n,
      0n,
    ])
    expect(ledger.account(player('cyd').id)).toMatchObject({
      earned: 2_000n,
      spent: 1_500n,
      waiting: 4_000n,
      nextSeq: 2n,
    })
  })
})

function shuffle<Item>(items: readonly Item[], dice: Iterable<number>): Item[] {
  const numbers = dice[Symbol.iterator]()
  return items
    .map((item) => ({ item, at: numbers.next().value as number }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

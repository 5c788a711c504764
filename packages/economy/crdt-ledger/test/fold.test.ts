import { FROZEN_SEQ, LedgerError, SUPPLY_MAX } from '@nexus/crdt-ledger'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { balance, close, genesis, kept, pay, player, replica, stateOf, total } from './kit.ts'

describe('folding', () => {
  test('settles what applied, and goes on from there', () => {
    const ledger = replica(genesis({ ada: 10_000n }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 4_000n, seq: 1n }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 7_000n, seq: 2n }))
    const snapshot = ledger.fold()
    expect(snapshot.account(player('ada').id)).toEqual({ balance: 6_000n, nextSeq: 2n })
    ledger.advance(snapshot)
    expect(ledger.settlementCount).toBe(1)
    expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 4_000n, seq: 1n }))).toBe('settled')
    ledger.insert(pay({ from: 'bob', to: 'ada', amount: 1_000n, seq: 1n }))
    expect(balance(ledger, 'bob')).toBe(10_000n)
    expect(total(ledger)).toBe(10_000n)
  })

  test('money is made by a mint alone, and never more than there may be', () => {
    const ledger = replica(genesis({ ada: SUPPLY_MAX - 5n }))
    expect(ledger.fold([[player('bob').id, 5n]]).minted).toBe(SUPPLY_MAX)
    expect(() => ledger.fold([[player('bob').id, 6n]])).toThrow(LedgerError)
    expect(() => ledger.fold([[player('bob').id, -1n]])).toThrow(RangeError)
  })

  test('who signed two of a number is frozen for good', () => {
    const ledger = replica(genesis({ ada: 10_000n }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq: 1n }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 2_000n, seq: 2n }))
    ledger.insert(pay({ from: 'ada', to: 'cyd', amount: 2_000n, seq: 2n }))
    expect([ledger.settlementCount, ledger.appliedCount]).toEqual([3, 1])
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 1n, last: 9n, closer: 'bob' }))
    for (let fold = 0; fold < 4; fold++) ledger.advance(ledger.fold())
    expect(ledger.account(player('ada').id).nextSeq).toBe(FROZEN_SEQ)
    expect(ledger.settlementCount).toBe(0)
    expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 2_000n, seq: 2n, final: 10n }))).toBe('settled')
    expect([balance(ledger, 'ada'), balance(ledger, 'bob')]).toEqual([9_000n, 1_000n])
  })

  test('the same records give the same snapshot in any order, and folds change no balance', () => {
    const records = [
      pay({ from: 'ada', to: 'bob', amount: 4_000n, seq: 1n }),
      pay({ from: 'ada', to: 'cyd', amount: 3_000n, seq: 2n }),
      pay({ from: 'bob', to: 'cyd', amount: 2_000n, seq: 1n }),
      pay({ from: 'cyd', to: 'ada', amount: 5_000n, seq: 1n }),
      pay({ from: 'cyd', to: 'bob', amount: 9_000n, seq: 2n }),
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray([...records.keys()], { minLength: 5 }), fc.nat(5), (order, cut) => {
        const shuffled = order.map((at) => records[at]!)
        const straight = replica(genesis({ ada: 10_000n }))
        const folding = replica(genesis({ ada: 10_000n }))
        straight.load(records)
        folding.load(shuffled.slice(0, cut))
        folding.advance(folding.fold())
        folding.load(
          [...folding.records(), ...shuffled.slice(cut)].map((record) => ({ ...record, body: record.body.slice() })),
        )
        for (let pass = 0; pass < 5; pass++) for (const record of shuffled) folding.insert(record)
        for (const name of ['ada', 'bob', 'cyd']) expect(balance(folding, name), name).toBe(balance(straight, name))
      }),
    )
  })
})

describe('closes', () => {
  const start = () => replica(genesis({ ada: 10_000n, bob: 10_000n }))
  const fold = (ledger: ReturnType<typeof start>, times = 1): void => {
    for (let n = 0; n < times; n++) ledger.advance(ledger.fold())
  }

  test('execute two folds after the one that first held them, whatever epoch they name', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 0n, last: 5n, closer: 'bob', epoch: 0n }))
    fold(ledger, 2)
    expect(balance(ledger, 'bob')).toBe(10_000n)
    expect(ledger.snapshot.pending.count).toBe(1)
    fold(ledger)
    expect(balance(ledger, 'bob')).toBe(13_000n)
    expect(ledger.snapshot.pending.count).toBe(0)
    expect(ledger.closeCount).toBe(0)
  })

  test('from a coming epoch are ignored until it is there', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 0n, last: 5n, closer: 'bob', epoch: 2n }))
    fold(ledger, 3)
    expect(balance(ledger, 'bob')).toBe(10_000n)
    fold(ledger)
    expect(balance(ledger, 'bob')).toBe(13_000n)
  })

  test('yield to a later state of the other, published before they execute', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 0n, last: 5n, closer: 'bob' }))
    fold(ledger, 2)
    ledger.insert(close({ from: 'bob', to: 'ada', owed: 1_000n, base: 0n, last: 6n, closer: 'ada' }))
    fold(ledger)
    expect(balance(ledger, 'ada')).toBe(11_000n)
  })

  test('begin at what is settled: one with an older base pays nothing, and the right one waits for it', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 0n, last: 8n, closer: 'bob' }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 2_000n, seq: 1n, final: 5n }))
    fold(ledger, 5)
    expect(balance(ledger, 'bob')).toBe(12_000n)
    ledger.insert(
      close({ from: 'ada', to: 'bob', owed: 1_000n, base: 5n, last: 8n, closer: 'bob', paidBefore: 2_000n }),
    )
    fold(ledger)
    expect(balance(ledger, 'bob')).toBe(12_000n)
    fold(ledger)
    expect(balance(ledger, 'bob')).toBe(13_000n)
  })

  test('make older settlements of their channel void, and none of a stranger who reuses the id', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 3_000n, base: 0n, last: 5n, closer: 'bob' }))
    fold(ledger, 3)
    expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 3_000n, seq: 1n, final: 5n }))).toBe('void')
    expect(ledger.insert(pay({ from: 'ada', to: 'cyd', amount: 3_000n, seq: 1n, final: 5n }))).toBe('kept')
    expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq: 2n, final: 6n }))).toBe('kept')
    expect(ledger.insert(close({ from: 'ada', to: 'bob', owed: 9_000n, base: 0n, last: 5n, closer: 'bob' }))).toBe(
      'settled',
    )
    expect(balance(ledger, 'bob')).toBe(14_000n)
  })

  test('pay what is left where that is less', () => {
    const ledger = start()
    ledger.insert(close({ from: 'ada', to: 'bob', owed: 30_000n, base: 0n, last: 5n, closer: 'bob' }))
    fold(ledger, 3)
    expect([balance(ledger, 'ada'), balance(ledger, 'bob')]).toEqual([0n, 20_000n])
  })

  test('of a debtor are kept for 16 channels, the same in any order, and their answers always', () => {
    const claims = Array.from({ length: 24 }, (_, channel) =>
      close({ from: 'ada', to: 'eve', owed: 1_000n, base: 0n, last: 5n, closer: 'eve', channel }),
    )
    fc.assert(
      fc.property(fc.shuffledSubarray([...claims.keys()], { minLength: 24 }), (order) => {
        const shuffled = order.map((at) => claims[at]!)
        const ledger = start()
        for (let pass = 0; pass < 2; pass++) for (const claim of shuffled) ledger.insert(claim)
        expect(ledger.closeCount).toBe(16)
        const other = start()
        other.load(claims)
        expect(kept(other)).toEqual(kept(ledger))
        expect(stateOf(other)).toBe(stateOf(ledger))
        const toBob = (channel: number) =>
          close({ from: 'ada', to: 'bob', owed: 1n, base: 0n, last: 9n, closer: 'bob', channel })
        const channel = Array.from({ length: 100 }, (_, n) => 100 + n).find(
          (n) => ledger.admission(toBob(n)) === 'crowded',
        )!
        const fraud = close({ from: 'bob', to: 'ada', owed: 5_000n, base: 0n, last: 5n, closer: 'ada', channel })
        expect(ledger.insert(fraud)).toBe('kept')
        const reply = toBob(channel)
        expect(ledger.insert(reply)).toBe('kept')
      }),
      { numRuns: 30 },
    )
  })

  test('of people without money are not kept', () => {
    const ledger = start()
    expect(ledger.insert(close({ from: 'eve', to: 'ada', owed: 1n, base: 0n, last: 5n, closer: 'ada' }))).toBe(
      'uncredited',
    )
  })
})

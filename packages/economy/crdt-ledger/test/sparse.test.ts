import { LedgerError, proveBalance, SparseLedger } from '@nexus/crdt-ledger'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SPARSE_ACCOUNTS_MAX, SPARSE_SETTLEMENTS_MAX } from '../src/limits.ts'
import { balance, crypto, genesis, hash, offerUntilQuiet, pay, player, replica, type Transfer } from './kit.ts'

const names = ['ada', 'bob', 'cyd', 'dan']
const snapshot = genesis({ ada: 20_000n, bob: 9_000n, cyd: 50_000n })

function sparse(...followed: readonly string[]): SparseLedger {
  const proofs = followed.flatMap((name) => proveBalance(hash, snapshot, player(name).id) ?? [])
  const newcomers = followed.filter((name) => snapshot.account(player(name).id).balance === 0n)
  return new SparseLedger({ crypto, root: snapshot.root, newcomers: newcomers.map((name) => player(name).id) }, proofs)
}

test('never says that an account can pay more than the whole ledger says', () => {
  const transfer: fc.Arbitrary<Transfer> = fc
    .record({
      from: fc.constantFrom(...names),
      to: fc.constantFrom(...names),
      amount: fc.bigInt(1_000n, 9_000n),
      seq: fc.bigInt(1n, 4n),
      mark: fc.constantFrom(0, 0, 0, 0, 1),
    })
    .filter(({ from, to }) => from !== to)
  fc.assert(
    fc.property(fc.array(transfer, { maxLength: 20 }), (offered) => {
      const whole = replica(snapshot)
      offerUntilQuiet(whole, offered.map(pay))
      const view = sparse('ada', 'dan')
      for (let pass = 0; pass < 5; pass++) {
        for (const one of offered)
          if ([one.from, one.to].some((name) => name === 'ada' || name === 'dan')) view.insert(pay(one))
      }
      for (const name of ['ada', 'dan']) {
        expect(view.account(player(name).id).available).toBeLessThanOrEqual(balance(whole, name))
      }
    }),
    { numRuns: 400 },
  )
})

test('counts what partners pay each other, and nobody else', () => {
  const view = sparse('ada', 'dan')
  expect(view.wants).toEqual([player('ada').id, player('dan').id])
  expect(view.insert(pay({ from: 'cyd', to: 'ada', amount: 40_000n, seq: 1n }))).toBe('uncredited')
  expect(view.insert(pay({ from: 'ada', to: 'dan', amount: 5_000n, seq: 1n }))).toBe('kept')
  expect(view.account(player('dan').id)).toEqual({ available: 5_000n, nextSeq: 1n })
  expect(view.account(player('ada').id)).toEqual({ available: 15_000n, nextSeq: 2n })
  view.insert(pay({ from: 'ada', to: 'cyd', amount: 5_000n, seq: 1n }))
  expect(view.account(player('ada').id).available).toBe(0n)
  expect(view.account(player('dan').id).available).toBe(0n)
  expect(() => view.account(player('cyd').id)).toThrow(RangeError)
})

test('takes no proof of another root, and no more accounts than one frame asks for', () => {
  const proof = proveBalance(hash, snapshot, player('ada').id)!
  const options = { crypto, root: genesis({ ada: 1n }).root }
  expect(() => new SparseLedger(options, [proof])).toThrow(LedgerError)
  expect(
    () => new SparseLedger({ ...options, newcomers: new Array(SPARSE_ACCOUNTS_MAX + 1).fill(player('eve').id) }, []),
  ).toThrow(RangeError)
})

test('that overflowed trusts nobody', () => {
  const view = sparse('ada')
  for (let seq = 1n; seq <= BigInt(SPARSE_SETTLEMENTS_MAX); seq++) {
    expect(view.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq }))).toBe('kept')
  }
  expect(view.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq: 500n, mark: 1 }))).toBe('full')
  expect(view.account(player('ada').id).available).toBe(0n)
})

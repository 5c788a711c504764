import { Ledger } from '@nexus/crdt-ledger'
import { expect, test } from 'vitest'
import { CLOSE_CHANNELS_PER_ACCOUNT, CLOSES_MAX, WINDOW } from '../src/limits.ts'
import { balance, close, crypto, genesis, pay, replica } from './kit.ts'

test('a full set refuses, and has room again after a fold', () => {
  const ledger = new Ledger({ crypto, snapshot: genesis({ ada: 1_000_000n }), settlementsMax: 50 })
  for (let seq = 1n; seq <= 50n; seq++) {
    expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq }))).toBe('kept')
  }
  expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq: 51n }))).toBe('full')
  ledger.advance(ledger.fold())
  expect(ledger.insert(pay({ from: 'ada', to: 'bob', amount: 1_000n, seq: 51n }))).toBe('kept')
  expect(balance(ledger, 'bob')).toBe(51_000n)
})

test('debits are kept up to the window, whatever is offered', () => {
  const ledger = replica(genesis({ ada: 1_500n }))
  for (let seq = 60n; seq > 0n; seq--) ledger.insert(pay({ from: 'ada', to: 'bob', amount: 2_000n, seq }))
  expect(ledger.settlementCount).toBe(WINDOW)
})

test('closes are kept up to their limit', () => {
  const debtors = CLOSES_MAX / CLOSE_CHANNELS_PER_ACCOUNT
  const opening = Object.fromEntries(Array.from({ length: debtors + 1 }, (_, n) => [`debtor ${n}`, 1_000n]))
  const ledger = replica(genesis(opening))
  const claim = (debtor: number, channel: number) =>
    close({ from: `debtor ${debtor}`, to: 'eve', owed: 1n, base: 0n, last: 1n, closer: 'eve', channel })
  for (let debtor = 0; debtor < debtors; debtor++) {
    for (let channel = 0; channel < CLOSE_CHANNELS_PER_ACCOUNT; channel++) ledger.insert(claim(debtor, channel))
  }
  expect(ledger.closeCount).toBe(CLOSES_MAX)
  expect(ledger.insert(claim(debtors, 0))).toBe('full')
})

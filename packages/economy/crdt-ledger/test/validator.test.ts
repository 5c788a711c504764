import { Ledger, type LedgerRecord, Validator } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import type { Verdict } from '@nexus/gossip'
import { describe, expect, test } from 'vitest'
import { WAITING_MAX } from '../src/limits.ts'
import { fast, fundedGenesis, NETWORK, OTHER_NETWORK, person, signedClose, signedPayment } from './people.ts'

const genesis = fundedGenesis({ ada: 1_000_000n })

const raise = (error: unknown): never => {
  throw error
}

/** Counts signatures checked, and calls of the crypto provider. */
function counting(): { readonly crypto: Crypto; checked(): number; calls(): number } {
  const sizes: number[] = []
  const crypto: Crypto = {
    ...fast,
    verifyBatch: (jobs) => {
      sizes.push(jobs.length)
      return fast.verifyBatch(jobs)
    },
  }
  return { crypto, checked: () => sizes.reduce((sum, size) => sum + size, 0), calls: () => sizes.length }
}

function setup() {
  const { crypto, checked, calls } = counting()
  const ledger = new Ledger({ crypto, snapshot: genesis })
  const validator = new Validator({ crypto, networkId: NETWORK, ledger }, { failed: raise })
  const judge = (record: LedgerRecord): Promise<Verdict> => new Promise((answer) => validator.offer(record, answer))
  return { ledger, validator, judge, checked, calls }
}

const flipped = (record: LedgerRecord, at: number): LedgerRecord => {
  const body = record.body.slice()
  body[at]! ^= 1
  return { ...record, body }
}

describe('validator', () => {
  test('a chain that arrives backwards is taken whole', async () => {
    const { ledger, judge } = setup()
    const chain = Array.from({ length: 80 }, (_, n) =>
      signedPayment({ from: 'ada', to: 'bob', amount: 1_000n, seq: BigInt(n + 1) }),
    )
    const verdicts = await Promise.all([...chain.slice(0, 16), ...chain.slice(16).reverse()].map(judge))
    expect(new Set(verdicts)).toEqual(new Set(['valid']))
    expect(ledger.account(person('bob').nodeId).balance).toBe(80_000n)
  })

  test('records at hand are checked in one call, and no call is made for none', async () => {
    const { judge, checked, calls } = setup()
    const chain = Array.from({ length: 12 }, (_, n) =>
      signedPayment({ from: 'ada', to: 'bob', amount: 1_000n, seq: BigInt(n + 1) }),
    )
    await Promise.all(chain.map(judge))
    expect([checked(), calls()]).toEqual([24, 1])
  })

  test.each([0, 20, 60, 84, 90, 98, 106, 112, 175, 176, 239])(
    'a settlement with byte %i changed is no record',
    async (at) => {
      const { judge, ledger } = setup()
      const verdict = await judge(flipped(signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq: 1n }), at))
      expect(verdict).not.toBe('valid')
      expect(ledger.settlementCount).toBe(0)
    },
  )

  test.each([0, 85, 95, 110, 200, 240, 260, 300, 384, 386, 400, 456])(
    'a close with byte %i changed is no record',
    async (at) => {
      const { judge, ledger } = setup()
      expect(await judge(flipped(signedClose('ada', 'bob', 5_000n, 3n, 'bob'), at))).not.toBe('valid')
      expect(ledger.closeCount).toBe(0)
    },
  )

  test('a good close is kept, a settlement of another network is not', async () => {
    const { judge, ledger } = setup()
    expect(await judge(signedClose('ada', 'bob', 5_000n, 3n, 'bob'))).toBe('valid')
    expect(ledger.closeCount).toBe(1)
    const paying = { from: 'ada', to: 'bob', amount: 5_000n, seq: 1n }
    expect(await judge(signedPayment({ ...paying, network: OTHER_NETWORK }))).toBe('invalid')
    expect(await judge(signedPayment(paying))).toBe('valid')
  })

  test('what the bounds refuse costs no signature check, and neither does what is known', async () => {
    const { judge, checked } = setup()
    expect(await judge(signedPayment({ from: 'mallory', to: 'bob', amount: 5_000n, seq: 1n }))).toBe('refused')
    expect(await judge(signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq: 17n }))).toBe('refused')
    expect(await judge({ kind: 'settlement', body: new Uint8Array(239) })).toBe('invalid')
    expect(checked()).toBe(0)
    const good = signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq: 1n })
    expect(await judge(good)).toBe('valid')
    expect(await judge(good)).toBe('valid')
    expect(await judge(flipped(good, 200))).toBe('refused')
    expect(checked()).toBe(2)
  })

  test('a record that never finds room is refused, also while others keep the checks busy', async () => {
    const { judge } = setup()
    let busy = true
    const stream = (async () => {
      for (let seq = 1n; busy; seq++) await judge(signedPayment({ from: 'ada', to: 'bob', amount: 1_000n, seq }))
    })()
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(await judge(signedPayment({ from: 'mallory', to: 'bob', amount: 5_000n, seq: 1n }))).toBe('refused')
    busy = false
    await stream
  })

  test('no more wait than there is room for, and each is answered once', async () => {
    const { validator } = setup()
    const verdicts: Verdict[] = []
    const good = signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq: 1n })
    let most = 0
    for (let n = 0; n < WAITING_MAX + 500; n++) {
      validator.offer(flipped(good, 112 + (n % 120)), (verdict) => verdicts.push(verdict))
      most = Math.max(most, validator.waiting)
    }
    expect(most).toBe(WAITING_MAX)
    expect(verdicts.filter((verdict) => verdict === 'refused')).toHaveLength(500)
    while (verdicts.length < WAITING_MAX + 500) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(validator.waiting).toBe(0)
    expect(verdicts.includes('valid')).toBe(false)
  })
})

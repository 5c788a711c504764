import { encodeSettlement, NO_SIGNATURE, SETTLEMENT_TAG, settlementSignedBytes } from '@nexus/channels'
import { compareBytes, toHex } from '@nexus/codec'
import { genesisSnapshot, networkIdOf, Replica } from '@nexus/crdt-ledger'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, type Identity } from '@nexus/identity'
import { openStore } from '@nexus/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../src/cli/exit-codes.ts'
import { balanceSchema, historySchema, verifySchema } from '../src/ledger/schema.ts'
import { Bench } from './harness.ts'

const bench = new Bench()
afterAll(() => bench.end())

const crypto = await nodeCrypto()
const [ada, bob] = [1, 2]
  .map((n) => createIdentity(crypto, new Uint8Array(32).fill(n)))
  .sort((one, other) => compareBytes(one.nodeId, other.nodeId)) as [Identity, Identity]
const genesis = genesisSnapshot((bytes) => crypto.blake3(bytes), [[ada.nodeId, 90_000n]])
const networkId = networkIdOf(genesis)
const state = bench.path('state.db')

function paid(amountAToBMicro: bigint, payerSeq: bigint, finalSequence = payerSeq): Uint8Array {
  const unsigned = {
    channelId: new Uint8Array(16),
    keyA: ada.publicKey,
    keyB: bob.publicKey,
    amountAToBMicro,
    prevSequence: 0n,
    finalSequence,
    payerSeq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  const bytes = settlementSignedBytes(unsigned)
  return encodeSettlement({
    ...unsigned,
    signatureA: ada.sign(SETTLEMENT_TAG, networkId, bytes),
    signatureB: bob.sign(SETTLEMENT_TAG, networkId, bytes),
  })
}

beforeAll(async () => {
  const { store } = openStore(state)
  const failed = (error: unknown): never => {
    throw error
  }
  const ports = { publish: () => {}, forget: () => {}, failed }
  const replica = new Replica({ crypto, networkId, genesis, store }, ports)
  for (const body of [paid(30_000n, 1n), paid(-10_000n, 1n), paid(95_000n, 2n)]) {
    expect(await replica.submit({ kind: 'settlement', body })).toBe('valid')
  }
  store.close()
})

async function json(args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await bench.run('a', 'nexus-ledger', [...args, '--state', state, '--json'])
  expect(err).toBe('')
  expect(code).toBe(EXIT.ok)
  return JSON.parse(out)
}

describe('nexus-ledger', () => {
  test('shows balances, for people and for programs', async () => {
    const { accounts, epoch } = balanceSchema.parse(await json(['balance']))
    expect(epoch).toBe('0')
    expect(accounts.map(({ nodeId, balanceMicro }) => [nodeId, balanceMicro])).toEqual([
      [toHex(ada.nodeId), '70000'],
      [toHex(bob.nodeId), '20000'],
    ])
    expect(accounts[0]).toMatchObject({
      earnedMicro: '100000',
      spentMicro: '30000',
      waitingMicro: '95000',
      frozen: false,
    })
    const people = await bench.run('a', 'nexus-ledger', ['balance', toHex(bob.nodeId), '--state', state])
    expect(people.out).toContain('20\u202f000')
  })

  test('shows the history of an account', async () => {
    const { entries } = historySchema.parse(await json(['history', toHex(bob.nodeId)]))
    expect(entries.map(({ role, amountMicro, applied }) => [role, amountMicro, applied])).toEqual([
      ['payee', '30000', true],
      ['payer', '10000', true],
      ['payee', '95000', false],
    ])
  })

  test('verifies all of it, and says what does not hold', async () => {
    expect(verifySchema.parse(await json(['verify']))).toMatchObject({
      ok: true,
      networkId: toHex(networkId),
      settlements: { kept: 3, applied: 2 },
      problems: [],
    })
    const { store } = openStore(state)
    const [[key, value]] = [...store.entries('ledger/record/')] as [[string, Uint8Array]]
    value[130]! ^= 1
    store.put(key, value)
    store.close()
    const damaged = await bench.run('a', 'nexus-ledger', ['verify', '--state', state])
    expect(damaged.code).toBe(EXIT.failed)
    expect(damaged.out).toContain('does not hold')
  })

  test('says so where there is no ledger, and what a NodeID is', async () => {
    const none = await bench.run('a', 'nexus-ledger', ['balance', '--state', bench.path('none.db')])
    expect([none.code, none.out]).toEqual([EXIT.notFound, ''])
    openStore(bench.path('empty.db')).store.close()
    const empty = await bench.run('a', 'nexus-ledger', ['verify', '--state', bench.path('empty.db')])
    expect(empty.code).toBe(EXIT.notFound)
    expect(empty.err).toContain('takes no part in an economy')
    const wrong = await bench.run('a', 'nexus-ledger', ['history', 'ada', '--state', state])
    expect(wrong.code).toBe(EXIT.usage)
  })
})

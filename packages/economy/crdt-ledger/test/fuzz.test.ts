import {
  decodeBalanceProof,
  decodeSnapshot,
  encodeBalanceProof,
  encodeSnapshot,
  LedgerError,
  proveBalance,
  Snapshot,
  verifyBalance,
} from '@nexus/crdt-ledger'
import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import { SortedRun } from '../src/sorted-run.ts'
import { close, genesis, hash, pay, player, replica } from './kit.ts'

const CASES = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
const random = seededRandom(7)

function sample(): Snapshot {
  const ledger = replica(genesis({ ada: 9_000n, bob: 2_000n, cyd: 5_000n, dan: 1_000n }))
  ledger.insert(pay({ from: 'ada', to: 'bob', amount: 2_000n, seq: 1n }))
  ledger.insert(pay({ from: 'cyd', to: 'eve', amount: 2_000n, seq: 1n, channel: 3 }))
  ledger.insert(close({ from: 'bob', to: 'dan', owed: 5n, base: 0n, last: 4n, closer: 'dan' }))
  return ledger.fold()
}

/** A few bits flipped, bytes cut, added or repeated. */
function mutated(bytes: Uint8Array): Uint8Array {
  const [kind, at, value] = random(3) as unknown as [number, number, number]
  const place = (at * 257 + value) % bytes.length
  if (kind < 60) return bytes.slice(0, place)
  if (kind < 90) return Uint8Array.from([...bytes, ...random(1 + (value % 40))])
  if (kind < 120) return Uint8Array.from([...bytes.subarray(0, place), ...bytes.subarray(Math.max(0, place - 24))])
  if (kind < 135) return random(value + at)
  const copy = bytes.slice()
  for (let n = 0; n <= kind % 3; n++) copy[(place * (n + 1)) % bytes.length]! ^= 1 << ((value + n) % 8)
  return copy
}

function decodes<Value>(bytes: Uint8Array, decode: (bytes: Uint8Array) => Value): Value | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    return undefined
  }
}

describe('any bytes', () => {
  const snapshot = sample()

  test('are a snapshot that encodes to them, or a LedgerError', () => {
    const whole = encodeSnapshot(snapshot)
    for (let n = 0; n < CASES; n++) {
      const bytes = mutated(whole)
      const decoded = decodes(bytes, (input) => decodeSnapshot(hash, input))
      if (decoded !== undefined) expect(encodeSnapshot(decoded)).toEqual(bytes)
    }
    expect(encodeSnapshot(decodeSnapshot(hash, whole))).toEqual(whole)
  })

  test('are a balance proof that encodes to them and proves nothing else, or a LedgerError', () => {
    const whole = encodeBalanceProof(proveBalance(hash, snapshot, player('cyd').id)!)
    for (let n = 0; n < CASES; n++) {
      const bytes = mutated(whole)
      const decoded = decodes(bytes, decodeBalanceProof)
      if (decoded === undefined) continue
      expect(encodeBalanceProof(decoded)).toEqual(bytes)
      const isSame = bytes.length === whole.length && bytes.every((byte, at) => byte === whole[at])
      expect(verifyBalance(hash, decoded, snapshot.root)).toBe(isSame)
    }
  })
})

describe('a snapshot', () => {
  test.each([1, 2, 3, 5, 8, 13, 100])('of %i accounts proves each of them, and no other', (count) => {
    const names = Array.from({ length: count }, (_, n) => `account ${n}`)
    const many = genesis(Object.fromEntries(names.map((name, n) => [name, BigInt(n + 1)])))
    for (const name of names) {
      const proof = proveBalance(hash, many, player(name).id)!
      expect(verifyBalance(hash, proof, many.root)).toBe(true)
      expect(verifyBalance(hash, { ...proof, balance: proof.balance + 1n }, many.root)).toBe(false)
      expect(verifyBalance(hash, { ...proof, index: (proof.index + 1) % (count + 1) }, many.root)).toBe(false)
    }
    expect(proveBalance(hash, many, player('nobody').id)).toBeUndefined()
  })

  test.each([
    [
      'ledger/order',
      {
        accounts: [
          [2, 5n, 1n],
          [1, 5n, 1n],
        ],
        minted: 10n,
      },
    ],
    [
      'ledger/order',
      {
        accounts: [
          [1, 5n, 1n],
          [1, 5n, 1n],
        ],
        minted: 10n,
      },
    ],
    ['ledger/value', { accounts: [[1, 0n, 1n]], minted: 0n }],
    ['ledger/value', { accounts: [[1, 5n, 0n]], minted: 5n }],
    ['ledger/value', { channels: [[1, 0n, 0n]], minted: 0n }],
    ['ledger/value', { channels: [[1, 4n, 5n]], minted: 0n }],
    ['ledger/value', { pending: [[1, 0n]], minted: 0n }],
    ['ledger/supply', { accounts: [[1, 5n, 1n]], minted: 6n }],
  ] as const)('that no fold would write is refused: %s', (code, lists) => {
    const run = (rows: readonly (readonly [number, ...bigint[]])[] = [], width = 2): SortedRun => {
      const keys = Uint8Array.from(rows.flatMap(([key]) => new Array<number>(16).fill(key)))
      const columns = Array.from({ length: width }, (_, at) =>
        BigUint64Array.from(rows.map((row) => row[at + 1] as bigint)),
      )
      return new SortedRun(16, keys, columns)
    }
    const { accounts, channels, pending, minted } = { accounts: [], channels: [], pending: [], ...lists }
    const fields = { epoch: 0n, minted, accounts: run(accounts), channels: run(channels), pending: run(pending, 1) }
    expect(() => new Snapshot(hash, fields)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code }) }),
    )
  })
})

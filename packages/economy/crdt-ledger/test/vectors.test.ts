import { readFileSync } from 'node:fs'
import { CLOSE_BYTES } from '@nexus/channels'
import { fromHex, toHex } from '@nexus/codec'
import {
  decodeBalanceProof,
  decodeSnapshot,
  encodeBalanceProof,
  encodeSnapshot,
  Ledger,
  LedgerError,
  type LedgerRecord,
  networkIdOf,
  Validator,
  verifyBalance,
} from '@nexus/crdt-ledger'
import { type Crypto, portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import { ledgerVectors } from '../../../../conformance-vectors/ledger/generate.ts'

interface Case {
  readonly id: string
  readonly in: {
    readonly snapshot: string
    readonly records: readonly string[]
    readonly mints: readonly { readonly nodeId: string; readonly amount: string }[]
    readonly bytes: string
    readonly proof: string
    readonly root: string
  }
  readonly out: {
    readonly accounts: readonly Record<string, string>[]
    readonly kept: readonly string[]
    readonly stateHash: string
    readonly snapshot: string
    readonly root: string
    readonly holds: boolean
    readonly nodeId: string
    readonly balance: string
    readonly nextSeq: string
  }
  readonly error?: string
}

const load = (name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../../../../conformance-vectors/ledger/${name}`, import.meta.url), 'utf8')).cases

const recordOf = (hex: string): LedgerRecord => {
  const body = fromHex(hex)
  return { kind: body.length === CLOSE_BYTES ? 'close' : 'settlement', body }
}

const providers: readonly Crypto[] = [portable(), await nodeCrypto()]

describe.each(providers)('ledger vectors on $name', (crypto) => {
  const hash = (bytes: Uint8Array): Uint8Array => crypto.blake3(bytes)

  test.each(load('state.json'))('state $id', ({ in: { snapshot, records }, out }) => {
    for (const offered of [records, [...records].reverse()]) {
      const ledger = new Ledger({ crypto, snapshot: decodeSnapshot(hash, fromHex(snapshot)) })
      for (let pass = 0; pass <= records.length; pass++) for (const hex of offered) ledger.insert(recordOf(hex))
      for (const { nodeId, ...figures } of out.accounts) {
        const account = ledger.account(fromHex(nodeId!))
        for (const [name, figure] of Object.entries(figures)) {
          expect(`${account[name as 'balance']}`, `${nodeId} ${name}`).toBe(figure)
        }
      }
      expect([...ledger.records()].map(({ body }) => toHex(hash(body))).sort()).toEqual(out.kept)
      expect(toHex(ledger.stateHash())).toBe(out.stateHash)
    }
  })

  test.each(load('fold.json'))('fold $id', ({ in: { snapshot, records, mints }, out }) => {
    const ledger = new Ledger({ crypto, snapshot: decodeSnapshot(hash, fromHex(snapshot)) })
    ledger.load(records.map(recordOf))
    const after = ledger.fold(mints.map(({ nodeId, amount }) => [fromHex(nodeId), BigInt(amount)]))
    expect(toHex(encodeSnapshot(after))).toBe(out.snapshot)
  })

  test.each(load('snapshot.json'))('snapshot $id', ({ in: { bytes }, out, error }) => {
    if (error !== undefined) {
      expect(() => decodeSnapshot(hash, fromHex(bytes))).toThrow(
        expect.objectContaining({ detail: expect.objectContaining({ code: error }) }),
      )
      return
    }
    const snapshot = decodeSnapshot(hash, fromHex(bytes))
    expect(toHex(snapshot.root)).toBe(out.root)
    expect(toHex(encodeSnapshot(snapshot))).toBe(bytes)
  })

  test.each(load('balance-proof.json'))('balance proof $id', ({ in: { proof, root }, out, error }) => {
    if (error !== undefined) {
      expect(() => decodeBalanceProof(fromHex(proof))).toThrow(LedgerError)
      return
    }
    const decoded = decodeBalanceProof(fromHex(proof))
    expect(verifyBalance(hash, decoded, fromHex(root))).toBe(out.holds)
    expect([toHex(decoded.nodeId), `${decoded.balance}`, `${decoded.nextSeq}`]).toEqual([
      out.nodeId,
      out.balance,
      out.nextSeq,
    ])
    expect(toHex(encodeBalanceProof(decoded))).toBe(proof)
  })
})

test('every record in them is validly signed', async () => {
  const crypto = providers[1]!
  const hash = (bytes: Uint8Array): Uint8Array => crypto.blake3(bytes)
  const [{ in: first }] = load('state.json') as [Case]
  const genesis = decodeSnapshot(hash, fromHex(first.snapshot))
  const all = [...load('state.json'), ...load('fold.json')].flatMap(({ in: { records } }) => records)
  const failed = (error: unknown): never => {
    throw error
  }
  for (const hex of new Set(all)) {
    const ledger = new Ledger({ crypto, snapshot: genesis })
    const validator = new Validator({ crypto, networkId: networkIdOf(genesis), ledger }, { failed })
    const verdict = await new Promise((answer) => validator.offer(recordOf(hex), answer))
    expect(verdict, hex).not.toBe('invalid')
  }
})

test('the files are what the generator makes', () => {
  for (const [name, content] of Object.entries(ledgerVectors())) {
    const file = readFileSync(new URL(`../../../../conformance-vectors/ledger/${name}`, import.meta.url), 'utf8')
    expect(JSON.parse(file), name).toEqual(content)
  }
})

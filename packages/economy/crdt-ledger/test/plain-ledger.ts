import { PAYER_SEQ_FIRST } from '@nexus/channels'
import { compareBytes, toHex } from '@nexus/codec'
import type { Transfer } from './kit.ts'
import { hash, settlement } from './kit.ts'

const RIVALS_KEPT = 2

export interface PlainState {
  readonly balances: Readonly<Record<string, bigint>>
  readonly next: Readonly<Record<string, bigint>>
  readonly kept: readonly string[]
}

/**
 * The definitions of docs/spec/crdt-ledger.md word for word, over all records that were ever offered, without bounds,
 * order or increments: what the ledger must agree with.
 */
export function plainly(
  opening: Readonly<Record<string, bigint>>,
  offered: readonly Transfer[],
  window = 16n,
): PlainState {
  const all = new Map(offered.map((transfer) => [toHex(settlement(transfer)), transfer]))
  const names = new Set([...Object.keys(opening), ...offered.flatMap(({ from, to }) => [from, to])])
  const balances = Object.fromEntries([...names].map((name) => [name, opening[name] ?? 0n]))
  const next = Object.fromEntries([...names].map((name) => [name, PAYER_SEQ_FIRST]))
  const credited = new Set(Object.keys(opening).filter((name) => opening[name]! > 0n))
  const rivals = (of: Transfer): [string, Transfer][] =>
    [...all].filter(([, { from, seq }]) => from === of.from && seq === of.seq)
  for (let applied = true; applied; ) {
    applied = false
    for (const transfer of all.values()) {
      const { from, to, amount, seq } = transfer
      if (seq !== next[from] || balances[from]! < amount || rivals(transfer).length > 1) continue
      balances[from]! -= amount
      balances[to]! += amount
      next[from]! += 1n
      credited.add(to)
      applied = true
    }
  }
  const isKept = ([key, transfer]: [string, Transfer]): boolean => {
    const { from, seq } = transfer
    if (!credited.has(from) || seq >= next[from]! + window) return false
    const conflicted = [...all.values()].filter((other) => other.from === from && rivals(other).length > 1)
    if (conflicted.some((other) => other.seq < seq)) return false
    const order = rivals(transfer).sort(([a], [b]) => compareBytes(hashOf(a), hashOf(b)))
    return order.slice(0, RIVALS_KEPT).some(([other]) => other === key)
  }
  return {
    balances,
    next,
    kept: [...all]
      .filter(isKept)
      .map(([key]) => toHex(hash(bytesOf(key))))
      .sort(),
  }
}

const bytesOf = (key: string): Uint8Array => Uint8Array.from(key.match(/../g)!, (pair) => Number.parseInt(pair, 16))
const hashOf = (key: string): Uint8Array => hash(bytesOf(key).subarray(0, 112))

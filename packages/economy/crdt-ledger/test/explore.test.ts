import { toHex } from '@nexus/codec'
import { nodeIdOf } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import { NONE } from '../src/accounts.ts'
import { SettlementSet } from '../src/settlement-set.ts'
import {
  balance,
  crypto,
  genesis,
  hash,
  offerUntilQuiet,
  pay,
  player,
  replica,
  settlement,
  stateOf,
  type Transfer,
  total,
} from './kit.ts'
import { plainly } from './plain-ledger.ts'

/** Records a family may have: 4 in CI, 6 in a whole run. */
const SIZE_MAX = Number(process.env['NEXUS_EXPLORE'] ?? 4)
/** Records of a family with a fold at every place. */
const FOLDED_MAX = Math.min(3, SIZE_MAX - 2)
const WINDOW = 2
const OPENING = { ada: 3_000n }
const SUPPLY = 3_000n
const NAMES = ['ada', 'bob', 'cyd', 'dan']

/**
 * Everything that has made simpler ledgers diverge or pay twice: rivals at the first and at a later number, a third
 * rival, money that comes from a conflict, money in a circle, debits that wait for money, for a number, for the window.
 */
const POOL: readonly Transfer[] = [
  { from: 'ada', to: 'bob', amount: 2_000n, seq: 1n },
  { from: 'ada', to: 'cyd', amount: 2_000n, seq: 1n },
  { from: 'ada', to: 'dan', amount: 1_000n, seq: 1n },
  { from: 'ada', to: 'cyd', amount: 1_000n, seq: 2n },
  { from: 'ada', to: 'bob', amount: 1_000n, seq: 2n },
  { from: 'ada', to: 'bob', amount: 1_000n, seq: 4n },
  { from: 'bob', to: 'cyd', amount: 1_500n, seq: 1n },
  { from: 'bob', to: 'ada', amount: 2_000n, seq: 1n },
  { from: 'bob', to: 'cyd', amount: 1_000n, seq: 2n },
  { from: 'cyd', to: 'bob', amount: 1_500n, seq: 1n },
  { from: 'cyd', to: 'ada', amount: 1_000n, seq: 2n },
]

const nodeIds = new Map(['ada', 'bob', 'cyd', 'dan'].map((name) => [toHex(player(name).key), player(name).id]))
const hashes = new Map<string, Uint8Array>()

/** Same functions, asked once for each input: an exploration asks them a million times. */
const ports = (evicted: (body: Uint8Array) => void) => ({
  nodeIdOf: (key: Uint8Array) => nodeIds.get(toHex(key)) ?? nodeIdOf(crypto, key),
  hash: (bytes: Uint8Array) => {
    const key = toHex(bytes)
    const known = hashes.get(key) ?? hash(bytes)
    hashes.set(key, known)
    return known
  },
  kept: () => {},
  evicted,
  conflict: () => {},
  impoverished: () => {},
})

interface Family {
  readonly records: readonly Transfer[]
  readonly bodies: readonly Uint8Array[]
}

/** A real set with its content as bits, one a record of the family. */
class Watched {
  readonly set: SettlementSet
  readonly #family: Family
  kept = 0

  constructor(family: Family) {
    this.#family = family
    this.set = new SettlementSet(
      ports((body) => {
        this.kept &= ~(1 << family.bodies.findIndex((known) => known.every((byte, at) => byte === body[at])))
      }),
      { window: WINDOW },
    )
    this.set.open(player('ada').id, OPENING.ada, 1n)
  }

  insert(record: number): boolean {
    this.kept |= 1 << record
    const isKept = this.set.insert(this.#family.bodies[record]!) === 'kept'
    if (!isKept) this.kept &= ~(1 << record)
    return isKept
  }

  /** All that a ledger says of its accounts. */
  state(): string {
    const { accounts } = this.set
    return NAMES.map((name) => {
      const slot = accounts.find(player(name).id)
      if (slot === NONE) return `${name} 0 1`
      return `${name} ${accounts.balance[slot]!} ${accounts.firstSeq[slot]! + BigInt(accounts.next[slot]!)}`
    }).join(', ')
  }
}

function expected(family: Family, mask: number): { state: string; kept: number } {
  const offered = family.records.filter((_, at) => (mask & (1 << at)) !== 0)
  const { balances, next, kept } = plainly(OPENING, offered, BigInt(WINDOW))
  const names = new Set(kept)
  return {
    state: ['ada', 'bob', 'cyd', 'dan'].map((name) => `${name} ${balances[name] ?? 0n} ${next[name] ?? 1n}`).join(', '),
    kept: family.bodies.reduce((bits, body, at) => bits | (names.has(toHex(hash(body))) ? 1 << at : 0), 0),
  }
}

interface Explored {
  /** Histories of one replica: sequences of records that were taken. */
  histories: number
  /** What a set becomes when a record is offered, the same for every history that leads to the set. */
  readonly steps: Map<number, number>
}

const stepKey = (kept: number, record: number): number => kept * 64 + record

/** Walks through every history of one replica that is offered records of the family, again and again, in any order. */
function exploreHistories(family: Family, explored: Explored): void {
  const all = 2 ** family.records.length - 1
  const states = new Map<number, string>()
  const whole = expected(family, all)
  const replay = (history: readonly number[]): Watched => {
    const watched = new Watched(family)
    for (const record of history) watched.insert(record)
    return watched
  }
  const visit = (history: readonly number[]): void => {
    explored.histories++
    const here = replay(history)
    const state = here.state()
    const known = states.get(here.kept) ?? expected(family, here.kept).state
    states.set(here.kept, known)
    expect(state, `after ${history}`).toBe(known)
    let isQuiet = true
    for (let record = 0; record < family.records.length; record++) {
      if ((here.kept & (1 << record)) !== 0) continue
      const there = replay(history)
      const isTaken = there.insert(record)
      const became = explored.steps.get(stepKey(here.kept, record)) ?? there.kept
      if (there.kept !== became) expect.fail(`${record} after ${history} keeps ${there.kept}, elsewhere ${became}`)
      explored.steps.set(stepKey(here.kept, record), became)
      const supply = there.set.accounts.balance.reduce((sum, balance) => sum + balance, 0n)
      expect(supply).toBe(SUPPLY)
      if (!isTaken) continue
      isQuiet = false
      // A taken record that leaves at once, or makes others leave for good, cannot go on for ever.
      if (history.length < 2 * family.records.length) visit([...history, record])
    }
    if (isQuiet) {
      expect(here.kept).toBe(whole.kept)
      expect(state).toBe(whole.state)
    }
  }
  visit([])
}

/**
 * Walks through every global state of three replicas: any of them may hear a new record or hand one it keeps to another,
 * at any time. From each, handing on until nothing changes must leave all three with the same records.
 */
function exploreReplicas(family: Family, steps: ReadonlyMap<number, number>): number {
  const count = family.records.length
  const take = (kept: number, record: number): number =>
    (kept & (1 << record)) !== 0 ? kept : (steps.get(stepKey(kept, record)) ?? kept)
  const seen = new Set<number>()
  const queue: (readonly number[])[] = [[0, 0, 0]]
  const key = ([a, b, c]: readonly number[]): number => (a! << (2 * count)) | (b! << count) | c!
  const settle = (start: readonly number[]): readonly number[] => {
    const sets = [...start]
    for (let changed = true, left = 100; changed; left--) {
      if (left === 0) throw new Error(`exchange of ${start} does not come to rest`)
      changed = false
      for (const [from, to] of [
        [0, 1],
        [1, 0],
        [1, 2],
        [2, 1],
      ] as const) {
        for (let record = 0; record < count; record++) {
          if ((sets[from]! & (1 << record)) === 0) continue
          const became = take(sets[to]!, record)
          if (became !== sets[to]) changed = true
          sets[to] = became
        }
      }
    }
    return sets
  }
  while (queue.length > 0) {
    const sets = queue.pop()!
    if (seen.has(key(sets))) continue
    seen.add(key(sets))
    const [a, b, c] = settle(sets)
    if (a !== b || b !== c) expect.fail(`three replicas from ${sets} come to rest at ${[a, b, c]}`)
    for (let replica = 0; replica < 3; replica++) {
      for (let record = 0; record < count; record++) {
        const became = take(sets[replica]!, record)
        if (became !== sets[replica]) queue.push(sets.map((set, at) => (at === replica ? became : set)))
      }
    }
  }
  return seen.size
}

function* families(sizeMax: number, from = 0): IterableIterator<readonly Transfer[]> {
  for (let at = from; at < POOL.length; at++) {
    yield [POOL[at]!]
    if (sizeMax > 1) for (const rest of families(sizeMax - 1, at + 1)) yield [POOL[at]!, ...rest]
  }
}

describe('every interleaving', () => {
  test(`of every family of up to ${SIZE_MAX} records, in one replica and in three`, { timeout: 3_600_000 }, () => {
    let [cases, histories, globals] = [0, 0, 0]
    for (const records of families(SIZE_MAX)) {
      const family = { records, bodies: records.map(settlement) }
      const explored: Explored = { histories: 0, steps: new Map() }
      exploreHistories(family, explored)
      globals += exploreReplicas(family, explored.steps)
      histories += explored.histories
      cases++
    }
    console.log(`${cases} families, ${histories} histories of a replica, ${globals} states of three`)
    expect(histories).toBeGreaterThan(cases)
  })

  test('with a fold at any time: no money is made or lost, and without rivals the state is as if nobody had folded', {
    timeout: 600_000,
  }, () => {
    for (const records of families(FOLDED_MAX)) {
      const hasRivals = records.some((one, at) =>
        records.slice(0, at).some(({ from, seq }) => from === one.from && seq === one.seq),
      )
      const { balances } = plainly(OPENING, records)
      for (const order of permutations(records)) {
        for (let fold = 0; fold <= order.length; fold++) {
          const ledger = replica(genesis(OPENING))
          for (const record of order.slice(0, fold)) ledger.insert(pay(record))
          const [before, hash] = [NAMES.map((name) => balance(ledger, name)), stateOf(ledger)]
          ledger.advance(ledger.fold())
          if (toHex(ledger.snapshot.root) !== hash) expect.fail(`the state hash is not the root: ${order}`)
          if (`${NAMES.map((name) => balance(ledger, name))}` !== `${before}`)
            expect.fail(`a fold changed a balance: ${order}`)
          offerUntilQuiet(ledger, order.map(pay))
          if (total(ledger) !== SUPPLY) expect.fail(`money was made or lost: ${order}`)
          if (hasRivals) continue
          for (const name of NAMES)
            if (balance(ledger, name) !== (balances[name] ?? 0n)) expect.fail(`${name} after ${order}`)
        }
      }
    }
  })
})

function* permutations<Item>(items: readonly Item[]): IterableIterator<readonly Item[]> {
  if (items.length === 0) yield []
  for (const [at, item] of items.entries()) {
    for (const rest of permutations(items.filter((_, other) => other !== at))) yield [item, ...rest]
  }
}

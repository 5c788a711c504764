import { Ledger, type LedgerRecord } from '@nexus/crdt-ledger'
import { describe, expect, test } from 'vitest'
import { balance, close, genesis, kept, pay, stateOf, type Transfer, total } from './kit.ts'
import { fast } from './people.ts'
import { plainly } from './plain-ledger.ts'

/** 400 by default, 2 000 in CI, 100 000 in a whole run; a failure names its seed, and NEXUS_SEED=n runs that one alone. */
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 400)
const ONLY = process.env['NEXUS_SEED']
const NAMES = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay']
const REPLICAS = 3

/** A generator of small numbers from a seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

type Dice = ReturnType<typeof dice>

/** Payments of a few accounts, now and then twice on one number, or far ahead; sometimes one long chain. */
function payments(roll: Dice, firstSeq: (name: string) => bigint): Transfer[] {
  const made = new Map(NAMES.map((name) => [name, firstSeq(name)]))
  const count = 4 + roll(10)
  const spender = roll(10) === 0 ? NAMES[roll(3)] : undefined
  return Array.from({ length: count + (spender ? 18 : 0) }, (_, at) => {
    const from = spender !== undefined && at < 20 ? spender : NAMES[roll(NAMES.length)]!
    const to = NAMES[(NAMES.indexOf(from) + 1 + roll(NAMES.length - 1)) % NAMES.length]!
    const next = made.get(from)!
    const repeats = roll(spender === undefined ? 6 : 30) === 0 && next > firstSeq(from)
    const seq = repeats ? next - 1n - BigInt(roll(Number(next - firstSeq(from)))) : next + (roll(12) === 0 ? 1n : 0n)
    if (!repeats) made.set(from, seq + 1n)
    return { from, to, amount: 1_000n + BigInt(roll(spender ? 500 : 6_000)), seq, mark: at }
  })
}

class World {
  readonly #roll: Dice
  replicas: Ledger[]
  readonly records: LedgerRecord[]
  readonly supply: bigint
  groups: number[]

  constructor(roll: Dice, snapshotOf: () => ReturnType<typeof genesis>, records: LedgerRecord[], supply: bigint) {
    this.#roll = roll
    this.replicas = Array.from({ length: REPLICAS }, () => new Ledger({ crypto: fast, snapshot: snapshotOf() }))
    this.records = records
    this.supply = supply
    this.groups = this.replicas.map(() => 0)
  }

  /** One thing that happens in a network. */
  step(): void {
    const roll = this.#roll
    const at = roll(REPLICAS)
    const replica = this.replicas[at]!
    switch (roll(8)) {
      case 0:
        this.groups = this.replicas.map(() => roll(2))
        break
      case 1:
        this.replicas[at] = restarted(replica, roll)
        break
      case 2:
        if (this.groups[at] === this.groups[(at + 1) % REPLICAS]) replica.merge(this.replicas[(at + 1) % REPLICAS]!)
        break
      case 3:
      case 4: {
        const to = roll(REPLICAS)
        if (this.groups[at] === this.groups[to]) hand(replica, this.replicas[to]!, roll)
        break
      }
      default:
        replica.insert(this.records[roll(this.records.length)]!)
    }
    if (total(this.replicas[at]!) !== this.supply) expect.fail(`money was made or lost in replica ${at}`)
  }

  /** All partitions heal, and everyone offers what it has until nothing changes; parties still hold their own. */
  heal(): void {
    for (let changed = true, left = 200; changed; left--) {
      if (left === 0) expect.fail('the exchange does not come to rest')
      changed = false
      for (const replica of this.replicas) {
        for (const record of this.records) changed = replica.insert(record) === 'kept' || changed
      }
    }
  }
}

/** After a crash: what was on disk comes back in any order, and the last writes may be missing. */
function restarted(replica: Ledger, roll: Dice): Ledger {
  const stored = [...replica.records()].map((record) => ({ ...record, body: record.body.slice() }))
  const next = new Ledger({ crypto: fast, snapshot: replica.snapshot })
  next.load(shuffled(stored, roll).slice(roll(3)))
  return next
}

function hand(from: Ledger, to: Ledger, roll: Dice): void {
  const records = shuffled([...from.records()], roll)
  // Lost ones, and some that come twice.
  for (const record of records) for (let times = roll(3); times > 0; times--) to.insert(record)
}

function shuffled<Item>(items: readonly Item[], roll: Dice): Item[] {
  const left = [...items]
  return items.map(() => left.splice(roll(left.length), 1)[0]!)
}

function run(seed: number): void {
  const roll = dice(seed)
  const opening = { ada: 20_000n, bob: BigInt(roll(2)) * 9_000n, cyd: 4_000n }
  const supply = opening.ada + opening.bob + opening.cyd
  const offered = payments(roll, () => 1n)
  const claims = Array.from({ length: roll(3) }, (_, channel) =>
    close({ from: 'ada', to: 'cyd', owed: 1_500n, base: 0n, last: 3n, closer: channel === 0 ? 'ada' : 'cyd', channel }),
  )
  const world = new World(roll, () => genesis(opening), [...offered.map(pay), ...claims], supply)
  for (let phase = 0; phase < 2; phase++) {
    for (let steps = 20 + roll(40); steps > 0; steps--) world.step()
    world.heal()
    agree(world, seed)
    if (phase === 0 && seed % 8 === 0) {
      const expected = plainly(opening, offered)
      for (const name of NAMES) {
        if (balance(world.replicas[0]!, name) !== (expected.balances[name] ?? 0n)) expect.fail(`seed ${seed}: ${name}`)
      }
    }
    for (const replica of world.replicas) replica.advance(replica.fold())
    agree(world, seed)
  }
}

function agree({ replicas, supply }: World, seed: number): void {
  const [first, ...others] = replicas as [Ledger, ...Ledger[]]
  const [state, records] = [stateOf(first), `${kept(first)}`]
  if (total(first) !== supply) expect.fail(`seed ${seed}: supply`)
  for (const other of others) {
    if (stateOf(other) !== state) expect.fail(`seed ${seed}: states differ`)
    if (`${kept(other)}` !== records) expect.fail(`seed ${seed}: records differ`)
  }
}

describe('any schedule of partitions, crashes, loss, repetition and reordering', () => {
  test('leaves all replicas with the same records, bit-identical state, and all the money', {
    timeout: 7_200_000,
  }, () => {
    if (ONLY !== undefined) return run(Number(ONLY))
    for (let seed = 0; seed < SEEDS; seed++) {
      try {
        run(seed)
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
})

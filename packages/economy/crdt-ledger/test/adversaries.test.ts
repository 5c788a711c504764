import { decodeSettlement } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { FROZEN_SEQ, type Ledger, type LedgerRecord, MemoryStore, Replica, type ReplicaPorts } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { Gossip, recordId } from '@nexus/gossip'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RIVAL_REPLACEMENTS_MAX } from '../src/limits.ts'
import { partiesOf, statementOf } from '../src/record-codec.ts'
import {
  balance,
  close,
  crypto,
  genesis,
  hash,
  kept,
  offerUntilQuiet,
  pay,
  player,
  replica,
  stateOf,
  type Transfer,
  total,
} from './kit.ts'
import { fast, fundedGenesis, NETWORK, person, signedPayment } from './people.ts'

const ATTACKERS = ['mal', 'sib', 'zed']
/** Small attacks searched: 400 by default, more with the other seeds. */
const ATTACKS = Number(process.env['NEXUS_SEEDS'] ?? 400)

/**
 * What attackers can still spend. Money of one who signed twice is locked for good, and that of one whose next debit is
 * signed can go nowhere but where this says: to the victim, or to where it is locked in turn.
 */
function spendable(ledger: Ledger): bigint {
  return ATTACKERS.filter((name) => isFree(ledger, name)).reduce((sum, name) => sum + balance(ledger, name), 0n)
}

function isFree(ledger: Ledger, name: string, from: readonly string[] = []): boolean {
  const { id } = player(name)
  const { nextSeq } = ledger.account(id)
  if (name === 'victim' || nextSeq === FROZEN_SEQ) return false
  const next = [...ledger.history(id)].find(
    ({ settlement, role, applied }) =>
      role === 'payer' && !applied && decodeSettlement(settlement).payerSeq === nextSeq,
  )
  // Who pays each other in a circle may get out of it.
  if (next === undefined || from.includes(name)) return true
  const parties = partiesOf(crypto, next.settlement).map(toHex)
  const payee = [...ATTACKERS, 'victim'].find((other) => other !== name && parties.includes(toHex(player(other).id)))
  return isFree(ledger, payee!, [...from, name])
}

const attack: fc.Arbitrary<Transfer> = fc
  .record({
    from: fc.constantFrom(...ATTACKERS),
    to: fc.constantFrom(...ATTACKERS, 'victim', 'victim'),
    amount: fc.constantFrom(1_000n, 2_000n, 9_000n, 10_000n),
    seq: fc.bigInt(1n, 2n),
    mark: fc.nat(1),
    channel: fc.nat(1),
  })
  .filter(({ from, to }) => from !== to)

/** What is left to the payer stays signed away to a sybil that is frozen: found by the search, once in some 10 000 attacks. */
const LOCKED_AT_A_FROZEN_SYBIL: Transfer[] = [
  { from: 'sib', to: 'mal', amount: 1_000n, seq: 1n, mark: 0, channel: 0 },
  { from: 'mal', to: 'sib', amount: 1_000n, seq: 1n, mark: 0, channel: 0 },
  { from: 'sib', to: 'victim', amount: 9_000n, seq: 2n, mark: 0, channel: 0 },
  { from: 'mal', to: 'sib', amount: 10_000n, seq: 2n, mark: 0, channel: 0 },
  { from: 'sib', to: 'mal', amount: 1_000n, seq: 1n, mark: 0, channel: 1 },
]

describe('an equivocating payer', () => {
  test('and its sybils never end with more than they had, service taken included', () => {
    fc.assert(
      fc.property(fc.array(attack, { maxLength: 8 }), fc.boolean(), fc.boolean(), (records, isShared, closes) => {
        const opening = { mal: 10_000n, sib: isShared ? 2_000n : 0n }
        const ledger = replica(genesis(opening))
        // The victim serves whoever its own replica says has paid it, the moment it says so.
        let served = 0n
        for (const record of records) {
          offerUntilQuiet(ledger, [pay(record)])
          const received = ledger.account(player('victim').id).earned
          if (received > served) served = received
        }
        offerUntilQuiet(ledger, records.map(pay))
        const carriedOff = [
          close({ from: 'mal', to: 'zed', owed: 10_000n, base: 0n, last: 9n, closer: 'zed', channel: 9 }),
          close({ from: 'sib', to: 'zed', owed: 2_000n, base: 0n, last: 9n, closer: 'zed', channel: 9 }),
        ]
        if (closes) for (const claim of carriedOff) ledger.insert(claim)
        expect(spendable(ledger) + served).toBeLessThanOrEqual(opening.mal + opening.sib)
        for (let fold = 0; fold < 3; fold++) ledger.advance(ledger.fold())
        expect(spendable(ledger) + served).toBeLessThanOrEqual(opening.mal + opening.sib)
      }),
      { numRuns: ATTACKS, examples: [[LOCKED_AT_A_FROZEN_SYBIL, false, false]] },
    )
  })

  test('cannot carry off by a close what a waiting debit has first claim to', () => {
    const ledger = replica(genesis({ mal: 10_000n, sib: 2_000n }))
    const small = { from: 'sib', to: 'mal', amount: 1_000n, seq: 1n }
    ledger.insert(pay(small))
    ledger.insert(pay({ from: 'mal', to: 'zed', amount: 1_000n, seq: 1n }))
    ledger.insert(pay({ from: 'mal', to: 'victim', amount: 10_000n, seq: 2n }))
    expect(balance(ledger, 'victim')).toBe(10_000n)
    ledger.insert(pay({ ...small, mark: 1 }))
    ledger.insert(close({ from: 'mal', to: 'zed', owed: 9_000n, base: 0n, last: 9n, closer: 'zed', channel: 9 }))
    for (let fold = 0; fold < 3; fold++) ledger.advance(ledger.fold())
    expect([balance(ledger, 'mal'), balance(ledger, 'zed')]).toEqual([9_000n, 1_000n])
    ledger.insert(pay({ from: 'zed', to: 'mal', amount: 1_000n, seq: 1n }))
    expect(balance(ledger, 'victim')).toBe(10_000n)
  })

  test('pays closes from what is left beyond its waiting debits', () => {
    const ledger = replica(genesis({ mal: 9_000n }))
    ledger.insert(pay({ from: 'mal', to: 'victim', amount: 5_000n, seq: 2n }))
    ledger.insert(close({ from: 'mal', to: 'zed', owed: 9_000n, base: 0n, last: 9n, closer: 'zed', channel: 9 }))
    for (let fold = 0; fold < 3; fold++) ledger.advance(ledger.fold())
    expect(balance(ledger, 'zed')).toBe(4_000n)
  })

  test('who closes the channel of a waiting debit pays through the close what is there', () => {
    const ledger = replica(genesis({ mal: 9_000n }))
    ledger.insert(pay({ from: 'mal', to: 'victim', amount: 10_000n, seq: 1n, final: 5n }))
    ledger.insert(close({ from: 'mal', to: 'victim', owed: 10_000n, base: 0n, last: 5n, closer: 'mal' }))
    for (let fold = 0; fold < 3; fold++) ledger.advance(ledger.fold())
    expect(balance(ledger, 'victim')).toBe(9_000n)
  })

  test('in two partitions costs each victim at most what the payer had, and the payer all of it', () => {
    const [left, right] = [1, 2].map(() => replica(genesis({ mal: 10_000n })))
    const toAnn = pay({ from: 'mal', to: 'ann', amount: 10_000n, seq: 1n })
    const toBen = pay({ from: 'mal', to: 'ben', amount: 10_000n, seq: 1n })
    left!.insert(toAnn)
    left!.insert(pay({ from: 'ann', to: 'cat', amount: 4_000n, seq: 1n }))
    right!.insert(toBen)
    expect([balance(left!, 'ann'), balance(left!, 'cat'), balance(right!, 'ben')]).toEqual([6_000n, 4_000n, 10_000n])
    for (const ledger of [left!, right!]) {
      for (const other of [left!, right!]) offerUntilQuiet(ledger, [...other.records()])
      expect(total(ledger)).toBe(10_000n)
      expect(ledger.account(player('mal').id)).toMatchObject({ balance: 10_000n, nextSeq: FROZEN_SEQ })
      expect(['ann', 'ben', 'cat'].map((name) => balance(ledger, name))).toEqual([0n, 0n, 0n])
      expect([...ledger.conflicts()].map(({ payerSeq }) => payerSeq)).toEqual([1n])
      for (let seq = 2n; seq < 40n; seq++)
        expect(ledger.insert(pay({ from: 'mal', to: 'sib', amount: 1_000n, seq }))).toBe('ahead')
    }
    expect(stateOf(left!)).toBe(stateOf(right!))
  })

  test('with rivals in falling order of hash has no more of them spread than a few', () => {
    const ledger = replica(genesis({ mal: 10_000n }))
    const rivals = Array.from({ length: 400 }, (_, mark) =>
      pay({ from: 'mal', to: 'sib', amount: 1_000n, seq: 1n, mark }),
    )
    const fallingHash = (a: LedgerRecord, b: LedgerRecord): number => (hashOf(a) < hashOf(b) ? 1 : -1)
    const taken = rivals.sort(fallingHash).filter((record) => ledger.insert(record) === 'kept')
    expect(taken).toHaveLength(2 + RIVAL_REPLACEMENTS_MAX)
    expect(ledger.settlementCount).toBe(2)
  })
})

const hashOf = ({ body }: LedgerRecord): string => toHex(hash(body.subarray(0, 112)))

describe('other attacks on the set', () => {
  test('nobody can reorder its own past: what came to rest stays, unless somebody signs twice', () => {
    const honest = attack.map((record) => ({ ...record, mark: 0, channel: 0 }))
    fc.assert(
      fc.property(fc.array(honest, { maxLength: 8 }), fc.array(honest, { maxLength: 8 }), (before, after) => {
        const ledger = replica(genesis({ mal: 10_000n }))
        const numbers = new Map<string, string>()
        const isFirst = (record: Transfer): boolean => {
          const key = `${record.from} ${record.seq}`
          const known = numbers.get(key) ?? hashOf(pay(record))
          numbers.set(key, known)
          return known === hashOf(pay(record))
        }
        offerUntilQuiet(ledger, before.filter(isFirst).map(pay))
        const paid = ledger.account(player('victim').id).earned
        offerUntilQuiet(ledger, after.filter(isFirst).map(pay))
        expect(ledger.account(player('victim').id).earned).toBeGreaterThanOrEqual(paid)
      }),
    )
  })

  test('a flood of valid records from accounts without money fills nothing and costs no signature check', async () => {
    let checked = 0
    const counting: Crypto = {
      ...fast,
      verifyBatch: (jobs) => {
        checked += jobs.length
        return fast.verifyBatch(jobs)
      },
    }
    const { replica: node, gossip } = nodeOf(counting, 1)
    const flood = Array.from({ length: 40 }, (_, n) =>
      signedPayment({ from: `sybil ${n}`, to: 'mal', amount: 1_000n, seq: 1n }),
    )
    for (let round = 0; round < 50; round++) {
      for (const record of flood) expect(await node.submit(record)).toBe('refused')
    }
    expect([checked, node.ledger.settlementCount, gossip.summary(2).count]).toEqual([0, 0, 0])
    expect([...node.ledger.accountIds()]).toHaveLength(1)
  })

  test('a stranger who reuses a channel id conflicts with nobody', () => {
    const ledger = replica(genesis({ ada: 10_000n, mal: 10_000n }))
    ledger.insert(pay({ from: 'ada', to: 'bob', amount: 5_000n, seq: 1n, channel: 7, final: 3n }))
    ledger.insert(pay({ from: 'mal', to: 'sib', amount: 1_000n, seq: 1n, channel: 7, final: 3n }))
    expect([balance(ledger, 'bob'), balance(ledger, 'sib')]).toEqual([5_000n, 1_000n])
    expect([...ledger.conflicts()]).toEqual([])
  })

  test('other signatures of a known statement are neither kept nor another record', () => {
    const ledger = replica(genesis({ mal: 10_000n }))
    const record = pay({ from: 'mal', to: 'sib', amount: 1_000n, seq: 1n })
    expect(ledger.insert(record)).toBe('kept')
    const ids = new Set([toHex(recordId(crypto, 2, statementOf(2, record.body)))])
    for (let n = 0; n < 64; n++) {
      const body = record.body.slice()
      body[112 + 2 * n]! ^= 1 + n
      expect(ledger.insert({ ...record, body })).toBe('signatures')
      ids.add(toHex(recordId(crypto, 2, statementOf(2, body))))
    }
    expect(ids.size).toBe(1)
    expect(kept(ledger)).toEqual([toHex(hash(record.body))])
  })

  test('a balance pledged twenty times pays once, and each further payee knows before it signs', () => {
    const ledger = replica(genesis({ mal: 10_000n }))
    let paid = 0n
    for (let n = 0; n < 20; n++) {
      const record = pay({ from: 'mal', to: `payee ${n}`, amount: 3_000n, seq: BigInt(n + 1) })
      const isCovered = ledger.wouldApply(record.body)
      ledger.insert(record)
      const received = balance(ledger, `payee ${n}`)
      expect(received > 0n).toBe(isCovered)
      paid += received
    }
    expect(paid).toBe(9_000n)
  })

  test('sets whose summaries were made equal are compared all the same, within ten rounds', async () => {
    // All ids begin alike, so that equal counts have equal sums.
    const alike: Crypto = {
      ...fast,
      blake3: (data, key) => {
        const digest = fast.blake3(data, key)
        if (data.length === 113) digest.fill(7, 0, 8)
        return digest
      },
    }
    const nodes = [nodeOf(alike, 1), nodeOf(alike, 2)]
    for (const [at, to] of ['ann', 'ben'].entries()) {
      expect(await nodes[at]!.replica.submit(signedPayment({ from: 'mal', to, amount: 1_000n, seq: 1n }))).toBe('valid')
    }
    expect(nodes[0]!.gossip.summary(2)).toEqual(nodes[1]!.gossip.summary(2))
    for (const [at, { gossip }] of nodes.entries()) gossip.neighbourUp(0, 1 - at, 1_000_000)
    let rounds = 0
    for (; rounds < 14 && nodes.some(({ replica: node }) => [...node.ledger.conflicts()].length === 0); rounds++) {
      for (const { gossip } of nodes) gossip.tick(rounds * 60_000)
      for (let turn = 0; turn < 12; turn++) {
        for (const [at, { gossip }] of nodes.entries()) {
          const frame = gossip.pull(1 - at, 2, 484)
          if (frame !== undefined) nodes[1 - at]!.gossip.receive(at, frame)
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    expect(rounds).toBeLessThanOrEqual(11)
    expect(nodes.map(({ replica: node }) => [...node.ledger.conflicts()].length)).toEqual([1, 1])
  })
})

function nodeOf(provider: Crypto, seed: number): { readonly replica: Replica; readonly gossip: Gossip } {
  const gossip = new Gossip({ crypto: provider, random: seededRandom(seed) }, { want: () => {} })
  const ports: ReplicaPorts = {
    publish: (record) => gossip.publish(record),
    forget: (record) => gossip.forget(record),
    failed: (error) => {
      throw error
    },
  }
  const options = {
    crypto: provider,
    networkId: NETWORK,
    store: new MemoryStore(),
    genesis: fundedGenesis({ mal: 10_000n }),
  }
  const made = new Replica(options, ports)
  expect(made.ledger.account(person('mal').nodeId).balance).toBe(10_000n)
  for (const handler of made.handlers) gossip.register(handler)
  return { replica: made, gossip }
}

import { type LedgerRecord, MemoryStore, Replica, type ReplicaPorts, type Store } from '@nexus/crdt-ledger'
import { seededRandom } from '@nexus/crypto/testing'
import { Gossip } from '@nexus/gossip'
import { describe, expect, test } from 'vitest'
import { kept, stateOf } from './kit.ts'
import { fast, fundedGenesis, NETWORK, OTHER_NETWORK, person, signedClose, signedPayment } from './people.ts'

const genesis = fundedGenesis({ ada: 100_000n })
const raise = (error: unknown): never => {
  throw error
}
const silent: ReplicaPorts = { publish: () => {}, forget: () => {}, failed: raise }

const open = (store: Store, ports: ReplicaPorts = silent): Replica =>
  new Replica({ crypto: fast, networkId: NETWORK, store, genesis }, ports)

class Dead extends Error {}

/** A store that stops before its n-th write; `atomically` takes back what it began, as the contract says, or not. */
class DyingStore extends MemoryStore {
  left: number
  readonly #isAtomic: boolean
  constructor(left: number, isAtomic: boolean) {
    super()
    this.left = left
    this.#isAtomic = isAtomic
  }

  override put(key: string, value: Uint8Array): void {
    if (this.left-- <= 0) throw new Dead()
    super.put(key, value)
  }

  override delete(key: string): void {
    if (this.left-- <= 0) throw new Dead()
    super.delete(key)
  }

  override atomically<T>(work: () => T): T {
    const before = [...this.entries('')]
    try {
      return work()
    } catch (error) {
      if (this.#isAtomic) {
        for (const [key] of [...this.entries('')]) super.delete(key)
        for (const [key, value] of before) super.put(key, value)
      }
      throw error
    }
  }
}

const story: readonly (readonly LedgerRecord[] | 'fold')[] = [
  [1n, 2n, 3n].map((seq) => signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq })),
  [signedPayment({ from: 'bob', to: 'cyd', amount: 9_000n, seq: 1n }), signedClose('ada', 'cyd', 4_000n, 7n, 'cyd')],
  'fold',
  [signedPayment({ from: 'cyd', to: 'dan', amount: 2_000n, seq: 1n })],
  [signedPayment({ from: 'cyd', to: 'eve', amount: 2_000n, seq: 1n })],
  [signedPayment({ from: 'dan', to: 'eve', amount: 1_000n, seq: 1n })],
  'fold',
  'fold',
  [signedPayment({ from: 'ada', to: 'bob', amount: 5_000n, seq: 4n })],
]

async function live(replica: Replica, from = 0, store?: DyingStore): Promise<void> {
  for (const step of story.slice(from)) {
    if (step === 'fold') replica.fold()
    else await Promise.all(step.map((record) => replica.submit(record)))
    if (store !== undefined && store.left < 0) throw new Dead()
  }
}

describe('a replica', () => {
  test('is the same after a restart at any time', async () => {
    for (let steps = 0; steps <= story.length; steps++) {
      const store = new MemoryStore()
      const first = open(store)
      for (const step of story.slice(0, steps)) {
        if (step === 'fold') first.fold()
        else await Promise.all(step.map((record) => first.submit(record)))
      }
      const second = open(store)
      expect(second.setAside).toEqual([])
      const kinds = first.ledger.settlementCount + first.ledger.closeCount
      expect([...store.entries('ledger/record/')], 'nothing is left behind').toHaveLength(kinds)
      expect(stateOf(second.ledger)).toBe(stateOf(first.ledger))
      expect(kept(second.ledger)).toEqual(kept(first.ledger))
    }
  })

  test.each([true, false])('survives a crash at every write (steps atomic: %s)', async (isAtomic) => {
    const whole = open(new MemoryStore())
    await live(whole)
    for (let writes = 0; writes < 64; writes++) {
      const store = new DyingStore(writes, isAtomic)
      let died = false
      try {
        const replica = open(store, { ...silent, failed: () => {} })
        await live(replica, 0, store)
      } catch (error) {
        if (!(error instanceof Dead)) throw error
        died = true
      }
      store.left = Number.POSITIVE_INFINITY
      const next = open(store)
      expect(next.setAside).toEqual([])
      const epoch = Number(next.ledger.snapshot.epoch)
      const folds = story.flatMap((step, at) => (step === 'fold' ? [at] : []))
      await live(next, epoch === 0 ? 0 : folds[epoch - 1]! + 1)
      expect(stateOf(next.ledger), `${writes} writes, died ${died}`).toBe(stateOf(whole.ledger))
    }
  })

  test('sets damaged entries aside, says so and goes on', async () => {
    const store = new MemoryStore()
    await live(open(store))
    store.delete('ledger/network')
    for (const [key, value] of [...store.entries('ledger/')]) {
      value[value.length >> 1]! ^= 1
      store.put(key, value)
    }
    const count = [...store.entries('ledger/')].length
    const next = open(store)
    expect(next.setAside).toHaveLength(count)
    expect([...store.entries('ledger/damaged/')]).toHaveLength(count)
    expect(next.ledger.snapshot.root).toEqual(genesis.root)
    expect(open(store).setAside).toEqual([])
  })
})

interface Peer {
  readonly replica: Replica
  readonly gossip: Gossip
}

function peer(seed: number): Peer {
  const gossip = new Gossip({ crypto: fast, random: seededRandom(seed) }, { want: () => {} })
  const replica = open(new MemoryStore(), {
    publish: (record) => gossip.publish(record),
    forget: (record) => gossip.forget(record),
    failed: raise,
  })
  for (const handler of replica.handlers) gossip.register(handler)
  replica.announce()
  return { replica, gossip }
}

/** Signature checks end in a later turn, and their verdicts make new frames. */
async function verdictsMadeWork(
  peers: readonly Peer[],
  links: readonly (readonly [number, number])[],
): Promise<boolean> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    for (const [a, b] of links) {
      if (peers[a]!.gossip.hasWork(b, 2) || peers[b]!.gossip.hasWork(a, 2)) return true
    }
  }
  return false
}

async function round(
  peers: readonly Peer[],
  links: readonly (readonly [number, number])[],
  nowMs: number,
): Promise<void> {
  for (const { gossip } of peers) gossip.tick(nowMs)
  for (let moved = true; moved; ) {
    moved = false
    for (const [a, b] of links) {
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        const frame = peers[from]!.gossip.pull(to, 2, 484)
        if (frame === undefined) continue
        moved = true
        peers[to]!.gossip.receive(from, frame)
      }
    }
    if (!moved) moved = await verdictsMadeWork(peers, links)
  }
}

test('a store of another network is not taken', () => {
  const store = new MemoryStore()
  open(store)
  const options = { crypto: fast, networkId: OTHER_NETWORK, store, genesis }
  expect(() => new Replica(options, silent)).toThrow(RangeError)
})

describe('replicas that gossip', () => {
  test('three settle pairwise and agree; a forged record dies at the first hop', async () => {
    const peers = [1, 2, 3].map(peer)
    const links = [
      [0, 1],
      [1, 2],
    ] as const
    for (const [a, b] of links) {
      peers[a]!.gossip.neighbourUp(0, b, 1_000_000)
      peers[b]!.gossip.neighbourUp(0, a, 1_000_000)
    }
    expect(await peers[0]!.replica.submit(signedPayment({ from: 'ada', to: 'bob', amount: 30_000n, seq: 1n }))).toBe(
      'valid',
    )
    expect(await peers[0]!.replica.submit(signedPayment({ from: 'bob', to: 'cyd', amount: 20_000n, seq: 1n }))).toBe(
      'valid',
    )
    expect(await peers[0]!.replica.submit(signedPayment({ from: 'cyd', to: 'ada', amount: 10_000n, seq: 1n }))).toBe(
      'valid',
    )
    const forged = signedPayment({ from: 'ada', to: 'bob', amount: 40_000n, seq: 2n })
    forged.body[200]! ^= 1
    peers[0]!.gossip.publish({ type: 2, body: forged.body })
    for (let rounds = 0; rounds < 6; rounds++) await round(peers, links, rounds * 60_000)
    for (const { replica } of peers) {
      expect(stateOf(replica.ledger)).toBe(stateOf(peers[0]!.replica.ledger))
      expect(replica.ledger.account(person('ada').nodeId).balance).toBe(80_000n)
      expect(replica.ledger.settlementCount).toBe(3)
    }
    expect([...peers[1]!.gossip.records(2)]).toHaveLength(3)
    expect([...peers[2]!.gossip.records(2)]).toHaveLength(3)
  })

  test('a conflict reaches all, freezes the payer everywhere, and gossip comes to rest', async () => {
    const peers = [4, 5, 6, 7].map(peer)
    const links = [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const
    const rest = (left: number): Promise<unknown> =>
      Promise.all(
        ['bob', 'cyd'].map((to, at) =>
          peers[at === 0 ? 0 : left]!.replica.submit(signedPayment({ from: 'ada', to, amount: 100_000n, seq: 1n })),
        ),
      )
    await rest(3)
    expect(await peers[0]!.replica.submit(signedPayment({ from: 'bob', to: 'eve', amount: 50_000n, seq: 1n }))).toBe(
      'valid',
    )
    for (const [a, b] of links) {
      peers[a]!.gossip.neighbourUp(0, b, 1_000_000)
      peers[b]!.gossip.neighbourUp(0, a, 1_000_000)
    }
    for (let rounds = 0; rounds < 8; rounds++) await round(peers, links, rounds * 60_000)
    const sums = new Set(peers.map(({ gossip }) => `${gossip.summary(2).sum} ${gossip.summary(2).count}`))
    expect(sums.size).toBe(1)
    for (const { replica } of peers) {
      expect([...replica.ledger.conflicts()]).toHaveLength(1)
      expect(replica.ledger.account(person('ada').nodeId).balance).toBe(100_000n)
      expect(replica.ledger.account(person('eve').nodeId).balance).toBe(0n)
      expect(replica.ledger.settlementCount).toBe(2)
    }
  })
})

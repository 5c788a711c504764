import assert from 'node:assert/strict'
import { type ChannelPorts, Channels } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import type { Identity } from '@nexus/identity'
import { test } from 'vitest'
import { NETWORK_ID, twoParties } from './parties.ts'
import { claimBody, FragileStore, PowerLoss, readClaim, SignatureWatch } from './world.ts'

const crypto: Crypto = await nodeCrypto()
/** How many states of the model are visited at the most; the whole small model has fewer than 10^6. */
const STATES = Number(process.env['NEXUS_STATES'] ?? 200)

/**
 * What may happen next: a frame in flight arrives, is lost or arrives twice; a side claims; a side loses power at its next
 * write (or now) and starts again on a new link; time passes so that whatever waits is repeated.
 */
type Move =
  | { readonly kind: 'deliver' | 'lose' | 'double'; readonly from: 0 | 1; readonly at: number }
  | { readonly kind: 'claim' | 'crash before' | 'crash after'; readonly side: 0 | 1 }
  | { readonly kind: 'wait' }

const IDENTITIES = twoParties(crypto, 'exploration')
const KEYS = [IDENTITIES.a, IDENTITIES.b] as const
const FAULTS = { loses: 1, doubles: 1, crashes: 1, waits: 2 }
const CLAIMS_EACH = 2
const IN_FLIGHT_MAX = 5

/** One run of the real state machine along a list of moves; the same list gives the same run. */
class Run {
  nowMs = 0
  readonly wires: [Uint8Array[], Uint8Array[]] = [[], []]
  readonly stores = [new FragileStore(), new FragileStore()] as const
  readonly watches = [new SignatureWatch(), new SignatureWatch()] as const
  readonly sides: [Channels, Channels]
  readonly claimed: [number, number] = [0, 0]
  readonly used = { loses: 0, doubles: 0, crashes: 0, waits: 0 }
  readonly #random: [Random, Random]
  readonly #identities: [Identity, Identity]
  /** A second link begins with every crash: what is in flight is gone. */
  #lives = 0

  constructor() {
    this.#random = [counting(1), counting(2)]
    this.#identities = [this.watches[0].watch(KEYS[0]), this.watches[1].watch(KEYS[1])]
    for (const side of [0, 1] as const) this.stores[side].onDurable = () => this.watches[side].keep()
    this.sides = [this.#start(0), this.#start(1)]
    this.#link()
    this.powered(0, () => this.sides[0].open(0, KEYS[1].nodeId))
    while (this.wires[0].length + this.wires[1].length > 0) {
      for (const from of [0, 1] as const) if (this.wires[from].length > 0) this.deliver(from, 0)
    }
  }

  moves(): Move[] {
    const moves: Move[] = []
    for (const from of [0, 1] as const) {
      for (let at = 0; at < this.wires[from].length; at++) {
        moves.push({ kind: 'deliver', from, at })
        if (this.used.loses < FAULTS.loses) moves.push({ kind: 'lose', from, at })
        if (this.used.doubles < FAULTS.doubles) moves.push({ kind: 'double', from, at })
      }
      if (this.claimed[from] < CLAIMS_EACH) moves.push({ kind: 'claim', side: from })
      if (this.used.crashes < FAULTS.crashes) {
        moves.push({ kind: 'crash before', side: from }, { kind: 'crash after', side: from })
      }
    }
    if (this.used.waits < FAULTS.waits) moves.push({ kind: 'wait' })
    return moves
  }

  make(move: Move): void {
    switch (move.kind) {
      case 'deliver':
        return this.deliver(move.from, move.at)
      case 'double':
        this.used.doubles++
        this.wires[move.from].push(this.wires[move.from][move.at]!)
        return this.deliver(move.from, move.at)
      case 'lose':
        this.used.loses++
        this.wires[move.from].splice(move.at, 1)
        return
      case 'claim': {
        const id = 10 * (move.side + 1) + this.claimed[move.side]++
        // The lottery's own note of a win does not fail here.
        const { failAt } = this.stores[move.side]
        this.stores[move.side].failAt = Number.POSITIVE_INFINITY
        this.stores[move.side].put(`owns/${id}`, claimBody(id, 7n * BigInt(id)))
        this.stores[move.side].failAt =
          failAt === Number.POSITIVE_INFINITY ? failAt : this.stores[move.side].commits + 1
        return this.#claimAll(move.side)
      }
      case 'wait':
        this.used.waits++
        return this.pass(1_000)
      default: {
        this.used.crashes++
        const store = this.stores[move.side]
        store.failAt = store.commits + 1
        store.failing = move.kind === 'crash before' ? 'before' : 'after'
      }
    }
  }

  deliver(from: 0 | 1, at: number): void {
    const [bytes] = this.wires[from].splice(at, 1)
    const to = from === 0 ? 1 : 0
    this.powered(to, () => this.sides[to].receive(this.nowMs, KEYS[from].nodeId, bytes!))
  }

  pass(ms: number): void {
    this.nowMs += ms
    for (const side of [0, 1] as const) this.powered(side, () => this.sides[side].tick(this.nowMs))
  }

  powered(side: 0 | 1, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error
      this.stores[side].failAt = Number.POSITIVE_INFINITY
      this.watches[side].discard()
      this.sides[side] = this.#start(side)
      this.#link()
    }
  }

  /** Everything arrives and is repeated until nothing is left to do; then all must hold. */
  heal(): void {
    for (const store of this.stores) store.failAt = Number.POSITIVE_INFINITY
    for (let round = 0; round < 60; round++) {
      for (const side of [0, 1] as const) {
        this.powered(side, () => this.sides[side].open(this.nowMs, KEYS[1 - side]!.nodeId))
        this.#claimAll(side)
      }
      this.pass(1_000)
      for (let frames = 0; this.wires[0].length + this.wires[1].length > 0; frames++) {
        assert.ok(frames < 200, 'the two never come to rest')
        for (const from of [0, 1] as const) if (this.wires[from].length > 0) this.deliver(from, 0)
      }
      if (this.#isDone()) return
    }
    assert.ok(this.#isDone(), 'a claim has no end')
  }

  check(): void {
    const [a, b] = this.sides.map((channels, side) => channels.view(KEYS[1 - side]!.nodeId)!) as [
      NonNullable<ReturnType<Channels['view']>>,
      NonNullable<ReturnType<Channels['view']>>,
    ]
    assert.equal(a.sequence, b.sequence)
    assert.equal(a.owedMicro, -b.owedMicro)
    const paid = (side: 0 | 1) =>
      [...this.stores[side].entries('paid/')].reduce((sum, [, claim]) => sum + readClaim(claim).priceMicro, 0n)
    assert.equal(a.owedMicro, paid(1) - paid(0), 'money was made or lost')
    const all = this.claimed.map((count, side) =>
      Array.from({ length: count }, (_, n) => 7n * BigInt(10 * (side + 1) + n)),
    )
    assert.equal(
      paid(1),
      all[0]!.reduce((x, y) => x + y, 0n),
      'a claim was not paid, or twice',
    )
    assert.equal(
      paid(0),
      all[1]!.reduce((x, y) => x + y, 0n),
      'a claim was not paid, or twice',
    )
  }

  /** What tells two states of the model apart: disks, frames in flight, and what is left of faults and claims. */
  get name(): string {
    const disks = this.stores.map((store) =>
      [...store.entries('')]
        .sort(([x], [y]) => (x < y ? -1 : 1))
        .map(([key, value]) => key + toHex(crypto.blake3(value).subarray(0, 8))),
    )
    const wires = this.wires.map((frames) => frames.map((frame) => toHex(crypto.blake3(frame).subarray(0, 6))).sort())
    const views = this.sides.map((channels, side) => {
      const view = channels.view(KEYS[1 - side]!.nodeId)
      return [view?.phase, view?.claimsWaiting, channels.nextWakeMs() - this.nowMs]
    })
    const failing = this.stores.map(({ failAt, commits, failing: how }) =>
      failAt > commits && failAt !== Number.POSITIVE_INFINITY ? how : '',
    )
    return JSON.stringify([disks, wires, views, failing, this.used, this.claimed, this.#lives])
  }

  #isDone(): boolean {
    const isClaimed = this.stores.every((store) => [...store.entries('owns/')].length === 0)
    return (
      isClaimed &&
      this.sides.every((channels, side) => {
        const view = channels.view(KEYS[1 - side]!.nodeId)
        return view?.phase === 'ready' && view.pendingMicro === 0n
      })
    )
  }

  #claimAll(side: 0 | 1): void {
    for (const [, claim] of [...this.stores[side].entries('owns/')]) {
      this.powered(side, () => {
        const { priceMicro } = readClaim(claim)
        if ((this.sides[side].view(KEYS[1 - side]!.nodeId)?.claimsWaiting ?? 0) > 4) return
        this.sides[side].claim(this.nowMs, KEYS[1 - side]!.nodeId, claim, priceMicro, 1n)
      })
    }
  }

  #link(): void {
    this.#lives++
    this.wires[0].length = 0
    this.wires[1].length = 0
    for (const side of [0, 1] as const) {
      this.sides[side].linkDown(KEYS[1 - side]!.nodeId)
      this.powered(side, () => this.sides[side].linkUp(this.nowMs, KEYS[1 - side]!.publicKey, 1_000))
    }
  }

  #start(side: 0 | 1): Channels {
    const store = this.stores[side]
    const end = (claim: Uint8Array | undefined) => claim && store.delete(`owns/${readClaim(claim).id}`)
    const ports: ChannelPorts = {
      // A wire that is full loses its oldest frame, as a queue does; it keeps the model small.
      send: (_, bytes) => {
        assert.ok(this.watches[side].areKept, 'something leaves before a signature is on disk')
        this.wires[side].push(bytes)
        if (this.wires[side].length > IN_FLIGHT_MAX) this.wires[side].shift()
      },
      publish: () => undefined,
      judge: (_, __, claim) => {
        const { id, priceMicro } = readClaim(claim)
        return store.get(`paid/${id}`) === undefined ? { payMicro: priceMicro } : { refuse: 34 }
      },
      paid: (_, __, claim) => {
        assert.equal(store.get(`paid/${readClaim(claim).id}`), undefined, 'a claim was paid twice')
        store.put(`paid/${readClaim(claim).id}`, claim)
      },
      earned: (_, __, { claim }) => void end(claim),
      claimRefused: (_, __, claim) => void end(claim),
      wouldApply: () => false,
      payerSeqSeen: () => 0n,
      settledSequence: () => 0n,
      finalSequence: () => 0n,
      balanceInSnapshotMicro: () => 1n << 50n,
      creditLineMicro: () => 0n,
    }
    const identity = this.#identities[side]
    const random = this.#random[side]
    return new Channels(
      { crypto, identity, random, store, networkId: NETWORK_ID, epoch: 0n, exposureLimitMicro: 1n << 50n },
      ports,
    )
  }
}

/** Bytes that count up: nothing in the model depends on luck, jumps differ from life to life. */
function counting(from: number): Random {
  let next = from
  return (length) => Uint8Array.from({ length }, (_, at) => (at === 0 ? next++ : from) & 0xff)
}

function replay(moves: readonly Move[]): Run {
  const run = new Run()
  for (const move of moves) run.make(move)
  return run
}

test(`all interleavings of two claims on each side, a loss, a duplicate and a crash, up to ${STATES} states`, () => {
  const seen = new Set<string>([new Run().name])
  let layer: Move[][] = [[]]
  let healed = 0
  let depth = 0
  while (layer.length > 0 && seen.size < STATES) {
    const next: Move[][] = []
    for (const path of layer) {
      for (const move of replay(path).moves()) {
        const moves = [...path, move]
        const run = replay(moves)
        if (seen.has(run.name)) continue
        seen.add(run.name)
        next.push(moves)
        try {
          run.heal()
          run.check()
        } catch (error) {
          throw new Error(`after ${moves.map((each) => JSON.stringify(each)).join(' ')}`, { cause: error })
        }
        healed++
        if (seen.size >= STATES) break
      }
      if (seen.size >= STATES) break
    }
    layer = next
    depth++
  }
  assert.ok(healed > 0)
  if (process.env['NEXUS_STATES'] !== undefined)
    console.log(`${seen.size} states to depth ${depth}, each healed and checked; ${layer.length} left open`)
}, 7_200_000)

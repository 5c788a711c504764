import assert from 'node:assert/strict'
import {
  type ChannelMessage,
  type ChannelPorts,
  Channels,
  type CloseRecord,
  decodeChannelMessage,
  type Earning,
  encodeSettlement,
  type Publication,
  payerSide,
  type Settlement,
  type Store,
  settlementHash,
  verifyClose,
  verifySettlement,
} from '@nexus/channels'
import { ByteReader, ByteWriter, compareBytes, toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { createIdentity, type Identity, nodeIdOf } from '@nexus/identity'
import { greatest } from '../src/channel.ts'
import { decodeRecord } from '../src/record.ts'
import { NETWORK_ID } from './parties.ts'

export class PowerLoss extends Error {}

export type Failing = 'before' | 'after' | 'torn'

/** A store that keeps what was committed, and loses power at one commit. */
export class FragileStore implements Store {
  #values = new Map<string, Uint8Array>()
  #staged: Map<string, Uint8Array | undefined> | undefined
  commits = 0
  failAt = Number.POSITIVE_INFINITY
  failing: Failing = 'before'
  /** Called once the values of a commit are on disk. */
  onDurable: () => void = () => {}
  tear: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes.slice(0, bytes.length >> 1)

  get(key: string): Uint8Array | undefined {
    return this.#staged?.has(key) ? this.#staged.get(key)?.slice() : this.#values.get(key)?.slice()
  }

  /** What is on disk, whatever a transaction under way has written. */
  onDisk(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.atomically(() => this.#staged!.set(key, value.slice()))
  }

  delete(key: string): void {
    this.atomically(() => this.#staged!.set(key, undefined))
  }

  *entries(prefix: string): Iterable<[string, Uint8Array]> {
    for (const [key, value] of this.#values) if (key.startsWith(prefix)) yield [key, value.slice()]
  }

  atomically<T>(work: () => T): T {
    if (this.#staged !== undefined) return work()
    this.#staged = new Map()
    try {
      const result = work()
      if (this.#staged.size > 0) this.#commit(this.#staged)
      return result
    } finally {
      this.#staged = undefined
    }
  }

  backup(): Map<string, Uint8Array> {
    return new Map([...this.#values].map(([key, value]) => [key, value.slice()]))
  }

  restore(values: ReadonlyMap<string, Uint8Array>): void {
    this.#values = new Map(values)
  }

  #commit(staged: ReadonlyMap<string, Uint8Array | undefined>): void {
    this.commits++
    const fails = this.commits === this.failAt
    if (fails && this.failing === 'before') throw new PowerLoss()
    for (const [key, value] of staged) {
      if (value === undefined) this.#values.delete(key)
      else
        this.#values.set(
          key,
          fails && this.failing === 'torn' && key.startsWith('channels/with') ? this.tear(value) : value,
        )
    }
    if (!fails || this.failing === 'after') this.onDurable()
    if (fails) throw new PowerLoss()
  }
}

/** A claim of the model lottery: a number that no other has, and its price. */
export function claimBody(id: number, priceMicro: bigint): Uint8Array {
  return new ByteWriter(12).u32(id).u64(priceMicro).finish()
}

export function readClaim(body: Uint8Array): { id: number; priceMicro: bigint } {
  const reader = new ByteReader(body)
  return { id: reader.u32(), priceMicro: reader.u64() }
}

const PAID_BEFORE = 34

/** Applied settlements, in the order in which they applied; each replica has heard of a prefix. */
export class Ledger {
  readonly applied: Settlement[] = []
  readonly closes: CloseRecord[] = []
  readonly #crypto: Crypto
  readonly #byDebit = new Map<string, string>()

  constructor(crypto: Crypto) {
    this.#crypto = crypto
  }

  publish(record: Publication): void {
    if (record.kind === 'close') {
      assert.ok(verifyClose(this.#crypto, NETWORK_ID, record.close), 'a close that is not valid')
      this.closes.push(record.close)
      return
    }
    const { settlement } = record
    assert.ok(verifySettlement(this.#crypto, NETWORK_ID, settlement), 'a settlement that is not valid')
    const payer = payerSide(settlement) === 'a' ? settlement.keyA : settlement.keyB
    const hash = toHex(settlementHash(this.#crypto, settlement))
    const debit = `${toHex(payer)} ${settlement.payerSeq}`
    const known = this.#byDebit.get(debit)
    assert.ok(known === undefined || known === hash, `two settlements of debit ${settlement.payerSeq}`)
    if (known !== undefined) return
    this.#byDebit.set(debit, hash)
    assert.equal(settlement.payerSeq, this.nextSeq(payer, this.applied.length), 'a debit out of order')
    this.applied.push(settlement)
  }

  nextSeq(payerKey: Uint8Array, heard: number): bigint {
    return 1n + BigInt(this.#debits(payerKey, heard).length)
  }

  settledSequence(channelId: Uint8Array, heard: number): bigint {
    let settled = 0n
    for (const { channelId: id, finalSequence } of this.applied.slice(0, heard)) {
      if (compareBytes(id, channelId) === 0 && finalSequence > settled) settled = finalSequence
    }
    return settled
  }

  #debits(payerKey: Uint8Array, heard: number): Settlement[] {
    return this.applied
      .slice(0, heard)
      .filter((each) => compareBytes(payerSide(each) === 'a' ? each.keyA : each.keyB, payerKey) === 0)
  }
}

/**
 * All signatures of an identity that reached its disk, over all lives of its process: two for one number fail the test.
 * What was computed in a step that never became durable has left nowhere.
 */
export class SignatureWatch {
  readonly #signed = new Map<string, string>()
  #staged: Uint8Array[] = []
  readonly greatest = new Map<string, bigint>()
  /** For each channel, the sequence of each signature in order. */
  readonly history: { channel: string; sequence: bigint }[] = []

  watch(identity: Identity): Identity {
    return {
      nodeId: identity.nodeId,
      publicKey: identity.publicKey,
      agreementKey: identity.agreementKey,
      agreementSecret: identity.agreementSecret,
      agree: (key) => identity.agree(key),
      prove: (alpha) => identity.prove(alpha),
      sign: (tag, ...parts) => {
        if (tag === 'nxs-chan') this.#staged.push(parts.at(-1)!)
        return identity.sign(tag, ...parts)
      },
    }
  }

  get areKept(): boolean {
    return this.#staged.length === 0
  }

  /** The step became durable. */
  keep(): void {
    for (const body of this.#staged.splice(0)) this.#note(body)
  }

  /** The step was lost with the power. */
  discard(): void {
    this.#staged = []
  }

  #note(body: Uint8Array): void {
    const [channel, sequence] = [toHex(body.subarray(0, 16)), new ByteReader(body.slice(64)).u64()]
    const key = `${channel} ${sequence}`
    const known = this.#signed.get(key)
    assert.ok(known === undefined || known === toHex(body), `two states of sequence ${sequence} signed`)
    this.#signed.set(key, toHex(body))
    this.history.push({ channel, sequence })
    if (sequence > (this.greatest.get(channel) ?? -1n)) this.greatest.set(channel, sequence)
  }
}

/** A node of the model: a lottery that only knows numbers and prices, a ledger replica, and a process that may die. */
export class Party {
  readonly world: World
  readonly name: string
  readonly identity: Identity
  /** Signs past {@link signatures}: what a life before the test began may have signed. */
  readonly rawIdentity: Identity
  readonly store = new FragileStore()
  readonly signatures = new SignatureWatch()
  /** Claims that this party holds against others, and how each ended. */
  readonly owns = new Map<number, { payer: Party; priceMicro: bigint; end?: 'earned' | 'refused' }>()
  /** Numbers of the claims that this party paid, as it remembers. */
  readonly paid = new Set<number>()
  readonly earnings: (Earning & { from: string })[] = []
  readonly refusals: number[] = []
  heard = 0
  balanceMicro = 1n << 40n
  channelsMax = 1_024
  limitMicro = 1n << 36n
  creditMicro = 0n
  /** Of every channel, in the snapshot. */
  finalSequence = 0n
  tampers: (to: Party, bytes: Uint8Array) => Uint8Array[] = (_, bytes) => [bytes]
  judges: (id: number, priceMicro: bigint) => { payMicro: bigint } | { refuse: number } | undefined = () => undefined
  restarts = 0
  channels!: Channels

  constructor(world: World, name: string, seed: Uint8Array) {
    this.world = world
    this.name = name
    this.rawIdentity = createIdentity(world.crypto, seed)
    this.identity = this.signatures.watch(this.rawIdentity)
    this.store.onDurable = () => this.signatures.keep()
  }

  get nodeId(): Uint8Array {
    return this.identity.nodeId
  }

  start(): void {
    const { world } = this
    this.paid.clear()
    for (const [key] of this.store.entries('paid/')) this.paid.add(Number(key.slice(5)))
    this.channels = new Channels(
      {
        crypto: world.crypto,
        identity: this.identity,
        random: world.random,
        store: this.store,
        networkId: NETWORK_ID,
        epoch: world.epoch,
        exposureLimitMicro: this.limitMicro,
        limits: { channelsMax: this.channelsMax },
      },
      this.#ports(),
    )
  }

  /** Runs `act`; a loss of power in it restarts the process from what was written. */
  powered<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error
      this.restart()
      return undefined
    }
  }

  restart(): void {
    this.restarts++
    this.signatures.discard()
    this.start()
    this.world.relink(this)
  }

  /** Claims what no end is known of, as a lottery does after a start. */
  claimAll(): void {
    for (const [id, { payer, priceMicro, end }] of this.owns) {
      if (end !== undefined) continue
      const body = claimBody(id, priceMicro)
      this.powered(() => this.channels.claim(this.world.nowMs, payer.nodeId, body, priceMicro, 100n))
    }
  }

  owedBy(other: Party): bigint {
    return this.channels.view(other.nodeId)?.owedMicro ?? 0n
  }

  sequenceWith(other: Party): bigint {
    return this.channels.view(other.nodeId)?.sequence ?? -1n
  }

  #ports(): ChannelPorts {
    const { world } = this
    return {
      send: (to, bytes) => {
        assert.ok(this.signatures.areKept, 'something leaves before a signature is on disk')
        this.#assertOnDisk(to, decodeChannelMessage(bytes))
        const receiver = world.partyOf(to)
        for (const each of this.tampers(receiver, bytes)) world.carry(this, receiver, each)
      },
      publish: (record) => world.publish(this, record),
      judge: (_, __, claim) => {
        const { id, priceMicro } = readClaim(claim)
        if (this.paid.has(id)) return { refuse: PAID_BEFORE }
        return this.judges(id, priceMicro) ?? { payMicro: priceMicro }
      },
      paid: (_, __, claim) => {
        const { id } = readClaim(claim)
        this.store.put(`paid/${id}`, new Uint8Array(1))
        this.paid.add(id)
      },
      earned: (_, from, earning) => {
        this.earnings.push({ ...earning, from: toHex(from) })
        if (earning.claim === undefined) return
        this.#end(earning.claim, 'earned')
      },
      claimRefused: (_, __, claim, code) => {
        this.refusals.push(code)
        this.#end(claim, 'refused')
      },
      wouldApply: (settlement) => {
        // As hosts do, whose ledgers take records as bytes.
        encodeSettlement(settlement)
        const payer = payerSide(settlement) === 'a' ? settlement.keyA : settlement.keyB
        return settlement.payerSeq === world.ledger.nextSeq(payer, this.heard)
      },
      payerSeqSeen: () => world.ledger.nextSeq(this.identity.publicKey, this.heard) - 1n,
      settledSequence: (channelId) => greatest(world.ledger.settledSequence(channelId, this.heard), this.finalSequence),
      finalSequence: () => this.finalSequence,
      balanceInSnapshotMicro: () => this.balanceMicro,
      creditLineMicro: () => this.creditMicro,
    }
  }

  #end(claim: Uint8Array, end: 'earned' | 'refused'): void {
    const own = this.owns.get(readClaim(claim).id)
    if (own !== undefined) own.end = end
  }

  /** What is about to leave must be on disk: the sequence of each signature, and the debit of each settlement. */
  #assertOnDisk(to: Uint8Array, message: ChannelMessage): void {
    if (!('signature' in message || message.kind === 'state')) return
    const bytes = this.store.onDisk(`channels/with/${toHex(to)}`)
    assert.ok(bytes !== undefined, `${message.kind} leaves, and nothing is on disk`)
    const { ownSequence, newest, pending } = decodeRecord(this.world.crypto, bytes)
    const signed = message.kind === 'state' ? message.state.sequence : 'sequence' in message ? message.sequence : 0n
    assert.ok(ownSequence >= signed, `${message.kind} ${signed} leaves before it is on disk`)
    const isHeld = [newest.sequence, pending?.state.sequence].includes(signed)
    assert.ok(
      isHeld || signed < newest.sequence || message.kind === 'settleSig',
      `${message.kind} ${signed} is not held`,
    )
  }
}

export interface Conditions {
  readonly lossRatio: number
  readonly duplicateRatio: number
  readonly delayMsMin: number
  readonly delayMsMax: number
}

export const CALM: Conditions = { lossRatio: 0, duplicateRatio: 0, delayMsMin: 5, delayMsMax: 20 }
export const ROUGH: Conditions = { lossRatio: 0.2, duplicateRatio: 0.15, delayMsMin: 5, delayMsMax: 900 }

interface Event {
  readonly atMs: number
  readonly order: number
  readonly act: () => void
}

const SPACING_MS = 1_000

/** Parties on links that lose, double, delay and reorder, in virtual time from one seed. */
export class World {
  readonly crypto: Crypto
  readonly random: Random
  readonly ledger: Ledger
  readonly parties: Party[] = []
  conditions: Conditions
  nowMs = 1_000
  epoch = 10n
  frames = 0
  #links = new Map<string, number>()
  #events: Event[] = []
  #order = 0

  constructor(crypto: Crypto, seed: number | string, conditions: Conditions = CALM) {
    this.crypto = crypto
    this.random = seededRandom(crypto, `${seed}`)
    this.ledger = new Ledger(crypto)
    this.conditions = conditions
  }

  /** `count` parties, party 0 with the lowest NodeID, all linked with each other. */
  add(count: number): Party[] {
    const seeds = Array.from({ length: count }, () => this.random(32))
    const idOf = (seed: Uint8Array) => nodeIdOf(this.crypto, this.crypto.publicKey(seed))
    seeds.sort((a, b) => compareBytes(idOf(a), idOf(b)))
    for (const [n, seed] of seeds.entries()) this.parties.push(new Party(this, 'abcdefgh'[n]!, seed))
    for (const party of this.parties) party.start()
    this.linkAll()
    return this.parties
  }

  linkAll(): void {
    for (const [n, a] of this.parties.entries()) for (const b of this.parties.slice(n + 1)) this.link(a, b)
  }

  chance(): number {
    const [a, b, c] = this.random(3)
    return (a! + b! * 256 + c! * 65_536) / 16_777_216
  }

  below(count: number): number {
    return Math.floor(this.chance() * count)
  }

  partyOf(nodeId: Uint8Array): Party {
    return this.parties.find((party) => compareBytes(party.nodeId, nodeId) === 0)!
  }

  /** A new link: what is under way on the old one does not arrive any more. */
  link(a: Party, b: Party): void {
    const key = linkKey(a, b)
    this.#links.set(key, (this.#links.get(key) ?? 0) + 1)
    for (const [self, other] of [
      [a, b],
      [b, a],
    ] as const) {
      self.powered(() => {
        self.channels.linkDown(other.nodeId)
        self.channels.linkUp(this.nowMs, other.identity.publicKey, SPACING_MS)
      })
    }
  }

  unlink(a: Party, b: Party): void {
    this.#links.set(linkKey(a, b), (this.#links.get(linkKey(a, b)) ?? 0) + 1)
    a.channels.linkDown(b.nodeId)
    b.channels.linkDown(a.nodeId)
  }

  /** A party restarted: its links come up anew a little later. */
  relink(party: Party): void {
    for (const other of this.parties) {
      if (other === party) continue
      this.unlink(party, other)
      this.at(500 + this.below(1_000), () => {
        this.link(party, other)
        party.channels.reconciled()
        party.claimAll()
        other.claimAll()
      })
    }
  }

  carry(from: Party, to: Party, bytes: Uint8Array): void {
    this.frames++
    const key = linkKey(from, to)
    const link = this.#links.get(key)
    const { delayMsMax, delayMsMin, duplicateRatio, lossRatio } = this.conditions
    for (let copies = this.chance() < duplicateRatio ? 2 : 1; copies > 0; copies--) {
      if (this.chance() < lossRatio) continue
      this.at(delayMsMin + this.below(delayMsMax - delayMsMin), () => {
        if (this.#links.get(key) !== link) return
        to.powered(() => to.channels.receive(this.nowMs, from.nodeId, bytes))
      })
    }
  }

  publish(from: Party, record: Publication): void {
    const before = this.ledger.applied.length
    this.ledger.publish(record)
    const hear = (party: Party) => {
      party.heard = Math.max(party.heard, before + 1)
      for (const other of this.parties)
        if (other !== party) party.powered(() => party.channels.settled(this.nowMs, other.nodeId))
    }
    if (record.kind !== 'settlement') return
    for (const party of this.parties) this.at(party === from ? 0 : this.below(3_000), () => hear(party))
  }

  at(inMs: number, act: () => void): void {
    this.#events.push({ atMs: this.nowMs + inMs, order: this.#order++, act })
  }

  runFor(ms: number, stepsMax = 50_000): void {
    const untilMs = this.nowMs + ms
    for (let steps = 0; ; steps++) {
      assert.ok(steps < stepsMax, 'the world does not come to rest')
      let next: Event | undefined
      for (const event of this.#events) {
        if (next === undefined || event.atMs < next.atMs || (event.atMs === next.atMs && event.order < next.order)) {
          next = event
        }
      }
      const wakeMs = Math.min(...this.parties.map(({ channels }) => channels.nextWakeMs()))
      const atMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, wakeMs)
      if (atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      if (next !== undefined && next.atMs <= this.nowMs) {
        this.#events.splice(this.#events.indexOf(next), 1)
        next.act()
      } else for (const party of this.parties) party.powered(() => party.channels.tick(this.nowMs))
    }
    this.nowMs = untilMs
  }
}

function linkKey(a: Party, b: Party): string {
  return a.name < b.name ? a.name + b.name : b.name + a.name
}

/** Bytes that follow from a seed. */
export function seededRandom(crypto: Crypto, seed: string): Random {
  const key = crypto.blake3(new TextEncoder().encode(seed))
  let block = 0n
  let left: Uint8Array = new Uint8Array(0)
  return (length) => {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      if (left.length === 0) left = crypto.blake3(new ByteWriter(8).u64(block++).finish(), key)
      const take = Math.min(left.length, length - at)
      out.set(left.subarray(0, take), at)
      left = left.subarray(take)
      at += take
    }
    return out
  }
}

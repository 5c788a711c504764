import { type Admission, Segment, type SegmentEvent, SequenceSource, type Source } from '@nexus/anchor-truth'
import { equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity, type Identity } from '@nexus/identity'
import { fastCrypto } from './fast-crypto.ts'

export const fast: Crypto = fastCrypto()

/** Small whole numbers from a seed. */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b9) | 1
    for (let warm = 0; warm < 8; warm++) this.below(2)
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }
  /** True in `ratio` of cases. */
  hits(ratio: number): boolean {
    return this.below(1_000_000) < ratio * 1_000_000
  }
}

export interface WorldOptions {
  readonly seed: number
  readonly loss?: number
  readonly delayMsMax?: number
  readonly crypto?: Crypto
  readonly admission?: (publicKeys: readonly Uint8Array[]) => Admission
  /** Decides the fate of each delivery: ms until it arrives, or undefined where it is lost. Else loss and dice decide. */
  readonly deliver?: (from: number, to: number, datagram: Uint8Array) => number | undefined
}

export interface Seen {
  readonly atMs: number
  readonly node: number
  readonly event: SegmentEvent
}

interface Body {
  readonly identity: Identity
  ego: number
  segment: Segment | undefined
  boots: number
  /** Which broadcast domain it is plugged into. */
  island: number
  /** Its clock minus the world's. */
  clockMs: number
  wakeAtMs: number
  readonly source: Source
}

interface Occurrence {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

const PASSPHRASE: Admission = { mode: 'passphrase', key: new Uint8Array(32).fill(7) }

/** Many segments on virtual links in virtual time, all from one seed. */
export class World {
  readonly nodes: Body[] = []
  readonly seen: Seen[] = []
  readonly dice: Dice
  loss: number
  nowMs = 0
  datagrams = 0
  readonly #options: WorldOptions
  readonly #crypto: Crypto
  readonly #heap: Occurrence[] = []
  #order = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.dice = new Dice(options.seed)
    this.loss = options.loss ?? 0
    this.#crypto = options.crypto ?? fast
  }

  /** Makes `count` nodes, not yet started. */
  make(count: number, ego: (index: number) => number = () => 10): void {
    for (let made = 0; made < count; made++) {
      const index = this.nodes.length
      const seed = new Uint8Array(32)
      new DataView(seed.buffer).setUint32(0, index + 1 + this.#options.seed * 65_536)
      const address = new Uint8Array(16)
      address.set([0xfe, 0x80])
      new DataView(address.buffer).setUint32(12, index + 1)
      this.nodes.push({
        identity: createIdentity(this.#crypto, seed),
        ego: ego(index),
        segment: undefined,
        boots: 0,
        island: 0,
        clockMs: this.dice.below(1_000_000),
        wakeAtMs: Number.POSITIVE_INFINITY,
        source: { address, port: 19_541 },
      })
    }
  }

  start(
    index: number,
    random: Random = seededRandom(`${this.#options.seed} ${index} ${this.nodes[index]?.boots}`),
  ): void {
    const body = this.nodes[index]!
    const admission = this.#options.admission?.(this.nodes.map(({ identity }) => identity.publicKey)) ?? PASSPHRASE
    const sequence = new SequenceSource((above) => {
      body.boots = Math.max(above, body.boots) + 1
      return body.boots
    })
    const { identity, ego } = body
    const options = { crypto: this.#crypto, identity, random, sequence, admission, ego }
    const segment: Segment = new Segment(
      { ...options, type: 'Agent', zone: 'Command', name: `n${index}` },
      {
        transmit: (datagram) => this.broadcast(index, datagram, body.source),
        event: (event) => this.seen.push({ atMs: this.nowMs, node: index, event }),
      },
    )
    body.segment = segment
    segment.up(this.nowMs + body.clockMs, body.source)
    this.#plan(index)
  }

  /** As kill -9: it says nothing, and forgets all but its boot counter. */
  crash(index: number): void {
    const body = this.nodes[index]!
    body.segment = undefined
    body.wakeAtMs = Number.POSITIVE_INFINITY
  }

  /** The node's clock goes on by `ms` in no time, as after sleep. */
  jump(index: number, ms: number): void {
    this.nodes[index]!.clockMs += ms
    this.at(this.nowMs, () => this.#tick(index))
  }

  /** Sends to all of the sender's island, from whatever source. */
  broadcast(from: number, datagram: Uint8Array, source: Source): void {
    this.datagrams += 1
    const { island } = this.nodes[from]!
    for (let to = 0; to < this.nodes.length; to++) {
      if (to === from || this.nodes[to]!.segment === undefined || this.nodes[to]!.island !== island) continue
      const delayMs = this.#fate(from, to, datagram)
      if (delayMs === undefined) continue
      this.at(this.nowMs + delayMs, () => {
        if (this.nodes[to]!.island === island) this.deliver(to, datagram, source)
      })
    }
  }

  deliver(to: number, datagram: Uint8Array, source: Source): void {
    const body = this.nodes[to]!
    body.segment?.receive(this.nowMs + body.clockMs, datagram, source)
    this.#plan(to)
  }

  at(atMs: number, run: () => void): void {
    push(this.#heap, { atMs, order: this.#order++, run })
  }

  runUntil(untilMs: number): void {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs) break
      pop(this.#heap)
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = untilMs
  }

  /** Indices of those that lead now, of one island or of all. */
  anchors(island?: number): number[] {
    return this.nodes.flatMap(({ segment, island: own }, index) =>
      segment !== undefined && (island === undefined || own === island) && segment.phase === 'anchor' ? [index] : [],
    )
  }

  status(index: number) {
    const body = this.nodes[index]!
    return body.segment!.status(this.nowMs + body.clockMs)
  }

  /** Whether on this island one leads, and all others follow it. */
  isAgreed(island = 0): boolean {
    const alive = this.nodes.flatMap(({ segment, island: own }) =>
      segment !== undefined && own === island ? [segment] : [],
    )
    const [leader, ...more] = alive.filter(({ phase }) => phase === 'anchor')
    const led = leader?.allegiance
    if (led === undefined || more.length > 0) return false
    return alive.every(({ allegiance }) => allegiance !== undefined && equalBytes(allegiance.anchor, led.anchor))
  }

  /** Times that a node took the lead since `sinceMs`. */
  promotions(sinceMs = 0): number {
    return this.seen.filter(({ atMs, event }) => atMs >= sinceMs && event.kind === 'promoted').length
  }

  #fate(from: number, to: number, datagram: Uint8Array): number | undefined {
    if (this.#options.deliver !== undefined) return this.#options.deliver(from, to, datagram)
    if (this.loss > 0 && this.dice.hits(this.loss)) return undefined
    return 1 + this.dice.below(this.#options.delayMsMax ?? 5)
  }

  #tick(index: number): void {
    const body = this.nodes[index]!
    body.wakeAtMs = Number.POSITIVE_INFINITY
    body.segment?.tick(this.nowMs + body.clockMs)
    this.#plan(index)
  }

  #plan(index: number): void {
    const body = this.nodes[index]!
    if (body.segment === undefined) return
    const wakeAtMs = Math.max(this.nowMs, body.segment.nextWakeMs() - body.clockMs)
    if (wakeAtMs >= body.wakeAtMs) return
    body.wakeAtMs = wakeAtMs
    if (wakeAtMs === Number.POSITIVE_INFINITY) return
    this.at(wakeAtMs, () => {
      if (body.wakeAtMs === wakeAtMs) this.#tick(index)
    })
  }
}

const isBefore = (a: Occurrence, b: Occurrence): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

function push(heap: Occurrence[], item: Occurrence): void {
  let at = heap.push(item) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(item, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = item
}

function pop(heap: Occurrence[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}

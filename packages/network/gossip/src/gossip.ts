import type { Crypto, Random } from '@nexus/crypto'
import { IdFilter } from './filter.ts'
import { decodeGossipFrame, encodeGossipFrame, type FilterFrame, type TierSummary } from './frames.ts'
import {
  COMPARED_PASSES,
  EQUAL_ROUNDS_MAX,
  FILTERS_PER_ROUND_MAX,
  NEIGHBOURS_MAX,
  RECORD_BODY_BYTES_MAX,
  RECORD_TIERS,
  RECORDS_MAX,
  type RecordTier,
  ROUND_MS,
  SLOW_LINK_BPS,
  SLOW_ROUNDS,
  VALIDATING_MAX,
  WANT_IDS_MAX,
} from './limits.ts'
import { Neighbour } from './neighbour.ts'
import { type GossipRecord, idKey, recordId } from './record.ts'
import { type NamedRecord, RecordSet } from './record-set.ts'

/**
 * `valid`: kept and passed on. `invalid`: wrong whatever else is known; its sender is told of, nobody else hears it.
 * `refused`: not now; it is not marked known, so that it is offered again.
 */
export type Verdict = 'valid' | 'invalid' | 'refused'

/** What a service registers for the records it understands. */
export interface RecordHandler {
  readonly type: number
  readonly tier: RecordTier
  /** Records of this type kept at once; {@link RECORDS_MAX} if not said. The oldest make room. */
  readonly recordsMax?: number
  /** The part of a body that names it: all but signatures. Must answer for any bytes. The whole body if not said. */
  namedPart?(body: Uint8Array): Uint8Array
  /** Lower goes first to a neighbour that lacks much; 0 if not said. */
  priority?(record: GossipRecord): number
  /** Nodes that a record concerns, for neighbours that want only theirs. */
  concerns?(record: GossipRecord): readonly Uint8Array[]
  /** Answers now or later, once. Called before anything is kept or forwarded. */
  validate(record: GossipRecord, answer: (verdict: Verdict) => void): void
  /** A valid record that was not known before; `from` is the neighbour, or absent for one's own. */
  accepted?(record: GossipRecord, from?: number): void
}

export interface GossipOptions {
  readonly crypto: Crypto
  readonly random: Random
  readonly roundMs?: number
  /** Set on nodes without a disk: ask only for records that concern these nodes, at most 28 of them. */
  readonly sparse?: () => readonly Uint8Array[]
}

export interface GossipPorts {
  /** Frames wait for this neighbour: pull as the budget allows. */
  want(neighbour: number): void
  /** The neighbour sent a record that can never be valid. */
  invalid?(neighbour: number, type: number): void
  /**
   * What the neighbour holds of a tier is held here too, for the first time since its link came up: the summaries were
   * equal, or {@link COMPARED_PASSES} passes of filters were answered.
   */
  compared?(neighbour: number, tier: RecordTier): void
}

/**
 * Anti-entropy of records with every neighbour (docs/spec/gossip.md): a summary per round; where it differs, a filter
 * of what one holds; the answer is what the filter lacks. New records are pushed on first sight. Nothing queues but
 * ids: the node pulls the next frame when the budget of its tier allows.
 */
export class Gossip {
  readonly #crypto: Crypto
  readonly #random: Random
  readonly #roundMs: number
  readonly #sparse: (() => readonly Uint8Array[]) | undefined
  readonly #ports: GossipPorts
  readonly #handlers = new Map<number, RecordHandler>()
  readonly #sets = new Map<RecordTier, RecordSet>(RECORD_TIERS.map((tier) => [tier, new RecordSet()]))
  readonly #neighbours = new Map<number, Neighbour>()
  readonly #validating = new Set<string>()
  #tiersInUse: RecordTier[] = []

  constructor(options: GossipOptions, ports: GossipPorts) {
    this.#crypto = options.crypto
    this.#random = options.random
    this.#roundMs = options.roundMs ?? ROUND_MS
    this.#sparse = options.sparse
    this.#ports = ports
  }

  /** Takes a record type into service. @throws {RangeError} where the type has a handler already */
  register(handler: RecordHandler): void {
    if (this.#handlers.has(handler.type)) throw new RangeError(`record type ${handler.type} has a handler`)
    this.#handlers.set(handler.type, handler)
    if (!this.#tiersInUse.includes(handler.tier)) this.#tiersInUse = [...this.#tiersInUse, handler.tier].sort()
  }

  /** Starts rounds with a neighbour. `bitrateBps` decides whether its link counts as slow. */
  neighbourUp(nowMs: number, neighbour: number, bitrateBps: number): void {
    if (this.#neighbours.size >= NEIGHBOURS_MAX) throw new RangeError(`more than ${NEIGHBOURS_MAX} neighbours`)
    const state = new Neighbour(bitrateBps < SLOW_LINK_BPS, nowMs)
    this.#neighbours.set(neighbour, state)
  }

  neighbourDown(neighbour: number): void {
    this.#neighbours.delete(neighbour)
  }

  /** Adds a record of one's own, which its handler need not judge. Returns whether it was new. */
  publish(record: GossipRecord): boolean {
    const handler = this.#handlers.get(record.type)
    if (handler === undefined) throw new RangeError(`no handler for record type ${record.type}`)
    if (record.body.length > RECORD_BODY_BYTES_MAX) throw new RangeError(`a body of ${record.body.length} bytes`)
    return this.#keep(handler, { ...record, id: this.#identify(handler, record) })
  }

  /** Forgets a record, for example one that a newer replaced. */
  forget(record: GossipRecord): void {
    const handler = this.#handlers.get(record.type)
    if (handler === undefined) return
    this.#sets.get(handler.tier)!.remove(idKey(this.#identify(handler, record)))
  }

  /** Records held of one type. */
  *records(type: number): IterableIterator<GossipRecord> {
    const handler = this.#handlers.get(type)
    if (handler === undefined) return
    for (const record of this.#sets.get(handler.tier)!.values()) if (record.type === type) yield record
  }

  /** What this node holds of a tier. */
  summary(tier: RecordTier): TierSummary {
    const set = this.#sets.get(tier)!
    return { tier, count: set.count, sum: set.sum }
  }

  /** Takes a frame of a neighbour. @throws {import('./errors.ts').GossipError} for a malformed one; nothing was done then */
  receive(neighbour: number, bytes: Uint8Array): void {
    const state = this.#neighbours.get(neighbour)
    if (state === undefined) return
    const frame = decodeGossipFrame(bytes)
    if (frame.kind === 'summary') this.#compare(neighbour, state, frame.tiers)
    else if (frame.kind === 'filter') this.#answer(neighbour, state, frame)
    else if (frame.kind === 'want') this.#answerWant(neighbour, state, frame.nodeIds)
    else for (const record of frame.records) this.#take(neighbour, state, record)
  }

  /** Asks a neighbour for what it has of a tier, also where its link is too slow for rounds. */
  reconcile(neighbour: number, tier: RecordTier): void {
    const state = this.#neighbours.get(neighbour)
    if (state === undefined) return
    state.beginFilters(tier, this.#sets.get(tier)!.count)
    this.#ports.want(neighbour)
  }

  /** Whether `pull` would find something of this tier. */
  hasWork(neighbour: number, tier: RecordTier): boolean {
    const state = this.#neighbours.get(neighbour)
    if (state === undefined) return false
    return state.hasWork(tier) || (state.openings.length > 0 && tier === this.#openingTier())
  }

  /** The next frame of a tier that fits `bytesMax`, or nothing. */
  pull(neighbour: number, tier: RecordTier, bytesMax: number): Uint8Array | undefined {
    const state = this.#neighbours.get(neighbour)
    if (state === undefined) return undefined
    if (state.openings.length > 0 && tier === this.#openingTier()) return this.#pullOpening(state, bytesMax)
    return (
      state.pullRecords(tier, this.#sets.get(tier)!, bytesMax) ??
      state.pullFilter(tier, this.#sets.get(tier)!, bytesMax, this.#crypto, this.#random)
    )
  }

  /** Starts the rounds that are due. */
  tick(nowMs: number): void {
    for (const [neighbour, state] of this.#neighbours) {
      if (nowMs < state.nextRoundMs) continue
      state.beginRound(nowMs, this.#roundMs)
      if (state.slow && state.round % SLOW_ROUNDS !== 1) continue
      state.releaseHeld()
      state.openings.length = 0
      if (this.#sparse !== undefined && this.#sparse().length > 0) state.openings.push('want')
      if (this.#summarised(state).length > 0) state.openings.push('summary')
      this.#ports.want(neighbour)
    }
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY
    for (const state of this.#neighbours.values()) wake = Math.min(wake, state.nextRoundMs)
    return wake
  }

  #compare(neighbour: number, state: Neighbour, tiers: readonly TierSummary[]): void {
    for (const theirs of tiers) {
      if (theirs.tier === 2 && this.#sparse !== undefined) continue
      const own = this.summary(theirs.tier)
      const equal = isEqual(own, theirs)
      state.theirs.set(theirs.tier, theirs)
      if (equal || state.passes[theirs.tier] >= COMPARED_PASSES) this.#compared(neighbour, state, theirs.tier)
      const rounds = equal ? state.equalRounds[theirs.tier] + 1 : 0
      state.equalRounds[theirs.tier] = rounds % EQUAL_ROUNDS_MAX
      if (equal && (rounds < EQUAL_ROUNDS_MAX || own.count === 0)) continue
      state.beginFilters(theirs.tier, own.count)
      this.#ports.want(neighbour)
    }
  }

  #compared(neighbour: number, state: Neighbour, tier: RecordTier): void {
    state.theirs.delete(tier)
    if (state.compared.has(tier)) return
    state.compared.add(tier)
    this.#ports.compared?.(neighbour, tier)
  }

  #answer(neighbour: number, state: Neighbour, frame: FilterFrame): void {
    if (state.filtersAnswered[frame.tier]++ >= FILTERS_PER_ROUND_MAX) return
    const filter = new IdFilter(this.#crypto, frame.salt, frame.bits)
    const lacking = state.lacking(this.#sets.get(frame.tier)!.withPrefix(frame.prefixBits, frame.prefix), filter)
    this.#offer(neighbour, state, frame.tier, lacking)
  }

  #answerWant(neighbour: number, state: Neighbour, nodeIds: readonly Uint8Array[]): void {
    if (state.filtersAnswered[2]++ >= FILTERS_PER_ROUND_MAX) return
    state.wants = new Set(nodeIds.map(idKey))
    const found: NamedRecord[] = []
    for (const record of this.#sets.get(2)!.values()) {
      if (!state.knows(idKey(record.id)) && this.#isWanted(state, record)) found.push(record)
    }
    this.#offer(neighbour, state, 2, found)
  }

  #isWanted(state: Neighbour, record: GossipRecord): boolean {
    const { wants } = state
    if (wants === undefined) return true
    const concerns = this.#handlers.get(record.type)?.concerns?.(record) ?? []
    return concerns.some((nodeId) => wants.has(idKey(nodeId)))
  }

  #offer(neighbour: number, state: Neighbour, tier: RecordTier, records: NamedRecord[]): void {
    if (records.length === 0) return
    const rank = (record: NamedRecord): number => this.#handlers.get(record.type)?.priority?.(record) ?? 0
    records.sort((a, b) => rank(a) - rank(b))
    for (const record of records) state.enqueue(tier, idKey(record.id))
    this.#ports.want(neighbour)
  }

  #take(neighbour: number, state: Neighbour, record: GossipRecord): void {
    const handler = this.#handlers.get(record.type)
    if (handler === undefined) return
    const id = this.#identify(handler, record)
    const key = idKey(id)
    state.markKnown(key)
    if (this.#sets.get(handler.tier)!.has(key) || this.#validating.has(key)) return
    if (state.validating >= VALIDATING_MAX) return
    state.validating++
    this.#validating.add(key)
    handler.validate(record, (verdict) => {
      if (!this.#validating.delete(key)) throw new RangeError(`record type ${record.type}: a second verdict`)
      state.validating--
      if (verdict === 'valid') this.#keep(handler, { ...record, id }, neighbour)
      else if (verdict === 'invalid') this.#ports.invalid?.(neighbour, record.type)
    })
  }

  #keep(handler: RecordHandler, record: NamedRecord, from?: number): boolean {
    const set = this.#sets.get(handler.tier)!
    const key = idKey(record.id)
    if (set.has(key)) return false
    set.add(record, handler.recordsMax ?? RECORDS_MAX)
    handler.accepted?.(record, from)
    for (const [neighbour, state] of this.#neighbours) {
      const theirs = state.theirs.get(handler.tier)
      if (theirs !== undefined && isEqual(theirs, set)) this.#compared(neighbour, state, handler.tier)
      if (neighbour === from || state.knows(key) || (handler.tier === 2 && !this.#isWanted(state, record))) continue
      if (state.push(handler.tier, key)) this.#ports.want(neighbour)
    }
    return true
  }

  #pullOpening(state: Neighbour, bytesMax: number): Uint8Array | undefined {
    const frame = encodeGossipFrame(
      state.openings[0] === 'want'
        ? { kind: 'want', nodeIds: this.#sparse!().slice(0, WANT_IDS_MAX) }
        : { kind: 'summary', tiers: this.#summarised(state).map((tier) => this.summary(tier)) },
    )
    if (frame.length > bytesMax) return undefined
    state.openings.shift()
    return frame
  }

  /**
   * Tiers that a round compares: the economy, also where there is nothing of it, since debits wait for the answer; of the
   * others those of which there is anything (who has nothing learns from the other's summary), and on a slow link none.
   * Without a disk all but the economy.
   */
  #summarised(state: Neighbour): RecordTier[] {
    return this.#tiersInUse.filter((tier) =>
      tier === 2 ? this.#sparse === undefined : this.#sets.get(tier)!.count > 0 && !state.slow,
    )
  }

  /** What opens a round travels in the budget of the first tier in use. */
  #openingTier(): RecordTier {
    return this.#tiersInUse[0] ?? 2
  }

  #identify(handler: RecordHandler, record: GossipRecord): Uint8Array {
    return recordId(this.#crypto, record.type, handler.namedPart?.(record.body) ?? record.body)
  }
}

function isEqual(a: Pick<TierSummary, 'count' | 'sum'>, b: Pick<TierSummary, 'count' | 'sum'>): boolean {
  return a.count === b.count && a.sum === b.sum
}

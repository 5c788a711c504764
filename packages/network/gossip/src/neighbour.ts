import type { Crypto, Random } from '@nexus/crypto'
import { IdFilter } from './filter.ts'
import { encodeGossipFrame, type TierSummary } from './frames.ts'
import {
  FILTER_BYTES_MAX,
  FILTER_BYTES_MAX_SLOW,
  FILTER_HEADER_BYTES,
  FILTERS_PER_ROUND_MAX,
  FRAME_BYTES_MAX,
  filterCapacity,
  OUTBOX_IDS_MAX,
  RECORD_TIERS,
  type RecordTier,
} from './limits.ts'
import { type GossipRecord, recordBytes } from './record.ts'
import type { NamedRecord, RecordSet } from './record-set.ts'

/** Ids remembered as held by the neighbour, so that a push never echoes; the oldest are forgotten. */
const KNOWN_IDS_MAX = 4_096
/** Records compared with one filter: a peer's nine bytes must not cost a pass over a million records. */
const COMPARED_MAX = 4_096
const PREFIX_BITS_MAX = 16

/** Where the filters of one tier have come to. */
interface FilterCursor {
  prefixBits: number
  prefix: number
  /** Prefixes not yet covered since the difference was last seen. */
  left: number
}

/** What a node remembers of gossip with one neighbour; all of it bounded. */
export class Neighbour {
  readonly slow: boolean
  nextRoundMs: number
  round = 0
  /** Frames that open the round and are yet to be sent. */
  readonly openings: ('want' | 'summary')[] = []
  readonly equalRounds: Record<RecordTier, number> = { 2: 0, 3: 0, 4: 0 }
  readonly filtersAnswered: Record<RecordTier, number> = { 2: 0, 3: 0, 4: 0 }
  /** What the neighbour last said that it holds, of tiers not compared yet. */
  readonly theirs = new Map<RecordTier, TierSummary>()
  /** Tiers that were compared since the link came up. */
  readonly compared = new Set<RecordTier>()
  /** Whole passes of filters that went out since then. */
  readonly passes: Record<RecordTier, number> = { 2: 0, 3: 0, 4: 0 }
  /** Nodes whose records of the economy are all that this neighbour wants; absent where it wants everything. */
  wants: ReadonlySet<string> | undefined
  validating = 0
  readonly #outbox: Record<RecordTier, Set<string>> = { 2: new Set(), 3: new Set(), 4: new Set() }
  readonly #filtersSent: Record<RecordTier, number> = { 2: 0, 3: 0, 4: 0 }
  readonly #cursors = new Map<RecordTier, FilterCursor>()
  readonly #known = new Set<string>()
  /** Pushes of the economy that wait for the next batch of a slow link. */
  readonly #held = new Set<string>()

  constructor(slow: boolean, nowMs: number) {
    this.slow = slow
    this.nextRoundMs = nowMs
  }

  beginRound(nowMs: number, roundMs: number): void {
    this.round++
    for (const tier of RECORD_TIERS) {
      this.filtersAnswered[tier] = 0
      this.#filtersSent[tier] = 0
    }
    const lateMs = nowMs - this.nextRoundMs
    this.nextRoundMs = nowMs + roundMs - (lateMs < roundMs ? lateMs : 0)
  }

  knows(key: string): boolean {
    return this.#known.has(key)
  }

  markKnown(key: string): void {
    for (const keys of Object.values(this.#outbox)) keys.delete(key)
    this.#held.delete(key)
    this.#known.delete(key)
    if (this.#known.size >= KNOWN_IDS_MAX) {
      const [oldest] = this.#known
      this.#known.delete(oldest!)
    }
    this.#known.add(key)
  }

  /** Offers a new record at first sight. Returns whether something can be pulled now. */
  push(tier: RecordTier, key: string): boolean {
    if (!this.slow) return this.enqueue(tier, key)
    if (tier === 2 && this.#held.size < OUTBOX_IDS_MAX) this.#held.add(key)
    return false
  }

  enqueue(tier: RecordTier, key: string): boolean {
    const outbox = this.#outbox[tier]
    if (outbox.size >= OUTBOX_IDS_MAX) return false
    outbox.add(key)
    return true
  }

  releaseHeld(): void {
    for (const key of this.#held) this.enqueue(2, key)
    this.#held.clear()
  }

  hasWork(tier: RecordTier): boolean {
    return this.#outbox[tier].size > 0 || this.#filterDue(tier) !== undefined
  }

  /** Of `records`, those that the neighbour's filter does not hold. */
  lacking(records: Iterable<NamedRecord>, filter: IdFilter): NamedRecord[] {
    const lacking: NamedRecord[] = []
    let compared = 0
    for (const record of records) {
      if (++compared > COMPARED_MAX) break
      if (!filter.has(record.id)) lacking.push(record)
    }
    return lacking
  }

  /** Starts a pass of filters over all of a tier; one that is under way goes on, over several rounds if need be. */
  beginFilters(tier: RecordTier, count: number): void {
    const fill = count / (0.8 * this.#filterIdsMax())
    const prefixBits = fill <= 1 ? 0 : Math.min(PREFIX_BITS_MAX, Math.ceil(Math.log2(fill)))
    const cursor = this.#cursors.get(tier)
    if (cursor !== undefined && cursor.left > 0 && cursor.prefixBits >= prefixBits) return
    this.#cursors.set(tier, { prefixBits, prefix: 0, left: 2 ** prefixBits })
  }

  /** Records that wait for this neighbour, as many as fit one frame. */
  pullRecords(tier: RecordTier, set: RecordSet, bytesMax: number): Uint8Array | undefined {
    const records: GossipRecord[] = []
    let bytes = 1
    const room = Math.min(bytesMax, FRAME_BYTES_MAX)
    for (const key of this.#outbox[tier]) {
      const record = set.get(key)
      if (record === undefined) {
        this.#outbox[tier].delete(key)
        continue
      }
      if (bytes + recordBytes(record) > room) break
      bytes += recordBytes(record)
      records.push(record)
      this.markKnown(key)
    }
    return records.length > 0 ? encodeGossipFrame({ kind: 'records', records }) : undefined
  }

  /** The filter of the next prefix. */
  pullFilter(
    tier: RecordTier,
    set: RecordSet,
    bytesMax: number,
    crypto: Crypto,
    random: Random,
  ): Uint8Array | undefined {
    const cursor = this.#filterDue(tier)
    if (cursor === undefined) return undefined
    let ids = idsOf(set, cursor)
    while (ids.length > this.#filterIdsMax() && cursor.prefixBits < PREFIX_BITS_MAX) {
      cursor.prefixBits++
      cursor.prefix *= 2
      cursor.left *= 2
      ids = idsOf(set, cursor)
    }
    ids.length = Math.min(ids.length, this.#filterIdsMax())
    if (FILTER_HEADER_BYTES + Math.ceil((31 * ids.length) / 20) > bytesMax) return undefined
    const salt = new DataView(random(4).buffer).getUint32(0, true)
    const frame = encodeGossipFrame({
      kind: 'filter',
      tier,
      salt,
      prefixBits: cursor.prefixBits,
      prefix: cursor.prefix,
      bits: IdFilter.of(crypto, salt, ids).bits,
    })
    cursor.prefix = (cursor.prefix + 1) % 2 ** cursor.prefixBits
    cursor.left--
    if (cursor.left === 0) this.passes[tier]++
    this.#filtersSent[tier]++
    return frame
  }

  #filterDue(tier: RecordTier): FilterCursor | undefined {
    const cursor = this.#cursors.get(tier)
    return cursor !== undefined && cursor.left > 0 && this.#filtersSent[tier] < FILTERS_PER_ROUND_MAX
      ? cursor
      : undefined
  }

  #filterIdsMax(): number {
    return filterCapacity(this.slow ? FILTER_BYTES_MAX_SLOW : FILTER_BYTES_MAX)
  }
}

function idsOf(set: RecordSet, { prefixBits, prefix }: FilterCursor): Uint8Array[] {
  return [...set.withPrefix(prefixBits, prefix)].map((record) => record.id)
}

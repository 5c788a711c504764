import { ByteReader, ByteWriter, compareBytes } from '@nexus/codec'
import { COST_MAX } from '@nexus/compact-path-cost'
import { decodeAnnounce, FramingError, HOP_LIMIT } from '@nexus/framing'
import { METRIC_NONE, SLOT } from './destinations.ts'
import { RoutingError } from './errors.ts'
import { asRoutingError } from './frames.ts'
import { DESTINATION_BYTES, GHOST_AFTER_MS, PATH_HOPS_MAX } from './limits.ts'
import type { RouterState } from './state.ts'

/** One destination as it survives a restart. */
export interface SnapshotEntry {
  readonly destination: Uint8Array
  /** Of the verified announce. */
  readonly lamport: bigint
  /** Seconds since the lamport was first heard: an age, since no clock survives a restart. */
  readonly ageS: number
  /** Feasibility distance: highest lamport advertised, and the least cost · 256 + hops; 0 and 0xFFFFFFFF for none. */
  readonly feasibleLamport: bigint
  readonly feasibleMetric: number
  /** Relays that may still hand the announce on. */
  readonly maxHops: number
  /** The data of the announce packet; `undefined` for an evicted destination, of which the distance is left. */
  readonly announce: Uint8Array | undefined
}

/** What of the table has to survive. */
export function snapshotEntries(state: RouterState): SnapshotEntry[] {
  const { table } = state
  const entries: SnapshotEntry[] = []
  for (let slot = 0; slot < table.end; slot++) {
    const isLive = table.state[slot] === SLOT.LIVE
    if (!isLive && table.state[slot] !== SLOT.GHOST) continue
    const ageMs = state.ageMs(slot)
    if (ageMs >= GHOST_AFTER_MS) continue
    entries.push({
      destination: table.destination(slot),
      lamport: table.lamport[slot]!,
      ageS: Math.floor(ageMs / 1000),
      feasibleLamport: table.feasibleLamport[slot]!,
      feasibleMetric: table.feasibleMetric[slot]!,
      maxHops: table.maxHops[slot]!,
      announce: isLive ? state.body(slot) : undefined,
    })
  }
  return entries
}

/** Fills an empty table, up to its limits; nothing has a route yet. */
export function restoreEntries(state: RouterState, entries: readonly SnapshotEntry[]): void {
  const { table, limits, selfSlot } = state
  for (const entry of entries) {
    if (table.find(entry.destination) === selfSlot) continue
    if (entry.announce === undefined ? state.ghosts >= limits.ghosts : state.live >= limits.destinations) continue
    const slot = state.restore(entry.destination, entry.announce)
    table.lamport[slot] = entry.lamport
    table.heardS[slot] = Math.max(0, state.nowS - entry.ageS)
    table.feasibleLamport[slot] = entry.feasibleLamport
    table.feasibleMetric[slot] = entry.feasibleMetric
    table.maxHops[slot] = entry.maxHops
  }
}

const VERSION = 1
const HEADER_BYTES = 5
const ENTRY_BYTES = 16 + 8 + 4 + 8 + 4 + 1 + 2
/** More than any limit of a router allows in one snapshot. */
export const SNAPSHOT_ENTRIES_MAX = 0x10_0000

/**
 * Writes a snapshot, entries in the order of their destinations. Little-endian.
 *
 * | at | bytes | field            | values                                             |
 * | -: | ----: | ---------------- | -------------------------------------------------- |
 * |  0 |     1 | version          | 1                                                  |
 * |  1 |     4 | count            | entries                                            |
 * |  5 |     … | entries          | strictly rising destinations                       |
 *
 * | bytes | field of an entry | values                                                   |
 * | ----: | ----------------- | -------------------------------------------------------- |
 * |    16 | destination       |                                                          |
 * |     8 | lamport           |                                                          |
 * |     4 | age               | s since first heard                                      |
 * |     8 | feasible lamport  | at most the lamport; 0 where nothing was advertised      |
 * |     4 | feasible metric   | cost · 256 + hops; 0xFFFFFFFF where nothing was advertised |
 * |     1 | max hops          | 0…128                                                    |
 * |   2+n | announce          | length (0: evicted), then the data of the announce packet |
 *
 * @throws {RangeError} for too many entries or a field outside its range
 */
export function encodeSnapshot(entries: readonly SnapshotEntry[]): Uint8Array {
  if (entries.length > SNAPSHOT_ENTRIES_MAX) throw new RangeError(`${entries.length} entries are too many`)
  const sorted = [...entries].sort((a, b) => compareBytes(a.destination, b.destination))
  const announceBytes = entries.reduce((sum, entry) => sum + (entry.announce?.length ?? 0), 0)
  const writer = new ByteWriter(HEADER_BYTES + entries.length * ENTRY_BYTES + announceBytes)
  writer.u8(VERSION).u32(entries.length)
  for (const entry of sorted) {
    writer.bytes(entry.destination, DESTINATION_BYTES).u64(entry.lamport).u32(entry.ageS)
    writer.u64(entry.feasibleLamport).u32(entry.feasibleMetric).u8(entry.maxHops)
    writer.u16(entry.announce?.length ?? 0).bytes(entry.announce ?? new Uint8Array(0))
  }
  return writer.finish()
}

/**
 * Reads what {@link encodeSnapshot} wrote; the result holds copies.
 * @throws {RoutingError} `routing/short`, `routing/trailing`, `routing/snapshot-version`, `-count`, `-order`,
 * `-announce`, `-age`, `-distance`
 */
export function decodeSnapshot(bytes: Uint8Array): SnapshotEntry[] {
  const reader = new ByteReader(bytes, asRoutingError)
  const version = reader.u8()
  if (version !== VERSION) throw new RoutingError({ code: 'routing/snapshot-version', version })
  const count = reader.u32()
  const countMax = Math.min(SNAPSHOT_ENTRIES_MAX, Math.floor(reader.remaining / ENTRY_BYTES))
  if (count > countMax) throw new RoutingError({ code: 'routing/snapshot-count', count, countMax })
  const entries: SnapshotEntry[] = []
  for (let index = 0; index < count; index++) entries.push(readEntry(reader, index, entries.at(-1)))
  reader.end()
  return entries
}

function readEntry(reader: ByteReader, index: number, before: SnapshotEntry | undefined): SnapshotEntry {
  const fields = {
    destination: reader.bytes(DESTINATION_BYTES),
    lamport: reader.u64(),
    ageS: reader.u32(),
    feasibleLamport: reader.u64(),
    feasibleMetric: reader.u32(),
    maxHops: reader.u8(),
  }
  const length = reader.u16()
  const entry: SnapshotEntry = { ...fields, announce: length === 0 ? undefined : reader.bytes(length) }
  if (before !== undefined && compareBytes(before.destination, entry.destination) >= 0) {
    throw new RoutingError({ code: 'routing/snapshot-order', index })
  }
  if (entry.ageS * 1000 >= GHOST_AFTER_MS) throw new RoutingError({ code: 'routing/snapshot-age', index })
  if (!isPossibleDistance(entry)) throw new RoutingError({ code: 'routing/snapshot-distance', index })
  if (entry.maxHops > HOP_LIMIT || !isAnnounceOf(entry)) {
    throw new RoutingError({ code: 'routing/snapshot-announce', index })
  }
  return entry
}

/** An entry without an announce is there for its distance alone. */
function isPossibleDistance(entry: SnapshotEntry): boolean {
  const { feasibleMetric, feasibleLamport, lamport, announce } = entry
  if (feasibleMetric === METRIC_NONE) return feasibleLamport === 0n && announce !== undefined
  return feasibleLamport <= lamport && feasibleMetric >>> 8 <= COST_MAX && (feasibleMetric & 0xff) <= PATH_HOPS_MAX
}

function isAnnounceOf(entry: SnapshotEntry): boolean {
  if (entry.announce === undefined) return true
  try {
    return decodeAnnounce(entry.announce).lamport === entry.lamport
  } catch (error) {
    if (error instanceof FramingError) return false
    throw error
  }
}

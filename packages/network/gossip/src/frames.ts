import { ByteReader, ByteWriter } from '@nexus/codec'
import { GossipError } from './errors.ts'
import {
  FILTER_BYTES_MAX,
  FILTER_HEADER_BYTES,
  FRAME_BYTES_MAX,
  NODE_ID_BYTES,
  RECORD_TIERS,
  type RecordTier,
  SUMMARY_ENTRY_BYTES,
  WANT_IDS_MAX,
} from './limits.ts'
import { type GossipRecord, readRecord, recordBytes, writeRecord } from './record.ts'

/** What one side holds of a tier: how many ids, and the sum of their first 8 bytes as u64, modulo 2^64. */
export interface TierSummary {
  readonly tier: RecordTier
  readonly count: number
  readonly sum: bigint
}

export interface FilterFrame {
  readonly kind: 'filter'
  readonly tier: RecordTier
  readonly salt: number
  /** The filter speaks only of ids whose first `prefixBits` bits, as a number, are `prefix`. */
  readonly prefixBits: number
  readonly prefix: number
  readonly bits: Uint8Array
}

export type GossipFrame =
  | { readonly kind: 'summary'; readonly tiers: readonly TierSummary[] }
  | FilterFrame
  | { readonly kind: 'records'; readonly records: readonly GossipRecord[] }
  | { readonly kind: 'want'; readonly nodeIds: readonly Uint8Array[] }

const SUMMARY = 1
const FILTER = 2
const RECORDS = 3
const WANT = 4

/**
 * A gossip frame, the body of a link message of type 2 (docs/spec/gossip.md). The first byte is its kind.
 *
 * | kind | layout after the kind                                                   |
 * | ---: | ----------------------------------------------------------------------- |
 * |    1 | SUMMARY: n × (tier u8, count u32, sum u64), 1 ≤ n ≤ 3, tiers rising      |
 * |    2 | FILTER: tier u8, salt u32, prefix bits u8 ≤ 16, prefix u16, ≤ 448 bytes  |
 * |    3 | RECORDS: one record or more, each type u8, length u16, body              |
 * |    4 | WANT: 1 to 28 node ids of 16 bytes                                       |
 */
export function encodeGossipFrame(frame: GossipFrame): Uint8Array {
  switch (frame.kind) {
    case 'summary': {
      const writer = new ByteWriter(1 + frame.tiers.length * SUMMARY_ENTRY_BYTES).u8(SUMMARY)
      for (const { tier, count, sum } of frame.tiers) writer.u8(tier).u32(count).u64(sum)
      return writer.finish()
    }
    case 'filter':
      return new ByteWriter(FILTER_HEADER_BYTES + frame.bits.length)
        .u8(FILTER)
        .u8(frame.tier)
        .u32(frame.salt)
        .u8(frame.prefixBits)
        .u16(frame.prefix)
        .bytes(frame.bits)
        .finish()
    case 'records': {
      const writer = new ByteWriter(frame.records.reduce((sum, record) => sum + recordBytes(record), 1)).u8(RECORDS)
      for (const record of frame.records) writeRecord(writer, record)
      return writer.finish()
    }
    case 'want': {
      const writer = new ByteWriter(1 + frame.nodeIds.length * NODE_ID_BYTES).u8(WANT)
      for (const nodeId of frame.nodeIds) writer.bytes(nodeId, NODE_ID_BYTES)
      return writer.finish()
    }
  }
}

/** Reads a frame whole. @throws {GossipError} for anything that {@link encodeGossipFrame} would not write */
export function decodeGossipFrame(bytes: Uint8Array): GossipFrame {
  const reader = new ByteReader(bytes, (fault) => new GossipError({ code: 'gossip/malformed', fault }))
  const kind = reader.u8()
  switch (kind) {
    case SUMMARY:
      return { kind: 'summary', tiers: readSummary(reader) }
    case FILTER:
      return readFilter(reader)
    case RECORDS: {
      if (bytes.length > FRAME_BYTES_MAX) {
        throw new GossipError({
          code: 'gossip/record-length',
          lengthBytes: bytes.length,
          lengthBytesMax: FRAME_BYTES_MAX,
        })
      }
      const records: GossipRecord[] = []
      do records.push(readRecord(reader))
      while (reader.remaining > 0)
      return { kind: 'records', records }
    }
    case WANT: {
      const count = Math.ceil(reader.remaining / NODE_ID_BYTES)
      checkCount(count, WANT_IDS_MAX)
      return { kind: 'want', nodeIds: Array.from({ length: count }, () => reader.bytes(NODE_ID_BYTES)) }
    }
    default:
      throw new GossipError({ code: 'gossip/kind', kind })
  }
}

function readSummary(reader: ByteReader): TierSummary[] {
  const count = Math.ceil(reader.remaining / SUMMARY_ENTRY_BYTES)
  checkCount(count, RECORD_TIERS.length)
  const tiers: TierSummary[] = []
  for (let i = 0; i < count; i++) {
    const tier = readTier(reader)
    if (i > 0 && tier <= tiers[i - 1]!.tier) throw new GossipError({ code: 'gossip/tier', tier })
    tiers.push({ tier, count: reader.u32(), sum: reader.u64() })
  }
  return tiers
}

function readFilter(reader: ByteReader): FilterFrame {
  const tier = readTier(reader)
  const salt = reader.u32()
  const prefixBits = reader.u8()
  const prefix = reader.u16()
  if (prefixBits > 16 || prefix >= 2 ** prefixBits) throw new GossipError({ code: 'gossip/prefix', prefixBits, prefix })
  if (reader.remaining > FILTER_BYTES_MAX) {
    throw new GossipError({
      code: 'gossip/filter-length',
      lengthBytes: reader.remaining,
      lengthBytesMax: FILTER_BYTES_MAX,
    })
  }
  return { kind: 'filter', tier, salt, prefixBits, prefix, bits: reader.rest() }
}

function readTier(reader: ByteReader): RecordTier {
  const tier = reader.u8()
  if (!RECORD_TIERS.includes(tier as RecordTier)) throw new GossipError({ code: 'gossip/tier', tier })
  return tier as RecordTier
}

function checkCount(count: number, countMax: number): void {
  if (count < 1 || count > countMax) throw new GossipError({ code: 'gossip/count', count, countMax })
}

/** Body of one record; larger things are stored, and the record names them. */
export const RECORD_BODY_BYTES_MAX = 480
/** Type and length before a record's body. */
export const RECORD_HEADER_BYTES = 3
/** Bytes of a gossip frame, its kind included: one record of full size, which is what a packet-sized frame carries. */
export const FRAME_BYTES_MAX = 1 + RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX
export const RECORD_ID_BYTES = 16

/** Tiers that carry records; tier 1 is routing and has none. */
export const RECORD_TIERS = [2, 3, 4] as const
export type RecordTier = (typeof RECORD_TIERS)[number]

export const SUMMARY_ENTRY_BYTES = 13
/** Kind, tier, salt, prefix bits, prefix. */
export const FILTER_HEADER_BYTES = 9
export const FILTER_BYTES_MAX = 448
/** Filters on a link below {@link SLOW_LINK_BPS}. */
export const FILTER_BYTES_MAX_SLOW = 256
/** Ids that one filter of `bytes` bytes holds at the designed false-positive rate of 1 %: 31 bytes per 20 ids. */
export const filterCapacity = (bytes: number): number => Math.floor((bytes * 20) / 31)
export const WANT_IDS_MAX = 28
export const NODE_ID_BYTES = 16

export const ROUND_MS = 60_000
/** Below this, tiers 3 and 4 only answer, and summaries of tier 2 come every fifth round. */
export const SLOW_LINK_BPS = 10_000
export const SLOW_ROUNDS = 5
/** Rounds for which an equal summary may suppress the filter: equal sums can be made on purpose. */
export const EQUAL_ROUNDS_MAX = 10
/** Whole passes of filters after which a tier counts as compared though the sets go on to differ: three salts miss one record in 10^6. */
export const COMPARED_PASSES = 3

/** Records kept per type unless its handler says otherwise; the oldest make room. */
export const RECORDS_MAX = 65_536
/** Ids waiting to be sent to one neighbour; further ones are left to the next round. */
export const OUTBOX_IDS_MAX = 4_096
/** Records that wait for their handler's verdict, per neighbour; further ones are dropped and offered again later. */
export const VALIDATING_MAX = 256
/** Filters of one tier sent to one neighbour in one round, and answered: each costs a hash per record of its prefix. */
export const FILTERS_PER_ROUND_MAX = 64
/** Neighbours followed at once. */
export const NEIGHBOURS_MAX = 1_024

/** Share of a medium's usable bandwidth per tier, in thousandths, in the order of tiers 1 to 4; together 10 %. */
export const TIER_SHARES_PERMILLE = [30, 30, 20, 20] as const

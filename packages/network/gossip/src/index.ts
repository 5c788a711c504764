/** Anti-entropy of records with every neighbour, within a byte budget (docs/spec/gossip.md). */
export { MediumBudget, type Tier } from './budget.ts'
export { GossipError, type GossipErrorDetail } from './errors.ts'
export { IdFilter } from './filter.ts'
export { decodeGossipFrame, encodeGossipFrame, type FilterFrame, type GossipFrame, type TierSummary } from './frames.ts'
export { Gossip, type GossipOptions, type GossipPorts, type RecordHandler, type Verdict } from './gossip.ts'
export { RECORD_BODY_BYTES_MAX, RECORD_TIERS, type RecordTier, ROUND_MS, SLOW_LINK_BPS } from './limits.ts'
export { decodeRecord, encodeRecord, type GossipRecord, recordId } from './record.ts'

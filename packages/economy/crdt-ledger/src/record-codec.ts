import {
  arePartiesOrdered,
  ChannelError,
  CLOSE_BYTES,
  closeVerifyJobs,
  decodeClose,
  decodeSettlement,
  SETTLEMENT_SIGNED_BYTES,
  settlementVerifyJobs,
} from '@nexus/channels'
import type { Crypto, VerifyJob } from '@nexus/crypto'
import type { GossipRecord } from '@nexus/gossip'
import { nodeIdOf } from '@nexus/identity'
import { closeStatement } from './close-set.ts'
import type { LedgerRecord } from './ledger.ts'
import { AT } from './rows.ts'

/** Gossip record types of the ledger (docs/spec/gossip.md). */
export const SETTLEMENT_RECORD = 2
export const CLOSE_RECORD = 3

export function toGossip({ kind, body }: LedgerRecord): GossipRecord {
  return { type: kind === 'settlement' ? SETTLEMENT_RECORD : CLOSE_RECORD, body: body.slice() }
}

/** What names a record: its bytes without signatures. Answers for any bytes, as gossip asks. */
export function statementOf(type: number, body: Uint8Array): Uint8Array {
  if (type === SETTLEMENT_RECORD) return body.subarray(0, SETTLEMENT_SIGNED_BYTES)
  return body.length === CLOSE_BYTES ? closeStatement(body) : body
}

/** NodeIDs of the two parties; none for bytes that hold no two keys. */
export function partiesOf(crypto: Crypto, body: Uint8Array): Uint8Array[] {
  if (body.length < AT.amount) return []
  return [nodeIdOf(crypto, body.subarray(AT.keyA, AT.keyB)), nodeIdOf(crypto, body.subarray(AT.keyB, AT.amount))]
}

/**
 * The signatures on which a record's validity rests; nothing where its form alone makes it invalid: 2 of a settlement, 5
 * of a close.
 */
export function verifyJobsOf(crypto: Crypto, networkId: Uint8Array, record: LedgerRecord): VerifyJob[] | undefined {
  try {
    if (record.kind === 'close') {
      const close = decodeClose(record.body)
      return arePartiesOrdered(crypto, close) ? closeVerifyJobs(crypto, networkId, close) : undefined
    }
    const settlement = decodeSettlement(record.body)
    return arePartiesOrdered(crypto, settlement) ? settlementVerifyJobs(networkId, settlement) : undefined
  } catch (error) {
    if (error instanceof ChannelError) return undefined
    throw error
  }
}

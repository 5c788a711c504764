/** Payment channels between neighbours: the documents that both sign, messages, state machine (docs/spec/channels.md). */

export { Channels, type Receipt } from './channels.ts'
export { claimDigest } from './claims.ts'
export {
  CLOSE_TAG,
  type CloseRecord,
  closeAmountMicro,
  closeHash,
  closeSignedBytes,
  closeState,
  closeVerifyJobs,
  decodeClose,
  encodeClose,
  verifyClose,
} from './close-record.ts'
export type { DisputeResult } from './closing.ts'
export { ChannelError, type ChannelErrorDetail } from './errors.ts'
export type { Exposure } from './exposure.ts'
export {
  BALANCE_SUM_LIMIT,
  CHANNEL_ID_BYTES,
  CHANNELS_MAX,
  CLAIM_BODY_MAX_BYTES,
  CLAIMS_MAX,
  CLOSE_BYTES,
  CLOSE_SIGNED_BYTES,
  JUMP_MAX,
  JUMP_MIN,
  NETWORK_ID_BYTES,
  OFFERS_MAX,
  OPENING_BALANCE_MICRO,
  PAYER_SEQ_FIRST,
  PAYER_SEQ_MAX,
  SETTLEMENT_AMOUNT_MIN_MICRO,
  SETTLEMENT_BYTES,
  SETTLEMENT_SIGNED_BYTES,
  STATE_BYTES,
  STATE_SIGNED_BYTES,
  STATE_TAIL_BYTES,
} from './limits.ts'
export {
  CHANNEL_MESSAGE,
  type ChannelMessage,
  decodeChannelMessage,
  encodeChannelMessage,
  REFUSAL,
  REFUSAL_OF_CLAIM,
  type Standing,
} from './messages.ts'
export type {
  ChannelLimits,
  ChannelPorts,
  ChannelsOptions,
  Earning,
  Publication,
  Store,
  Verdict,
} from './ports.ts'
export {
  arePartiesOrdered,
  decodeSettlement,
  encodeSettlement,
  payerSide,
  SETTLEMENT_TAG,
  type Settlement,
  settlementHash,
  settlementSignedBytes,
  settlementVerifyJobs,
  verifySettlement,
} from './settlement.ts'
export {
  type ChannelState,
  channelIdOf,
  decodeState,
  encodeState,
  NO_SIGNATURE,
  openingState,
  STATE_TAG,
  type StateTail,
  stateHash,
  stateSignedBytes,
  stateVerifyJob,
  stateVerifyJobs,
  verifyState,
} from './state.ts'
export { readStoredChannels, type StoredChannel } from './stored.ts'
export type { ChannelView } from './view.ts'

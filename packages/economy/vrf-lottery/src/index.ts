/** Packets paid by lottery: windows, odds, tickets and claims, without a chain in reach (docs/spec/vrf-lottery.md). */
export { decodeClaim, encodeClaim, type WindowClaim, windowClaimBytes } from './claim.ts'
export { commitTo, Draw, drawInput } from './draw.ts'
export { LotteryError, type LotteryErrorDetail } from './errors.ts'
export { FrameLog } from './frame-log.ts'
export {
  CLAIM_BYTES_MAX,
  ODDS_MAX,
  ODDS_MIN,
  SERIES_KEPT_MS,
  WINDOW_FRAMES_NARROW,
  WINDOW_FRAMES_WIDE,
  WINDOWS_REMEMBERED,
} from './limits.ts'
export {
  decodeLotteryMessage,
  encodeLotteryMessage,
  LOTTERY_MESSAGE,
  type LotteryMessage,
  type Odds,
  type OpenLot,
  type Reveal,
} from './messages.ts'
export { chooseOdds } from './odds-policy.ts'
export {
  CLAIM_REFUSED,
  type ClaimRefusal,
  type ClaimVerdict,
  LotteryPayer,
  type PayerOptions,
  type PayerPorts,
} from './payer.ts'
export { isOdds, packetCost, packetCostMicro, reward, smallestOdds, winTarget } from './price.ts'
export { QuoteBook } from './quotes.ts'
export { LotteryRelay } from './relay.ts'
export type { Claim, RelayCounts, RelayOptions, RelayPorts, RelayStanding, TakeVerdict } from './relay-ports.ts'

import { costMicroPerMib, decodeCost } from '@nexus/compact-path-cost'
import { ODDS_MAX, ODDS_MIN, WINS_EXPECTED_MAX } from './limits.ts'

const MIB_BYTES = 1_048_576
const TWO_64 = 1n << 64n

/**
 * What a packet of `lengthBytes` costs at an encoded cost e, in whole μNXS: (length · D[e]) >> 36, the two of Q16 and MiB.
 * @throws {RangeError} for a length or cost that is none
 */
export function packetCost(lengthBytes: number, cost: number): bigint {
  return reward(lengthBytes, 1, cost)
}

/**
 * What a win pays, in whole μNXS: (length · n · D[e]) >> 36, so that the expectation is the cost whatever n is
 * (docs/spec/vrf-lottery.md).
 * @throws {RangeError} for a length, odds or cost that is none
 */
export function reward(lengthBytes: number, odds: number, cost: number): bigint {
  return (BigInt(lengthBytes) * BigInt(odds) * decodeCost(cost)) >> 36n
}

/** {@link packetCost} as f64 with its fraction: for limits, which need not be exact, on the forwarding path. */
export function packetCostMicro(lengthBytes: number, cost: number): number {
  return (lengthBytes * costMicroPerMib(cost)) / MIB_BYTES
}

/** The smallest n of windows of so many frames. */
export function smallestOdds(windowFrames: number): number {
  return Math.max(ODDS_MIN, Math.ceil(windowFrames / WINS_EXPECTED_MAX))
}

/** Whether 1/n may be announced. */
export function isOdds(odds: number): boolean {
  return Number.isInteger(odds) && odds >= ODDS_MIN && odds <= ODDS_MAX
}

/** floor(2^64 / n): a ticket below it wins. @throws {RangeError} for odds that are none */
export function winTarget(odds: number): bigint {
  if (!isOdds(odds)) throw new RangeError(`the odds are no 1/${odds}`)
  return TWO_64 / BigInt(odds)
}

import { ROUND_MS } from '@nexus/gossip'
import { DEFAULT_LIMITS } from '@nexus/session'

/** Above the rounding of the two conversions together, and far below what any clock shows. */
const ROUNDED_UP = 1 + 4 * Number.EPSILON

const BEACONS_PER_ROUND = 6
/** Beacons 2 s and probes 200 ms apart are hurry enough. */
const LINK_PACE_MAX = 5

type MessagePace = Partial<Pick<typeof DEFAULT_LIMITS, 'retryMsMin' | 'retryMsMax' | 'heardMsMin' | 'receiptSpacingMs'>>

/**
 * Routing counts in rounds of 60 s. A node whose rounds are shorter (a demonstration in a hurry) lives faster: this turns
 * readings of its clock into the routing core's and back.
 */
export class ProtocolClock {
  readonly roundMs: number

  /** @throws {RangeError} for a round that is not between 100 ms and an hour */
  constructor(roundMs: number) {
    if (!(roundMs >= 100 && roundMs <= 3_600_000)) throw new RangeError(`a round of ${roundMs} ms`)
    this.roundMs = roundMs
  }

  /** How much faster than usual links look for each other and for silence: beacons keep to a sixth of a round, within reason. */
  get linkPace(): number {
    return Math.min(LINK_PACE_MAX, Math.max(1, ROUND_MS / (BEACONS_PER_ROUND * this.roundMs)))
  }

  /**
   * How messages and receipts are paced. In a hurry messages go again sooner, never more than a round apart, and at once when a way
   * is found.
   */
  get messageLimits(): MessagePace {
    if (this.roundMs >= ROUND_MS) return {}
    const retryMsMin = DEFAULT_LIMITS.retryMsMin / this.linkPace
    const receiptSpacingMs = DEFAULT_LIMITS.receiptSpacingMs / this.linkPace
    return { retryMsMin, retryMsMax: this.roundMs, heardMsMin: retryMsMin, receiptSpacingMs }
  }

  toProtocolMs(nowMs: number): number {
    return (nowMs * ROUND_MS) / this.roundMs
  }

  /** Never a rounding error early: a wake-up that comes too soon would be asked for at once again, for ever. */
  toRealMs(protocolMs: number): number {
    return ((protocolMs * this.roundMs) / ROUND_MS) * ROUNDED_UP
  }
}

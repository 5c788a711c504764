import { ROUND_MS, TIER_SHARES_PERMILLE } from './limits.ts'

/** 1 routing, 2 economy, 3 services, 4 social. */
export type Tier = 1 | 2 | 3 | 4

const TIERS = TIER_SHARES_PERMILLE.length
/** So that a frame of full size, with all that the link adds, can always be saved up for. */
const BUCKET_BYTES_MIN = 2 * 508
/** One padded announce: a node that just came up says so at once. */
const START_BYTES = 256

/**
 * What a node may say on one medium besides its users' traffic: 10 % of the usable bandwidth, shared by tier
 * (docs/spec/gossip.md). Tokens are bytes on the medium. What a tier leaves unused flows into a pool that any tier may
 * draw on; handshakes, beacons and probes are taken first, and may leave a debt that the tiers then wait out.
 */
export class MediumBudget {
  readonly #ownBytes = new Float64Array(TIERS)
  #poolBytes = 0
  #usableBps: number
  #atMs: number

  /** `usableBps`: measured bandwidth × duty cycle, on a shared medium divided by the nodes heard on it. */
  constructor(nowMs: number, usableBps: number) {
    this.#usableBps = usableBps
    this.#atMs = nowMs
    // The medium was silent before, and a node that just came up has all its news to tell.
    for (let index = 0; index < TIERS; index++) this.#ownBytes[index] = this.#bytesPerMs(index) * ROUND_MS
    this.#ownBytes[0] = Math.max(START_BYTES, this.#ownBytes[0]!)
  }

  get usableBps(): number {
    return this.#usableBps
  }

  setUsableBps(nowMs: number, usableBps: number): void {
    this.#refill(nowMs)
    this.#usableBps = usableBps
  }

  /** Bytes that `tier` may send now, with what the `idle` tiers, which have nothing to say, lend it. */
  availableBytes(nowMs: number, tier: Tier, idle: readonly Tier[] = []): number {
    this.#refill(nowMs)
    return Math.max(0, Math.floor(this.#balance([tier, ...idle])))
  }

  /** Records what a tier sent: first from its own share, then from what others left, then from what `idle` tiers lend. */
  spend(nowMs: number, tier: Tier, bytes: number, idle: readonly Tier[] = []): void {
    this.#refill(nowMs)
    let left = this.#take(tier, bytes)
    const fromPool = Math.min(left, Math.max(0, this.#poolBytes))
    this.#poolBytes -= fromPool
    left -= fromPool
    for (const lender of idle) left = this.#take(lender, left)
    this.#poolBytes -= left
  }

  /** Records what the link itself said; it asks nobody, so others make up for it. */
  spendControl(nowMs: number, bytes: number): void {
    this.#refill(nowMs)
    this.#poolBytes -= bytes
  }

  /** When `tier` may send `bytes` bytes, if nobody else sends meanwhile. */
  allowedAtMs(nowMs: number, tier: Tier, bytes: number, idle: readonly Tier[] = []): number {
    this.#refill(nowMs)
    const tiers = [tier, ...idle]
    const missing = bytes - this.#balance(tiers)
    const rate = tiers.reduce((sum, each) => sum + this.#bytesPerMs(each - 1), 0)
    return missing <= 0 ? nowMs : nowMs + Math.ceil(missing / rate) + 1
  }

  #balance(tiers: readonly Tier[]): number {
    return tiers.reduce((sum, tier) => sum + this.#ownBytes[tier - 1]!, this.#poolBytes)
  }

  /** Takes up to `bytes` of a tier's own; returns what is missing. */
  #take(tier: Tier, bytes: number): number {
    const taken = Math.min(bytes, Math.max(0, this.#ownBytes[tier - 1]!))
    this.#ownBytes[tier - 1]! -= taken
    return bytes - taken
  }

  #bytesPerMs(index: number): number {
    return (this.#usableBps * TIER_SHARES_PERMILLE[index]!) / 1000 / 8 / 1000
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#atMs = nowMs
    let overflow = 0
    for (let index = 0; index < TIERS; index++) {
      const capacity = Math.max(BUCKET_BYTES_MIN, this.#bytesPerMs(index) * ROUND_MS)
      let bytes = this.#ownBytes[index]! + this.#bytesPerMs(index) * elapsedMs
      // A debt of the pool is paid before anyone saves.
      const owed = Math.min(Math.max(0, -this.#poolBytes), Math.max(0, bytes))
      bytes -= owed
      this.#poolBytes += owed
      if (bytes > capacity) {
        overflow += bytes - capacity
        bytes = capacity
      }
      this.#ownBytes[index] = bytes
    }
    const poolMax = Math.max(BUCKET_BYTES_MIN, (this.#usableBps / 10 / 8 / 1000) * ROUND_MS)
    this.#poolBytes = Math.min(poolMax, this.#poolBytes + overflow)
  }
}

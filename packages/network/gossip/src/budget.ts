import { ROUND_MS, TIER_SHARES_PERMILLE } from './limits.ts'

/** 1 routing, 2 economy, 3 services, 4 social. */
export type Tier = 1 | 2 | 3 | 4

const TIERS = TIER_SHARES_PERMILLE.length
const ALL_PERMILLE = TIER_SHARES_PERMILLE.reduce((sum, share) => sum + share, 0)

/**
 * What a node may say on one medium besides its users' traffic: 10 % of the usable bandwidth, shared by tier
 * (docs/spec/gossip.md). Tokens are bytes on the medium. What a tier leaves unused flows into a pool that any tier may
 * draw on; handshakes, beacons and probes are taken first, and may leave a debt that the tiers then wait out. Who has
 * anything left may send one frame of any size, so nothing is saved up, and no more than one frame is ever owed.
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
  }

  get usableBps(): number {
    return this.#usableBps
  }

  setUsableBps(nowMs: number, usableBps: number): void {
    this.#refill(nowMs)
    this.#usableBps = usableBps
  }

  /**
   * When `tier` may send a frame, if nobody else sends meanwhile: `nowMs` where it has anything left, with what the `idle`
   * tiers, which have nothing to say, lend it.
   */
  allowedAtMs(nowMs: number, tier: Tier, idle: readonly Tier[] = []): number {
    this.#refill(nowMs)
    const lentBytes = idle.reduce((sum, each) => sum + Math.max(0, this.#ownBytes[each - 1]!), 0)
    const missing = -(this.#ownBytes[tier - 1]! + this.#poolBytes + lentBytes)
    const owed = -this.#totalBytes()
    if (missing < 0 && owed < 0) return nowMs
    const lendersPerMs = idle.reduce((sum, each) => sum + this.#bytesPerMs(each - 1), this.#bytesPerMs(tier - 1))
    return nowMs + Math.ceil(Math.max(missing / lendersPerMs, owed / this.#allBytesPerMs())) + 1
  }

  /** Records what a tier sent: first from its own share, then from what others left, then from what `idle` tiers lend. */
  spend(nowMs: number, tier: Tier, bytes: number, idle: readonly Tier[] = []): void {
    this.#refill(nowMs)
    let left = this.#take(tier, bytes)
    const fromPool = Math.min(left, Math.max(0, this.#poolBytes))
    this.#poolBytes -= fromPool
    left -= fromPool
    for (const lender of idle) left = this.#take(lender, left)
    this.#ownBytes[tier - 1]! -= left
  }

  /** Records what the link itself said; it asks nobody, so others make up for it. */
  spendControl(nowMs: number, bytes: number): void {
    this.#refill(nowMs)
    this.#poolBytes -= bytes
  }

  /** Takes up to `bytes` of a tier's own; returns what is missing. */
  #take(tier: Tier, bytes: number): number {
    const taken = Math.min(bytes, Math.max(0, this.#ownBytes[tier - 1]!))
    this.#ownBytes[tier - 1]! -= taken
    return bytes - taken
  }

  #bytesPerMs(index: number): number {
    return (this.#usableBps * TIER_SHARES_PERMILLE[index]!) / 8_000_000
  }

  #allBytesPerMs(): number {
    return (this.#usableBps * ALL_PERMILLE) / 8_000_000
  }

  /** What is left in all; below 0 a frame is owed. */
  #totalBytes(): number {
    return this.#ownBytes.reduce((sum, bytes) => sum + bytes, this.#poolBytes)
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#atMs = nowMs
    // Who waits for what another owes loses nothing by it.
    const owedMs = Math.min(elapsedMs, Math.max(0, -this.#totalBytes() / this.#allBytesPerMs()))
    if (owedMs > 0) this.#earn(owedMs, false)
    if (elapsedMs > owedMs) this.#earn(elapsedMs - owedMs, true)
  }

  #earn(elapsedMs: number, isCapped: boolean): void {
    let overflow = 0
    for (let index = 0; index < TIERS; index++) {
      const before = this.#ownBytes[index]!
      let bytes = before + this.#bytesPerMs(index) * elapsedMs
      // A debt of the pool is paid before anyone saves.
      const owed = Math.min(Math.max(0, -this.#poolBytes), Math.max(0, bytes))
      bytes -= owed
      this.#poolBytes += owed
      const most = isCapped ? Math.max(this.#bytesPerMs(index) * ROUND_MS, Math.min(before, bytes)) : bytes
      overflow += bytes - Math.min(bytes, most)
      this.#ownBytes[index] = Math.min(bytes, most)
    }
    this.#poolBytes = Math.min(this.#allBytesPerMs() * ROUND_MS, this.#poolBytes + overflow)
  }
}

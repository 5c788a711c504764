/**
 * Round-trip estimate and retransmission timeout after RFC 6298: RTO = SRTT + max(G, 4·RTTVAR). Samples come from exchanges
 * that were sent once (Karn's rule is the caller's).
 */
export class RttEstimator {
  readonly #rtoMsFirst: number
  readonly #rtoMsMin: number
  #smoothedMs: number | undefined
  #variationMs = 0

  constructor(rtoMsFirst: number, rtoMsMin: number) {
    this.#rtoMsFirst = rtoMsFirst
    this.#rtoMsMin = rtoMsMin
  }

  get smoothedMs(): number | undefined {
    return this.#smoothedMs
  }

  get rtoMs(): number {
    if (this.#smoothedMs === undefined) return this.#rtoMsFirst
    return Math.max(this.#rtoMsMin, this.#smoothedMs + Math.max(CLOCK_GRANULARITY_MS, 4 * this.#variationMs))
  }

  sample(rttMs: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = rttMs
      this.#variationMs = rttMs / 2
      return
    }
    this.#variationMs += (Math.abs(this.#smoothedMs - rttMs) - this.#variationMs) / 4
    this.#smoothedMs += (rttMs - this.#smoothedMs) / 8
  }
}

const CLOCK_GRANULARITY_MS = 10

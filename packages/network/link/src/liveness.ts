import {
  BEACON_EARLY_SHARE,
  FALSE_DEATH_RATIO,
  IDLE_PROBE_FAST_MS,
  IDLE_PROBE_MS,
  IDLE_PROBE_SLOW_MS,
  LOSS_MEMORY_QUESTIONS,
  LOSS_PRIOR_QUESTIONS,
  PROBES_UNANSWERED_MAX,
  PROBES_UNANSWERED_MIN,
  SLOW_BELOW_BPS,
  UNANSWERED_PROBE_MS,
  WIDE_COUNTERS_FROM_BPS,
} from './limits.ts'
import type { Medium } from './medium.ts'

/**
 * Whether a neighbour is still there, and how far: it is asked when it was silent for long, or when it does not react to
 * what was sent; three questions without any authentic frame, and the link is dead. Where questions get lost more are asked.
 */
export class Liveness {
  /** Of an authentic frame. */
  lastHeardMs: number
  rttMs: number | undefined
  /** Before this the share for control traffic does not allow a question. */
  notBeforeMs = Number.NEGATIVE_INFINITY
  readonly #medium: Medium
  readonly #idleMs: number
  /** On slow media one end asks before the other does, so that not both do. */
  readonly #deferMs: number
  readonly #unansweredMs: number
  readonly #isFast: boolean
  #unansweredSinceMs = Number.POSITIVE_INFINITY
  #asked = 0
  /** Questions of the past, and how many of them had no answer though the neighbour was there. */
  #questions = 0
  #lost = 0
  /** Whether the newest question was. */
  #isAnswered = true
  #askedMs = Number.NEGATIVE_INFINITY
  #spacingMs = 0
  #beaconedMs = Number.NEGATIVE_INFINITY
  #doubtedMs = Number.NEGATIVE_INFINITY
  #doubtDueMs = Number.POSITIVE_INFINITY
  #token: number

  constructor(
    nowMs: number,
    medium: Medium,
    options: { rttMs: number | undefined; token: number /** Whether the peer asks first. */; defers: boolean },
  ) {
    this.lastHeardMs = nowMs
    this.rttMs = options.rttMs
    this.#medium = medium
    this.#token = options.token
    const { bitrateBps } = medium.facts
    this.#isFast = bitrateBps >= WIDE_COUNTERS_FROM_BPS
    const slowMs = Math.max(bitrateBps >= SLOW_BELOW_BPS ? IDLE_PROBE_MS : IDLE_PROBE_SLOW_MS, medium.probeSpacingMs)
    this.#idleMs = (this.#isFast ? IDLE_PROBE_FAST_MS : slowMs) / medium.pace
    this.#deferMs = options.defers && !this.#isFast ? medium.probeSpacingMs : 0
    this.#unansweredMs = Math.max(UNANSWERED_PROBE_MS / medium.pace, medium.probeSpacingMs)
  }

  /** An authentic frame came. */
  heard(nowMs: number): void {
    this.lastHeardMs = nowMs
    this.#unansweredSinceMs = Number.POSITIVE_INFINITY
    this.#doubtDueMs = Number.POSITIVE_INFINITY
    if (this.#asked > 0) this.#learn()
    this.#asked = 0
  }

  /** The peer still asks for what our questions would tell it: they start anew. */
  reprieve(): void {
    this.#asked = 0
  }

  /** A frame was sent; returns when the neighbour must have reacted. */
  sent(nowMs: number): number {
    if (this.#unansweredSinceMs === Number.POSITIVE_INFINITY) this.#unansweredSinceMs = nowMs
    return this.#unansweredSinceMs + this.#unansweredMs
  }

  /** A question of ours goes out now: its token. One that follows too soon is the same question again. */
  ask(nowMs: number): number {
    if (this.#asked > 0 && nowMs < this.dueMs) return this.#token
    this.#asked++
    this.#askedMs = nowMs
    // Two who lost their questions to each other must not repeat them together.
    this.#spacingMs = this.#medium.probeSpacingMs + this.#medium.spreadMs()
    this.#token = (this.#token + 1) >>> 0
    this.#isAnswered = false
    return this.#token
  }

  /** An answer came, after {@link heard}; one to an older question only shows that the neighbour lives. */
  answered(nowMs: number, token: number): void {
    if (token !== this.#token || this.#isAnswered) return
    this.#isAnswered = true
    this.#lost = Math.max(0, this.#lost - 1)
    const sampleMs = nowMs - this.#askedMs
    this.rttMs = this.rttMs === undefined ? sampleMs : this.rttMs + (sampleMs - this.rttMs) / 8
  }

  /** When there is something to do. */
  get dueMs(): number {
    if (this.#asked > 0) return this.#askedMs + this.#spacingMs
    const idleMs = this.#idleProbeMs + this.#deferMs
    return Math.min(this.lastHeardMs + idleMs, this.#unansweredSinceMs + this.#unansweredMs, this.#doubtDueMs)
  }

  /**
   * Its beacon came: asks soon whether it restarted, unless it is heard. On slow media, where each beacon would cost a probe, only
   * one that came out of turn says so, and no sooner after the last doubt than it would be asked anyway.
   */
  beaconed(nowMs: number, intervalMs: number): void {
    const isEarly = nowMs - this.#beaconedMs < BEACON_EARLY_SHARE * intervalMs
    this.#beaconedMs = nowMs
    if (!this.#isFast && (!isEarly || nowMs - this.#doubtedMs < this.#idleProbeMs)) return
    this.#doubtedMs = nowMs
    this.#doubtDueMs = Math.max(nowMs, this.lastHeardMs + 2 * this.#medium.probeSpacingMs)
  }

  get #idleProbeMs(): number {
    return Math.max(this.#idleMs, this.#medium.idleProbeMsMin)
  }

  /** Whether questions are open, so that the next one may not wait. */
  get asking(): boolean {
    return this.#asked > 0
  }

  /** Whether so many questions went unanswered that loss does not explain it; asked when due. */
  get dead(): boolean {
    const lossRatio = this.#lost / (this.#questions + LOSS_PRIOR_QUESTIONS)
    const needed = Math.ceil(Math.log(FALSE_DEATH_RATIO) / Math.log(lossRatio))
    return this.#asked >= Math.min(PROBES_UNANSWERED_MAX, Math.max(PROBES_UNANSWERED_MIN, needed))
  }

  /** The neighbour is there: what it does not answer yet counts as lost. */
  #learn(): void {
    this.#questions += this.#asked
    this.#lost += this.#asked
    if (this.#questions <= LOSS_MEMORY_QUESTIONS) return
    this.#questions /= 2
    this.#lost /= 2
  }
}

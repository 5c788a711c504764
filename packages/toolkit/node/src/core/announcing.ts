import type { Crypto, VerifyJob } from '@nexus/crypto'
import { type Announce, announceVerifyJob, decodeAnnounce, packetData, packetDestination } from '@nexus/framing'
import { VERIFYING_MAX, VERIFYING_PER_LINK_MAX } from './limits.ts'

/** An announce whose signature held. */
export interface VerifiedAnnounce {
  readonly link: number
  readonly packet: Uint8Array
  readonly destination: Uint8Array
  readonly announce: Announce
}

/** Checks many signatures; `done` comes now or later, once, with a verdict per job in order. */
export type VerifyPort = (
  jobs: readonly VerifyJob[],
  done: (nowMs: number, verdicts: readonly boolean[]) => void,
) => void

interface Waiting extends VerifiedAnnounce {
  readonly job: VerifyJob
}

/**
 * Announces on their way to the routing table: decoded, put to the signature check in batches, and handed on in the
 * order they came. Bounded in all and per neighbour; what does not fit is dropped, and will be announced again.
 */
export class AnnounceGate {
  readonly #crypto: Crypto
  readonly #verify: VerifyPort
  readonly #verified: (nowMs: number, announce: VerifiedAnnounce) => void
  readonly #refused: (link: number) => void
  readonly #perLink = new Map<number, number>()
  #waiting: Waiting[] = []
  #inCheck = 0

  constructor(
    crypto: Crypto,
    verify: VerifyPort,
    verified: (nowMs: number, announce: VerifiedAnnounce) => void,
    refused: (link: number) => void,
  ) {
    this.#crypto = crypto
    this.#verify = verify
    this.#verified = verified
    this.#refused = refused
  }

  /** Takes an announce packet. Returns false where there is no room. @throws {import('@nexus/framing').FramingError} */
  offer(link: number, packet: Uint8Array): boolean {
    const ofLink = this.#perLink.get(link) ?? 0
    if (ofLink >= VERIFYING_PER_LINK_MAX || this.#waiting.length + this.#inCheck >= VERIFYING_MAX) return false
    const own = packet.slice()
    const destination = packetDestination(own)
    const announce = decodeAnnounce(packetData(own))
    const job = announceVerifyJob(this.#crypto, destination, announce)
    this.#perLink.set(link, ofLink + 1)
    this.#waiting.push({ link, packet: own, destination, announce, job })
    return true
  }

  /** Sends what has gathered to the check. */
  flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting
    this.#waiting = []
    this.#inCheck += batch.length
    this.#verify(
      batch.map(({ job }) => job),
      (nowMs, verdicts) => this.#settle(nowMs, batch, verdicts),
    )
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0
  }

  #settle(nowMs: number, batch: readonly Waiting[], verdicts: readonly boolean[]): void {
    this.#inCheck -= batch.length
    for (const [at, entry] of batch.entries()) {
      const left = this.#perLink.get(entry.link)! - 1
      if (left === 0) this.#perLink.delete(entry.link)
      else this.#perLink.set(entry.link, left)
      if (verdicts[at]) this.#verified(nowMs, entry)
      else this.#refused(entry.link)
    }
  }
}

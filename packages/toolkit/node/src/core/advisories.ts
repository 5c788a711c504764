import { toHex } from '@nexus/codec'
import type { Gossip, RecordHandler } from '@nexus/gossip'
import {
  ADVISORY_BYTES_MIN,
  type AdvisoryStanding,
  addAdvisory,
  advisoryVerdict,
  advisoryVerifyJobs,
  decodeAdvisory,
  encodeAdvisory,
  IdentityError,
} from '@nexus/identity'
import type { VerifyPort } from './announcing.ts'
import type { Store } from './store.ts'

/** Gossip type of a key compromise advisory (docs/spec/gossip.md). */
export const ADVISORY_TYPE = 1
/** All but the signatures: both keys, sequence, evidence. */
const NAMED_BYTES = ADVISORY_BYTES_MIN - 64
const PREFIX = 'advisory/'
/** Keys whose advisories are followed; one in the economy's tier that nobody knows costs a stranger a signature only. */
export const ADVISORIES_MAX = 4_096

/** Follows key compromise advisories: gossips them, keeps them, and says when the verdict on a key changes. */
export class Advisories {
  readonly #standings = new Map<string, AdvisoryStanding>()
  readonly #store: Store
  readonly #changed: (compromisedKey: Uint8Array, verdict: string) => void

  constructor(store: Store, changed: (compromisedKey: Uint8Array, verdict: string) => void) {
    this.#store = store
    this.#changed = changed
  }

  /** Registers with gossip, and gives it what the disk holds. */
  attach(gossip: Gossip, verify: VerifyPort): void {
    gossip.register(handler(verify, (body) => this.#accept(body)))
    for (const [, body] of this.#store.entries(PREFIX)) gossip.publish({ type: ADVISORY_TYPE, body })
  }

  #accept(body: Uint8Array): void {
    const advisory = decodeAdvisory(body)
    const key = toHex(advisory.compromisedKey)
    const before = this.#standings.get(key)
    if (before === undefined && this.#standings.size >= ADVISORIES_MAX) return
    const standing = addAdvisory(before, advisory)
    if (standing === before) return
    this.#standings.set(key, standing)
    // Only what the verdict rests on is kept, at most two, however many a key signs.
    this.#store.atomically(() => {
      for (const [stored] of this.#store.entries(`${PREFIX}${key}/`)) this.#store.delete(stored)
      for (const [at, kept] of standing.advisories.entries())
        this.#store.put(`${PREFIX}${key}/${at}`, encodeAdvisory(kept))
    })
    const verdict = advisoryVerdict(standing)
    if (before === undefined || advisoryVerdict(before).kind !== verdict.kind)
      this.#changed(advisory.compromisedKey, verdict.kind)
  }
}

function handler(verify: VerifyPort, accepted: (body: Uint8Array) => void): RecordHandler {
  return {
    type: ADVISORY_TYPE,
    tier: 2,
    recordsMax: ADVISORIES_MAX,
    namedPart: (body) => body.subarray(0, NAMED_BYTES),
    validate: (record, answer) => {
      try {
        const jobs = advisoryVerifyJobs(decodeAdvisory(record.body))
        verify(jobs, (_nowMs, verdicts) => answer(verdicts.every(Boolean) ? 'valid' : 'invalid'))
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        answer('invalid')
      }
    },
    accepted: (record) => accepted(record.body),
  }
}

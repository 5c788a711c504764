import { sign, verify } from 'node:crypto'
import { assertLength } from '../check.ts'
import { isAcceptableKey, isAcceptableSignature } from '../encoding.ts'
import { KEY_BYTES, VERIFY_IN_FLIGHT_MAX } from '../limits.ts'
import type { VerifyHttpJob, VerifyJob } from '../provider.ts'
import type { RawEd25519 } from '../raw.ts'
import { jobMessage } from '../signing.ts'
import type { KeyCache } from './keys.ts'

/**
 * OpenSSL's Ed25519, whose equation is the cofactorless one and compares the encoding of R. It takes keys that are not
 * canonical or of small order, so these are turned away first.
 */
export function opensslEd25519(keys: KeyCache): RawEd25519 {
  return {
    sign(seed, message) {
      assertLength('the seed', seed, KEY_BYTES)
      return new Uint8Array(sign(null, message, keys.secretKey('Ed25519', seed)))
    },
    verify: (publicKey, signature, message) =>
      isAcceptableKey(publicKey) &&
      isAcceptableSignature(signature) &&
      verify(null, message, keys.publicKey(publicKey), signature),
  }
}

/**
 * Checks batches in the thread pool. All batches of one provider share the {@link VERIFY_IN_FLIGHT_MAX} places there;
 * jobs beyond wait in order, so that file and DNS work of the process, which uses the same pool, is not held up.
 */
export class BatchVerifier {
  readonly #keys: KeyCache
  readonly #waiting: Batch[] = []
  #inFlight = 0

  constructor(keys: KeyCache) {
    this.#keys = keys
  }

  get inFlight(): number {
    return this.#inFlight
  }

  verify(jobs: readonly (VerifyJob | VerifyHttpJob)[]): Promise<boolean[]> {
    return new Promise((resolve, reject) => {
      if (jobs.length === 0) resolve([])
      else {
        this.#waiting.push({ jobs, verdicts: [], next: 0, open: jobs.length, resolve, reject })
        this.#fill()
      }
    })
  }

  #fill(): void {
    while (this.#inFlight < VERIFY_IN_FLIGHT_MAX) {
      const batch = this.#waiting[0]
      if (batch === undefined) return
      const index = batch.next++
      if (batch.next >= batch.jobs.length) this.#waiting.shift()
      this.#start(batch, index)
    }
  }

  #start(batch: Batch, index: number): void {
    try {
      const { publicKey, signature } = batch.jobs[index]!
      const message = jobMessage(batch.jobs[index]!)
      if (message === undefined || !isAcceptableKey(publicKey) || !isAcceptableSignature(signature)) {
        settle(batch, index, false)
        return
      }
      this.#inFlight += 1
      verify(null, message, this.#keys.publicKey(publicKey), signature, (error, verdict) => {
        this.#inFlight -= 1
        settle(batch, index, error === null && verdict)
        this.#fill()
      })
    } catch (error) {
      // A tag that is no tag: the caller's mistake ends its own batch and no other.
      batch.reject(error)
      if (this.#waiting[0] === batch) this.#waiting.shift()
    }
  }
}

interface Batch {
  readonly jobs: readonly (VerifyJob | VerifyHttpJob)[]
  readonly verdicts: boolean[]
  next: number
  open: number
  resolve(verdicts: boolean[]): void
  reject(error: unknown): void
}

function settle(batch: Batch, index: number, verdict: boolean): void {
  batch.verdicts[index] = verdict
  batch.open -= 1
  if (batch.open === 0) batch.resolve(batch.verdicts)
}

import { sign, verify } from 'node:crypto'
import { assertLength } from '../check.ts'
import { isAcceptableKey, isAcceptableSignature } from '../encoding.ts'
import {
  KEY_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  VERIFY_IN_FLIGHT_MAX,
  WASM_MESSAGE_MAX_BYTES,
} from '../limits.ts'
import type { VerifyHttpJob, VerifyJob } from '../provider.ts'
import type { RawEd25519 } from '../raw.ts'
import { jobMessage } from '../signing.ts'
import type { KeyCache } from './keys.ts'
import type { Sodium } from './sodium.ts'

/**
 * Ed25519 in OpenSSL, and in wasm for keys met for the first time, which saves their import. Both have the cofactorless
 * equation and compare the encoding of R; what they and their releases disagree on is decided here: a key or an R that is
 * not canonical or of small order is turned away first.
 */
export function nodeEd25519(keys: KeyCache, sodium: Sodium): RawEd25519 {
  const wasmVerify = wasmVerifier(sodium)
  return {
    sign(seed, message) {
      assertLength('the seed', seed, KEY_BYTES)
      return new Uint8Array(sign(null, message, keys.secretKey('Ed25519', seed)))
    },
    verify(publicKey, signature, message) {
      if (!isAcceptableKey(publicKey) || !isAcceptableSignature(signature)) return false
      const key = message.length > WASM_MESSAGE_MAX_BYTES ? keys.publicKey(publicKey) : keys.publicKeyIfMet(publicKey)
      return key === undefined ? wasmVerify(publicKey, signature, message) : verify(null, message, key, signature)
    },
  }
}

function wasmVerifier(sodium: Sodium): RawEd25519['verify'] {
  const keyAt = sodium._malloc(PUBLIC_KEY_BYTES)
  const signatureAt = sodium._malloc(SIGNATURE_BYTES)
  const messageAt = sodium._malloc(WASM_MESSAGE_MAX_BYTES)
  return (publicKey, signature, message) => {
    const heap = sodium.HEAPU8
    heap.set(publicKey, keyAt)
    heap.set(signature, signatureAt)
    heap.set(message, messageAt)
    return sodium._crypto_sign_verify_detached(signatureAt, messageAt, message.length, 0, keyAt) === 0
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
      const done = (verdict: boolean): void => {
        this.#inFlight -= 1
        settle(batch, index, verdict)
        this.#fill()
      }
      verify(null, message, this.#keys.publicKey(publicKey), signature, (error, verdict) => done(!error && verdict))
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

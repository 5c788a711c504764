import type { Crypto, VerifyJob } from '@nexus/crypto'
import type { Verdict } from '@nexus/gossip'
import type { Ledger, LedgerRecord } from './ledger.ts'
import { BATCH_RECORDS, BATCHES_IN_FLIGHT, REVIEWS_MAX, WAITING_MAX } from './limits.ts'
import { verifyJobsOf } from './record-codec.ts'

export interface ValidatorOptions {
  readonly crypto: Crypto
  /** 16 bytes that every signature covers: records of another network are invalid here. */
  readonly networkId: Uint8Array
  /** A {@link Ledger}, or a sparse one. */
  readonly ledger: Pick<Ledger, 'admission' | 'insert'>
}

export interface ValidatorPorts {
  /** A batch was taken: makes what the ledger kept durable before verdicts are given. */
  taken?(): void
  /** `taken` or the crypto provider threw. The records in hand were answered with `refused`; the node should stop. */
  failed(error: unknown): void
}

interface Checking {
  readonly record: LedgerRecord
  readonly answer: (verdict: Verdict) => void
  readonly jobs: readonly VerifyJob[]
}

interface Parked extends Checking {
  reviews: number
}

/**
 * Judges records before the ledger takes them, cheapest question first: form, then the bounds of the ledger, and only
 * then signatures, many in one call of the crypto provider, which may use threads.
 *
 * A record that the bounds refuse while others are being checked waits for these, as they may make room for it. All
 * waiting is bounded; beyond it the answer is `refused`, and gossip offers the record again.
 */
export class Validator {
  readonly #crypto: Crypto
  readonly #networkId: Uint8Array
  readonly #ledger: ValidatorOptions['ledger']
  readonly #ports: ValidatorPorts
  readonly #checking: Checking[] = []
  #parked: Parked[] = []
  #inFlight = 0

  constructor(options: ValidatorOptions, ports: ValidatorPorts) {
    this.#crypto = options.crypto
    this.#networkId = options.networkId
    this.#ledger = options.ledger
    this.#ports = ports
  }

  /** Records that wait for their verdict, those being checked left out. */
  get waiting(): number {
    return this.#checking.length + this.#parked.length
  }

  /** Judges a record, and has the ledger take it if it is valid. Answers now or later, once. */
  offer(record: LedgerRecord, answer: (verdict: Verdict) => void): void {
    const jobs = verifyJobsOf(this.#crypto, this.#networkId, record)
    if (jobs === undefined) return answer('invalid')
    const admission = this.#ledger.admission(record)
    if (admission === 'known') return answer('valid')
    const mayBecomeKept =
      admission === 'kept' || (this.#isBusy() && (admission === 'ahead' || admission === 'uncredited'))
    if (!mayBecomeKept || this.waiting >= WAITING_MAX) return answer('refused')
    const waiting = { record, answer, jobs, reviews: 0 }
    if (admission === 'kept') this.#check(waiting)
    else this.#parked.push(waiting)
  }

  #isBusy(): boolean {
    return this.#inFlight > 0 || this.#checking.length > 0
  }

  #start(): void {
    while (this.#inFlight < BATCHES_IN_FLIGHT && this.#checking.length > 0) {
      this.#inFlight++
      // The next turn begins once all records at hand were offered, and so the batch is as large as it can be.
      void Promise.resolve().then(() => this.#checkNext())
    }
  }

  async #checkNext(): Promise<void> {
    const batch = this.#checking.splice(0, BATCH_RECORDS)
    if (batch.length === 0) {
      // The batch before took all.
      this.#inFlight--
      return
    }
    const verdicts = await this.#judge(batch).catch((error: unknown) => {
      this.#ports.failed(error)
      return batch.map((): Verdict => 'refused')
    })
    this.#inFlight--
    for (const [index, { answer }] of batch.entries()) answer(verdicts[index]!)
    this.#start()
    this.#reviewParked()
  }

  async #judge(batch: readonly Checking[]): Promise<Verdict[]> {
    const verdicts = await this.#crypto.verifyBatch(batch.flatMap(({ jobs }) => jobs))
    let at = 0
    const holds = batch.map(({ record, jobs }) => {
      const isSigned = verdicts.slice(at, at + jobs.length).every((verdict) => verdict)
      at += jobs.length
      if (isSigned) this.#ledger.insert(record)
      return isSigned
    })
    this.#ports.taken?.()
    // Asked once all of the batch is in: a record may have been evicted by a later one, or by itself.
    return batch.map(({ record }, index) => {
      if (!holds[index]) return 'invalid'
      return this.#ledger.admission(record) === 'known' ? 'valid' : 'refused'
    })
  }

  /** Looks again at what waits for room: what has it now is checked, the rest waits on as long as anything is checked. */
  #reviewParked(): void {
    const parked = this.#parked
    this.#parked = []
    const left: Parked[] = []
    for (const waiting of parked) {
      if (this.#ledger.admission(waiting.record) === 'kept') this.#check(waiting)
      else left.push(waiting)
    }
    for (const waiting of left) {
      if (this.#isBusy() && ++waiting.reviews < REVIEWS_MAX) this.#parked.push(waiting)
      else waiting.answer('refused')
    }
  }

  #check(waiting: Parked): void {
    this.#checking.push(waiting)
    this.#start()
  }
}

import { SentryError } from './errors.ts'

export interface BatchOptions {
  /** Items that one call takes. */
  readonly itemsMax: number
  /** Items that may wait; more are refused with `sentry/busy`. */
  readonly queueMax: number
  readonly what: string
  /** Runs a step after what waits in the event loop now, so that requests of one turn share a call. */
  readonly defer: (step: () => void) => void
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Shares calls: one is under way at a time, and what comes meanwhile is the next one. A call that fails fails those who
 * wait behind it too, so that nobody waits longer than one call may take.
 */
export class Batch<Item, Answer> {
  readonly #call: (items: readonly Item[]) => Promise<readonly Answer[]>
  readonly #options: BatchOptions
  readonly #waiting: Waiting<Item, Answer>[] = []
  #scheduled = false

  constructor(call: (items: readonly Item[]) => Promise<readonly Answer[]>, options: BatchOptions) {
    this.#call = call
    this.#options = options
  }

  /** @throws {SentryError} `sentry/busy`, and what the call throws */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { queueMax, what } = this.#options
      if (this.#waiting.length >= queueMax) throw new SentryError({ code: 'sentry/busy', what })
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.defer(() => void this.#run())
  }

  async #run(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#options.itemsMax)
    try {
      const answers = await this.#call(batch.map(({ item }) => item))
      for (const [at, { resolve }] of batch.entries()) resolve(answers[at]!)
    } catch (error) {
      for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error)
    }
    this.#scheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }
}

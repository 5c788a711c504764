import type { Agenda, Appointment } from './agenda.ts'

/** Between two slices the host has time for what else there is to do. */
const PAUSE_MS = 1

interface Job {
  /** Does a slice; whether there is more. */
  step(): boolean
}

/** Long work of a node in slices of some milliseconds, all jobs in turn, so that none holds up what else happens. */
export class Slices {
  readonly #agenda: Agenda
  readonly #jobs = new Set<Job>()
  #next: Appointment | undefined
  #isWorking = false

  constructor(agenda: Agenda) {
    this.#agenda = agenda
  }

  /** Jobs under way. */
  get size(): number {
    return this.#jobs.size
  }

  /**
   * Works until `steps` return: the first slice at once, where nothing else is under way.
   * @param done called with what they return, unless the function that is returned here was called before
   */
  run<T>(steps: Generator<void, T>, done: (value: T) => void): () => void {
    const job: Job = {
      step: () => {
        const { done: isDone, value } = steps.next()
        if (isDone && this.#jobs.delete(job)) done(value)
        return !isDone
      },
    }
    this.#jobs.add(job)
    if (this.#next === undefined && !this.#isWorking) this.#step()
    return () => this.#jobs.delete(job)
  }

  #step(): void {
    this.#next = undefined
    const [job] = this.#jobs
    if (job === undefined) return
    this.#isWorking = true
    try {
      const isMore = job.step()
      if (this.#jobs.delete(job) && isMore) this.#jobs.add(job)
    } finally {
      this.#isWorking = false
      if (this.#jobs.size > 0) this.#next = this.#agenda.after(PAUSE_MS, () => this.#step())
    }
  }
}

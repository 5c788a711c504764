import type { Vault } from '@nexus/vault'
import type { ProofBundle } from '../bundle.ts'
import type { ChainAdapter } from '../chain.ts'
import { Lane, type LaneLimits, type Step } from '../lane.ts'
import { CHAINS_MAX } from '../limits.ts'
import { proveEntry } from '../prover.ts'
import { enqueueDue, type Schedule } from '../schedule.ts'
import type { AnchorStore, ChainRecord } from '../store.ts'

export interface ChainSetup extends LaneLimits {
  readonly adapter: ChainAdapter
  /** Milliseconds between two looks at the chain; {@link POLL_MS} if not given. */
  readonly pollMs?: number
}

export interface AnchorerOptions {
  readonly vault: Pick<Vault, 'publicKey' | 'head' | 'receipt' | 'inclusion' | 'onGrowth'>
  readonly store: AnchorStore
  readonly chains: readonly ChainSetup[]
  readonly schedule: Schedule
  /** Told of each step that was more than waiting, and of each fault. */
  readonly report?: (event: AnchorEvent) => void
  /** Unix milliseconds. */
  readonly now?: () => number
}

export type AnchorEvent =
  | { readonly kind: 'step'; readonly chain: string; readonly step: Step }
  | { readonly kind: 'fault'; readonly chain: string; readonly error: Error; readonly retryMs: number }

/** One chain as `status` shows it. */
export interface ChainStatus extends ChainRecord {
  readonly chain: string
  /** Why the last step failed; absent where it did not. */
  readonly fault?: string
}

/** Between two looks at a chain. */
export const POLL_MS = 5_000

/** The longest that a chain that is down is left alone. */
export const RETRY_MS_MAX = 300_000

/**
 * Anchors a vault on several chains at once. Each chain has a loop of its own, so that one that is down holds up no
 * other, and none of them holds up the vault.
 */
export class Anchorer {
  readonly #options: AnchorerOptions
  readonly #runners: readonly ChainRunner[]
  #unsubscribe: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  /** @throws {RangeError} for no chain, too many, or two of one name */
  constructor(options: AnchorerOptions) {
    const names = new Set(options.chains.map(({ adapter }) => adapter.chain))
    if (names.size !== options.chains.length) throw new RangeError('two adapters have the same chain')
    if (names.size < 1 || names.size > CHAINS_MAX) throw new RangeError(`anchoring needs 1 to ${CHAINS_MAX} chains`)
    this.#options = options
    const now = options.now ?? Date.now
    const report = options.report ?? (() => undefined)
    this.#runners = options.chains.map((setup) => new ChainRunner(setup, options.store, now, report))
  }

  /** Goes on from what the queue holds, and anchors what becomes due. */
  start(): void {
    if (this.#unsubscribe !== undefined) throw new TypeError('the anchorer runs already')
    this.#unsubscribe = this.#options.vault.onGrowth(() => this.#consider())
    this.#timer = setInterval(() => this.#consider(), Math.min(this.#options.schedule.everyMs, 60_000))
    this.#timer.unref()
    for (const runner of this.#runners) runner.start()
    this.#consider()
  }

  /** Ends after the steps under way; the queue keeps the rest. */
  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearInterval(this.#timer)
    await Promise.all(this.#runners.map((runner) => runner.stop()))
  }

  /** Lets the vault's head wait for every chain that does not have it, whatever the schedule says; returns those. */
  anchorNow(): Promise<readonly string[]> {
    return this.#enqueue(true)
  }

  status(): readonly ChainStatus[] {
    return this.#runners.map(({ chain, fault }) => ({
      chain,
      ...this.#options.store.record(chain),
      ...(fault !== undefined && { fault }),
    }))
  }

  /** @throws {VaultError} `vault/range` for an entry that is not there */
  prove(index: number): Promise<ProofBundle> {
    const { vault, store } = this.#options
    const chains = this.#runners.map(({ chain }) => chain)
    return proveEntry(vault, store, chains, index)
  }

  #consider(): void {
    this.#enqueue(false).catch((error: Error) => {
      const report = this.#options.report
      for (const { chain } of this.#runners) report?.({ kind: 'fault', chain, error, retryMs: POLL_MS })
    })
  }

  async #enqueue(force: boolean): Promise<readonly string[]> {
    const { vault, store, schedule, now = Date.now } = this.#options
    const head = await vault.head()
    if (head === undefined) return []
    const chains = this.#runners.map(({ chain }) => chain)
    const due = enqueueDue(store, chains, schedule, head, { nowMs: now(), force })
    for (const runner of this.#runners) if (due.includes(runner.chain)) runner.wake()
    return due
  }
}

/** The loop of one chain. */
class ChainRunner {
  fault: string | undefined
  readonly #lane: Lane
  readonly #pollMs: number
  readonly #now: () => number
  readonly #report: (event: AnchorEvent) => void
  #timer: NodeJS.Timeout | undefined
  #running = false
  #stepping: Promise<void> | undefined
  #retryMs = 0

  constructor(setup: ChainSetup, store: AnchorStore, now: () => number, report: (event: AnchorEvent) => void) {
    this.#lane = new Lane(setup.adapter, store, setup)
    this.#pollMs = setup.pollMs ?? POLL_MS
    this.#now = now
    this.#report = report
  }

  get chain(): string {
    return this.#lane.chain
  }

  start(): void {
    this.#running = true
    this.#after(0)
  }

  async stop(): Promise<void> {
    this.#running = false
    clearTimeout(this.#timer)
    await this.#stepping
  }

  /** Looks now, unless the chain is down: then it keeps its distance. */
  wake(): void {
    if (this.#running && this.#stepping === undefined && this.#retryMs === 0) this.#after(0)
  }

  #after(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#stepping = this.#step().finally(() => {
        this.#stepping = undefined
      })
    }, ms)
    this.#timer.unref()
  }

  async #step(): Promise<void> {
    let waitMs = this.#pollMs
    try {
      const step = await this.#lane.step(this.#now())
      this.fault = undefined
      this.#retryMs = 0
      if (step.kind !== 'idle' && step.kind !== 'waits') {
        this.#report({ kind: 'step', chain: this.chain, step })
        // What follows from it may be done at once, and a chain that confirms at once waits for nobody.
        waitMs = Math.min(waitMs, 50)
      }
    } catch (error) {
      this.#retryMs = Math.min(this.#retryMs === 0 ? this.#pollMs : this.#retryMs * 2, RETRY_MS_MAX)
      waitMs = this.#retryMs
      this.fault = (error as Error).message
      this.#report({ kind: 'fault', chain: this.chain, error: error as Error, retryMs: waitMs })
    }
    if (this.#running) this.#after(waitMs)
  }
}

import type { SignedTreeHead } from '@nexus/vault'
import type { ChainAdapter, Standing, Statement, Submission } from './chain.ts'
import { AnchoringError } from './errors.ts'
import { ATTEMPTS_MAX, OPEN_ANCHORS_MAX, SPENDING_WINDOW_MS } from './limits.ts'
import type { Anchor, AnchorStore, ConfirmedAnchor } from './store.ts'

export interface LaneLimits {
  /** The most that may be spent in 24 hours, in the chain's smallest unit. */
  readonly dailyCap: bigint
  /** Milliseconds after which a submission that is in no block yet gets a replacement that pays more. */
  readonly patienceMs: number
}

/** What one step of a lane did. */
export type Step =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sent'; readonly size: number }
  | { readonly kind: 'waits'; readonly size: number; readonly depth: number }
  | { readonly kind: 'confirmed'; readonly size: number }
  | { readonly kind: 'refused'; readonly size: number; readonly reason: string }
  | { readonly kind: 'requeued'; readonly size: number }

/**
 * Moves one chain's queue: sign, store, then send, and send the same bytes again until the chain confirms them. A crash
 * between any two of these loses nothing and pays for nothing twice, since what is stored says what may have been sent.
 */
export class Lane {
  readonly #adapter: ChainAdapter
  readonly #store: AnchorStore
  readonly #limits: LaneLimits

  constructor(adapter: ChainAdapter, store: AnchorStore, limits: LaneLimits) {
    this.#adapter = adapter
    this.#store = store
    this.#limits = limits
  }

  get chain(): string {
    return this.#adapter.chain
  }

  /** Goes one step further. @throws {AnchoringError} as the adapter does: the queue stands as it stood */
  async step(nowMs: number): Promise<Step> {
    const lost = await this.#lostConfirmation()
    if (lost !== undefined) {
      this.#store.reopen(lost.no)
      return { kind: 'requeued', size: lost.head.size }
    }
    const open = this.#store.open(this.chain)
    let last: Step = { kind: 'idle' }
    for (const anchor of open) last = await this.#follow(anchor, nowMs)
    if (open.length > 0) return last
    const head = this.#store.waiting(this.chain)
    return head === undefined ? last : this.#begin(head, nowMs)
  }

  async #begin(head: SignedTreeHead, nowMs: number): Promise<Step> {
    const submission = await this.#adapter.sign(head, this.#left(nowMs))
    this.#store.begin(this.chain, head, submission, nowMs)
    await this.#adapter.submit(submission)
    return { kind: 'sent', size: head.size }
  }

  async #follow(anchor: Anchor, nowMs: number): Promise<Step> {
    const { size } = anchor.head
    const standings: Standing[] = []
    for (const attempt of anchor.attempts) standings.push(await this.#adapter.confirm(attempt, statement(anchor)))
    for (const standing of standings) {
      if (standing.kind === 'included') return { kind: 'waits', size, depth: standing.depth }
      if (standing.kind === 'confirmed') {
        this.#store.confirm(anchor.no, standing.receipt, standing.cost, nowMs)
        return { kind: 'confirmed', size }
      }
      if (standing.kind === 'refused') {
        this.#store.refuse(anchor.no, standing.reason, standing.cost, nowMs)
        return { kind: 'refused', size, reason: standing.reason }
      }
    }
    if (standings.every(({ kind }) => kind === 'void')) {
      this.#store.abandon(anchor.no)
      return { kind: 'requeued', size }
    }
    await this.#send(anchor, standings, nowMs)
    return { kind: 'waits', size, depth: 0 }
  }

  /** The newest submission is what should be included; older ones are sent too while the chain may prefer them. */
  async #send(anchor: Anchor, standings: readonly Standing[], nowMs: number): Promise<void> {
    const newest = anchor.attempts.at(-1)!
    const impatient = nowMs - newest.signedMs >= this.#limits.patienceMs && anchor.attempts.length < ATTEMPTS_MAX
    const replacement = impatient ? await this.#replacement(anchor, newest, nowMs) : undefined
    if (replacement !== undefined) {
      this.#store.addAttempt(anchor.no, replacement, nowMs)
      await this.#adapter.submit(replacement)
      return
    }
    if (standings.at(-1)?.kind === 'absent') await this.#adapter.submit(newest)
  }

  /** None where the cap leaves no room: then the first stays what is sent. */
  async #replacement(anchor: Anchor, newest: Submission, nowMs: number): Promise<Submission | undefined> {
    try {
      // Of one sequence one submission is paid for: what the replaced one may cost is free again.
      return await this.#adapter.sign(statement(anchor), this.#left(nowMs) + newest.costMax, newest)
    } catch (error) {
      if (error instanceof AnchoringError && error.detail.code === 'anchoring/cap') return undefined
      throw error
    }
  }

  /** The newest confirmed anchor, where its chain does not hold it any more. */
  async #lostConfirmation(): Promise<ConfirmedAnchor | undefined> {
    if (this.#store.open(this.chain).length >= OPEN_ANCHORS_MAX) return undefined
    const newest = this.#store.newestConfirmed(this.chain)
    if (newest === undefined) return undefined
    const reading = await this.#adapter.verify(newest.receipt, statement(newest))
    return reading.kind === 'fails' ? newest : undefined
  }

  #left(nowMs: number): bigint {
    const left = this.#limits.dailyCap - this.#store.spent(this.chain, nowMs - SPENDING_WINDOW_MS)
    return left > 0n ? left : 0n
  }
}

function statement({ head: { logId, size, root } }: Anchor): Statement {
  return { logId, size, root }
}

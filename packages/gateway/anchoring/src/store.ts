import type { SignedTreeHead } from '@nexus/vault'
import type { Submission } from './chain.ts'
import type { Receipt } from './receipt.ts'

/** A head on its way to one chain, or there. */
export interface Anchor {
  readonly no: number
  readonly chain: string
  readonly head: SignedTreeHead
  /** What was signed for it, oldest first. */
  readonly attempts: readonly (Submission & { readonly signedMs: number })[]
}

/** An anchor that its chain confirmed. */
export interface ConfirmedAnchor extends Anchor {
  readonly receipt: Receipt
  /** Its place among all confirmations of all chains; one that is taken back loses it, and none gets it again. */
  readonly confirmedNo: number
  readonly confirmedMs: number
}

/** What happened last to a chain's refused or lost anchors, and what stands in its queue. */
export interface ChainRecord {
  readonly waiting: SignedTreeHead | undefined
  readonly open: readonly Anchor[]
  readonly confirmed: number
  readonly newest: ConfirmedAnchor | undefined
  readonly lastRefusal: { readonly reason: string; readonly atMs: number } | undefined
}

/**
 * The durable queue: a write is on the disk when its call returns. Of heads that wait for a chain only the newest is
 * kept, since its tree holds all that the others prove; so the queue of a chain that is down stays small.
 */
export interface AnchorStore {
  /** Lets a signed head wait for a chain, in the place of an older one. */
  enqueue(chain: string, head: SignedTreeHead): void
  waiting(chain: string): SignedTreeHead | undefined
  /** The newest head that the chain was given: it waits, is under way, is there, or was refused. */
  newest(chain: string): SignedTreeHead | undefined

  /** Takes the waiting head as an anchor with its first submission, which may be sent from now on. */
  begin(chain: string, head: SignedTreeHead, submission: Submission, nowMs: number): Anchor
  addAttempt(no: number, submission: Submission, nowMs: number): void
  /** Anchors that are signed and not confirmed, oldest first. */
  open(chain: string): readonly Anchor[]

  confirm(no: number, receipt: Receipt, cost: bigint, nowMs: number): void
  /** The contract refused it; it is not tried again, for a newer head will be. */
  refuse(no: number, reason: string, cost: bigint, nowMs: number): void
  /** No submission of it can be included any more: its head waits again unless a newer one does. */
  abandon(no: number): void
  /** The chain took its confirmation back: its submissions are sent again. */
  reopen(no: number): void

  newestConfirmed(chain: string): ConfirmedAnchor | undefined
  /** The oldest confirmed anchor of a chain that covers entry `index`. */
  covering(chain: string, index: number): ConfirmedAnchor | undefined
  /** Confirmed anchors of one head, by chain. */
  holding(size: number): readonly ConfirmedAnchor[]
  /** Up to `count` confirmed anchors of all chains with a `confirmedNo` above this one, in that order. */
  confirmedAfter(confirmedNo: number, count: number): readonly ConfirmedAnchor[]

  /** The most that a chain's submissions since `sinceMs` have cost or may still cost, in its smallest unit. */
  spent(chain: string, sinceMs: number): bigint
  record(chain: string): ChainRecord
}

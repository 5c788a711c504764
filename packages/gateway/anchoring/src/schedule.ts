import type { SignedTreeHead, TreeHead } from '@nexus/vault'
import type { AnchorStore } from './store.ts'

export interface Schedule {
  /** Entries after which a head is anchored without waiting for the time. */
  readonly everyEntries: number
  /** Milliseconds after which it is anchored if there is one entry more. */
  readonly everyMs: number
}

/** Whether `head` is to be anchored, where the newest one given to the chain is `before`. */
export function isDue(schedule: Schedule, before: TreeHead | undefined, head: TreeHead, nowMs: number): boolean {
  if (head.size === 0) return false
  if (before === undefined) return true
  const grown = head.size - before.size
  return grown > 0 && (grown >= schedule.everyEntries || nowMs - before.timeMs >= schedule.everyMs)
}

/** Lets `head` wait for each chain that is due; `force` for each that does not have it. Returns those chains. */
export function enqueueDue(
  store: AnchorStore,
  chains: readonly string[],
  schedule: Schedule,
  head: SignedTreeHead,
  { nowMs, force = false }: { readonly nowMs: number; readonly force?: boolean },
): readonly string[] {
  const due = chains.filter((chain) => {
    const before = store.newest(chain)
    return isDue(schedule, before, head, nowMs) || (force && head.size > (before?.size ?? 0))
  })
  for (const chain of due) store.enqueue(chain, head)
  return due
}

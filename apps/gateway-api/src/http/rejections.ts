import type { Rejection } from '@nexus/sentry'
import { REJECTIONS_KEPT } from '../limits.ts'

/** The newest rejections, for operators and auditors: they hold no identity, header, token or body. */
export class RecentRejections {
  readonly #kept: Rejection[] = []

  add(rejection: Rejection): void {
    if (this.#kept.push(rejection) > REJECTIONS_KEPT) this.#kept.shift()
  }

  /** Newest first. */
  list(): readonly Rejection[] {
    return this.#kept.toReversed()
  }
}

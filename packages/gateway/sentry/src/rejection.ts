import type { SentryError } from './errors.ts'

/** A refusal as an event for logs and metrics: never an identity, a header, a token or a body. */
export interface Rejection {
  /** Unix milliseconds. */
  readonly timeMs: number
  /** What judged: an adapter, `ed25519`, `session`, or `none` where it did not come so far. */
  readonly adapter: string
  /** `sentry/…`; of a login, `sentry/login:` and its fault. */
  readonly reason: string
  readonly requestId: string
}

/** Refusals since the start, by adapter and reason: both are few by nature. */
export class RejectionCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  add({ adapter, reason }: Rejection): void {
    const reasons = this.#counts.get(adapter) ?? new Map<string, number>()
    this.#counts.set(adapter, reasons.set(reason, (reasons.get(reason) ?? 0) + 1))
  }

  /** For a metric with two labels. */
  list(): readonly { readonly adapter: string; readonly reason: string; readonly count: number }[] {
    return [...this.#counts].flatMap(([adapter, reasons]) =>
      [...reasons].map(([reason, count]) => ({ adapter, reason, count })),
    )
  }
}

/** @internal */
export function reasonOf({ detail }: SentryError): string {
  return detail.code === 'sentry/login' ? `${detail.code}:${detail.fault}` : detail.code
}

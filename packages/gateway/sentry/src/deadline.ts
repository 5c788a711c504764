import { SentryError } from './errors.ts'
import { VERIFIER_TIMEOUT_MS } from './limits.ts'

/** Calls `step` after `delayMs` unless what it returned is called before. */
export type Delay = (delayMs: number, step: () => void) => () => void

/**
 * What the work gives, within {@link VERIFIER_TIMEOUT_MS}. A refusal of its own stays; anything else that it throws, and
 * silence, are refusals too: there is no way on from here without an answer.
 * @throws {SentryError} `sentry/verifier-timeout`, `sentry/verifier-down`, and its own
 */
export async function withDeadline<T>(delay: Delay, work: () => T | Promise<T>): Promise<T> {
  try {
    const answer = work()
    return answer instanceof Promise ? await raced(delay, answer) : answer
  } catch (cause) {
    throw cause instanceof SentryError ? cause : new SentryError({ code: 'sentry/verifier-down' }, { cause })
  }
}

function raced<T>(delay: Delay, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = delay(VERIFIER_TIMEOUT_MS, () => reject(new SentryError({ code: 'sentry/verifier-timeout' })))
    answer.then(resolve, reject).finally(cancel)
  })
}

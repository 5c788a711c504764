import { type Crypto, systemRandom } from '@nexus/crypto'
import type { JSONWebKeySet } from 'jose'
import type { SentryPorts } from '../options.ts'

/** How long reading the keys may take: less than a verifier has, so that the reason is told. */
const FETCH_TIMEOUT_MS = 4_000
const KEYS_CHARS_MAX = 65_536

/** The ports of a sentry in Node.js. Its timers keep no process alive. */
export function nodeSentryPorts(crypto: Crypto): SentryPorts {
  return {
    crypto,
    random: systemRandom,
    now: Date.now,
    delay(delayMs, step) {
      const timer = setTimeout(step, delayMs).unref()
      return () => clearTimeout(timer)
    },
    defer: (step) => void setImmediate(step),
  }
}

/** Reads the key set of a Cloudflare Access team. @throws {Error} where it cannot be had in 4 s */
export async function fetchAccessKeys(issuer: string): Promise<JSONWebKeySet> {
  const answer = await fetch(`${issuer}/cdn-cgi/access/certs`, {
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    redirect: 'error',
  })
  if (!answer.ok) throw new Error(`${issuer} answers ${answer.status}`)
  const text = await answer.text()
  if (text.length > KEYS_CHARS_MAX) throw new Error(`${issuer} has too many keys`)
  return JSON.parse(text) as JSONWebKeySet
}

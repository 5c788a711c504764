import { concatBytes, encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { type Crypto, equalConstantTime, type Random } from '@nexus/crypto'
import { SentryError } from './errors.ts'
import { CHALLENGE_LIFE_MS, SKEW_MS } from './limits.ts'

/**
 * Nonces that a login proof answers. They carry their own proof of origin, so that asking for one, which anybody may,
 * takes no room in the store; only the one that was answered is remembered, until it expires.
 *
 * | at | bytes | field |
 * | -: | ----: | - |
 * | 0 | 6 | Unix milliseconds, big-endian |
 * | 6 | 10 | random |
 * | 16 | 16 | HMAC-SHA256 over both and the adapter's name, cut |
 *
 * As text: 64 characters of lower-case hexadecimal, which every wallet's message takes.
 */
export interface Challenges {
  issue(adapter: string, nowMs: number): Challenge
  /** Until when an answered challenge has to be remembered. @throws {SentryError} `sentry/challenge` */
  check(adapter: string, nonce: string, nowMs: number): number
}

export interface Challenge {
  readonly nonce: string
  readonly expiresMs: number
}

const NONCE = /^[0-9a-f]{64}$/
const TIME_BYTES = 6
const RANDOM_BYTES = 10
const MAC_BYTES = 16

export function createChallenges(crypto: Crypto, key: Uint8Array, random: Random): Challenges {
  const macOf = (head: Uint8Array, adapter: string): Uint8Array =>
    crypto.hmacSha256(key, concatBytes(head, encodeUtf8(adapter))).subarray(0, MAC_BYTES)
  return {
    issue(adapter, nowMs) {
      const head = new Uint8Array(TIME_BYTES + RANDOM_BYTES)
      for (let at = 0, rest = nowMs; at < TIME_BYTES; at++, rest = Math.floor(rest / 256))
        head[TIME_BYTES - 1 - at] = rest
      head.set(random(RANDOM_BYTES), TIME_BYTES)
      return { nonce: toHex(concatBytes(head, macOf(head, adapter))), expiresMs: nowMs + CHALLENGE_LIFE_MS }
    },
    check(adapter, nonce, nowMs) {
      if (!NONCE.test(nonce)) throw fault('foreign')
      const bytes = fromHex(nonce)
      const head = bytes.subarray(0, TIME_BYTES + RANDOM_BYTES)
      if (!equalConstantTime(bytes.subarray(head.length), macOf(head, adapter))) throw fault('foreign')
      const issuedMs = head.subarray(0, TIME_BYTES).reduce((sum, byte) => sum * 256 + byte, 0)
      const untilMs = issuedMs + CHALLENGE_LIFE_MS
      // One made by a gateway whose clock is further ahead than clocks may be is as wrong as an old one.
      if (nowMs >= untilMs || issuedMs > nowMs + SKEW_MS) throw fault('expired')
      return untilMs
    },
  }
}

function fault(what: 'expired' | 'foreign'): SentryError {
  return new SentryError({ code: 'sentry/challenge', what })
}

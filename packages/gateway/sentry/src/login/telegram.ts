import { encodeUtf8, fromHex } from '@nexus/codec'
import { type Crypto, equalConstantTime } from '@nexus/crypto'
import { INIT_DATA_LIFE_MS, INIT_DATA_PAIRS_MAX, LOGIN_BYTES_MAX, SECOND_MS, SKEW_MS } from '../limits.ts'
import { type IdentityAdapter, loginFault, stringFields, utf8 } from './adapter.ts'

/** Init data of a Telegram Mini App, whose hash holds. */
export interface InitData {
  readonly userId: string
  /** Unix milliseconds. */
  readonly authMs: number
  /** 32 bytes, over all the rest. */
  readonly hash: Uint8Array
}

const HASH = /^[0-9a-f]{64}$/
const SECONDS = /^[1-9][0-9]{0,11}$/

/**
 * Takes `{ initData }`: the string that a Mini App is started with. Telegram knows no challenge, so the data is good for
 * 300 s and its hash is remembered for as long. The identity is `telegram:<user id>`.
 */
export function telegramAdapter(crypto: Crypto, botToken: string): IdentityAdapter {
  const key = crypto.hmacSha256(encodeUtf8('WebAppData'), encodeUtf8(botToken))
  return {
    name: 'telegram',
    verify(proof, nowMs) {
      const { userId, authMs, hash } = readInitData(crypto, key, stringFields(proof, 'initData').initData)
      if (authMs > nowMs + SKEW_MS) throw loginFault('early')
      const untilMs = authMs + INIT_DATA_LIFE_MS
      if (untilMs < nowMs) throw loginFault('expired')
      return { identity: `telegram:${userId}`, once: { kind: 'itself', digest: hash, untilMs: untilMs + 1 } }
    },
  }
}

/**
 * Reads and verifies init data: HMAC-SHA256 over the pairs, sorted, one a line, `hash` left out.
 * @throws {SentryError} `sentry/login`
 */
export function readInitData(crypto: Crypto, key: Uint8Array, initData: string): InitData {
  const pairs = readPairs(initData)
  const hash = pairs.get('hash')
  if (hash === undefined || !HASH.test(hash)) throw loginFault('malformed')
  pairs.delete('hash')
  const lines = [...pairs].map(([name, value]) => `${name}=${value}`).sort()
  const expected = crypto.hmacSha256(key, utf8(lines.join('\n')))
  const given = fromHex(hash)
  if (!equalConstantTime(given, expected)) throw loginFault('signature')
  const auth = pairs.get('auth_date')
  if (auth === undefined || !SECONDS.test(auth)) throw loginFault('malformed')
  return { userId: userIdOf(pairs.get('user')), authMs: Number(auth) * SECOND_MS, hash: given }
}

function readPairs(initData: string): Map<string, string> {
  if (initData.length > LOGIN_BYTES_MAX) throw loginFault('malformed')
  const parts = initData.split('&')
  if (parts.length > INIT_DATA_PAIRS_MAX) throw loginFault('malformed')
  const pairs = new Map<string, string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    if (at < 1) throw loginFault('malformed')
    const name = decode(part.slice(0, at))
    const value = decode(part.slice(at + 1))
    // A line of the checked text must be one pair, or two different sets of pairs would have one hash.
    if (pairs.has(name) || /[=\n]/.test(name) || value.includes('\n')) throw loginFault('malformed')
    pairs.set(name, value)
  }
  return pairs
}

/** Percent-decoded, `+` for a space, as Telegram's own clients write it. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw loginFault('malformed', { cause })
  }
}

function userIdOf(json: string | undefined): string {
  let user: unknown
  try {
    user = JSON.parse(json ?? '')
  } catch (cause) {
    throw loginFault('malformed', { cause })
  }
  const id = (user as { readonly id?: unknown } | null)?.id
  if (!Number.isSafeInteger(id) || (id as number) < 1) throw loginFault('malformed')
  return String(id)
}

import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '@nexus/codec'
import { type Crypto, equalConstantTime, type Random } from '@nexus/crypto'
import { type IdentityContext, type RedeemedTicket, SentryError } from '@nexus/sentry'
import { TICKET_LIFE_MS } from '../limits.ts'

const RANDOM_BYTES = 16
const SESSION_BYTES = 16
const MAC_BYTES = 16
const IDENTITY_AT = 8 + RANDOM_BYTES + SESSION_BYTES
const TICKET_CHARS_MAX = 512
const TICKET = /^[A-Za-z0-9_-]+$/
const NO_SESSION = new Uint8Array(SESSION_BYTES)

export interface Ticket {
  /** base64url. */
  readonly ticket: string
  readonly expiresMs: number
}

/**
 * Tickets that open one stream of events, for browsers whose event source cannot sign. A ticket carries its own proof, so
 * any gateway of the ledger takes it; the sentry remembers that it was used, where nonces are, before the stream begins.
 *
 * | at | bytes | field |
 * | -: | ----: | - |
 * | 0 | 8 | end u64, Unix milliseconds |
 * | 8 | 16 | random |
 * | 24 | 16 | id of the session that it was issued to; zeros for one issued to a key |
 * | 40 | n | identity, UTF-8 |
 * | 40 + n | 16 | HMAC-SHA256 over all before, cut |
 */
export class Tickets {
  readonly #crypto: Crypto
  readonly #key: Uint8Array
  readonly #random: Random

  constructor(crypto: Crypto, seed: Uint8Array, random: Random) {
    this.#crypto = crypto
    this.#key = crypto.hkdfSha256(seed, new Uint8Array(0), encodeUtf8('nexus-gateway/stream-ticket'), 32)
    this.#random = random
  }

  issue({ id, session = NO_SESSION }: IdentityContext, nowMs: number): Ticket {
    const expiresMs = nowMs + TICKET_LIFE_MS
    const name = encodeUtf8(id)
    const writer = new ByteWriter(IDENTITY_AT + name.length).u64(BigInt(expiresMs)).bytes(this.#random(RANDOM_BYTES))
    const claim = writer.bytes(session).bytes(name).finish()
    return { ticket: Buffer.concat([claim, this.#mac(claim)]).toString('base64url'), expiresMs }
  }

  /** What a ticket proves, of now. @throws {SentryError} `sentry/ticket` for one that is none, or is over */
  redeem(ticket: string, nowMs: number): RedeemedTicket {
    const bytes = ticket.length > TICKET_CHARS_MAX || !TICKET.test(ticket) ? [] : Buffer.from(ticket, 'base64url')
    if (bytes.length <= IDENTITY_AT + MAC_BYTES) throw refused('it is none')
    const claim = new Uint8Array(bytes.slice(0, -MAC_BYTES))
    if (!equalConstantTime(this.#mac(claim), new Uint8Array(bytes.slice(-MAC_BYTES)))) throw refused('it is none')
    const reader = new ByteReader(claim, () => refused('it is none'))
    const untilMs = Number(reader.u64())
    if (untilMs <= nowMs) throw refused('it is over')
    const id = decodeUtf8(claim.slice(IDENTITY_AT))
    if (id === undefined) throw refused('it is none')
    const session = claim.slice(IDENTITY_AT - SESSION_BYTES, IDENTITY_AT)
    const held = session.some((byte) => byte !== 0) ? { session } : {}
    return {
      identity: { id, adapter: 'ticket', ...held },
      once: { hash: this.#crypto.sha256(claim).slice(0, 16), untilMs },
    }
  }

  #mac(claim: Uint8Array): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, claim).slice(0, MAC_BYTES)
  }
}

function refused(what: string): SentryError {
  return new SentryError({ code: 'sentry/ticket', what })
}

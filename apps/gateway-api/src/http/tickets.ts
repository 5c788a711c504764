import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '@nexus/codec'
import { type Crypto, equalConstantTime, type Random } from '@nexus/crypto'
import type { SentryStore } from '@nexus/sentry'
import { TICKET_LIFE_MS } from '../limits.ts'
import { ProblemError, problemOf } from './problem.ts'

const RANDOM_BYTES = 16
const MAC_BYTES = 16
const TICKET_CHARS_MAX = 512
const TICKET = /^[A-Za-z0-9_-]+$/

export interface Ticket {
  /** base64url. */
  readonly ticket: string
  readonly expiresMs: number
}

/**
 * Tickets that open one stream of events, for browsers whose event source cannot sign. A ticket carries its own proof, so
 * any gateway of the ledger takes it; that it was used is remembered where nonces are, before the stream begins.
 *
 * | at | bytes | field |
 * | -: | ----: | - |
 * | 0 | 8 | end u64, Unix milliseconds |
 * | 8 | 16 | random |
 * | 24 | n | identity, UTF-8 |
 * | 24 + n | 16 | HMAC-SHA256 over all before, cut |
 */
export class Tickets {
  readonly #crypto: Crypto
  readonly #key: Uint8Array
  readonly #random: Random
  readonly #store: Pick<SentryStore, 'useNonces'>

  constructor(crypto: Crypto, seed: Uint8Array, random: Random, store: Pick<SentryStore, 'useNonces'>) {
    this.#crypto = crypto
    this.#key = crypto.hkdfSha256(seed, new Uint8Array(0), encodeUtf8('nexus-gateway/ticket'), 32)
    this.#random = random
    this.#store = store
  }

  issue(identity: string, nowMs: number): Ticket {
    const expiresMs = nowMs + TICKET_LIFE_MS
    const id = encodeUtf8(identity)
    const writer = new ByteWriter(8 + RANDOM_BYTES + id.length)
    const claim = writer.u64(BigInt(expiresMs)).bytes(this.#random(RANDOM_BYTES)).bytes(id).finish()
    return { ticket: Buffer.concat([claim, this.#mac(claim)]).toString('base64url'), expiresMs }
  }

  /** The identity that a ticket was made for. @throws {ProblemError} 401 for one that is none, is over, or was used */
  async redeem(ticket: string, nowMs: number): Promise<string> {
    const bytes = ticket.length > TICKET_CHARS_MAX || !TICKET.test(ticket) ? [] : Buffer.from(ticket, 'base64url')
    if (bytes.length <= 8 + RANDOM_BYTES + MAC_BYTES) throw refused('this is no ticket')
    const claim = new Uint8Array(bytes.slice(0, -MAC_BYTES))
    if (!equalConstantTime(this.#mac(claim), new Uint8Array(bytes.slice(-MAC_BYTES))))
      throw refused('this is no ticket')
    const expiresMs = Number(new ByteReader(claim, () => refused('this is no ticket')).u64())
    if (expiresMs <= nowMs) throw refused('the ticket is over')
    const hash = this.#crypto.sha256(claim).slice(0, 16)
    const [first] = await this.#store.useNonces([{ hash, untilMs: expiresMs }])
    if (first !== true) throw refused('the ticket was used')
    const identity = decodeUtf8(claim.slice(8 + RANDOM_BYTES))
    if (identity === undefined) throw refused('this is no ticket')
    return identity
  }

  #mac(claim: Uint8Array): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, claim).slice(0, MAC_BYTES)
  }
}

function refused(why: string): ProblemError {
  return new ProblemError(problemOf(401, 'http/ticket', why))
}

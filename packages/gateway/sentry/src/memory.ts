import { toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { Batch } from './batch.ts'
import { type Delay, withDeadline } from './deadline.ts'
import { SentryError } from './errors.ts'
import {
  NONCE_BATCH_MAX,
  NONCE_QUEUE_MAX,
  NONCES_MAX,
  SESSION_LIFE_MS,
  SESSIONS_MAX,
  SESSIONS_PER_IDENTITY_MAX,
  SKEW_MS,
} from './limits.ts'
import type { SentryStore, Session, UsedNonce } from './store.ts'

interface Seen {
  readonly session: Session | undefined
  /** Statements in the grant log. */
  readonly grants: number
}

export interface MemoryPorts {
  readonly crypto: Crypto
  readonly delay: Delay
  readonly defer: (step: () => void) => void
}

/** What the sentry remembers, in the store: shared calls, counted rows, and no answer later than its deadline. */
export class Memory {
  readonly #store: SentryStore
  readonly #delay: Delay
  readonly #nonces: Batch<UsedNonce, boolean>
  readonly #looks: Batch<Uint8Array | undefined, Seen>
  #nonceCount = 0
  #sessionCount = 0

  constructor(store: SentryStore, { delay, defer }: MemoryPorts) {
    const shared = { itemsMax: NONCE_BATCH_MAX, queueMax: NONCE_QUEUE_MAX, defer }
    this.#store = store
    this.#delay = delay
    this.#nonces = new Batch((nonces) => withDeadline(delay, () => this.#use(nonces)), {
      ...shared,
      what: 'requests wait for the database',
    })
    this.#looks = new Batch((ids) => withDeadline(delay, () => this.#look(ids)), {
      ...shared,
      what: 'requests wait for the database',
    })
  }

  /** The session of an id, if one is asked for, and how long the grant log is. */
  look(sessionId: Uint8Array | undefined): Promise<Seen> {
    return this.#looks.add(sessionId)
  }

  /** Takes a nonce for good. @throws {SentryError} `sentry/replayed`, `sentry/busy` */
  async useOnce(nonce: UsedNonce): Promise<void> {
    if (this.#nonceCount >= NONCES_MAX) throw new SentryError({ code: 'sentry/busy', what: 'nonces' })
    if (!(await this.#nonces.add(nonce))) throw new SentryError({ code: 'sentry/replayed' })
  }

  /** @throws {SentryError} `sentry/busy` */
  async open(id: Uint8Array, identity: string, adapter: string, nowMs: number): Promise<Session> {
    if (this.#sessionCount >= SESSIONS_MAX) throw new SentryError({ code: 'sentry/busy', what: 'sessions' })
    const session = { id, identity, adapter, expiresMs: nowMs + SESSION_LIFE_MS }
    await withDeadline(this.#delay, () => this.#store.addSession(session, SESSIONS_PER_IDENTITY_MAX))
    this.#sessionCount += 1
    return session
  }

  /**
   * Forgets what has expired, and learns how much is left. A skew later than it could: another gateway's clock may be
   * behind, and what it still takes must not be too old for the store.
   */
  async sweep(nowMs: number): Promise<void> {
    this.#nonceCount = await this.#store.forgetNonces(nowMs - SKEW_MS)
    this.#sessionCount = await this.#store.forgetSessions(nowMs - SKEW_MS)
  }

  /** Of two uses of one nonce in a batch the first alone is asked about. */
  async #use(nonces: readonly UsedNonce[]): Promise<readonly boolean[]> {
    const at = new Map<string, number>()
    const firsts = nonces.filter(({ hash }) => {
      const key = toHex(hash)
      return !at.has(key) && at.set(key, at.size)
    })
    const fresh = await this.#store.useNonces(firsts)
    this.#nonceCount += fresh.filter(Boolean).length
    return nonces.map((nonce) => {
      const index = at.get(toHex(nonce.hash))!
      return firsts[index] === nonce && fresh[index]!
    })
  }

  async #look(ids: readonly (Uint8Array | undefined)[]): Promise<readonly Seen[]> {
    const asked = ids.filter((id) => id !== undefined)
    const { sessions, grants } = await this.#store.look(asked)
    let next = 0
    return ids.map((id) => ({ session: id === undefined ? undefined : sessions[next++], grants }))
  }
}

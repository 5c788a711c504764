/** A nonce that a verified request or login used. */
export interface UsedNonce {
  /** 16 bytes: `nonceHash`. */
  readonly hash: Uint8Array
  /** Unix milliseconds: afterwards nothing could pass that would use it again. */
  readonly untilMs: number
}

/** Who a session is of. Its secret is derived from its id and never stored. */
export interface Session {
  /** 16 bytes, random. */
  readonly id: Uint8Array
  readonly identity: string
  /** Of the login that opened it. */
  readonly adapter: string
  /** Unix milliseconds. */
  readonly expiresMs: number
}

/** What the check of a request reads. */
export interface Look {
  /** In the order asked, expired ones included. */
  readonly sessions: readonly (Session | undefined)[]
  /** Statements in the grant log. */
  readonly grants: number
}

/**
 * Where the sentry remembers: the engine's half. Everything is durable when its promise resolves, and several processes
 * may hold one store. `checkSentryStore` of `@nexus/sentry/testing` is the suite that each engine passes. Every method may
 * throw `sentry/store`.
 */
export interface SentryStore {
  /**
   * Remembers nonces in one transaction; in order, whether each was used for the first time. One whose time is not after
   * all that {@link forgetNonces} was ever told is not: it may have been among those forgotten.
   */
  useNonces(nonces: readonly UsedNonce[]): Promise<readonly boolean[]>
  /** Forgets nonces whose time is not after `untilMs`. Returns how many are left. */
  forgetNonces(untilMs: number): Promise<number>

  look(sessionIds: readonly Uint8Array[]): Promise<Look>
  /** Keeps a session; of one identity the `perIdentity` that end last stay. */
  addSession(session: Session, perIdentity: number): Promise<void>
  endSession(id: Uint8Array): Promise<boolean>
  /** Ends all of an identity; returns how many there were. */
  endSessionsOf(identity: string): Promise<number>
  /** Forgets sessions that ended by `untilMs`. Returns how many are left. */
  forgetSessions(untilMs: number): Promise<number>

  /** Up to `count` statements of the grant log from `index` on. */
  grantsFrom(index: number, count: number): Promise<readonly Uint8Array[]>
  /** Appends the statement at `index`; `false`, and nothing done, where the log has another length by now. */
  appendGrant(index: number, statement: Uint8Array): Promise<boolean>

  close(): Promise<void>
}

/** Where DID documents live: the gateway's own database, or any network that keeps them. */
export interface DidDocumentStore {
  /** JSON text. */
  document(did: string): Promise<string | undefined>
  putDocument(did: string, json: string): Promise<void>
  removeDocument(did: string): Promise<boolean>
  /** Up to `count` DIDs after `after`, sorted by their bytes. */
  dids(after: string, count: number): Promise<readonly string[]>
  countDocuments(): Promise<number>
}

import { encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { equalConstantTime } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { type Challenges, createChallenges } from './challenge.ts'
import { withDeadline } from './deadline.ts'
import { checkIdentity } from './did.ts'
import type { Envelope, IdentityContext } from './envelope.ts'
import { SentryError } from './errors.ts'
import type { Grant, GrantStatement } from './grant.ts'
import { GrantTable } from './grants.ts'
import { rateName } from './ingress/address.ts'
import type { Ingress, IngressOrigin } from './ingress/ingress.ts'
import { BODY_BYTES_MAX, ID_BYTES, LOGIN_BYTES_MAX, SECRET_BYTES, SWEEP_MS, VERIFYING_MAX } from './limits.ts'
import type { IdentityAdapter, ProvenLogin } from './login/adapter.ts'
import { readLogin } from './login/request.ts'
import { Memory } from './memory.ts'
import { DEFAULT_RATES, type Rates, type SentryOptions, type SentryPorts } from './options.ts'
import { RateTable } from './rate.ts'
import { type Rejection, RejectionCounts, reasonOf } from './rejection.ts'
import { checkMethod, checkOrigin, checkTarget, type HeaderLines, readHeaders, type SentryRequest } from './request.ts'
import { type Action, allows } from './roles.ts'
import { ownKey } from './signature/own-key.ts'
import { type Claimed, checkProfile, nonceHash } from './signature/profile.ts'
import type { Session } from './store.ts'
import type { RedeemTicket } from './ticket.ts'
import {
  type Admitted,
  type Challenged,
  type Granted,
  type OpenedSession,
  type Refused,
  refused,
  type TicketAdmitted,
} from './verdict.ts'

/** What is known of a request while it is judged: for the event if it is refused. */
interface Trail {
  readonly requestId: string
  readonly timeMs: number
  adapter: string
}

const SESSION_KEYID = /^session:([0-9a-f]{32})$/

/**
 * The perimeter of a gateway (docs/spec/sentry.md). Nothing gets by it but what is verified; whatever is not, and whatever
 * goes wrong while it is looked at, is refused and changes nothing. Make one with {@link openSentry}.
 */
export class Sentry {
  /** NodeID of the gateway, 16 bytes: what grants name. */
  readonly gateway: Uint8Array
  readonly origin: string
  readonly #options: SentryOptions
  readonly #ports: SentryPorts
  readonly #memory: Memory
  readonly #grants: GrantTable
  readonly #challenges: Challenges
  readonly #sessionKey: Uint8Array
  readonly #adapters: ReadonlyMap<string, IdentityAdapter>
  readonly #rates: { readonly [Name in keyof Rates]: RateTable }
  readonly #counts = new RejectionCounts()
  readonly #envelopes = new WeakSet<Envelope>()
  #verifying = 0
  #closed = false
  #cancelSweep: () => void = () => {}

  /** @internal */
  constructor(options: SentryOptions, ports: SentryPorts) {
    const { crypto, random } = ports
    const key = (label: string) => crypto.hkdfSha256(options.seed, new Uint8Array(0), encodeUtf8(label), SECRET_BYTES)
    const rates = { ...DEFAULT_RATES, ...options.rates }
    this.origin = checkOrigin(options.origin)
    this.gateway = nodeIdOf(crypto, crypto.publicKey(options.seed))
    this.#options = options
    this.#ports = ports
    this.#memory = new Memory(options.store, ports)
    this.#grants = new GrantTable({ crypto, gateway: this.gateway, admins: options.admins })
    this.#challenges = createChallenges(crypto, key('nexus-sentry/challenge'), random)
    this.#sessionKey = key('nexus-sentry/session')
    this.#adapters = new Map(options.adapters.map((adapter) => [adapter.name, adapter]))
    this.#rates = {
      address: new RateTable(rates.address),
      identity: new RateTable(rates.identity),
      login: new RateTable(rates.login),
    }
  }

  /** @internal Reads what the store holds, and clears away what has expired from now on. */
  async start(): Promise<void> {
    const { store } = this.#options
    await this.#memory.sweep(this.#ports.now())
    await this.#grants.catchUp(store, (await store.look([])).grants)
    this.#scheduleSweep()
  }

  /**
   * Judges a signed request. What comes back admitted is verified, of now, and was never seen before; whether its identity
   * may do what it asks is for {@link authorise}.
   */
  admit(request: SentryRequest, ingress: Ingress = this.#options.ingress): Promise<Admitted | Refused> {
    return this.#judge(async (trail) => {
      const headers = this.#read(request, BODY_BYTES_MAX)
      const origin = await this.#enter(request, headers, ingress, trail.timeMs)
      this.#rates.address.take(rateName(origin.address), trail.timeMs)
      const { method, targetUri, body } = request
      const claimed = checkProfile(this.#ports.crypto, { method, targetUri, headers }, body, trail.timeMs)
      const identity = await this.#verify(claimed, trail)
      this.#rates.identity.take(identity.id, trail.timeMs)
      const { claim, idempotencyKey, bodyHash, nonceUntilMs } = claimed
      const hash = nonceHash(this.#ports.crypto, claim.keyid, claim.nonce)
      await this.#memory.useOnce({ hash, untilMs: nonceUntilMs })
      const key = idempotencyKey === undefined ? {} : { idempotencyKey }
      const envelope: Envelope = {
        requestId: trail.requestId,
        timeMs: trail.timeMs,
        origin,
        identity,
        payload: { method, targetUri, ...key, body, bodyHash },
      }
      this.#envelopes.add(envelope)
      return { kind: 'admitted', envelope }
    })
  }

  /**
   * Judges a request that brings a ticket in place of a signature: through the same ingress, at the same rates, and used
   * once as a nonce is. What proves a ticket is the caller's; its identity must be granted the action.
   */
  admitTicket(
    request: SentryRequest,
    action: Action,
    redeem: RedeemTicket,
    ingress: Ingress = this.#options.ingress,
  ): Promise<TicketAdmitted | Refused> {
    return this.#judge(async (trail) => {
      const headers = this.#read(request, 0)
      const origin = await this.#enter(request, headers, ingress, trail.timeMs)
      this.#rates.address.take(rateName(origin.address), trail.timeMs)
      trail.adapter = 'ticket'
      const { identity, once } = redeem(trail.timeMs)
      this.#rates.identity.take(identity.id, trail.timeMs)
      if (!(await this.#lasts(identity, trail.timeMs))) throw new SentryError({ code: 'sentry/session' })
      await this.#memory.useOnce(once)
      if (!this.#allows(identity.id, action)) throw new SentryError({ code: 'sentry/denied', action })
      return { kind: 'ticket', identity }
    })
  }

  /**
   * Whether an identity that was admitted may still do this, by what the store holds now, whichever gateway wrote it: for
   * answers that last. `false` once its session has ended.
   * @throws {SentryError} `sentry/store`, `sentry/busy`, `sentry/verifier-timeout` where the store cannot tell
   */
  async mayStill(identity: IdentityContext, action: Action): Promise<boolean> {
    return !this.#closed && (await this.#lasts(identity, this.#ports.now())) && this.#allows(identity.id, action)
  }

  /**
   * Whether the identity of an admitted request may do this, on the account that it is about, if any: `undefined` if so.
   * @throws {TypeError} for an envelope that this sentry did not make
   */
  authorise(envelope: Envelope, action: Action, account?: string): Refused | undefined {
    this.#own(envelope)
    const { identity, requestId } = envelope
    if (this.#allows(identity.id, action, account)) return undefined
    const trail = { requestId, timeMs: this.#ports.now(), adapter: identity.adapter }
    return this.#refuse(new SentryError({ code: 'sentry/denied', action }), trail)
  }

  /** A nonce for a login with an adapter. */
  challenge(
    adapter: string,
    request: SentryRequest,
    ingress: Ingress = this.#options.ingress,
  ): Promise<Challenged | Refused> {
    return this.#judge(async (trail) => {
      const headers = this.#read(request, 0)
      const origin = await this.#enter(request, headers, ingress, trail.timeMs)
      this.#rates.login.take(rateName(origin.address), trail.timeMs)
      if (!this.#adapters.has(adapter)) throw new SentryError({ code: 'sentry/adapter' })
      trail.adapter = adapter
      return { kind: 'challenge', ...this.#challenges.issue(adapter, trail.timeMs) }
    })
  }

  /** Judges a login request: its body is JSON, `{ adapter, proof }`. */
  login(request: SentryRequest, ingress: Ingress = this.#options.ingress): Promise<OpenedSession | Refused> {
    return this.#judge(async (trail) => {
      const headers = this.#read(request, LOGIN_BYTES_MAX)
      const origin = await this.#enter(request, headers, ingress, trail.timeMs)
      this.#rates.login.take(rateName(origin.address), trail.timeMs)
      const { adapter: name, proof } = readLogin(request.body)
      const adapter = this.#adapters.get(name)
      if (adapter === undefined) throw new SentryError({ code: 'sentry/adapter' })
      trail.adapter = name
      const { identity, once } = await this.#prove(adapter, proof, trail.timeMs)
      checkIdentity(identity)
      const { crypto } = this.#ports
      const used = once.kind === 'challenge' ? once.nonce : toHex(once.digest)
      const untilMs = once.kind === 'challenge' ? this.#challenges.check(name, once.nonce, trail.timeMs) : once.untilMs
      await this.#memory.useOnce({ hash: nonceHash(crypto, `login:${name}`, used), untilMs })
      return this.#open(identity, name, trail.timeMs)
    })
  }

  /** A session for who signed with a key of its own: its secret is cheaper to check. A session opens no other. */
  openSession(envelope: Envelope): Promise<OpenedSession | Refused> {
    const { identity } = this.#own(envelope)
    return this.#judge((trail) => {
      trail.adapter = identity.adapter
      if (identity.session !== undefined) throw new SentryError({ code: 'sentry/session' })
      return this.#open(identity.id, identity.adapter, trail.timeMs)
    })
  }

  /** Ends the session that a request was signed with; `false` where there is none. */
  async endSession(envelope: Envelope): Promise<boolean> {
    const { session } = this.#own(envelope).identity
    return session !== undefined && this.#options.store.endSession(session)
  }

  /** Ends all sessions of an identity; returns how many there were. */
  endSessionsOf(identity: string): Promise<number> {
    return this.#options.store.endSessionsOf(identity)
  }

  /**
   * Appends a signed grant or revocation to the log, from where it holds at once, here and in every gateway of the store.
   * Who brings it needs `grant.write`; who signed it too.
   */
  submitGrant(envelope: Envelope, statement: Uint8Array): Promise<Granted | Refused> {
    const denied = this.authorise(envelope, 'grant.write')
    if (denied !== undefined) return Promise.resolve(denied)
    return this.#judge(async (trail) => {
      trail.adapter = envelope.identity.adapter
      return { kind: 'granted', statement: await this.appendGrant(statement) }
    })
  }

  /**
   * The same for who stands at the machine itself, as a command does.
   * @throws {SentryError} `sentry/grant`, `sentry/busy`, `sentry/store`
   */
  async appendGrant(bytes: Uint8Array): Promise<GrantStatement> {
    const { store } = this.#options
    for (;;) {
      await this.#grants.catchUp(store, (await store.look([])).grants)
      const statement = this.#grants.check(bytes, this.#ports.now())
      const index = this.#grants.length
      // Another gateway may have appended meanwhile: then its statement is read, and this one judged again after it.
      if (!(await store.appendGrant(index, bytes))) continue
      await this.#grants.catchUp(store, index + 1)
      return statement
    }
  }

  /** The grants that an identity holds now. */
  grantsOf(identity: string): readonly Grant[] {
    return this.#grants.grantsOf(identity, this.#ports.now())
  }

  /** Refusals since the start, by adapter and reason. */
  rejections(): ReturnType<RejectionCounts['list']> {
    return this.#counts.list()
  }

  /** Refuses everything from now on. The store stays open: it is whose it was. */
  close(): void {
    this.#closed = true
    this.#cancelSweep()
    this.#ports.crypto.forget(this.#sessionKey)
  }

  async #judge<T>(work: (trail: Trail) => T | Promise<T>): Promise<T | Refused> {
    const { random, now } = this.#ports
    const trail: Trail = { requestId: toHex(random(ID_BYTES)), timeMs: now(), adapter: 'none' }
    try {
      if (this.#closed) throw new SentryError({ code: 'sentry/closed' })
      return await work(trail)
    } catch (cause) {
      // Even a fault of our own lets nobody in.
      return this.#refuse(
        cause instanceof SentryError ? cause : new SentryError({ code: 'sentry/verifier-down' }, { cause }),
        trail,
      )
    }
  }

  #refuse(error: SentryError, { requestId, timeMs, adapter }: Trail): Refused {
    const rejection: Rejection = { timeMs, adapter, reason: reasonOf(error), requestId }
    this.#counts.add(rejection)
    this.#options.onRejection?.(rejection)
    return refused(error, requestId)
  }

  #read({ method, targetUri, headers, body }: SentryRequest, bytesMax: number): HeaderLines {
    checkMethod(method)
    checkTarget(targetUri)
    if (!targetUri.startsWith(`${this.origin}/`)) throw new SentryError({ code: 'sentry/origin' })
    if (body.length > bytesMax) throw new SentryError({ code: 'sentry/body', bytes: body.length, bytesMax })
    return readHeaders(headers)
  }

  async #enter(
    { remoteAddress }: SentryRequest,
    headers: HeaderLines,
    ingress: Ingress,
    nowMs: number,
  ): Promise<IngressOrigin> {
    return withDeadline(this.#ports.delay, () => ingress.admit({ remoteAddress, headers }, nowMs))
  }

  async #verify({ claim, base }: Claimed, trail: Trail): Promise<IdentityContext> {
    const { crypto } = this.#ports
    const { keyid, signature, alg } = claim
    const [, sessionHex] = SESSION_KEYID.exec(keyid) ?? []
    trail.adapter = sessionHex === undefined ? 'ed25519' : 'session'
    if (alg !== undefined && alg !== (sessionHex === undefined ? 'ed25519' : 'hmac-sha256')) {
      throw new SentryError({ code: 'sentry/algorithm' })
    }
    if (sessionHex === undefined) {
      const publicKey = ownKey(keyid)
      const [held] = await withDeadline(this.#ports.delay, () => crypto.verifyBatch([{ publicKey, signature, base }]))
      if (held !== true) throw new SentryError({ code: 'sentry/signature' })
      await this.#seen(undefined)
      return { id: keyid, adapter: 'ed25519' }
    }
    const id = fromHex(sessionHex)
    const session = await this.#seen(id)
    const expected = crypto.hmacSha256(this.#secretOf(id), base)
    if (!equalConstantTime(expected, signature)) throw new SentryError({ code: 'sentry/signature' })
    if (session === undefined || session.expiresMs <= trail.timeMs) throw new SentryError({ code: 'sentry/session' })
    trail.adapter = session.adapter
    return { id: session.identity, adapter: session.adapter, session: id }
  }

  /** One look gives the session and whether there are grants to read: what was revoked a moment ago holds no more. */
  async #seen(sessionId: Uint8Array | undefined): Promise<Session | undefined> {
    const { session, grants } = await this.#memory.look(sessionId)
    if (grants > this.#grants.length) {
      await withDeadline(this.#ports.delay, () => this.#grants.catchUp(this.#options.store, grants))
    }
    return session
  }

  /** Reads what the store holds of an identity: `false` where its session has ended. */
  async #lasts({ session: id }: IdentityContext, nowMs: number): Promise<boolean> {
    const session = await this.#seen(id)
    return id === undefined || (session !== undefined && session.expiresMs > nowMs)
  }

  #allows(identity: string, action: Action, account?: string): boolean {
    return allows(this.#grants.heldBy(identity, this.#ports.now()), action, account)
  }

  async #prove(adapter: IdentityAdapter, proof: unknown, nowMs: number): Promise<ProvenLogin> {
    if (this.#verifying >= VERIFYING_MAX) throw new SentryError({ code: 'sentry/busy', what: 'logins' })
    this.#verifying += 1
    try {
      return await withDeadline(this.#ports.delay, () => adapter.verify(proof, nowMs))
    } finally {
      this.#verifying -= 1
    }
  }

  async #open(identity: string, adapter: string, nowMs: number): Promise<OpenedSession> {
    const id = this.#ports.random(ID_BYTES)
    const { expiresMs } = await this.#memory.open(id, identity, adapter, nowMs)
    return { kind: 'opened', identity, id, secret: this.#secretOf(id), expiresMs }
  }

  #secretOf(id: Uint8Array): Uint8Array {
    return this.#ports.crypto.hmacSha256(this.#sessionKey, id)
  }

  #own(envelope: Envelope): Envelope {
    if (!this.#envelopes.has(envelope)) throw new TypeError('not an envelope of this sentry')
    return envelope
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#ports.delay(SWEEP_MS, () => {
      // A store that is down refuses requests by itself; the next sweep comes all the same.
      const next = (): void => {
        if (!this.#closed) this.#scheduleSweep()
      }
      this.#memory.sweep(this.#ports.now()).then(next, next)
    })
  }
}

/** Opens the perimeter over a store. @throws {SentryError} `sentry/store`; {TypeError} for an origin that is none */
export async function openSentry(options: SentryOptions, ports: SentryPorts): Promise<Sentry> {
  const sentry = new Sentry(options, ports)
  await sentry.start()
  return sentry
}

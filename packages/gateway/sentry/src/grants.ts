import { equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { SentryError } from './errors.ts'
import { decodeGrant, type Grant, type GrantStatement, issuerOf, verifyGrant } from './grant.ts'
import { GRANT_PAGE, GRANTS_MAX, SKEW_MS } from './limits.ts'
import { type HeldRole, ROLES } from './roles.ts'
import type { SentryStore } from './store.ts'

/** Whose word counts here from the start, and which gateway here is. */
export interface GrantRoots {
  readonly crypto: Crypto
  /** NodeID, 16 bytes. */
  readonly gateway: Uint8Array
  /** The did:key of each administrator that the configuration names. */
  readonly admins: readonly string[]
}

/**
 * The grant log as it stands: who holds what. A pure fold over its statements; a statement counts if its issuer was an
 * administrator when it was appended, so taking a root out of the configuration voids what it alone had signed.
 */
export class GrantTable {
  readonly #roots: GrantRoots
  readonly #grants = new Map<string, Grant>()
  readonly #bySubject = new Map<string, Set<string>>()
  #length = 0

  constructor(roots: GrantRoots) {
    this.#roots = roots
  }

  /** Statements folded in. */
  get length(): number {
    return this.#length
  }

  /** Reads what the log has beyond what is known here, up to `length` statements. */
  async catchUp(store: SentryStore, length: number): Promise<void> {
    while (this.#length < length) {
      const from = this.#length
      const statements = await store.grantsFrom(from, Math.min(GRANT_PAGE, length - from))
      if (statements.length === 0) throw new SentryError({ code: 'sentry/store', reason: 'the grant log has a gap' })
      // Two requests may have read the same page at once.
      for (const bytes of statements.slice(this.#length - from)) this.#fold(bytes)
    }
  }

  /**
   * Whether a statement may stand next: for this gateway, of now, signed by an administrator, its id unused.
   * @throws {SentryError} `sentry/grant`, `sentry/busy`
   */
  check(bytes: Uint8Array, nowMs: number): GrantStatement {
    if (this.#length >= GRANTS_MAX) throw new SentryError({ code: 'sentry/busy', what: 'the grant log is full' })
    const statement = decodeGrant(bytes)
    if (Math.abs(statement.timeMs - nowMs) > SKEW_MS) throw fault('its time is not now')
    const why = this.#objection(statement, bytes)
    if (why !== undefined) throw fault(why)
    const { what } = statement
    if (what.kind === 'grant' && (what.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) throw fault('it has ended')
    return statement
  }

  /** What an identity holds now, its own account and the configuration's word included. */
  heldBy(identity: string, nowMs: number): HeldRole[] {
    const held: HeldRole[] = [{ role: 'owner', account: identity }]
    if (this.#roots.admins.includes(identity)) held.push({ role: 'admin' })
    for (const grant of this.grantsOf(identity, nowMs)) {
      held.push({ role: grant.role, ...(grant.account !== undefined && { account: grant.account }) })
    }
    return held
  }

  /** The grants of an identity that hold now. */
  grantsOf(identity: string, nowMs: number): Grant[] {
    return [...(this.#bySubject.get(identity) ?? [])].flatMap((id) => {
      const grant = this.#grants.get(id)
      return grant !== undefined && !hasEnded(grant, nowMs) ? [grant] : []
    })
  }

  #fold(bytes: Uint8Array): void {
    this.#length += 1
    const statement = decodeGrant(bytes)
    if (this.#objection(statement, bytes) !== undefined) return
    const { what } = statement
    const id = toHex(what.id)
    if (what.kind === 'grant') {
      this.#grants.set(id, what)
      const ids = this.#bySubject.get(what.subject) ?? new Set()
      this.#bySubject.set(what.subject, ids.add(id))
      return
    }
    const subject = this.#grants.get(id)!.subject
    // Its id stays taken: an old statement cannot be said again after it was revoked.
    this.#bySubject.get(subject)!.delete(id)
  }

  #objection(statement: GrantStatement, bytes: Uint8Array): string | undefined {
    const { what, gateway, timeMs } = statement
    const id = toHex(what.id)
    if (!equalBytes(gateway, this.#roots.gateway)) return 'it is for another gateway'
    if (what.kind === 'grant' && this.#grants.has(id)) return 'its id is taken'
    if (what.kind === 'revocation' && !this.#holds(id)) return 'there is no such grant'
    if (!this.#isAdmin(issuerOf(statement), timeMs)) return 'its issuer is no administrator'
    return verifyGrant(this.#roots.crypto, bytes) ? undefined : 'its signature does not hold'
  }

  #holds(id: string): boolean {
    const grant = this.#grants.get(id)
    return grant !== undefined && this.#bySubject.get(grant.subject)!.has(id)
  }

  #isAdmin(identity: string, nowMs: number): boolean {
    return this.heldBy(identity, nowMs).some(({ role }) => ROLES[role].actions.includes('grant.write'))
  }
}

function hasEnded({ untilMs }: Grant, nowMs: number): boolean {
  return untilMs !== undefined && untilMs <= nowMs
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/grant', what })
}

import { equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { Gossip } from '@nexus/gossip'
import { type Identity, nodeIdOf, type ReservedCounter } from '@nexus/identity'
import {
  Credit,
  decodeTrust,
  encodeTrust,
  STATEMENTS_PER_TRUSTER_MAX,
  signTrust,
  TRUST_RECORD,
  type TrustedPeers,
  TrustStatements,
} from '@nexus/trust'
import type { VerifyPort } from '../announcing.ts'
import type { Store } from '../store.ts'
import { storedCounter } from '../stored-counter.ts'

export interface GrantsParts {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly networkId: Uint8Array
  readonly store: Store
  readonly gossip: Gossip
  readonly verify: VerifyPort
  readonly peers: TrustedPeers
  /** What is known of who trusts that node changed. */
  changed(trustee: Uint8Array): void
}

const STATEMENT_PREFIX = 'trust/'

/** Credit that a node gives to its peers and to their friends, and what it says of its own trust (docs/spec/trust.md). */
export class Grants {
  readonly #parts: GrantsParts
  readonly #statements: TrustStatements
  readonly #credit: Credit
  readonly #sequences: ReservedCounter

  constructor(parts: GrantsParts) {
    const { crypto, networkId, peers, gossip, verify, store } = parts
    this.#parts = parts
    this.#statements = new TrustStatements({ crypto, networkId, follows: (nodeId) => peers.isFree(nodeId) })
    this.#credit = new Credit(peers, this.#statements)
    this.#sequences = storedCounter(store, 'counter/trust')
    gossip.register(
      this.#statements.handler(
        (jobs, answer) => verify(jobs, (_nowMs, verdicts) => answer(verdicts)),
        ({ trustee }) => parts.changed(trustee),
      ),
    )
  }

  /** Hands what this node said before to gossip, as after a start, and says what it did not say yet of its peers. */
  announce(vouched: readonly { readonly nodeId: Uint8Array }[]): void {
    for (const body of this.#own()) this.#parts.gossip.publish({ type: TRUST_RECORD, body })
    const names = new Set(vouched.map(({ nodeId }) => toHex(nodeId)))
    for (const { trustee } of this.#own().map(decodeTrust)) if (!names.has(toHex(trustee))) this.vouch(trustee, false)
    for (const { nodeId } of vouched) this.vouch(nodeId, true)
  }

  /** What a node may owe beyond what its balance covers: what it owes so already, and what it may yet. */
  lineMicro(nodeId: Uint8Array): bigint {
    return this.#credit.owesMicro(nodeId) + this.#credit.availableMicro(nodeId)
  }

  /** A node now owes so much beyond what its balance covers; of that, what its line and its voucher's do not hold is no credit. */
  drawn(nodeId: Uint8Array, micro: bigint): void {
    const more = micro - this.#credit.owesMicro(nodeId)
    if (more < 0n) this.#credit.paid(nodeId, -more)
    if (more <= 0n || this.#credit.charge(nodeId, more)) return
    const available = this.#credit.availableMicro(nodeId)
    if (available > 0n) this.#credit.charge(nodeId, available)
  }

  /** Another epoch began: what it allows is allowed anew. */
  nextEpoch(): void {
    this.#credit.nextEpoch()
  }

  /** A peer is followed from now on: what it said before counts. */
  follow(nodeId: Uint8Array): void {
    for (const { body } of this.#parts.gossip.records(TRUST_RECORD)) {
      const statement = decodeTrust(body)
      if (!equalBytes(nodeIdOf(this.#parts.crypto, statement.truster), nodeId)) continue
      if (this.#statements.add(statement)) this.#parts.changed(statement.trustee)
    }
  }

  /** A peer is followed no longer. */
  unfollow(nodeId: Uint8Array): void {
    this.#statements.forget(nodeId)
  }

  /** Says that this node trusts another, or that it does no longer, unless it last said the same. */
  vouch(nodeId: Uint8Array, trusted: boolean): void {
    const { store, identity, networkId, gossip } = this.#parts
    const key = STATEMENT_PREFIX + toHex(nodeId)
    const before = store.get(key)
    if ((before !== undefined && decodeTrust(before).trusted) === trusted) return
    if (before === undefined) this.#makeRoom()
    else gossip.forget({ type: TRUST_RECORD, body: before })
    const fields = { trustee: nodeId, sequence: this.#sequences.next(), trusted }
    const body = encodeTrust(signTrust(identity, networkId, fields))
    store.put(key, body)
    gossip.publish({ type: TRUST_RECORD, body })
  }

  /** Where there are too many statements, one that took trust back is said no more. */
  #makeRoom(): void {
    const own = this.#own()
    if (own.length < STATEMENTS_PER_TRUSTER_MAX) return
    // Contacts name at most so many peers that are vouched for, so that one of the others took trust back.
    const revoked = own.map(decodeTrust).find(({ trusted }) => !trusted)!
    this.#parts.store.delete(STATEMENT_PREFIX + toHex(revoked.trustee))
    this.#parts.gossip.forget({ type: TRUST_RECORD, body: encodeTrust(revoked) })
  }

  #own(): Uint8Array[] {
    return [...this.#parts.store.entries(STATEMENT_PREFIX)].map(([, body]) => body)
  }
}

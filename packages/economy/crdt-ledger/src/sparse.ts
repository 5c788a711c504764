import { PAYER_SEQ_FIRST } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { NONE } from './accounts.ts'
import { type BalanceProof, verifyBalance } from './balance-proof.ts'
import type { CloseAdmission } from './close-set.ts'
import { LedgerError } from './errors.ts'
import type { LedgerRecord } from './ledger.ts'
import { FROZEN_SEQ, SPARSE_ACCOUNTS_MAX, SPARSE_SETTLEMENTS_MAX } from './limits.ts'
import { debit } from './rows.ts'
import { type Admission, SettlementSet } from './settlement-set.ts'

export interface SparseOptions {
  readonly crypto: Crypto
  /** Root of the snapshot, from someone trusted. */
  readonly root: Uint8Array
  /** Accounts that had nothing in the snapshot: no proof says so, and only their debits are of interest. */
  readonly newcomers?: readonly Uint8Array[]
}

/** What a node without the whole ledger knows of an account that it follows; amounts in μNXS. */
export interface SparseAccount {
  /**
   * The account can pay at least this, as far as all of its debits were heard: credits count only from accounts that are
   * followed too, and every debit counts, applied or not.
   */
  readonly available: bigint
  readonly nextSeq: bigint
}

/**
 * The ledger of a node without a disk: its own account and those of its partners, over proofs of their balances, with
 * the records that name them ({@link SparseLedger.wants}).
 */
export class SparseLedger {
  readonly #crypto: Crypto
  readonly #set: SettlementSet
  readonly #followed = new Map<string, Uint8Array>()
  #overflowed = false

  /**
   * @throws {LedgerError} `ledger/root` where a proof does not lead to the root
   * @throws {RangeError} for more than 28 accounts
   */
  constructor(options: SparseOptions, proofs: readonly BalanceProof[]) {
    const { crypto, root, newcomers = [] } = options
    const hash = (bytes: Uint8Array): Uint8Array => crypto.blake3(bytes)
    if (proofs.length + newcomers.length > SPARSE_ACCOUNTS_MAX) throw new RangeError('too many accounts to follow')
    this.#crypto = crypto
    this.#set = new SettlementSet(
      {
        nodeIdOf: (key) => nodeIdOf(crypto, key),
        hash,
        kept: () => {},
        evicted: () => {},
        conflict: () => {},
        impoverished: () => {},
      },
      { settlementsMax: SPARSE_SETTLEMENTS_MAX, window: SPARSE_SETTLEMENTS_MAX },
    )
    for (const proof of proofs) {
      if (!verifyBalance(hash, proof, root)) throw new LedgerError({ code: 'ledger/root' })
      this.#set.open(proof.nodeId, proof.balance, proof.nextSeq)
      this.#followed.set(toHex(proof.nodeId), proof.nodeId)
    }
    for (const nodeId of newcomers) {
      this.#set.open(nodeId, 0n, PAYER_SEQ_FIRST)
      this.#followed.set(toHex(nodeId), nodeId)
    }
  }

  /** NodeIDs whose records to ask gossip for. */
  get wants(): readonly Uint8Array[] {
    return [...this.#followed.values()]
  }

  admission(record: LedgerRecord): Admission | CloseAdmission {
    if (record.kind === 'close' || !this.#isFollowed(record.body)) return 'uncredited'
    return this.#set.admission(record.body)
  }

  /** Takes a valid record of an account that is followed. */
  insert(record: LedgerRecord): Admission | CloseAdmission {
    if (record.kind === 'close' || !this.#isFollowed(record.body)) return 'uncredited'
    const admission = this.#set.insert(record.body)
    if (admission === 'full') this.#overflowed = true
    return admission
  }

  /** @throws {RangeError} for an account that is not followed */
  account(nodeId: Uint8Array): SparseAccount {
    if (!this.#followed.has(toHex(nodeId))) throw new RangeError('the account is not followed')
    const { accounts, rows } = this.#set
    const slot = accounts.find(nodeId)
    let available = accounts.balance[slot]!
    for (let seq = accounts.next[slot]!; seq < accounts.top[slot]!; seq++) {
      const row = this.#set.rowAt(slot, seq)
      if (row !== NONE) available -= rows.amount(row)
    }
    const frozen = accounts.conflict[slot] !== NONE
    const nextSeq = frozen ? FROZEN_SEQ : accounts.firstSeq[slot]! + BigInt(accounts.next[slot]!)
    return { available: frozen || this.#overflowed || available < 0n ? 0n : available, nextSeq }
  }

  #isFollowed(settlement: Uint8Array): boolean {
    return this.#followed.has(toHex(nodeIdOf(this.#crypto, debit(settlement).payerKey)))
  }
}

/** A ledger without order: the same signed settlements give the same balances everywhere (docs/spec/crdt-ledger.md). */
export {
  type BalanceProof,
  decodeBalanceProof,
  encodeBalanceProof,
  proveBalance,
  verifyBalance,
} from './balance-proof.ts'
export type { CloseAdmission, CloseRefusal } from './close-set.ts'
export { LedgerError, type LedgerErrorDetail } from './errors.ts'
export type { Mint } from './fold.ts'
export { type Damage, readStoredLedger, type SetAside, type StoredLedger } from './journal.ts'
export {
  type Account,
  type Conflict,
  type HistoryEntry,
  Ledger,
  type LedgerOptions,
  type LedgerPorts,
  type LedgerRecord,
} from './ledger.ts'
export { FROZEN_SEQ, SUPPLY_MAX, WINDOW } from './limits.ts'
export { CLOSE_RECORD, SETTLEMENT_RECORD, verifyJobsOf } from './record-codec.ts'
export { Replica, type ReplicaOptions, type ReplicaPorts } from './replica.ts'
export type { Admission, Refusal } from './settlement-set.ts'
export {
  decodeSnapshot,
  encodeSnapshot,
  genesisSnapshot,
  networkIdOf,
  Snapshot,
  type SnapshotFields,
} from './snapshot.ts'
export { type SparseAccount, SparseLedger, type SparseOptions } from './sparse.ts'
export { MemoryStore, type Store } from './store.ts'
export { Validator, type ValidatorOptions, type ValidatorPorts } from './validator.ts'

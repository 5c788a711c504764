/** The gateway's ledger: a provable log of allocations, group commit, receipts, pseudonyms (docs/spec/vault.md). */
export { VaultError, type VaultErrorDetail } from './errors.ts'
export {
  BATCH_ENTRIES_MAX,
  IDENTITY_BYTES_MAX,
  KEY_CHARS_MAX,
  PAGE_ENTRIES_MAX,
  QUEUE_ENTRIES_MAX,
  ROUTE_CHARS_MAX,
} from './limits.ts'
export {
  decodeEntry,
  ENTRY_BYTES,
  encodeEntry,
  entryLeaf,
  idempotencyHash,
  type LedgerEntry,
} from './log/entry.ts'
export { type SignedTreeHead, signHead, type TreeHead, verifyHead } from './log/head.ts'
export { isConsistent, isIncluded } from './log/proof.ts'
export { emptyRoot, Frontier, leafHash, nodeHash, type Sha256, type Subtree } from './log/tree.ts'
export {
  type AccountTotals,
  type Append,
  type BatchPlan,
  type BatchView,
  type KnownRequest,
  type LogSigner,
  NO_ACCOUNT_TOTALS,
  type Outcome,
  type Person,
  planBatch,
  pseudonymOf,
} from './plan.ts'
export { type Recount, recount } from './recount.ts'
export type { AppendRequest } from './request.ts'
export type { Committed, LedgerReader, VaultStore } from './store.ts'
export {
  type Cursor,
  type ExportCursor,
  type ExportPage,
  type Page,
  type Receipt,
  Vault,
  type VaultPorts,
} from './vault.ts'

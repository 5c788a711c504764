/** Heads of a ledger on several chains at once, and proofs of its entries for strangers (docs/spec/anchoring.md). */
export { bundleSchema, decodeBundle, encodeBundle, type ProofBundle } from './bundle.ts'
export type { ChainAdapter, ChainReader, Reading, Standing, Statement, Submission } from './chain.ts'
export { bundleFault, type Fault, type Level, statementOf } from './check.ts'
export { AnchoringError, type AnchoringErrorDetail } from './errors.ts'
export { type ExportFrom, type ExportLine, exportLines, exportSchema } from './export.ts'
export { ed25519Seed, secp256k1Secret } from './key.ts'
export { Lane, type LaneLimits, type Step } from './lane.ts'
export {
  ATTEMPTS_MAX,
  BUNDLE_CHARS_MAX,
  CHAINS_MAX,
  OPEN_ANCHORS_MAX,
  RECEIPTS_MAX,
  SPENDING_WINDOW_MS,
} from './limits.ts'
export { type ProofSource, proveEntry } from './prover.ts'
export { type EvmProof, type EvmReceipt, type Receipt, receiptSchema, type TonReceipt } from './receipt.ts'
export { enqueueDue, isDue, type Schedule } from './schedule.ts'
export type { Anchor, AnchorStore, ChainRecord, ConfirmedAnchor } from './store.ts'

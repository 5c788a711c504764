/** EVM chains: an adapter for the queue, and proofs of a contract's storage (docs/spec/anchoring.md). */
export { EvmChain, type EvmChainOptions } from './evm/adapter.ts'
export { STATE_ANCHOR_ABI, STATE_ANCHOR_CODE_HASH } from './evm/contract.ts'
export { type ProofFault, proofFault, provedBlock } from './evm/prove.ts'
export { openEvmReader } from './evm/reader.ts'
export { paymentProcessorCode, stateAnchorCode, userRegistryCode } from './generated/contracts.ts'
export type { EvmProof, EvmReceipt } from './receipt.ts'

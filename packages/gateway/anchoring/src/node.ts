/** The driver of anchoring for Node: a loop for each chain, keys in sealed files (docs/spec/anchoring.md). */
export {
  type AnchorEvent,
  Anchorer,
  type AnchorerOptions,
  type ChainSetup,
  type ChainStatus,
  POLL_MS,
  RETRY_MS_MAX,
} from './node/anchorer.ts'
export { createChainKey, openChainKey } from './node/keys.ts'
export { TonChain, type TonChainOptions } from './node/ton/adapter.ts'
export type { TonServer } from './node/ton/api.ts'
export { anchorAddress } from './node/ton/contract.ts'
export { openTonReader } from './node/ton/reader.ts'

import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { CloseRecord } from './close-record.ts'
import type { Settlement } from './settlement.ts'

/**
 * Where channels keep what must survive: durable when `put` and `delete` return, and all or nothing inside `atomically`.
 * Keys begin with `channels/`.
 */
export interface Store {
  get(key: string): Uint8Array | undefined
  put(key: string, value: Uint8Array): void
  delete(key: string): void
  /** All entries whose key begins with `prefix`, in any order. */
  entries(prefix: string): Iterable<[string, Uint8Array]>
  /** Runs `work`; its writes become durable together. May be called within itself. */
  atomically<T>(work: () => T): T
}

/** What the lottery says of a claim: pay so much, more than 0, or refuse with a code from 32 to 255. */
export type Verdict = { readonly payMicro: bigint } | { readonly refuse: number }

/** A claim that was paid, at its payee. */
export interface Earning {
  /** The body that was claimed; absent where a payment from before a restart was completed. */
  readonly claim?: Uint8Array
  readonly paidMicro: bigint
  /** What the payee had counted on; less than that was paid by whoever is to be served no more. */
  readonly expectedMicro: bigint
}

/** What the ledger spreads. */
export type Publication =
  | { readonly kind: 'settlement'; readonly settlement: Settlement }
  | { readonly kind: 'close'; readonly close: CloseRecord }

/**
 * What channels need of their host. `send` and `publish` are called after everything they promise is durable; the other
 * calls that change something are made inside the store's transaction, so that what they write joins it.
 */
export interface ChannelPorts {
  /** Hands a body of link type 4 to the link with that neighbour; may be lost. */
  send(nodeId: Uint8Array, bytes: Uint8Array): void
  publish(record: Publication): void
  judge(nowMs: number, nodeId: Uint8Array, claim: Uint8Array): Verdict
  /** The state that pays `claim` has both signatures. */
  paid(nowMs: number, nodeId: Uint8Array, claim: Uint8Array): void
  earned(nowMs: number, nodeId: Uint8Array, earning: Earning): void
  claimRefused(nowMs: number, nodeId: Uint8Array, claim: Uint8Array, code: number): void
  /** Whether the settlement would apply in this node's replica now, both signatures taken for granted. */
  wouldApply(settlement: Settlement): boolean
  /** The greatest number of a debit of one's own that the replica holds, applied or not; 0 if none. */
  payerSeqSeen(): bigint
  /** The greatest final sequence applied for the channel; 0 if none. */
  settledSequence(channelId: Uint8Array, keyA: Uint8Array, keyB: Uint8Array): bigint
  /** The greatest sequence of the channel that is settled for good, by a settlement or a close: that of the snapshot; 0 if none. */
  finalSequence(channelId: Uint8Array, keyA: Uint8Array, keyB: Uint8Array): bigint
  balanceInSnapshotMicro(nodeId: Uint8Array): bigint
  creditLineMicro(nodeId: Uint8Array): bigint
}

export interface ChannelsOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly store: Store
  /** 16 bytes. */
  readonly networkId: Uint8Array
  /** The epoch at start; later ones by `epochIs`. */
  readonly epoch: bigint
  /** Whoever owes more than this, and a quarter of its balance, is served no further; 0 serves on credit lines alone. */
  readonly exposureLimitMicro: bigint
  readonly limits?: Partial<ChannelLimits>
}

export interface ChannelLimits {
  readonly channelsMax: number
}

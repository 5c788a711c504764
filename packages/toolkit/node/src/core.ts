/** A node without I/O, for drivers and simulators: the cores wired together, and what they are driven by. */

export type { VerifyPort } from './core/announcing.ts'
export type { TrustedPeer } from './core/contacts.ts'
export type { EconomyOptions, EconomyStatus, LotteryStatus } from './core/economy/options.ts'
export { type CoreEvent, EventLog } from './core/events.ts'
export { NodeCore } from './core/node-core.ts'
export type { NodeCoreOptions, NodeCorePorts } from './core/node-options.ts'
export { MemoryStore, type Store } from './core/store.ts'

/** createNode: the protocol cores with real transports, clock, randomness and disk. */

export { MemoryStore, type Store } from './core/store.ts'
export type { Message } from './driver/message.ts'
export { createNode, type Node, type NodeEvents, type NodeOptions } from './driver/node.ts'
export type { NodeStream, NodeStreamEvent } from './driver/node-streams.ts'
export { type OpenedStore, openStore, type SetAside, type SqliteStore } from './driver/sqlite-store.ts'

import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { PolicyName } from '@nexus/routing'
import type { InboxMessage, MessageStatus, StreamEvent } from '@nexus/session'
import type { VerifyPort } from './announcing.ts'
import type { EconomyOptions } from './economy/options.ts'
import type { CoreEvent } from './events.ts'
import type { Store } from './store.ts'

export interface NodeCoreOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly store: Store
  /** Length of a round; 60 000 ms unless a demonstration is in a hurry. */
  readonly roundMs?: number
  readonly policy?: PolicyName
  /** 32 bytes that all nodes of a closed network share. */
  readonly networkKey?: Uint8Array
  /** `trusted`: only peers that the operator named may link. Open, if not said. */
  readonly admission?: 'open' | 'trusted'
  /** Own price in μNXS per MiB on media of 1 Mbit/s or more; slower ones are dearer in proportion. */
  readonly priceMicroPerMib?: number
  /** Name that announces carry; informational. */
  readonly label?: string
  /** Bits of announce TLV 1. */
  readonly capabilities?: number
  /** Whether receipts also go to senders whose announce was never heard. No, if not said. */
  readonly allowStrangerReceipts?: boolean
  /** What makes relaying paid; absent: everything is free. */
  readonly economy?: EconomyOptions
  /** Unix time in ms, for people alone: it is kept with each message that comes. */
  readonly wallClockMs?: () => number
}

/** What the core asks of its driver. Called from within the core's methods. */
export interface NodeCorePorts {
  transmit(interfaceId: string, frame: Uint8Array, to: string | undefined): boolean
  /** Bytes that wait inside an interface. */
  queuedBytes(interfaceId: string): number
  /** Weight of a neighbour among those that share a medium, over 0; equal for all unless given. */
  weight?(nodeId: Uint8Array): number
  readonly verify: VerifyPort
  event(event: CoreEvent): void
  /** A message is in the inbox, until it is taken. */
  message(message: InboxMessage): void
  messageState(status: MessageStatus): void
  /** The store failed; the node should stop, since nothing that follows is kept. */
  failed?(error: unknown): void
  /** Something happened to a stream. */
  stream?(event: StreamEvent): void
  /** Whether nodes whose key is known may open streams to this one now. No, if not said. */
  acceptsStreams?(): boolean
}

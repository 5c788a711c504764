import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { ChannelBook } from './book.ts'
import type { Channel } from './channel.ts'
import { type ChannelMessage, encodeChannelMessage, type Standing } from './messages.ts'
import type { ChannelLimits, ChannelPorts, Publication } from './ports.ts'
import type { ChannelRecord } from './record.ts'
import { type ChannelState, holds, STATE_TAG, stateHash, stateSignedBytes, stateVerifyJob } from './state.ts'

/** What the parts of the state machine share. */
export interface Context {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly networkId: Uint8Array
  readonly random: Random
  readonly ports: ChannelPorts
  readonly book: ChannelBook
  readonly limits: ChannelLimits
  readonly exposureLimitMicro: bigint
  readonly startEpoch: bigint
  epoch: bigint
  /** A neighbour's ledger was compared with one's own since start. */
  isReconciled: boolean
  /** Leaves once all changes are durable. */
  readonly outbox: Effect[]
}

export type Effect =
  | { readonly kind: 'send'; readonly to: Uint8Array; readonly message: ChannelMessage }
  | { readonly kind: 'publish'; readonly record: Publication }

export function send(context: Context, channel: Channel, message: ChannelMessage): void {
  context.outbox.push({ kind: 'send', to: channel.peerId, message })
}

export function publish(context: Context, record: Publication): void {
  context.outbox.push({ kind: 'publish', record })
}

/** Publishes what the ledger was told before, and has not yet settled. */
export function publishAgain(context: Context, { record }: Channel): void {
  if (record?.settlement !== undefined) publish(context, { kind: 'settlement', settlement: record.settlement })
  if (record?.close !== undefined) publish(context, { kind: 'close', close: record.close })
}

export function deliver(ports: ChannelPorts, effect: Effect): void {
  if (effect.kind === 'send') ports.send(effect.to, encodeChannelMessage(effect.message))
  else ports.publish(effect.record)
}

/** The keys of a channel's parties in order. */
export function keysOf(context: Context, channel: Channel): { keyA: Uint8Array; keyB: Uint8Array } {
  const [mine, theirs] = [context.identity.publicKey, channel.peerKey]
  return channel.side === 'a' ? { keyA: mine, keyB: theirs } : { keyA: theirs, keyB: mine }
}

export function isSignedBy(context: Context, channel: Channel, state: ChannelState, by: 'mine' | 'theirs'): boolean {
  const isA = (channel.side === 'a') === (by === 'mine')
  const { keyA, keyB } = keysOf(context, channel)
  return holds(context.crypto, stateVerifyJob(context.networkId, state, isA ? 'a' : 'b', isA ? keyA : keyB))
}

/** This side's signature. What is signed is in the record before anything leaves: callers change it in the same step. */
export function signState(context: Context, channel: Channel, state: ChannelState): ChannelState {
  return channel.signed(state, 'mine', context.identity.sign(STATE_TAG, context.networkId, stateSignedBytes(state)))
}

export const NO_HASH: Uint8Array = new Uint8Array(16)

/** What REESTABLISH says of a record; of nothing where the settled state is not held, so that the peer sends it. */
export function standingOf(context: Context, channel: Channel, record: ChannelRecord): Standing {
  const holdsBase = record.openingNonce === undefined && record.base !== undefined
  return {
    channelId: record.newest.channelId,
    newestSequence: holdsBase ? record.newest.sequence : 0n,
    newestHash: holdsBase ? stateHash(context.crypto, record.newest) : NO_HASH,
    ownSequence: record.ownSequence,
    jump: channel.jump,
  }
}

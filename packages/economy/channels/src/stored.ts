import { compareBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { CHANNEL_PREFIX } from './book.ts'
import { ChannelError } from './errors.ts'
import type { Store } from './ports.ts'
import { type ChannelRecord, decodeRecord, HALT } from './record.ts'

/** A channel as a store holds it, whoever's it is. */
export interface StoredChannel {
  readonly nodeId: Uint8Array
  readonly peerId: Uint8Array
  readonly peerKey: Uint8Array
  readonly channelId: Uint8Array
  readonly phase: 'opening' | 'open' | 'fork' | 'closing'
  readonly sequence: bigint
  /** The greatest sequence that the node signed. */
  readonly ownSequence: bigint
  /** Absent where the settled state is not held. */
  readonly settledSequence: bigint | undefined
  /** What the peer owes since the last settlement; below 0: the node owes. */
  readonly owedMicro: bigint
  readonly pendingMicro: bigint
}

/** Channels in a store, read without a change to it; `unreadable` are records that were torn. */
export function readStoredChannels(
  crypto: Crypto,
  store: Pick<Store, 'entries'>,
): { readonly channels: StoredChannel[]; readonly unreadable: number } {
  const channels: StoredChannel[] = []
  let unreadable = 0
  for (const [, bytes] of store.entries(CHANNEL_PREFIX)) {
    try {
      channels.push(storedChannel(crypto, decodeRecord(crypto, bytes)))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      unreadable++
    }
  }
  return { channels, unreadable }
}

function storedChannel(crypto: Crypto, record: ChannelRecord): StoredChannel {
  const { newest, base, pending, peerKey, ownSequence } = record
  const peerId = nodeIdOf(crypto, peerKey)
  const isA = compareBytes(newest.partyA, peerId) !== 0
  const movedToA = base === undefined ? 0n : newest.balanceAMicro - base.balanceAMicro
  return {
    nodeId: isA ? newest.partyA : newest.partyB,
    peerId,
    peerKey,
    channelId: newest.channelId,
    phase: phaseOf(record),
    sequence: newest.sequence,
    ownSequence,
    settledSequence: base?.sequence,
    owedMicro: isA ? movedToA : -movedToA,
    pendingMicro: pending?.paidMicro ?? 0n,
  }
}

function phaseOf({ halt, openingNonce }: ChannelRecord): StoredChannel['phase'] {
  if (halt === HALT.fork) return 'fork'
  if (halt === HALT.closing) return 'closing'
  return openingNonce === undefined ? 'open' : 'opening'
}

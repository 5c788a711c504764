import { ByteReader, ByteWriter, compareBytes, equalBytes, toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { Channel, ChannelLink } from './channel.ts'
import { ChannelError } from './errors.ts'
import { JUMP_MAX, JUMP_MIN } from './limits.ts'
import type { Store } from './ports.ts'
import { type ChannelRecord, decodeRecord, encodeRecord } from './record.ts'

/** Keys of channel records. */
export const CHANNEL_PREFIX = 'channels/with/'
/** The last number is written to these by turns: a torn write leaves the one before. */
const PAYER_KEYS = ['channels/payer/0', 'channels/payer/1'] as const
const CHECKSUM_BYTES = 8

/** All channels of a node, and the number of its last debit, as they are in the store and since changed. */
export class ChannelBook {
  readonly #crypto: Crypto
  readonly #store: Store
  readonly #random: Random
  readonly #nodeId: Uint8Array
  readonly #channels = new Map<string, Channel>()
  readonly #dirty = new Set<Channel>()
  #payerSeq = 0n
  #isPayerDirty = false
  /** Records that could not be read: their channels are learnt again from the peers. */
  unreadable = 0

  constructor(crypto: Crypto, store: Store, random: Random, nodeId: Uint8Array) {
    this.#crypto = crypto
    this.#store = store
    this.#random = random
    this.#nodeId = nodeId
    for (const [, bytes] of store.entries(CHANNEL_PREFIX)) this.#load(bytes)
    for (const key of PAYER_KEYS) {
      const payerSeq = this.#readPayerSeq(store.get(key))
      if (payerSeq > this.#payerSeq) this.#payerSeq = payerSeq
    }
  }

  get(nodeId: Uint8Array): Channel | undefined {
    return this.#channels.get(toHex(nodeId))
  }

  /** The entry of a peer, made where there is none. */
  of(peerId: Uint8Array, peerKey: Uint8Array, record?: ChannelRecord): Channel {
    const key = toHex(peerId)
    const known = this.#channels.get(key)
    if (known !== undefined) return known
    const side = compareBytes(this.#nodeId, peerId) < 0 ? 'a' : 'b'
    const made = new Channel(peerId.slice(), peerKey.slice(), side, this.#drawJump(), record)
    this.#channels.set(key, made)
    return made
  }

  all(): Iterable<Channel> {
    return this.#channels.values()
  }

  /** Channels that are stored. */
  get count(): number {
    let count = 0
    for (const { record } of this.#channels.values()) if (record !== undefined) count++
    return count
  }

  drop(channel: Channel): void {
    this.#channels.delete(toHex(channel.peerId))
  }

  /**
   * Drops a channel from the store too. A peer that is linked has a new entry, with a jump of its own: were the channel
   * proved again, what was signed in it before is forgotten as by a restart.
   */
  forget(channel: Channel): void {
    this.#store.delete(CHANNEL_PREFIX + toHex(channel.peerId))
    this.#dirty.delete(channel)
    this.drop(channel)
    const { link, peerId, peerKey } = channel
    if (link !== undefined) this.of(peerId, peerKey).link = new ChannelLink(link.spacingMs)
  }

  /** Notes that the channel may have changed: {@link flush} writes it if so. */
  touch(channel: Channel): void {
    this.#dirty.add(channel)
  }

  /** The number of the last debit that was signed as payer; 0: none. */
  get payerSeq(): bigint {
    return this.#payerSeq
  }

  set payerSeq(value: bigint) {
    this.#payerSeq = value
    this.#isPayerDirty = true
  }

  /** Writes all that changed. */
  flush(): void {
    if (this.#isPayerDirty) {
      const value = new ByteWriter(8).u64(this.#payerSeq).finish()
      const bytes = new ByteWriter(8 + CHECKSUM_BYTES).bytes(value).bytes(this.#checksum(value)).finish()
      this.#store.put(PAYER_KEYS[Number(this.#payerSeq & 1n)]!, bytes)
      this.#isPayerDirty = false
    }
    for (const channel of this.#dirty) {
      if (!channel.isDirty || channel.record === undefined) continue
      const key = CHANNEL_PREFIX + toHex(channel.peerId)
      this.#store.put(key, encodeRecord(this.#crypto, channel.record))
      channel.isDirty = false
    }
    this.#dirty.clear()
  }

  #load(bytes: Uint8Array): void {
    try {
      const record = decodeRecord(this.#crypto, bytes)
      this.of(nodeIdOf(this.#crypto, record.peerKey), record.peerKey, record)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.unreadable++
    }
  }

  #readPayerSeq(bytes: Uint8Array | undefined): bigint {
    if (bytes === undefined || bytes.length !== 8 + CHECKSUM_BYTES) return 0n
    const value = bytes.subarray(0, 8)
    return equalBytes(bytes.subarray(8), this.#checksum(value)) ? new ByteReader(value).u64() : 0n
  }

  #checksum(bytes: Uint8Array): Uint8Array {
    return this.#crypto.blake3(bytes).subarray(0, CHECKSUM_BYTES)
  }

  #drawJump(): bigint {
    return JUMP_MIN + (new ByteReader(this.#random(8)).u64() % (JUMP_MAX - JUMP_MIN + 1n))
  }
}

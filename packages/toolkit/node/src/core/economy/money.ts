import {
  type ChannelPorts,
  Channels,
  type CloseRecord,
  decodeClose,
  decodeSettlement,
  encodeClose,
  encodeSettlement,
  payerSide,
  type Settlement,
} from '@nexus/channels'
import { concatBytes, equalBytes } from '@nexus/codec'
import { CLOSE_RECORD, networkIdOf, Replica } from '@nexus/crdt-ledger'
import type { Crypto, Random } from '@nexus/crypto'
import type { Gossip } from '@nexus/gossip'
import { type Identity, nodeIdOf } from '@nexus/identity'
import type { VerifyPort } from '../announcing.ts'
import type { Store } from '../store.ts'
import type { EconomyOptions } from './options.ts'

export interface MoneyParts {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly store: Store
  readonly gossip: Gossip
  readonly verify: VerifyPort
  readonly options: EconomyOptions
  /** The store failed: nothing that follows would be kept. */
  failed(error: unknown): void
}

/** What the lottery decides about claims. */
export type ClaimPorts = Pick<ChannelPorts, 'send' | 'judge' | 'paid' | 'earned' | 'claimRefused'>

/** Channels with the neighbours, and the ledger that their settlements go into. */
export class Money {
  readonly channels: Channels
  readonly replica: Replica
  readonly networkId: Uint8Array
  readonly #parts: MoneyParts

  constructor(parts: MoneyParts, claims: ClaimPorts) {
    const { crypto, identity, random, store, gossip, options } = parts
    this.#parts = parts
    this.networkId = networkIdOf(options.genesis)
    this.replica = new Replica(
      { crypto: verifying(crypto, parts.verify), networkId: this.networkId, store, genesis: options.genesis },
      {
        publish: (record) => void gossip.publish(record),
        forget: (record) => void gossip.forget(record),
        failed: (error) => parts.failed(error),
        changed: () => this.#changed(),
      },
    )
    this.channels = new Channels(
      {
        crypto,
        identity,
        random,
        store,
        networkId: this.networkId,
        epoch: this.replica.ledger.snapshot.epoch,
        exposureLimitMicro: options.exposureLimitMicro,
      },
      {
        ...claims,
        publish: (record) => {
          const body = record.kind === 'close' ? encodeClose(record.close) : encodeSettlement(record.settlement)
          void this.replica.submit({ kind: record.kind, body })
        },
        wouldApply: (settlement) => this.replica.ledger.wouldApply(encodeSettlement(settlement)),
        payerSeqSeen: () => this.#payerSeqSeen(),
        settledSequence: (channelId, keyA, keyB) => this.#settledSequence(channelId, keyA, keyB),
        balanceInSnapshotMicro: (nodeId) => this.replica.ledger.snapshot.account(nodeId).balance,
        creditLineMicro: (nodeId) => options.creditLineMicro?.(nodeId) ?? 0n,
      },
    )
    for (const handler of this.replica.handlers) {
      gossip.register({
        ...handler,
        accepted: (record, from) => {
          handler.accepted?.(record, from)
          if (record.type === CLOSE_RECORD) this.#closeSeen(decodeClose(record.body))
        },
      })
    }
  }

  /** The clock of the call under way. */
  nowMs = 0

  get balanceMicro(): bigint {
    return this.replica.ledger.account(this.#parts.identity.nodeId).balance
  }

  #changed(): void {
    for (const { peerId } of this.channels.list()) this.channels.settled(peerId)
  }

  #closeSeen(close: CloseRecord): void {
    const { crypto, identity } = this.#parts
    const own = [close.keyA, close.keyB].some((key) => equalBytes(key, identity.publicKey))
    if (!own) return
    const peerKey = equalBytes(close.keyA, identity.publicKey) ? close.keyB : close.keyA
    this.channels.closeSeen(this.nowMs, nodeIdOf(crypto, peerKey), close)
  }

  *#own(): Iterable<{ readonly settlement: Settlement; readonly applied: boolean }> {
    for (const { settlement, applied } of this.replica.ledger.history(this.#parts.identity.nodeId)) {
      yield { settlement: decodeSettlement(settlement), applied }
    }
  }

  #payerSeqSeen(): bigint {
    const { publicKey, nodeId } = this.#parts.identity
    const { nextSeq } = this.replica.ledger.snapshot.account(nodeId)
    let seen = nextSeq - 1n
    for (const { settlement } of this.#own()) {
      const payer = payerSide(settlement) === 'a' ? settlement.keyA : settlement.keyB
      if (equalBytes(payer, publicKey) && settlement.payerSeq > seen) seen = settlement.payerSeq
    }
    return seen
  }

  #settledSequence(channelId: Uint8Array, keyA: Uint8Array, keyB: Uint8Array): bigint {
    const key = this.#parts.crypto.blake3(concatBytes(channelId, keyA, keyB)).subarray(0, CHANNEL_KEY_BYTES)
    let settled = this.replica.ledger.snapshot.channel(key).settled
    for (const { settlement, applied } of this.#own()) {
      const { finalSequence } = settlement
      if (!applied || finalSequence <= settled || !equalBytes(settlement.channelId, channelId)) continue
      if (equalBytes(settlement.keyA, keyA) && equalBytes(settlement.keyB, keyB)) settled = finalSequence
    }
    return settled
  }
}

const CHANNEL_KEY_BYTES = 16

/** The node's provider with batches that go where the node has all its signatures checked. */
function verifying(crypto: Crypto, verify: VerifyPort): Crypto {
  return {
    ...crypto,
    verifyBatch: (jobs) =>
      new Promise((resolve) => {
        const tagged = jobs.filter((job) => 'tag' in job)
        if (tagged.length !== jobs.length) throw new TypeError('the ledger has no HTTP signatures')
        verify(tagged, (_nowMs, verdicts) => resolve([...verdicts]))
      }),
  }
}

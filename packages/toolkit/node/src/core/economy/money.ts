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
import { concatBytes, equalBytes, fromHex, toHex } from '@nexus/codec'
import { CLOSE_RECORD, networkIdOf, Replica, type Snapshot } from '@nexus/crdt-ledger'
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

/** What the lottery decides about claims, and trust about credit; and who hears of what the ledger says. */
export interface MoneyPorts
  extends Pick<ChannelPorts, 'send' | 'judge' | 'paid' | 'earned' | 'claimRefused' | 'creditLineMicro'> {
  /** A settlement of this node with that peer applies; below 0: this node paid. */
  settled(peerId: Uint8Array, amountMicro: bigint): void
  /** What the ledger says of the channel with that peer may have changed. */
  ledgerChanged(peerId: Uint8Array): void
}

/** What the ledger holds of one node. */
interface OwnRecords {
  /** The one that they were read beside. */
  readonly snapshot: Snapshot | undefined
  /** The greatest number of a debit of its own, applied or not. */
  readonly seen: bigint
  /** Whether one of its settlements does not apply yet. */
  readonly isWaiting: boolean
  /** Greatest final sequence applied, by channel key in hexadecimal. */
  readonly settled: ReadonlyMap<string, bigint>
}

/** Channels with the neighbours, and the ledger that their settlements go into. */
export class Money {
  readonly channels: Channels
  readonly replica: Replica
  readonly networkId: Uint8Array
  readonly #parts: MoneyParts
  readonly #ports: MoneyPorts
  #own: OwnRecords = { snapshot: undefined, seen: 0n, isWaiting: true, settled: new Map() }
  #ownIsFresh = false
  /** When the replica is asked again to take a record of this node that it refused, as while it was busy. */
  #publishAgainMs: number | undefined

  constructor(parts: MoneyParts, ports: MoneyPorts) {
    const { crypto, identity, random, store, gossip, options } = parts
    this.#parts = parts
    this.#ports = ports
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
        ...ports,
        publish: (record) => {
          const body = record.kind === 'close' ? encodeClose(record.close) : encodeSettlement(record.settlement)
          this.#ownIsFresh = false
          void this.replica.submit({ kind: record.kind, body }).then((verdict) => {
            if (verdict === 'refused') this.#publishAgainMs ??= this.nowMs + PUBLISH_AGAIN_MS
          })
        },
        wouldApply: (settlement) => this.replica.ledger.wouldApply(encodeSettlement(settlement)),
        payerSeqSeen: () => this.#readOwn().seen,
        settledSequence: (channelId, keyA, keyB) => this.#settledSequence(channelId, keyA, keyB),
        finalSequence: (channelId, keyA, keyB) =>
          this.replica.ledger.snapshot.channel(fromHex(this.#channelKey(channelId, keyA, keyB))).settled,
        balanceInSnapshotMicro: (nodeId) => this.replica.ledger.snapshot.account(nodeId).balance,
      },
    )
    for (const handler of this.replica.handlers) {
      gossip.register({
        ...handler,
        accepted: (record, from) => {
          handler.accepted?.(record, from)
          if (record.type === CLOSE_RECORD) this.#closeSeen(decodeClose(record.body))
          else if (this.#isOwn(decodeSettlement(record.body))) this.#ownChanged()
        },
      })
    }
  }

  /** Hands the stored records to gossip; settlements that apply already are no news. A fold may be newer than the channels. */
  start(): void {
    this.replica.announce()
    this.#readOwn()
    this.#ownChanged()
  }

  /** The clock of the call under way. */
  nowMs = 0

  tick(nowMs: number): void {
    if (this.#publishAgainMs !== undefined && nowMs >= this.#publishAgainMs) {
      this.#publishAgainMs = undefined
      this.channels.publishAgain()
    }
    this.channels.tick(nowMs)
  }

  nextWakeMs(): number {
    return Math.min(this.channels.nextWakeMs(), this.#publishAgainMs ?? Number.POSITIVE_INFINITY)
  }

  get balanceMicro(): bigint {
    return this.replica.ledger.account(this.#parts.identity.nodeId).balance
  }

  /** Channels hear of it only where a record of this node is new, or was waiting to apply, or the snapshot is another. */
  #changed(): void {
    const isSame = this.#own.snapshot === this.replica.ledger.snapshot
    if (!this.#ownIsFresh || this.#own.isWaiting || !isSame) this.#ownChanged()
  }

  #ownChanged(): void {
    this.#ownIsFresh = false
    for (const { peerId } of this.channels.list()) {
      this.channels.settled(this.nowMs, peerId)
      this.#ports.ledgerChanged(peerId)
    }
  }

  #closeSeen(close: CloseRecord): void {
    const { crypto, identity } = this.#parts
    if (!this.#isOwn(close)) return
    const peerKey = equalBytes(close.keyA, identity.publicKey) ? close.keyB : close.keyA
    const peerId = nodeIdOf(crypto, peerKey)
    this.channels.closeSeen(this.nowMs, peerId, close)
    this.#ports.ledgerChanged(peerId)
  }

  #isOwn({ keyA, keyB }: Pick<Settlement, 'keyA' | 'keyB'>): boolean {
    const { publicKey } = this.#parts.identity
    return equalBytes(keyA, publicKey) || equalBytes(keyB, publicKey)
  }

  /** What the ledger holds of this node: read anew after a record of its own came, since that takes a look at all. */
  #readOwn(): OwnRecords {
    const { snapshot } = this.replica.ledger
    if (this.#ownIsFresh && this.#own.snapshot === snapshot) return this.#own
    const { publicKey, nodeId } = this.#parts.identity
    let seen = snapshot.account(nodeId).nextSeq - 1n
    let isWaiting = false
    const before = this.#own
    const applied: Settlement[] = []
    const settled = new Map<string, bigint>()
    for (const entry of this.replica.ledger.history(nodeId)) {
      const settlement = decodeSettlement(entry.settlement)
      const { keyA, keyB, finalSequence, payerSeq } = settlement
      const isPayer = equalBytes(payerSide(settlement) === 'a' ? keyA : keyB, publicKey)
      if (isPayer && payerSeq > seen) seen = payerSeq
      const key = this.#channelKey(settlement.channelId, keyA, keyB)
      if (!entry.applied) isWaiting = true
      else {
        if (finalSequence > (settled.get(key) ?? 0n)) settled.set(key, finalSequence)
        if (finalSequence > (before.settled.get(key) ?? 0n)) applied.push(settlement)
      }
    }
    this.#own = { snapshot, seen, isWaiting, settled }
    this.#ownIsFresh = true
    if (before.snapshot !== undefined) for (const settlement of applied) this.#tell(settlement)
    return this.#own
  }

  #tell({ keyA, keyB, amountAToBMicro }: Settlement): void {
    const { crypto, identity } = this.#parts
    const isA = equalBytes(keyA, identity.publicKey)
    this.#ports.settled(nodeIdOf(crypto, isA ? keyB : keyA), isA ? -amountAToBMicro : amountAToBMicro)
  }

  #settledSequence(channelId: Uint8Array, keyA: Uint8Array, keyB: Uint8Array): bigint {
    const key = this.#channelKey(channelId, keyA, keyB)
    const before = this.replica.ledger.snapshot.channel(fromHex(key)).settled
    const since = this.#readOwn().settled.get(key) ?? 0n
    return since > before ? since : before
  }

  #channelKey(channelId: Uint8Array, keyA: Uint8Array, keyB: Uint8Array): string {
    return toHex(this.#parts.crypto.blake3(concatBytes(channelId, keyA, keyB)).subarray(0, CHANNEL_KEY_BYTES))
  }
}

const CHANNEL_KEY_BYTES = 16
const PUBLISH_AGAIN_MS = 60_000

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

import { type ChannelPorts, Channels, type Store } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import { NETWORK_ID } from './parties.ts'
import { claimBody, readClaim } from './world.ts'

const PAID_BEFORE = 34

/** A party on any store: it pays each claim once, as its store remembers, and keeps what it claimed until that is paid. */
export class Trader {
  readonly identity: Identity
  readonly channels: Channels
  readonly #store: Store

  constructor(crypto: Crypto, random: Random, seed: Uint8Array, store: Store, send: ChannelPorts['send']) {
    this.identity = createIdentity(crypto, seed)
    this.#store = store
    const end = (claim: Uint8Array | undefined) => claim && store.delete(`owns/${readClaim(claim).id}`)
    const ports: ChannelPorts = {
      send,
      publish: () => undefined,
      judge: (_, __, claim) => {
        const { id, priceMicro } = readClaim(claim)
        return store.get(`paid/${id}`) === undefined ? { payMicro: priceMicro } : { refuse: PAID_BEFORE }
      },
      paid: (_, __, claim) => store.put(`paid/${readClaim(claim).id}`, claim),
      earned: (_, __, { claim }) => void end(claim),
      claimRefused: (_, __, claim) => void end(claim),
      wouldApply: () => false,
      payerSeqSeen: () => 0n,
      settledSequence: () => 0n,
      finalSequence: () => 0n,
      balanceInSnapshotMicro: () => 1n << 50n,
      creditLineMicro: () => 0n,
    }
    const { identity } = this
    this.channels = new Channels(
      { crypto, identity, random, store, networkId: NETWORK_ID, epoch: 0n, exposureLimitMicro: 1n << 50n },
      ports,
    )
  }

  /** Takes note of a win, then claims it; and again whatever has no end, as after a start. */
  win(nowMs: number, peerId: Uint8Array, id: number, priceMicro: bigint): void {
    this.#store.put(`owns/${id}`, claimBody(id, priceMicro))
    this.claimAll(nowMs, peerId)
  }

  claimAll(nowMs: number, peerId: Uint8Array): void {
    for (const [, claim] of [...this.#store.entries('owns/')]) {
      this.channels.claim(nowMs, peerId, claim, readClaim(claim).priceMicro, 1n)
    }
  }

  /** Claims that have no end yet. */
  get openClaims(): number {
    return [...this.#store.entries('owns/')].length
  }

  /** What this party paid in all, each claim once. */
  get paidMicro(): bigint {
    let sum = 0n
    for (const [, claim] of this.#store.entries('paid/')) sum += readClaim(claim).priceMicro
    return sum
  }
}

/** The party's own signature in a message: which sequence it gives away, and the signature itself, which names the content. */
export function signatureIn(
  message: { kind: string },
  side: 'a' | 'b',
): { sequence: bigint; signature: string } | undefined {
  const fields = message as {
    state?: { sequence: bigint; signatureA: Uint8Array; signatureB: Uint8Array }
    sequence?: bigint
    signature?: Uint8Array
  }
  if (fields.state !== undefined) {
    const { sequence, signatureA, signatureB } = fields.state
    return { sequence, signature: toHex(side === 'a' ? signatureA : signatureB) }
  }
  if (message.kind !== 'update' && message.kind !== 'accept') return undefined
  return { sequence: fields.sequence!, signature: toHex(fields.signature!) }
}

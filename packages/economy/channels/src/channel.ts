import { equalBytes } from '@nexus/codec'
import type { Standing } from './messages.ts'
import { type ChannelRecord, HALT } from './record.ts'
import { Repeat } from './repeat.ts'
import type { ChannelState } from './state.ts'

export type Side = 'a' | 'b'

/** A claim of this side that is to be paid. */
export interface Claim {
  readonly body: Uint8Array
  readonly expectedMicro: bigint
  readonly packets: bigint
}

/** What is known and under way on the link with the peer, gone with it. */
export class ChannelLink {
  spacingMs: number
  /**
   * `opening`: OPEN is out. `asking`: REESTABLISH is out, the peer's has not come. `behind`: it came, and the peer's newer
   * state has not. `ready`: slots may be used.
   */
  phase: 'idle' | 'opening' | 'asking' | 'behind' | 'ready' = 'idle'
  readonly ask: Repeat = new Repeat()
  askedMs = Number.NEGATIVE_INFINITY
  /** The peer's last REESTABLISH. */
  peer: Standing | undefined
  /** A channel that the peer names and this node holds nothing of. */
  unknownId: Uint8Array | undefined
  /** The greatest sequence that the next slot may have, and the one that it has at the sequencer. */
  next = 0n
  /** The peer said that it signed a payment up to this sequence, and is to send it before slots are used. */
  awaited: bigint | undefined
  readonly awaiting: Repeat = new Repeat()
  /** Own claim that is out; its slot where this side gives them, else 0. */
  claimed: { readonly claim: Claim; readonly sequence: bigint } | undefined
  readonly claiming: Repeat = new Repeat()
  /** At the sequencer: the peer's claim that waits for the slot. */
  deferred: Uint8Array | undefined
  /** How the pending payment was sent. */
  pendingAs: 'update' | 'state' = 'update'
  readonly paying: Repeat = new Repeat()
  readonly settling: Repeat = new Repeat()
  settleAtMs = Number.POSITIVE_INFINITY

  constructor(spacingMs: number) {
    this.spacingMs = spacingMs
  }

  /** Ends what is under way: the link begins anew with REESTABLISH. */
  reset(): void {
    this.claimed = undefined
    this.deferred = undefined
    this.awaited = undefined
    for (const repeat of [this.awaiting, this.claiming, this.paying]) repeat.stop()
  }
}

/** One neighbour: what is stored of the channel with it, and what this process knows besides. */
export class Channel {
  readonly peerId: Uint8Array
  readonly peerKey: Uint8Array
  readonly side: Side
  /** Drawn once per process; counts until {@link isConfirmed}. */
  readonly drawnJump: bigint
  /** A state that this process signed has both signatures: it remembers all that it signed since. */
  isConfirmed = false
  /** In this process both standings were exchanged, and the newer state was received. */
  isSynced = false
  link: ChannelLink | undefined
  /** Own claims in order; the first may be under way. */
  readonly claims: Claim[] = []
  /**
   * The claim that went out and did not end: it outlives its link, and what the peer pays next is for it. What an earlier
   * process claimed is paid before this one claims anything.
   */
  unanswered: Claim | undefined
  heardMs = Number.NEGATIVE_INFINITY
  /** A close of the peer is to be answered once that is allowed. */
  isAnswerDue = false
  /** The offer that is out, or was accepted, has a nonce of this process: no state of that channel is forgotten. */
  hasFreshNonce = false
  /** The sequence that this process signed last as payer. */
  signedHere: bigint | undefined
  #record: ChannelRecord | undefined
  isDirty = false

  constructor(peerId: Uint8Array, peerKey: Uint8Array, side: Side, drawnJump: bigint, record?: ChannelRecord) {
    this.peerId = peerId
    this.peerKey = peerKey
    this.side = side
    this.drawnJump = drawnJump
    this.#record = record
  }

  get record(): ChannelRecord | undefined {
    return this.#record
  }

  /** The record of a channel that both have signed. */
  get open(): ChannelRecord | undefined {
    return this.#record?.openingNonce === undefined ? this.#record : undefined
  }

  get jump(): bigint {
    return this.isConfirmed ? 0n : this.drawnJump
  }

  begin(record: ChannelRecord): void {
    this.#record = record
    this.isDirty = true
  }

  change(change: Partial<ChannelRecord>): void {
    if (this.#record === undefined) throw new Error('channels: no record to change')
    this.begin({ ...this.#record, ...change })
  }

  /** Nothing below this is ever signed again. */
  floor(record: ChannelRecord): bigint {
    return 1n + greatest(record.newest.sequence, record.ownSequence) + this.jump
  }

  mineMicro(state: ChannelState): bigint {
    return this.side === 'a' ? state.balanceAMicro : state.balanceBMicro
  }

  /** What the peer owes this side since the last settlement; below 0 where this side owes; 0 where that is not known. */
  owedMicro(record: ChannelRecord): bigint {
    return record.base === undefined ? 0n : this.mineMicro(record.newest) - this.mineMicro(record.base)
  }

  mineSignature(state: ChannelState): Uint8Array {
    return this.side === 'a' ? state.signatureA : state.signatureB
  }

  signed(state: ChannelState, by: 'mine' | 'theirs', signature: Uint8Array): ChannelState {
    const isA = (this.side === 'a') === (by === 'mine')
    return isA ? { ...state, signatureA: signature } : { ...state, signatureB: signature }
  }

  /** `state` at `sequence` with `receivedMicro` moved to this side (below 0: to the peer), unsigned. */
  moved(state: ChannelState, sequence: bigint, receivedMicro: bigint, noSignature: Uint8Array): ChannelState {
    const toA = this.side === 'a' ? receivedMicro : -receivedMicro
    return {
      ...state,
      sequence,
      balanceAMicro: state.balanceAMicro + toA,
      balanceBMicro: state.balanceBMicro - toA,
      signatureA: noSignature,
      signatureB: noSignature,
    }
  }

  isHalted(): boolean {
    return this.#record !== undefined && this.#record.halt !== HALT.none
  }
}

export function isSameState(a: ChannelState, b: ChannelState): boolean {
  return (
    a.sequence === b.sequence &&
    a.balanceAMicro === b.balanceAMicro &&
    a.balanceBMicro === b.balanceBMicro &&
    equalBytes(a.channelId, b.channelId) &&
    equalBytes(a.partyA, b.partyA) &&
    equalBytes(a.partyB, b.partyB)
  )
}

export function greatest(...values: readonly bigint[]): bigint {
  let most = values[0]!
  for (const value of values) if (value > most) most = value
  return most
}

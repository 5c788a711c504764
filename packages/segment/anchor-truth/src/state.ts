import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { type Admission, zoneHashOf } from './admission.ts'
import { Budget } from './budget.ts'
import type { NodeType } from './datagram.ts'
import { KeyRing } from './keyring.ts'
import { ANSWERS_PER_SECOND, REQUEST_CHECKS_PER_SECOND, UNKNOWN_CHECKS_PER_SECOND } from './limits.ts'
import type { Rank } from './order.ts'
import type { Source } from './proof.ts'
import type { SequenceSource } from './sequence.ts'
import { AddressBudgets, Callers, Members, type Voice } from './voices.ts'

export interface SegmentOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly sequence: SequenceSource
  readonly admission: Admission
  /** 0…255; the greatest leads. */
  readonly ego: number
  readonly type: NodeType
  readonly zone: string
  /** At most 24 bytes of UTF-8. */
  readonly name: string
}

/** Why a datagram changed nothing. */
export const DROP_REASONS = [
  'malformed',
  'not-admitted',
  'pinned-ego',
  'self',
  'replay',
  'unknown-epoch',
  'budget',
  'mac',
  'signature',
  'seal',
  'unproven',
  'admission',
  'role',
  'ego',
  'full',
  'request-rate',
] as const
export type DropReason = (typeof DROP_REASONS)[number]

export type Phase = 'down' | 'asking' | 'member' | 'anchor'

/** Why a node takes the lead, or follows another one. */
export type ChangeCause = 'cold' | 'silence' | 'challenge' | 'claim' | 'rival'

export type SegmentEvent =
  | { readonly kind: 'phase'; readonly phase: Phase }
  | { readonly kind: 'promoted'; readonly epoch: number; readonly cause: ChangeCause }
  | { readonly kind: 'followed'; readonly nodeId: Uint8Array; readonly epoch: number; readonly cause: ChangeCause }
  | { readonly kind: 'key'; readonly epoch: number; readonly sinceRequestMs: number | undefined }
  | { readonly kind: 'member'; readonly publicKey: Uint8Array; readonly nodeId: Uint8Array; readonly source: Source }
  | { readonly kind: 'twin'; readonly source: Source }

export interface SegmentPorts {
  /** Sends to the group on this segment. The bytes may be kept. */
  transmit(datagram: Uint8Array): void
  event(event: SegmentEvent): void
}

/** An anchor that this node follows, or could. */
export interface Followed extends Rank {
  readonly hex: string
  readonly publicKey: Uint8Array
  readonly ego: number
  readonly epoch: number
  /** In hexadecimal. */
  readonly epochId: string
  readonly hasKey: boolean
  heardMs: number
  /** Since when it was heard without a break. */
  heardSinceMs: number
}

export interface Wait {
  readonly claimAtMs: number
  readonly cause: 'cold' | 'silence' | 'challenge'
  /** Put off once already. */
  readonly isPatient: boolean
}

/** An anchor's own epoch. */
export interface Reign {
  readonly epoch: number
  readonly ego: number
  readonly salt: Uint8Array
  readonly key: Uint8Array
  readonly epochId: string
  rotateAtMs: number
  lastAssertedMs: number
  /** Batches of members still to be told the key, and when the next one goes. */
  spread: Voice[][]
  spreadAtMs: number
  spreadEveryMs: number
}

/** All that a node knows of its segment. Each rule's file changes its own part of it. */
export class SegmentState {
  readonly options: SegmentOptions
  readonly ports: SegmentPorts
  readonly hex: string
  readonly zoneHash: Uint8Array
  readonly keys = new KeyRing()
  readonly members = new Members()
  readonly callers = new Callers()
  readonly drops: Record<DropReason, number>
  readonly sent = { pulse: 0, epoch: 0, request: 0 }
  readonly received = { pulse: 0, epoch: 0, request: 0 }
  readonly unknownChecks = new Budget(UNKNOWN_CHECKS_PER_SECOND, UNKNOWN_CHECKS_PER_SECOND)
  readonly requestChecks = new Budget(REQUEST_CHECKS_PER_SECOND, REQUEST_CHECKS_PER_SECOND)
  readonly answerBudget = new Budget(ANSWERS_PER_SECOND, ANSWERS_PER_SECOND)
  readonly addresses = new AddressBudgets()
  readonly pending = new Map<string, Voice>()

  ego: number
  phase: Phase = 'down'
  source: Source | undefined
  startedMs = 0
  lastNowMs = 0

  // Asking.
  nonces: Uint8Array[] = []
  askedFirstMs: number | undefined
  askedLastMs = Number.NEGATIVE_INFINITY
  requestsAtMs: number[] = []
  foreignAskAgainMs = 0
  foreignAskAtMs = Number.NEGATIVE_INFINITY
  coldAtMs = Number.POSITIVE_INFINITY

  // Following.
  anchor: Followed | undefined
  rival: Followed | undefined
  wait: Wait | undefined
  lastEpoch = 0
  changedMs = Number.NEGATIVE_INFINITY
  readonly changes: number[] = []
  silentCheckMs = Number.POSITIVE_INFINITY

  // Leading.
  reign: Reign | undefined
  flushAtMs = Number.POSITIVE_INFINITY

  // All.
  pulseAtMs = Number.POSITIVE_INFINITY
  tidyAtMs = 0
  keySinceMs: number | undefined

  constructor(options: SegmentOptions, ports: SegmentPorts) {
    this.options = options
    this.ports = ports
    this.ego = options.ego
    this.hex = toHex(options.identity.publicKey)
    this.zoneHash = zoneHashOf(options.crypto, options.zone)
    this.drops = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>
  }

  drop(reason: DropReason): void {
    this.drops[reason] += 1
  }

  enter(phase: Phase): void {
    if (this.phase === phase) return
    this.phase = phase
    this.ports.event({ kind: 'phase', phase })
  }

  /** Evenly spread over 0…`below` ms. */
  dice(below: number): number {
    const bytes = this.options.random(4)
    const whole = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
    return Math.floor((whole / 2 ** 32) * below)
  }
}

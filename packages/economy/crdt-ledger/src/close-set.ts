import { compareBytes, concatBytes, equalBytes, toHex } from '@nexus/codec'
import { CLOSE_CHANNELS_PER_ACCOUNT, CLOSES_MAX } from './limits.ts'
import { AT, channelBytes } from './rows.ts'
import { CHANNEL_KEY_BYTES, type Snapshot } from './snapshot.ts'

/**
 * Why a close was not kept, none of which says that it is wrong: `settled` is not beyond what is settled, `outdone` is not
 * beyond what its closer published before, `uncredited` debits an account without money, `crowded` comes after 16 other
 * channels that debit the account, `full` found no room, `signatures` states what a kept one does, otherwise signed.
 */
export type CloseRefusal = 'settled' | 'outdone' | 'uncredited' | 'crowded' | 'full' | 'signatures'
export type CloseAdmission = 'kept' | 'known' | CloseRefusal

/** A close as the ledger reads it. */
export interface Close {
  readonly body: Uint8Array
  readonly channelKey: Uint8Array
  readonly payerId: Uint8Array
  readonly payeeId: Uint8Array
  /** What the payer owes, in μNXS; 0 where nothing is owed, and then the payer is the closer. */
  readonly amount: bigint
  readonly baseSequence: bigint
  readonly lastSequence: bigint
  /** 0 for party a, 1 for party b. */
  readonly closer: number
  readonly epoch: bigint
  readonly hash: Uint8Array
}

const BASE = 80
const LAST = 232
const BALANCE_A = 0
const SEQUENCE = 16
const UNSIGNED_STATE_BYTES = 24
const CLOSER = 384
const EPOCH = 385
const SIGNATURE = 393

/** A close without its signatures: what names it, since signers can make endless signatures of one statement. */
export function closeStatement(body: Uint8Array): Uint8Array {
  return concatBytes(
    body.subarray(0, BASE + UNSIGNED_STATE_BYTES),
    body.subarray(LAST, LAST + UNSIGNED_STATE_BYTES),
    body.subarray(CLOSER, SIGNATURE),
  )
}

export interface CloseReading {
  nodeIdOf(publicKey: Uint8Array): Uint8Array
  hash(bytes: Uint8Array): Uint8Array
}

/** Name of a channel in snapshots: `BLAKE3(channel_id ‖ pk_a ‖ pk_b)[0..16]`, of a settlement or a close. */
export function channelKeyOf(hash: CloseReading['hash'], body: Uint8Array): Uint8Array {
  return hash(channelBytes(body)).slice(0, CHANNEL_KEY_BYTES)
}

/** Reads a close whose form and signatures were checked already. */
export function readClose({ nodeIdOf, hash }: CloseReading, body: Uint8Array): Close {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const owed = view.getBigUint64(BASE + BALANCE_A, true) - view.getBigUint64(LAST + BALANCE_A, true)
  const closer = view.getUint8(CLOSER)
  const a = nodeIdOf(body.subarray(AT.keyA, AT.keyB))
  const b = nodeIdOf(body.subarray(AT.keyB, AT.amount))
  const payerIsA = owed === 0n ? closer === 0 : owed > 0n
  return {
    body,
    channelKey: channelKeyOf(hash, body),
    payerId: payerIsA ? a : b,
    payeeId: payerIsA ? b : a,
    amount: owed < 0n ? -owed : owed,
    baseSequence: view.getBigUint64(BASE + SEQUENCE, true),
    lastSequence: view.getBigUint64(LAST + SEQUENCE, true),
    closer,
    epoch: view.getBigUint64(EPOCH, true),
    hash: hash(closeStatement(body)),
  }
}

export interface CloseSetPorts {
  isCredited(nodeId: Uint8Array): boolean
  kept(body: Uint8Array): void
  evicted(body: Uint8Array): void
}

interface Disputed {
  readonly key: Uint8Array
  readonly sides: [Close | undefined, Close | undefined]
}

/**
 * The closes that a replica keeps, a function of all that was offered whatever the order: of each channel the furthest
 * of either party, and of the channels that debit one account the 16 that would execute first. The answer to a close is
 * kept with it, whomever it debits: else a debtor could crowd it out.
 */
export class CloseSet {
  readonly #ports: CloseSetPorts
  readonly #channels = new Map<string, Disputed>()
  /** Keys of the channels that debit an account, rising. */
  readonly #byPayer = new Map<string, string[]>()
  #count = 0

  constructor(ports: CloseSetPorts) {
    this.#ports = ports
  }

  get count(): number {
    return this.#count
  }

  admission(close: Close, snapshot: Snapshot): CloseAdmission {
    if (close.lastSequence <= snapshot.channel(close.channelKey).settled) return 'settled'
    const key = toHex(close.channelKey)
    const sides = this.#channels.get(key)?.sides
    const before = sides?.[close.closer]
    if (before !== undefined) {
      if (equalBytes(before.hash, close.hash)) return equalBytes(before.body, close.body) ? 'known' : 'signatures'
      if (order(close, before) > 0) return 'outdone'
    } else if (this.#count >= CLOSES_MAX) return 'full'
    const other = sides?.[1 - close.closer]
    if (this.#stands(key, close) || (other !== undefined && this.#stands(key, other))) return 'kept'
    return this.#ports.isCredited(close.payerId) ? 'crowded' : 'uncredited'
  }

  insert(close: Close, snapshot: Snapshot): CloseAdmission {
    const admission = this.admission(close, snapshot)
    if (admission !== 'kept') return admission
    const key = toHex(close.channelKey)
    const disputed = this.#channels.get(key) ?? { key: close.channelKey, sides: [undefined, undefined] }
    this.#channels.set(key, disputed)
    const before = disputed.sides[close.closer]
    this.#unlist(key, disputed)
    disputed.sides[close.closer] = close
    this.#list(key, disputed)
    if (before === undefined) this.#count++
    else this.#ports.evicted(before.body)
    this.#ports.kept(close.body)
    this.#makeRoom(disputed)
    return 'kept'
  }

  /** Evicts what has lost its standing, after an account lost all its money. */
  review(): void {
    for (const [key, disputed] of this.#channels) if (!this.#hasStanding(key, disputed)) this.#drop(key, disputed)
  }

  /** Channels with their closes, in the order of their keys. */
  byChannel(): { readonly key: Uint8Array; readonly closes: readonly Close[] }[] {
    return [...this.#channels.values()]
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(({ key, sides }) => ({ key, closes: sides.filter((close) => close !== undefined) }))
  }

  *bodies(): IterableIterator<Uint8Array> {
    for (const { sides } of this.#channels.values()) for (const close of sides) if (close) yield close.body
  }

  #makeRoom(disputed: Disputed): void {
    for (const close of disputed.sides) {
      if (close === undefined) continue
      for (const key of this.#byPayer.get(toHex(close.payerId))?.slice(CLOSE_CHANNELS_PER_ACCOUNT) ?? []) {
        const crowded = this.#channels.get(key)!
        if (!this.#hasStanding(key, crowded)) this.#drop(key, crowded)
      }
    }
  }

  #hasStanding(key: string, { sides }: Disputed): boolean {
    return sides.some((close) => close !== undefined && this.#stands(key, close))
  }

  #stands(key: string, close: Close): boolean {
    if (!this.#ports.isCredited(close.payerId)) return false
    const before = this.#byPayer.get(toHex(close.payerId))?.filter((other) => other < key) ?? []
    return before.length < CLOSE_CHANNELS_PER_ACCOUNT
  }

  #list(key: string, { sides }: Disputed): void {
    for (const payer of new Set(sides.flatMap((close) => (close ? [toHex(close.payerId)] : [])))) {
      this.#byPayer.set(payer, [...(this.#byPayer.get(payer) ?? []), key].sort())
    }
  }

  #unlist(key: string, { sides }: Disputed): void {
    for (const payer of new Set(sides.flatMap((close) => (close ? [toHex(close.payerId)] : [])))) {
      const left = this.#byPayer.get(payer)!.filter((other) => other !== key)
      if (left.length > 0) this.#byPayer.set(payer, left)
      else this.#byPayer.delete(payer)
    }
  }

  #drop(key: string, disputed: Disputed): void {
    this.#unlist(key, disputed)
    this.#channels.delete(key)
    for (const close of disputed.sides) {
      if (close === undefined) continue
      this.#count--
      this.#ports.evicted(close.body)
    }
  }
}

/** Negative where `a` goes before `b`: higher last sequence, then higher base sequence, then lower hash. */
export function order(a: Close, b: Close): number {
  if (a.lastSequence !== b.lastSequence) return a.lastSequence > b.lastSequence ? -1 : 1
  if (a.baseSequence !== b.baseSequence) return a.baseSequence > b.baseSequence ? -1 : 1
  return compareBytes(a.hash, b.hash)
}

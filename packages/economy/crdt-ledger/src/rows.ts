import { SETTLEMENT_BYTES, SETTLEMENT_SIGNED_BYTES } from '@nexus/channels'
import { equalBytes } from '@nexus/codec'
import { NONE } from './accounts.ts'

const ROWS_LOG2 = 8
const ROWS = 1 << ROWS_LOG2
const IN_CHUNK = ROWS - 1

/** Where the fields of a settlement stand (docs/spec/channels.md). */
export const AT = { channelId: 0, keyA: 16, keyB: 48, amount: 80, prev: 88, final: 96, payerSeq: 104 } as const
const KEY_BYTES = 32

interface Chunk {
  readonly bodies: Uint8Array
  readonly view: DataView
  readonly payer: Uint32Array
  readonly payee: Uint32Array
  readonly seq: Uint32Array
  readonly nextCredit: Uint32Array
  readonly appliedAt: Float64Array
}

/**
 * Settlements in rows of fixed size, in chunks that are never copied: 264 bytes a row. A row keeps the bytes as they
 * came, the slots of payer and payee, the place in the payer's chain, and when it was applied.
 */
export class RowTable {
  /** Rows in use. */
  count = 0
  readonly #chunks: Chunk[] = []
  readonly #free: number[] = []
  #end = 0

  /** One more than the highest row ever used; unused rows below it have no payer. */
  get end(): number {
    return this.#end
  }

  add(body: Uint8Array, payer: number, seq: number): number {
    const row = this.#free.pop() ?? this.#end++
    if (row >> ROWS_LOG2 === this.#chunks.length) this.#chunks.push(newChunk())
    const chunk = this.#chunks[row >> ROWS_LOG2]!
    const at = row & IN_CHUNK
    chunk.bodies.set(body, at * SETTLEMENT_BYTES)
    chunk.payer[at] = payer
    chunk.payee[at] = NONE
    chunk.seq[at] = seq
    chunk.nextCredit[at] = NONE
    chunk.appliedAt[at] = 0
    this.count++
    return row
  }

  remove(row: number): void {
    this.#chunks[row >> ROWS_LOG2]!.payer[row & IN_CHUNK] = NONE
    this.#free.push(row)
    this.count--
  }

  replaceBody(row: number, body: Uint8Array): void {
    this.#chunks[row >> ROWS_LOG2]!.bodies.set(body, (row & IN_CHUNK) * SETTLEMENT_BYTES)
  }

  /** A view of the settlement's bytes, valid while the row is. */
  body(row: number): Uint8Array {
    const at = (row & IN_CHUNK) * SETTLEMENT_BYTES
    return this.#chunks[row >> ROWS_LOG2]!.bodies.subarray(at, at + SETTLEMENT_BYTES)
  }

  payer(row: number): number {
    return this.#chunks[row >> ROWS_LOG2]!.payer[row & IN_CHUNK]!
  }

  payee(row: number): number {
    return this.#chunks[row >> ROWS_LOG2]!.payee[row & IN_CHUNK]!
  }

  setPayee(row: number, slot: number): void {
    this.#chunks[row >> ROWS_LOG2]!.payee[row & IN_CHUNK] = slot
  }

  seq(row: number): number {
    return this.#chunks[row >> ROWS_LOG2]!.seq[row & IN_CHUNK]!
  }

  nextCredit(row: number): number {
    return this.#chunks[row >> ROWS_LOG2]!.nextCredit[row & IN_CHUNK]!
  }

  setNextCredit(row: number, credit: number): void {
    this.#chunks[row >> ROWS_LOG2]!.nextCredit[row & IN_CHUNK] = credit
  }

  /** When the row was applied, counted in applications; 0 where it is not. */
  appliedAt(row: number): number {
    return this.#chunks[row >> ROWS_LOG2]!.appliedAt[row & IN_CHUNK]!
  }

  setAppliedAt(row: number, at: number): void {
    this.#chunks[row >> ROWS_LOG2]!.appliedAt[row & IN_CHUNK] = at
  }

  /** What the payer pays, always positive. */
  amount(row: number): bigint {
    return debitOf(this.#chunks[row >> ROWS_LOG2]!.view, (row & IN_CHUNK) * SETTLEMENT_BYTES)
  }

  /** Whether a row holds this statement, whatever its signatures. */
  states(row: number, body: Uint8Array): boolean {
    const { bodies } = this.#chunks[row >> ROWS_LOG2]!
    const at = (row & IN_CHUNK) * SETTLEMENT_BYTES
    for (let i = 0; i < SETTLEMENT_SIGNED_BYTES; i++) if (bodies[at + i] !== body[i]) return false
    return true
  }

  /** Whether a row holds these very bytes. */
  holds(row: number, body: Uint8Array): boolean {
    return equalBytes(this.body(row), body)
  }
}

function newChunk(): Chunk {
  const bodies = new Uint8Array(ROWS * SETTLEMENT_BYTES)
  return {
    bodies,
    view: new DataView(bodies.buffer),
    payer: new Uint32Array(ROWS).fill(NONE),
    payee: new Uint32Array(ROWS),
    seq: new Uint32Array(ROWS),
    nextCredit: new Uint32Array(ROWS),
    appliedAt: new Float64Array(ROWS),
  }
}

function debitOf(view: DataView, at: number): bigint {
  const amount = view.getBigInt64(at + AT.amount, true)
  return amount < 0n ? -amount : amount
}

const viewOf = (body: Uint8Array): DataView => new DataView(body.buffer, body.byteOffset, body.byteLength)

/** The fields of a settlement that the ledger acts on. */
export interface Debit {
  readonly payerKey: Uint8Array
  readonly payeeKey: Uint8Array
  readonly amount: bigint
  readonly payerSeq: bigint
  readonly finalSequence: bigint
}

/** Reads a settlement whose form was checked already. The keys are views. */
export function debit(body: Uint8Array): Debit {
  const view = viewOf(body)
  const keyA = body.subarray(AT.keyA, AT.keyA + KEY_BYTES)
  const keyB = body.subarray(AT.keyB, AT.keyB + KEY_BYTES)
  const signed = view.getBigInt64(AT.amount, true)
  return {
    payerKey: signed > 0n ? keyA : keyB,
    payeeKey: signed > 0n ? keyB : keyA,
    amount: signed > 0n ? signed : -signed,
    payerSeq: view.getBigUint64(AT.payerSeq, true),
    finalSequence: view.getBigUint64(AT.final, true),
  }
}

/** channel_id ‖ pk_a ‖ pk_b: what names a channel. A stranger who reuses an id has other keys. */
export const channelBytes = (body: Uint8Array): Uint8Array => body.subarray(0, AT.amount)

import type { Receipt } from './receipt.ts'

/** What a chain keeps of a ledger: how many entries it had, and the root over them (docs/spec/anchoring.md). */
export interface Statement {
  /** 16 bytes. */
  readonly logId: Uint8Array
  readonly size: number
  /** SHA-256 root of RFC 9162, 32 bytes. */
  readonly root: Uint8Array
}

/** A signed transaction. It is stored before it is sent, and sent again unchanged for as long as it may be included. */
export interface Submission {
  readonly bytes: Uint8Array
  /** By which its chain knows it: 32 bytes. */
  readonly id: Uint8Array
  /** The account's counter: of all submissions of one sequence, a chain includes one at most. */
  readonly sequence: number
  /** The most it can cost, in the chain's smallest unit. */
  readonly costMax: bigint
  /** Unix milliseconds from which on it can be included no more. */
  readonly expiresMs?: number
}

/** What a chain says of a submission. */
export type Standing =
  /** The chain does not know it: it is to be sent again. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'pending' }
  /** In a block that may still be reorganised away. */
  | { readonly kind: 'included'; readonly depth: number }
  | { readonly kind: 'confirmed'; readonly receipt: Receipt; readonly cost: bigint }
  /** In a confirmed block, but the contract refused it. */
  | { readonly kind: 'refused'; readonly reason: string; readonly cost: bigint }
  /** Can never be included: its sequence went to another, or its time is over. */
  | { readonly kind: 'void' }

/** What reading a chain about a receipt showed. */
export type Reading =
  | { readonly kind: 'holds'; readonly block: string; readonly timeMs: number }
  | { readonly kind: 'fails'; readonly what: string }

/**
 * One chain, as the queue drives it. Each call may throw {@link AnchoringError}: `anchoring/chain` where the server does
 * not answer as it should, which ends nothing but this call; `anchoring/wrong-chain`, `anchoring/contract`.
 */
export interface ChainAdapter {
  /** CAIP-2, such as `eip155:137` or `tvm:-239`: no two adapters of one anchorer share it. */
  readonly chain: string

  /**
   * Signs a submission of `statement`, and sends nothing. Another one in the place of `replaces` has its sequence and
   * pays more.
   * @throws {AnchoringError} `anchoring/cap` where it may cost more than `budget`
   */
  sign(statement: Statement, budget: bigint, replaces?: Submission): Promise<Submission>

  /** Hands the bytes to the chain, which may know them already. */
  submit(submission: Submission): Promise<void>

  /** Where a submission stands; the receipt, once the block that holds it is as deep as this chain asks for. */
  confirm(submission: Submission, statement: Statement): Promise<Standing>

  /** Reads from the chain whether what a receipt says holds today. */
  verify(receipt: Receipt, statement: Statement): Promise<Reading>
}

/** What a stranger asks a chain: no key, nothing to pay. */
export interface ChainReader {
  /** CAIP-2 of the chain that the server speaks for. */
  readonly chain: string
  /** Reads whether what a receipt says holds today. */
  read(receipt: Receipt, statement: Statement): Promise<Reading>
  /** The receipt with a proof against this block, where the server can make one: it need not be trusted for that. */
  prove(receipt: Receipt, statement: Statement, blockHash: Uint8Array): Promise<Receipt | undefined>
}

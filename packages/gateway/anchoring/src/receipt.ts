import { fromHex, toHex } from '@nexus/codec'
import { z } from 'zod'
import { CHAIN_CHARS_MAX, HEADER_BYTES_MAX, TRIE_NODE_BYTES_MAX, TRIE_NODES_MAX } from './limits.ts'

/** Lower-case hexadecimal of exactly `bytes` bytes. */
export function hexOf(bytes: number) {
  return z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
}

const hexUpTo = (bytes: number) =>
  z
    .string()
    .max(bytes * 2)
    .regex(/^([0-9a-f]{2})+$/)

/** A whole number below 2^53, as decimal text. */
export const countText = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/)
  .refine((text) => Number.isSafeInteger(Number(text)), 'beyond 2^53')

const U64_MAX = `${2n ** 64n - 1n}`

/** A u64, as decimal text. */
export const u64Text = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,19})$/)
  .refine((text) => text.length < U64_MAX.length || text <= U64_MAX, 'beyond 2^64')

const nodes = z.array(hexUpTo(TRIE_NODE_BYTES_MAX)).min(1).max(TRIE_NODES_MAX)

/** A receipt as JSON; {@link Receipt} has the same fields with bytes for hexadecimal. */
export const receiptSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('evm'),
      chain: z
        .string()
        .max(CHAIN_CHARS_MAX)
        .regex(/^eip155:[1-9][0-9]{0,31}$/),
      contract: hexOf(20).meta({ description: 'address of the StateAnchor' }),
      anchorer: hexOf(20).meta({ description: 'account that wrote the head' }),
      transaction: hexOf(32),
      block: z.strictObject({ number: countText, hash: hexOf(32), timeMs: countText }),
      proof: z
        .strictObject({
          header: hexUpTo(HEADER_BYTES_MAX).meta({ description: 'RLP of the header of a block at or after `block`' }),
          account: nodes.meta({ description: 'Merkle-Patricia proof of the contract under the state root' }),
          storage: nodes.meta({ description: 'Merkle-Patricia proof of the root under the contract' }),
        })
        .optional(),
    })
    .meta({ title: 'Receipt of an EVM chain' }),
  z
    .strictObject({
      kind: z.literal('ton'),
      chain: z
        .string()
        .max(CHAIN_CHARS_MAX)
        .regex(/^tvm:-?[1-9][0-9]{0,9}$/),
      contract: z
        .string()
        .regex(/^(0|-1):[0-9a-f]{64}$/)
        .meta({ description: 'raw address of the log contract' }),
      anchorer: z.string().regex(/^(0|-1):[0-9a-f]{64}$/),
      transaction: z.strictObject({ hash: hexOf(32), lt: u64Text }),
      timeMs: countText,
    })
    .meta({ title: 'Receipt of a TON chain' }),
])

type ReceiptJson = z.infer<typeof receiptSchema>

export type { ReceiptJson }

/** Where an EVM chain keeps a head. */
export interface EvmReceipt {
  readonly kind: 'evm'
  /** CAIP-2: `eip155:<chain id>`. */
  readonly chain: string
  /** Address of the StateAnchor and of who wrote: 20 bytes each. */
  readonly contract: Uint8Array
  readonly anchorer: Uint8Array
  readonly transaction: Uint8Array
  readonly block: { readonly number: number; readonly hash: Uint8Array; readonly timeMs: number }
  /** Absent where the chain's server gives none that holds. */
  readonly proof?: EvmProof
}

/** Proof that a block's state holds the head: its header, and the way from its state root to the slot. */
export interface EvmProof {
  readonly header: Uint8Array
  readonly account: readonly Uint8Array[]
  readonly storage: readonly Uint8Array[]
}

/** Where a TON chain keeps a head. */
export interface TonReceipt {
  readonly kind: 'ton'
  /** CAIP-2: `tvm:<global id>`. */
  readonly chain: string
  /** Raw addresses. */
  readonly contract: string
  readonly anchorer: string
  /** The contract's transaction, by hash and logical time. */
  readonly transaction: { readonly hash: Uint8Array; readonly lt: bigint }
  readonly timeMs: number
}

export type Receipt = EvmReceipt | TonReceipt

export function receiptToJson(receipt: Receipt): ReceiptJson {
  if (receipt.kind === 'ton') {
    const { hash, lt } = receipt.transaction
    const { kind, chain, contract, anchorer, timeMs } = receipt
    return { kind, chain, contract, anchorer, transaction: { hash: toHex(hash), lt: `${lt}` }, timeMs: `${timeMs}` }
  }
  const { kind, chain, block, proof } = receipt
  return {
    kind,
    chain,
    contract: toHex(receipt.contract),
    anchorer: toHex(receipt.anchorer),
    transaction: toHex(receipt.transaction),
    block: { number: `${block.number}`, hash: toHex(block.hash), timeMs: `${block.timeMs}` },
    ...(proof && {
      proof: {
        header: toHex(proof.header),
        account: proof.account.map(toHex),
        storage: proof.storage.map(toHex),
      },
    }),
  }
}

export function receiptFromJson(json: ReceiptJson): Receipt {
  if (json.kind === 'ton') {
    const { hash, lt } = json.transaction
    return { ...json, transaction: { hash: fromHex(hash), lt: BigInt(lt) }, timeMs: Number(json.timeMs) }
  }
  const { kind, chain, block, proof } = json
  return {
    kind,
    chain,
    contract: fromHex(json.contract),
    anchorer: fromHex(json.anchorer),
    transaction: fromHex(json.transaction),
    block: { number: Number(block.number), hash: fromHex(block.hash), timeMs: Number(block.timeMs) },
    ...(proof && {
      proof: {
        header: fromHex(proof.header),
        account: proof.account.map(fromHex),
        storage: proof.storage.map(fromHex),
      },
    }),
  }
}

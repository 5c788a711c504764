import { parseTransaction } from 'viem'
import { z } from 'zod'
import { hex } from './contract.ts'
import { type Rpc, shapes } from './rpc.ts'

/** What a submission offers for its gas: as EIP-1559 has it, or one price on chains without a base fee. */
export type Fees =
  | { readonly type: 'eip1559'; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 'legacy'; readonly gasPrice: bigint }

const blockShape = z.looseObject({
  baseFeePerGas: shapes.amount.optional(),
})

/** What a server suggests; twice the base fee, which then may rise for six blocks on end. */
export async function currentFees(rpc: Rpc): Promise<Fees> {
  const { baseFeePerGas } = await rpc.ask(blockShape, 'eth_getBlockByNumber', 'latest', false)
  if (baseFeePerGas === undefined) return { type: 'legacy', gasPrice: await rpc.amount('eth_gasPrice') }
  const maxPriorityFeePerGas = await rpc.amount('eth_maxPriorityFeePerGas')
  return { type: 'eip1559', maxFeePerGas: 2n * BigInt(baseFeePerGas) + maxPriorityFeePerGas, maxPriorityFeePerGas }
}

/** `fees`, and an eighth more at least than a signed transaction offers: less is no replacement to a server. */
export function feesAbove(fees: Fees, signed: Uint8Array): Fees {
  const before = parseTransaction(hex(signed))
  const above = (now: bigint, then: bigint | undefined): bigint => {
    const raised = ((then ?? 0n) * 9n) / 8n + 1n
    return raised > now ? raised : now
  }
  if (fees.type === 'legacy') return { ...fees, gasPrice: above(fees.gasPrice, before.gasPrice) }
  const maxPriorityFeePerGas = above(fees.maxPriorityFeePerGas, before.maxPriorityFeePerGas)
  const maxFeePerGas = above(fees.maxFeePerGas, before.maxFeePerGas)
  return { ...fees, maxFeePerGas, maxPriorityFeePerGas }
}

/** The most that a unit of gas can cost. */
export function priceOf(fees: Fees): bigint {
  return fees.type === 'legacy' ? fees.gasPrice : fees.maxFeePerGas
}

/** The gas that a signed transaction may use. */
export function gasOf(signed: Uint8Array): bigint {
  return parseTransaction(hex(signed)).gas ?? 0n
}

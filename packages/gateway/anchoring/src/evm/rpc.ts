import { createClient, type EIP1193RequestFn, type Transport } from 'viem'
import { z } from 'zod'
import { AnchoringError } from '../errors.ts'

/** A number below 2^52, one of seconds below 2^40, and one of a coin's smallest units below 2^128. */
const count = z.string().regex(/^0x[0-9a-f]{1,13}$/)
const seconds = z.string().regex(/^0x[0-9a-f]{1,10}$/)
const amount = z.string().regex(/^0x[0-9a-f]{1,32}$/)
const data = z.string().regex(/^0x([0-9a-f]{2})*$/)
const hash = z.string().regex(/^0x[0-9a-f]{64}$/)

export const blockShape = z.looseObject({ hash, number: count, timestamp: seconds, stateRoot: hash })
export type RpcBlock = z.infer<typeof blockShape>

export const receiptShape = z.looseObject({
  blockHash: hash,
  blockNumber: count,
  status: count,
  gasUsed: count,
  effectiveGasPrice: amount.optional(),
})

export const proofShape = z.looseObject({
  accountProof: z.array(data).max(64),
  storageProof: z.tuple([z.looseObject({ proof: z.array(data).max(64) })]),
})

export const shapes = {
  count,
  amount,
  data,
  block: blockShape,
  blockOrNone: blockShape.nullable(),
  receiptOrNone: receiptShape.nullable(),
  transactionOrNone: z.looseObject({ blockNumber: count.nullish() }).nullable(),
  proof: proofShape,
  logs: z.array(z.looseObject({ transactionHash: hash, data })).max(1_000),
} as const

/** JSON-RPC of one chain's server: every answer is checked before it is believed to be one. */
export class Rpc {
  readonly #chain: string
  readonly #request: EIP1193RequestFn

  constructor(chain: string, transport: Transport) {
    this.#chain = chain
    this.#request = createClient({ transport }).request as EIP1193RequestFn
  }

  /** @throws {AnchoringError} `anchoring/chain` */
  async ask<T>(shape: z.ZodType<T>, method: string, ...params: readonly unknown[]): Promise<T> {
    let answer: unknown
    try {
      answer = await this.#request({ method, params } as never, { retryCount: 0 })
    } catch (error) {
      throw this.fault(`${method}: ${reasonOf(error)}`)
    }
    const parsed = shape.safeParse(answer)
    if (!parsed.success) throw this.fault(`${method}: an answer of another shape`)
    return parsed.data
  }

  /** A height, a nonce, an amount of gas, a chain id. */
  async count(method: string, ...params: readonly unknown[]): Promise<number> {
    return Number(await this.ask(count, method, ...params))
  }

  /** A price or a balance. */
  async amount(method: string, ...params: readonly unknown[]): Promise<bigint> {
    return BigInt(await this.ask(amount, method, ...params))
  }

  fault(what: string): AnchoringError {
    return new AnchoringError({ code: 'anchoring/chain', chain: this.#chain, what })
  }
}

/** In a few words, and never with the server's address, which may hold a secret. */
function reasonOf(error: unknown): string {
  const { details, shortMessage, name } = error as { details?: string; shortMessage?: string; name?: string }
  const text = details ?? shortMessage ?? name ?? 'failed'
  return text.replace(/\b[a-z]+:\/\/\S+/gi, '(address)').slice(0, 200)
}

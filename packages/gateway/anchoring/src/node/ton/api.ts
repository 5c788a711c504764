import { Buffer } from 'node:buffer'
import { type Address, Cell, loadTransaction, type Transaction } from '@ton/core'
import { z } from 'zod'
import { AnchoringError } from '../../errors.ts'
import { TON_PAGES_MAX } from '../../limits.ts'

/** Transactions of an account that one answer holds. */
const HISTORY_MAX = 64

const base64 = z.string().max(1_048_576)

const accountShape = z.looseObject({
  balance: z.union([z.string(), z.int()]),
  state: z.enum(['active', 'uninitialized', 'frozen']),
  data: base64,
  sync_utime: z.int().nonnegative(),
})
const historyShape = z.array(z.looseObject({ data: base64 })).max(HISTORY_MAX)
const configShape = z.looseObject({ config: z.looseObject({ bytes: base64 }) })

/** An account as the newest block of the masterchain has it. */
export interface TonAccount {
  readonly active: boolean
  readonly balance: bigint
  /** Absent where it is not active. */
  readonly data?: Cell
  /** Unix seconds of that block. */
  readonly blockSeconds: number
}

/** How a chain's server is reached: the HTTP API of TON Center, version 2, or one that speaks it. */
export interface TonServer {
  /** Where its `jsonRPC` is, such as `https://testnet.toncenter.com/api/v2/jsonRPC`. */
  readonly url: string
  /** Sent as `X-API-Key`. */
  readonly apiKey?: string
}

const SERVER_MS = 10_000

/** Every answer is checked before it is believed to be one. */
export class TonApi {
  readonly #chain: string
  readonly #server: TonServer

  constructor(chain: string, server: TonServer) {
    this.#chain = chain
    this.#server = server
  }

  /** Global id of the chain: parameter 19 of its configuration. @throws {AnchoringError} `anchoring/chain`, as all do */
  async globalId(): Promise<number> {
    const { config } = await this.#ask(configShape, 'getConfigParam', { config_id: 19 })
    return this.#cell(config.bytes).beginParse().loadInt(32)
  }

  async account(address: Address): Promise<TonAccount> {
    const found = await this.#ask(accountShape, 'getAddressInformation', { address: address.toRawString() })
    const active = found.state === 'active'
    return {
      active,
      balance: BigInt(found.balance),
      ...(active && { data: this.#cell(found.data) }),
      blockSeconds: found.sync_utime,
    }
  }

  /**
   * Looks through an account's transactions, newest first, until one is it or is too old to have it after it.
   * @throws {AnchoringError} `anchoring/chain` too where neither is within {@link TON_PAGES_MAX} pages
   */
  async find(
    address: Address,
    isIt: (one: Transaction) => boolean,
    isOlder: (one: Transaction) => boolean,
  ): Promise<Transaction | undefined> {
    const params = { address: address.toRawString(), limit: HISTORY_MAX }
    let page = await this.#transactions(params)
    for (let pages = 1; ; pages++) {
      for (const one of page) {
        if (isIt(one)) return one
        if (isOlder(one)) return undefined
      }
      const last = page.at(-1)
      if (last === undefined || last.prevTransactionLt === 0n) return undefined
      if (pages === TON_PAGES_MAX) throw this.#fault(`getTransactions: more than ${pages} pages to look through`)
      const hash = last.prevTransactionHash.toString(16).padStart(64, '0')
      const place = { lt: `${last.prevTransactionLt}`, hash: Buffer.from(hash, 'hex').toString('base64') }
      page = await this.#transactions({ ...params, ...place, archival: true })
      if (page[0]?.hash().toString('hex') !== hash) throw this.#fault('getTransactions: an account with a gap')
    }
  }

  /** One transaction, however old. */
  async transaction(address: Address, lt: bigint, hash: Uint8Array): Promise<Transaction | undefined> {
    const place = { lt: `${lt}`, hash: btoa(String.fromCharCode(...hash)) }
    const [first] = await this.#transactions({ address: address.toRawString(), limit: 1, ...place, archival: true })
    return first
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#ask(z.unknown(), 'sendBoc', { boc: btoa(String.fromCharCode(...bytes)) })
  }

  async #transactions(params: object): Promise<Transaction[]> {
    const found = await this.#ask(historyShape, 'getTransactions', params)
    return found.map(({ data }) => {
      try {
        return loadTransaction(this.#cell(data).beginParse())
      } catch {
        throw this.#fault('getTransactions: an answer that is no transaction')
      }
    })
  }

  async #ask<T>(shape: z.ZodType<T>, method: string, params: object): Promise<T> {
    const envelope = z.object({ ok: z.literal(true), result: shape })
    const parsed = envelope.safeParse(await this.#post(method, params))
    if (!parsed.success) throw this.#fault(`${method}: refused, or an answer of another shape`)
    return parsed.data.result as T
  }

  async #post(method: string, params: object): Promise<unknown> {
    const { url, apiKey } = this.#server
    const headers = { 'content-type': 'application/json', ...(apiKey !== undefined && { 'x-api-key': apiKey }) }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    try {
      const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(SERVER_MS) })
      return await response.json()
    } catch (error) {
      throw this.#fault(`${method}: ${(error as Error).name}`)
    }
  }

  #cell(text: string): Cell {
    try {
      return Cell.fromBase64(text)
    } catch {
      throw this.#fault('an answer that is no cell')
    }
  }

  #fault(what: string): AnchoringError {
    return new AnchoringError({ code: 'anchoring/chain', chain: this.#chain, what })
  }
}

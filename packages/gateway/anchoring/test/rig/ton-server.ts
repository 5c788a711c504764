import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'

import { Address, beginCell, Cell, loadTransaction, storeTransaction, type Transaction } from '@ton/core'
import { Blockchain, type BlockchainSnapshot } from '@ton/sandbox'
import { freePort } from './anvil.ts'

/**
 * TON's own virtual machine in this process behind the HTTP API of TON Center, as far as anchoring uses it: messages, accounts,
 * transactions, configuration. Time stands until it is moved; the chain can be set back to where it was.
 */
export class TonServer {
  readonly globalId: number
  readonly port: number
  readonly #chain: Blockchain
  /** By raw address, oldest first. */
  readonly #transactions = new Map<string, Transaction[]>()
  #server: Server | undefined

  private constructor(globalId: number, port: number, chain: Blockchain) {
    this.globalId = globalId
    this.port = port
    this.#chain = chain
  }

  static async start(globalId: number): Promise<TonServer> {
    const chain = await Blockchain.create()
    chain.now = 1_800_000_000
    const server = new TonServer(globalId, await freePort(), chain)
    await server.up()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/jsonRPC`
  }

  async up(): Promise<void> {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then((answer) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(answer))
      })
    }).listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Nobody answers any more; the chain stays. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  pass(seconds: number): void {
    this.#chain.now = this.#chain.now! + seconds
  }

  async fund(raw: string, nanograms: bigint): Promise<void> {
    const treasury = await this.#chain.treasury('rich')
    const { transactions } = await treasury.send({ to: Address.parseRaw(raw), value: nanograms, bounce: false })
    this.#record(transactions)
  }

  /** Sends a message as any account would. */
  async sendAs(name: string, raw: string, value: bigint, body: Cell): Promise<Transaction[]> {
    const { transactions } = await (await this.#chain.treasury(name)).send({ to: Address.parseRaw(raw), value, body })
    this.#record(transactions)
    return transactions
  }

  async runGet(raw: string, method: string): Promise<bigint[]> {
    const { stackReader } = await this.#chain.runGetMethod(Address.parseRaw(raw), method)
    const values: bigint[] = []
    while (stackReader.remaining > 0) values.push(stackReader.readBigNumber())
    return values
  }

  snapshot(): { chain: BlockchainSnapshot; transactions: Map<string, Transaction[]> } {
    const transactions = new Map([...this.#transactions].map(([address, list]) => [address, [...list]]))
    return { chain: this.#chain.snapshot(), transactions }
  }

  /** Sets the chain back, as a reorganisation would; its time goes on. */
  async setBack({ chain, transactions }: ReturnType<TonServer['snapshot']>): Promise<void> {
    const now = this.#chain.now
    await this.#chain.loadFrom(chain)
    this.#chain.now = now
    this.#transactions.clear()
    for (const [address, list] of transactions) this.#transactions.set(address, [...list])
  }

  /** Puts `count` transactions on top of an account's that are its newest one again, each linked to the one before. */
  flood(raw: string, count: number): void {
    const list = this.#transactions.get(raw)!
    for (let made = 0; made < count; made++) {
      const before = list.at(-1)!
      const prevTransactionHash = BigInt(`0x${before.hash().toString('hex')}`)
      const links = { prevTransactionLt: before.lt, prevTransactionHash }
      const next = { ...before, lt: before.lt + 1n, ...links }
      list.push(loadTransaction(beginCell().store(storeTransaction(next)).endCell().beginParse()))
    }
  }

  #record(transactions: readonly Transaction[]): void {
    for (const transaction of transactions) {
      const address = `0:${transaction.address.toString(16).padStart(64, '0')}`
      const list = this.#transactions.get(address) ?? []
      list.push(transaction)
      this.#transactions.set(address, list)
    }
  }

  async #answer(request: IncomingMessage): Promise<object> {
    let text = ''
    for await (const chunk of request) text += chunk
    try {
      const { method, params } = JSON.parse(text)
      return { ok: true, result: await this.#call(method, params) }
    } catch (error) {
      return { ok: false, error: (error as Error).message, code: 500 }
    }
  }

  async #call(method: string, params: Record<string, string | number>): Promise<unknown> {
    if (method === 'getConfigParam') {
      return { config: { bytes: beginCell().storeInt(this.globalId, 32).endCell().toBoc().toString('base64') } }
    }
    if (method === 'sendBoc') return this.#send(Cell.fromBase64(String(params['boc'])))
    const address = Address.parseRaw(String(params['address']))
    if (method === 'getTransactions') return this.#history(address, params)
    if (method !== 'getAddressInformation') throw new Error(`no method ${method}`)
    const { accountState, balance } = await this.#chain.getContract(address)
    const data = accountState?.type === 'active' ? accountState.state.data : undefined
    const state = accountState === undefined || accountState.type === 'uninit' ? 'uninitialized' : accountState.type
    const text = data?.toBoc().toString('base64') ?? ''
    return { balance: `${balance}`, state, data: text, sync_utime: this.#chain.now }
  }

  async #send(message: Cell): Promise<object> {
    const { transactions } = await this.#chain.sendMessage(message)
    this.#record(transactions)
    return { '@type': 'ok' }
  }

  #history(address: Address, { limit, lt, hash }: Record<string, string | number>): object[] {
    const newestFirst = [...(this.#transactions.get(address.toRawString()) ?? [])].reverse()
    const at = lt === undefined ? 0 : newestFirst.findIndex((one) => one.lt === BigInt(lt))
    const from = newestFirst.slice(at < 0 ? newestFirst.length : at)
    if (hash !== undefined && from[0]?.hash().toString('base64') !== hash) return []
    return from.slice(0, Number(limit)).map((one) => ({ data: one.raw.toBoc().toString('base64') }))
  }
}

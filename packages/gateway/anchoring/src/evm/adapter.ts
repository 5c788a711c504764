import { fromHex } from '@nexus/codec'
import { keccak256, type TransactionSerializable, type Transport } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { ChainAdapter, Reading, Standing, Statement, Submission } from '../chain.ts'
import { AnchoringError } from '../errors.ts'
import type { EvmProof, EvmReceipt, Receipt } from '../receipt.ts'
import { anchorCall, hex, NOT_GROWN_SELECTOR, rootCall, STATE_ANCHOR_CODE_HASH } from './contract.ts'
import { currentFees, type Fees, feesAbove, gasOf, priceOf } from './fees.ts'
import { checkChain, numberOf, placeOf, proveEvm, readEvm } from './reader.ts'
import { Rpc, type RpcBlock, shapes } from './rpc.ts'

export interface EvmChainOptions {
  readonly chainId: number
  /** How the server is spoken to, such as viem's `http(url)`. */
  readonly transport: Transport
  /** Address of the StateAnchor, 20 bytes. */
  readonly contract: Uint8Array
  /** secp256k1 secret of the account that pays: {@link secp256k1Secret}. */
  readonly secret: Uint8Array
  /** Blocks, its own included, after which a submission counts as confirmed. */
  readonly depth: number
}

/** Gas is taken as estimated, and a quarter more, for what may change until the block. */
const GAS_MARGIN = { times: 5n, by: 4n }

/** An EVM chain over JSON-RPC, with a `StateAnchor` on it (docs/spec/anchoring.md). */
export class EvmChain implements ChainAdapter {
  readonly chain: string
  readonly #options: EvmChainOptions
  readonly #rpc: Rpc
  readonly #account: ReturnType<typeof privateKeyToAccount>
  #checked = false

  /** @throws {RangeError} for a chain id, depth, address or secret that is none */
  constructor(options: EvmChainOptions) {
    const { chainId, depth, contract, secret, transport } = options
    if (!Number.isSafeInteger(chainId) || chainId < 1) throw new RangeError(`${chainId} is no chain id`)
    if (!Number.isSafeInteger(depth) || depth < 1) throw new RangeError(`a depth of ${depth} blocks`)
    if (contract.length !== 20) throw new RangeError(`an address has 20 bytes, not ${contract.length}`)
    this.chain = `eip155:${chainId}`
    this.#options = options
    this.#rpc = new Rpc(this.chain, transport)
    this.#account = privateKeyToAccount(hex(secret))
  }

  /** Address that pays and under which the contract keeps the heads. */
  get anchorer(): Uint8Array {
    return fromHex(this.#account.address.slice(2))
  }

  async sign(statement: Statement, budget: bigint, replaces?: Submission): Promise<Submission> {
    await this.#check()
    const to = hex(this.#options.contract)
    const data = anchorCall(statement)
    const from = this.#account.address
    const sequence = replaces?.sequence ?? (await this.#rpc.count('eth_getTransactionCount', from, 'latest'))
    const gas = replaces === undefined ? await this.#gas({ from, to, data }) : gasOf(replaces.bytes)
    const fees = await this.#fees(replaces)
    const costMax = gas * priceOf(fees)
    if (costMax > budget)
      throw new AnchoringError({ code: 'anchoring/cap', chain: this.chain, needs: costMax, left: budget })
    const plain = { chainId: this.#options.chainId, nonce: sequence, to, data, gas, value: 0n }
    const bytes = await this.#account.signTransaction({ ...plain, ...fees } as TransactionSerializable)
    return { bytes: fromHex(bytes.slice(2)), id: keccak256(bytes, 'bytes'), sequence, costMax }
  }

  async submit(submission: Submission): Promise<void> {
    try {
      await this.#rpc.ask(shapes.data, 'eth_sendRawTransaction', hex(submission.bytes))
    } catch (error) {
      // Servers refuse what they have already, each in words of its own; what counts is whether they have it.
      if (!(await this.#knows(submission))) throw error
    }
  }

  async confirm(submission: Submission, statement: Statement): Promise<Standing> {
    await this.#check()
    const receipt = await this.#rpc.ask(shapes.receiptOrNone, 'eth_getTransactionReceipt', hex(submission.id))
    const newest = await this.#rpc.count('eth_blockNumber')
    if (receipt === null) return this.#unmined(submission, newest)
    const block = await this.#block(Number(receipt.blockNumber))
    // A server may still tell of a block that is no part of its chain any more.
    if (block?.hash !== receipt.blockHash) return { kind: 'absent' }
    const depth = newest - Number(block.number) + 1
    if (depth < this.#options.depth) return { kind: 'included', depth }
    const cost = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice ?? 0)
    if (BigInt(receipt.status) !== 1n) return { kind: 'refused', reason: await this.#refusal(statement), cost }
    const bare: EvmReceipt = {
      kind: 'evm',
      chain: this.chain,
      contract: this.#options.contract,
      anchorer: this.anchorer,
      transaction: submission.id,
      block: placeOf(block),
    }
    const proof = await this.#prove(bare, statement, newest - this.#options.depth + 1)
    return { kind: 'confirmed', receipt: proof === undefined ? bare : { ...bare, proof }, cost }
  }

  verify(receipt: Receipt, statement: Statement): Promise<Reading> {
    return readEvm(this.#rpc, this.#options.chainId, receipt, statement)
  }

  /** Once for each adapter, before anything is signed or believed. */
  async #check(): Promise<void> {
    if (this.#checked) return
    await checkChain(this.#rpc, this.#options.chainId)
    const contract = hex(this.#options.contract)
    const code = await this.#rpc.ask(shapes.data, 'eth_getCode', contract, 'latest')
    if (keccak256(code as `0x${string}`) !== STATE_ANCHOR_CODE_HASH) {
      throw new AnchoringError({ code: 'anchoring/contract', chain: this.chain, contract })
    }
    this.#checked = true
  }

  async #gas(call: { from: string; to: string; data: string }): Promise<bigint> {
    try {
      const estimate = BigInt(await this.#rpc.count('eth_estimateGas', call, 'latest'))
      return (estimate * GAS_MARGIN.times) / GAS_MARGIN.by
    } catch (error) {
      // Not every server says why; the contract's own number does.
      if (!(error as Error).message.includes(NOT_GROWN_SELECTOR)) throw error
      throw new AnchoringError({ code: 'anchoring/not-grown', chain: this.chain }, { cause: error })
    }
  }

  async #fees(replaces: Submission | undefined): Promise<Fees> {
    const fees = await currentFees(this.#rpc)
    return replaces === undefined ? fees : feesAbove(fees, replaces.bytes)
  }

  async #unmined(submission: Submission, newest: number): Promise<Standing> {
    const settled = Math.max(0, newest - this.#options.depth + 1)
    const count = await this.#rpc.count('eth_getTransactionCount', this.#account.address, numberOf(settled))
    if (count > submission.sequence) return { kind: 'void' }
    return (await this.#knows(submission)) ? { kind: 'pending' } : { kind: 'absent' }
  }

  async #knows(submission: Submission): Promise<boolean> {
    const found = await this.#rpc.ask(shapes.transactionOrNone, 'eth_getTransactionByHash', hex(submission.id))
    return found !== null
  }

  async #block(height: number): Promise<RpcBlock | null> {
    return this.#rpc.ask(shapes.blockOrNone, 'eth_getBlockByNumber', numberOf(height), false)
  }

  /** Of a settled block, which is younger than the receipt's where that lies deep: servers forget old states. */
  async #prove(receipt: EvmReceipt, statement: Statement, settled: number): Promise<EvmProof | undefined> {
    const block = await this.#block(Math.max(settled, receipt.block.number))
    return block === null ? undefined : proveEvm(this.#rpc, block, receipt, statement)
  }

  async #refusal(statement: Statement): Promise<string> {
    const root = await this.#rpc.ask(
      shapes.data,
      'eth_call',
      { to: hex(this.#options.contract), data: rootCall(this.anchorer, statement) },
      'latest',
    )
    return root === hex(statement.root) ? 'the contract holds this head already' : 'the contract refused the head'
  }
}

import { Buffer } from 'node:buffer'
import {
  type Address,
  beginCell,
  external,
  internal,
  type Message,
  SendMode,
  storeMessage,
  type Transaction,
} from '@ton/core'
import { type KeyPair, keyPairFromSeed } from '@ton/crypto'
import { WalletContractV4 } from '@ton/ton'
import type { ChainAdapter, Reading, Standing, Statement, Submission } from '../../chain.ts'
import { AnchoringError } from '../../errors.ts'
import type { Receipt, TonReceipt } from '../../receipt.ts'
import { type TonAccount, TonApi, type TonServer } from './api.ts'
import { anchorAddress, anchorBody, anchorInit, readHead } from './contract.ts'
import { checkTonChain, exitOf, readTon } from './reader.ts'

export interface TonChainOptions {
  /** -239 for the main net, -3 for the test net. */
  readonly globalId: number
  readonly server: TonServer
  /** Ed25519 seed of the wallet that pays: {@link ed25519Seed}. */
  readonly seed: Uint8Array
  /** Seconds of chain time after which a transaction counts as confirmed. */
  readonly settleSeconds: number
}

/** Nanograms that go with a message: the first pays the contract's rent of years; what is left comes back. */
const VALUE = 50_000_000n

/** Nanograms that wallet and messages cost at most besides. */
const FEES_MAX = 20_000_000n

/** Seconds for which a submission may be included. */
const VALID_SECONDS = 300

/** Seconds by which the time of a wallet's block may lie before that of the masterchain's. */
const SKEW_SECONDS = 60

/**
 * A TON chain over the HTTP API of TON Center. One contract for each log and wallet, which the first message deploys; the
 * wallet is of version 4. Depths are seconds, since its servers tell only of blocks that the masterchain has settled.
 */
export class TonChain implements ChainAdapter {
  readonly chain: string
  readonly #options: TonChainOptions
  readonly #api: TonApi
  readonly #keys: KeyPair
  readonly #wallet: WalletContractV4
  #checked = false

  /** @throws {RangeError} for an id, seed or depth that is none */
  constructor(options: TonChainOptions) {
    const { globalId, seed, settleSeconds, server } = options
    if (!Number.isInteger(globalId) || globalId === 0 || Math.abs(globalId) > 0x7fff_ffff) {
      throw new RangeError(`${globalId} is no global id`)
    }
    if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`)
    if (!(settleSeconds >= 0)) throw new RangeError(`a depth of ${settleSeconds} seconds`)
    this.chain = `tvm:${globalId}`
    this.#options = options
    this.#api = new TonApi(this.chain, server)
    this.#keys = keyPairFromSeed(Buffer.from(seed))
    this.#wallet = WalletContractV4.create({ workchain: 0, publicKey: this.#keys.publicKey })
  }

  /** Raw address of the wallet that pays and owns the contracts. */
  get anchorer(): string {
    return this.#wallet.address.toRawString()
  }

  async sign(statement: Statement, budget: bigint, replaces?: Submission): Promise<Submission> {
    await this.#check()
    const costMax = VALUE + FEES_MAX
    if (costMax > budget)
      throw new AnchoringError({ code: 'anchoring/cap', chain: this.chain, needs: costMax, left: budget })
    const wallet = await this.#api.account(this.#wallet.address)
    const contract = await this.#api.account(anchorAddress(this.#wallet.address, statement.logId))
    // Of a replacement the contract may hold the head already, by the submission that it replaces.
    if (replaces === undefined) this.#mustGrow(contract, statement)
    const sequence = replaces?.sequence ?? sequenceOf(wallet)
    const timeout = wallet.blockSeconds + VALID_SECONDS
    const { owner, to } = { owner: this.#wallet.address, to: anchorAddress(this.#wallet.address, statement.logId) }
    const init = contract.active ? undefined : anchorInit(owner, statement.logId)
    const message = internal({ to, value: VALUE, bounce: true, init, body: anchorBody(statement) })
    const sendMode = SendMode.PAY_GAS_SEPARATELY
    const transfer = { seqno: sequence, timeout, sendMode, messages: [message], secretKey: this.#keys.secretKey }
    const body = this.#wallet.createTransfer(transfer)
    const signed = external({ to: owner, ...(sequence === 0 && { init: this.#wallet.init }), body })
    const cell = beginCell().store(storeMessage(signed)).endCell()
    const [bytes, id] = [new Uint8Array(cell.toBoc()), new Uint8Array(cell.hash())]
    return { bytes, id, sequence, costMax, expiresMs: timeout * 1_000 }
  }

  submit(submission: Submission): Promise<void> {
    return this.#api.send(submission.bytes)
  }

  async confirm(submission: Submission, statement: Statement): Promise<Standing> {
    await this.#check()
    const wallet = await this.#api.account(this.#wallet.address)
    if (sequenceOf(wallet) <= submission.sequence) {
      const expired = wallet.blockSeconds * 1_000 > (submission.expiresMs ?? Number.POSITIVE_INFINITY)
      return { kind: expired ? 'void' : 'absent' }
    }
    const since = (submission.expiresMs ?? 0) / 1_000 - VALID_SECONDS - SKEW_SECONDS
    const isPaid = (one: Transaction) => hasMessage(one, submission.id)
    const paid = await this.#api.find(this.#wallet.address, isPaid, ({ now }) => now < since)
    if (paid === undefined) return { kind: 'void' }
    const contract = anchorAddress(this.#wallet.address, statement.logId)
    const sent = paid.outMessages.values().find(({ info }) => info.type === 'internal' && info.dest.equals(contract))
    if (sent === undefined) return { kind: 'refused', reason: 'the wallet sent nothing', cost: paid.totalFees.coins }
    const taken = await this.#api.find(
      contract,
      (one) => isFrom(one, sent),
      ({ lt }) => lt < paid.lt,
    )
    if (taken === undefined) return { kind: 'pending' }
    const depth = wallet.blockSeconds - taken.now
    if (depth < this.#options.settleSeconds) return { kind: 'included', depth }
    const cost = costOf(paid) + costOf(taken)
    const exit = exitOf(taken)
    if (exit !== 0) return { kind: 'refused', reason: `the contract ended with ${exit}`, cost }
    return { kind: 'confirmed', receipt: this.#receipt(contract, taken), cost }
  }

  verify(receipt: Receipt, statement: Statement): Promise<Reading> {
    return readTon(this.#api, this.chain, receipt, statement)
  }

  async #check(): Promise<void> {
    if (this.#checked) return
    await checkTonChain(this.#api, this.#options.globalId)
    this.#checked = true
  }

  /** @throws {AnchoringError} `anchoring/not-grown` */
  #mustGrow({ data }: TonAccount, statement: Statement): void {
    const held = data && readHead(data)
    if (held !== undefined && held.size >= BigInt(statement.size)) {
      throw new AnchoringError({ code: 'anchoring/not-grown', chain: this.chain })
    }
  }

  #receipt(contract: Address, transaction: Transaction): TonReceipt {
    return {
      kind: 'ton',
      chain: this.chain,
      contract: contract.toRawString(),
      anchorer: this.anchorer,
      transaction: { hash: new Uint8Array(transaction.hash()), lt: transaction.lt },
      timeMs: transaction.now * 1_000,
    }
  }
}

/** A wallet's counter: the first 32 bits of its data; 0 before its first transaction. */
function sequenceOf({ data }: TonAccount): number {
  return data === undefined ? 0 : data.beginParse().loadUint(32)
}

/** Whether the message that began a transaction has this hash: it is the first cell under the transaction's first. */
function hasMessage({ raw }: Transaction, id: Uint8Array): boolean {
  return raw.refs[0]?.refs[0]?.hash().equals(Buffer.from(id)) === true
}

function isFrom({ inMessage }: Transaction, sent: Message): boolean {
  if (inMessage?.info.type !== 'internal' || sent.info.type !== 'internal') return false
  return inMessage.info.createdLt === sent.info.createdLt && inMessage.info.src.equals(sent.info.src)
}

/** Fees of a transaction and of carrying its messages. */
function costOf({ totalFees, outMessages }: Transaction): bigint {
  const carried = outMessages.values().map(({ info }) => (info.type === 'internal' ? info.forwardFee : 0n))
  return carried.reduce((sum, fee) => sum + fee, totalFees.coins)
}

import { equalBytes } from '@nexus/codec'
import { Address, type Transaction } from '@ton/core'
import type { ChainReader, Reading, Statement } from '../../chain.ts'
import { AnchoringError } from '../../errors.ts'
import type { Receipt } from '../../receipt.ts'
import { TonApi, type TonServer } from './api.ts'
import { anchorAddress, anchorBody, readHead } from './contract.ts'

/** A reader of the TON chain that a server speaks for. @throws {AnchoringError} `anchoring/chain` */
export async function openTonReader(server: TonServer): Promise<ChainReader> {
  const chain = `tvm:${await new TonApi('tvm', server).globalId()}`
  const api = new TonApi(chain, server)
  return {
    chain,
    read: (receipt, statement) => readTon(api, chain, receipt, statement),
    prove: async () => undefined,
  }
}

/** @throws {AnchoringError} `anchoring/wrong-chain`, `anchoring/chain` */
export async function checkTonChain(api: TonApi, globalId: number): Promise<void> {
  const got = await api.globalId()
  if (got === globalId) return
  throw new AnchoringError({ code: 'anchoring/wrong-chain', chain: `tvm:${globalId}`, got: `tvm:${got}` })
}

/**
 * Reads whether the log's contract took the statement in the receipt's transaction, and holds it or a larger one since.
 * That the contract is the right one its address says, which is the hash of its code, owner and log.
 */
export async function readTon(api: TonApi, chain: string, receipt: Receipt, statement: Statement): Promise<Reading> {
  if (receipt.kind !== 'ton' || receipt.chain !== chain) return fails('the receipt is of another chain')
  const owner = Address.parseRaw(receipt.anchorer)
  const contract = anchorAddress(owner, statement.logId)
  if (contract.toRawString() !== receipt.contract) return fails('the address is not that of the contract of this log')
  const { data } = await api.account(contract)
  const head = data && readHead(data)
  if (head === undefined || head.size < BigInt(statement.size)) return fails('the contract does not hold this head')
  const here = head.size === BigInt(statement.size)
  if (here && !equalBytes(head.root, statement.root)) return fails('the contract holds another root')
  const { hash, lt } = receipt.transaction
  const transaction = await api.transaction(contract, lt, hash)
  if (transaction === undefined || transaction.lt !== lt || !equalBytes(transaction.hash(), hash)) {
    return fails('the transaction of the receipt is not on the chain')
  }
  const ofContract = transaction.address === BigInt(`0x${contract.hash.toString('hex')}`)
  if (!ofContract || !writes(transaction, owner, statement)) {
    return fails('the transaction of the receipt did not write this head')
  }
  const timeMs = transaction.now * 1_000
  if (timeMs !== receipt.timeMs) return fails('the transaction of the receipt has another time')
  return { kind: 'holds', block: `${lt}`, timeMs }
}

/** Whether a transaction of the contract took exactly this statement from its owner. */
export function writes(transaction: Transaction, owner: Address, statement: Statement): boolean {
  const { inMessage } = transaction
  if (inMessage?.info.type !== 'internal' || !inMessage.info.src.equals(owner)) return false
  return inMessage.body.equals(anchorBody(statement)) && exitOf(transaction) === 0
}

/** Exit code of a transaction: 0 where all of it was done. */
export function exitOf({ description }: Transaction): number {
  if (description.type !== 'generic' || description.computePhase.type !== 'vm') return -1
  const { exitCode } = description.computePhase
  if (exitCode === 0 && description.aborted) return description.actionPhase?.resultCode ?? -1
  return exitCode === 1 ? 0 : exitCode
}

function fails(what: string): Reading {
  return { kind: 'fails', what }
}

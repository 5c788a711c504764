import { equalBytes, fromHex } from '@nexus/codec'
import { keccak256, type Transport } from 'viem'
import type { ChainReader, Reading, Statement } from '../chain.ts'
import { AnchoringError } from '../errors.ts'
import type { EvmProof, EvmReceipt, Receipt } from '../receipt.ts'
import { anchoredTopics, hex, rootCall, rootSlot, STATE_ANCHOR_CODE_HASH } from './contract.ts'
import { headerOf } from './header.ts'
import { proofFault } from './prove.ts'
import { Rpc, type RpcBlock, shapes } from './rpc.ts'

/**
 * A reader of the EVM chain that a server speaks for.
 * @throws {AnchoringError} `anchoring/chain`
 */
export async function openEvmReader(transport: Transport): Promise<ChainReader> {
  const chainId = await new Rpc('eip155', transport).count('eth_chainId')
  const chain = `eip155:${chainId}`
  const rpc = new Rpc(chain, transport)
  return {
    chain,
    read: (receipt, statement) => readEvm(rpc, chainId, receipt, statement),
    async prove(receipt, statement, blockHash) {
      if (receipt.kind !== 'evm') return undefined
      const block = await rpc.ask(shapes.blockOrNone, 'eth_getBlockByHash', hex(blockHash), false)
      const proof = block === null ? undefined : await proveEvm(rpc, block, receipt, statement)
      return proof && { ...receipt, proof }
    },
  }
}

/** @throws {AnchoringError} `anchoring/wrong-chain`, `anchoring/chain` */
export async function checkChain(rpc: Rpc, chainId: number): Promise<void> {
  const got = await rpc.count('eth_chainId')
  if (got === chainId) return
  throw new AnchoringError({ code: 'anchoring/wrong-chain', chain: `eip155:${chainId}`, got: `eip155:${got}` })
}

/** Reads whether a contract with the right code holds the statement, and whether the receipt says where it came there. */
export async function readEvm(rpc: Rpc, chainId: number, receipt: Receipt, statement: Statement): Promise<Reading> {
  if (receipt.kind !== 'evm' || receipt.chain !== `eip155:${chainId}`) return fails('the receipt is of another chain')
  await checkChain(rpc, chainId)
  const to = hex(receipt.contract)
  const code = await rpc.ask(shapes.data, 'eth_getCode', to, 'latest')
  if (keccak256(code as `0x${string}`) !== STATE_ANCHOR_CODE_HASH) return fails('no StateAnchor has this address')
  const data = rootCall(receipt.anchorer, statement)
  const root = await rpc.ask(shapes.data, 'eth_call', { to, data }, 'latest')
  if (!equalBytes(fromHex(root.slice(2)), statement.root)) return fails('the contract does not hold this head')
  const block = await rpc.ask(shapes.blockOrNone, 'eth_getBlockByNumber', numberOf(receipt.block.number), false)
  if (block?.hash !== hex(receipt.block.hash)) return fails('the block of the receipt is not on the chain')
  const { timeMs } = placeOf(block)
  if (timeMs !== receipt.block.timeMs) return fails('the block of the receipt has another time')
  const topics = anchoredTopics(receipt.anchorer, statement)
  const logs = await rpc.ask(shapes.logs, 'eth_getLogs', { address: to, blockHash: block.hash, topics })
  const written = logs.some(
    (log) => log.transactionHash === hex(receipt.transaction) && log.data === hex(statement.root),
  )
  return written ? { kind: 'holds', block: block.hash, timeMs } : fails('the transaction did not write this head there')
}

/** Header and trie proofs of a block; `undefined` where the server gives none that holds. */
export async function proveEvm(
  rpc: Rpc,
  block: RpcBlock,
  receipt: EvmReceipt,
  statement: Statement,
): Promise<EvmProof | undefined> {
  const header = headerOf(block)
  if (header === undefined) return undefined
  const slot = hex(rootSlot(receipt.anchorer, statement))
  const answer = await rpc
    .ask(shapes.proof, 'eth_getProof', hex(receipt.contract), [slot], block.number)
    .catch(() => undefined)
  if (answer === undefined) return undefined
  const [{ proof: storage }] = answer.storageProof
  const proof = { header, account: answer.accountProof.map(nodeOf), storage: storage.map(nodeOf) }
  const fault = await proofFault({ ...receipt, proof }, statement, fromHex(block.hash.slice(2)))
  return fault === undefined ? proof : undefined
}

/** A block as receipts name it. */
export function placeOf(block: RpcBlock): EvmReceipt['block'] {
  return {
    number: Number(block.number),
    hash: fromHex(block.hash.slice(2)),
    timeMs: Number(block.timestamp) * 1_000,
  }
}

function nodeOf(text: string): Uint8Array {
  return fromHex(text.slice(2))
}

/** A height as JSON-RPC writes it. */
export function numberOf(height: number): string {
  return `0x${height.toString(16)}`
}

function fails(what: string): Reading {
  return { kind: 'fails', what }
}

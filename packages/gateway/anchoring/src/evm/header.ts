import { fromHex } from '@nexus/codec'
import { keccak256, toRlp } from 'viem'
import { hex } from './contract.ts'
import type { RpcBlock } from './rpc.ts'

type Field = readonly [name: string, kind: 'bytes' | 'number']

/** Fields of a header in their order; those from `baseFeePerGas` on came with forks, each on top of the one before. */
const FIELDS: readonly Field[] = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
]
const LATER_FIELDS: readonly Field[] = [
  ['baseFeePerGas', 'number'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'number'],
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
]

/**
 * RLP of a block's header as JSON-RPC tells of it; `undefined` where it does not hash to the block's hash, as on chains
 * whose headers have other fields: of these no state can be proved.
 */
export function headerOf(block: RpcBlock): Uint8Array | undefined {
  const values: `0x${string}`[] = []
  for (const field of FIELDS) {
    const value = fieldOf(block, field)
    if (value === undefined) return undefined
    values.push(value)
  }
  for (const field of LATER_FIELDS) {
    const value = fieldOf(block, field)
    if (value === undefined) break
    values.push(value)
  }
  const header = toRlp(values, 'bytes')
  return keccak256(header) === block.hash ? header : undefined
}

function fieldOf(block: RpcBlock, [name, kind]: Field): `0x${string}` | undefined {
  const value = (block as Readonly<Record<string, unknown>>)[name]
  if (typeof value !== 'string' || !/^0x[0-9a-f]*$/.test(value)) return undefined
  if (kind === 'bytes') return value.length % 2 === 0 ? (value as `0x${string}`) : undefined
  const digits = value.slice(2).replace(/^0+/, '')
  return hex(fromHex(digits.length % 2 === 0 ? digits : `0${digits}`))
}

import { concatBytes, fromHex, toHex } from '@nexus/codec'
import { encodeAbiParameters, serializeTransaction } from 'viem'
import { paymentProcessorCode, stateAnchorCode, userRegistryCode } from '../generated/contracts.ts'

/** What can be deployed, and whether it has an owner. */
const CONTRACTS = {
  StateAnchor: { creation: stateAnchorCode.creation, owned: false },
  UserRegistry: { creation: userRegistryCode.creation, owned: true },
  PaymentProcessor: { creation: paymentProcessorCode.creation, owned: true },
} as const

export type ContractName = keyof typeof CONTRACTS
export const CONTRACT_NAMES: readonly ContractName[] = ['StateAnchor', 'UserRegistry', 'PaymentProcessor']

/**
 * Chains whose coins are worth nothing. Any other counts as a main net: a chain that this list does not know yet is
 * refused rather than taken for a test.
 */
export const TEST_CHAINS: ReadonlyMap<number, string> = new Map([
  [31_337, 'anvil, hardhat'],
  [11_155_111, 'Ethereum Sepolia'],
  [17_000, 'Ethereum Holesky'],
  [560_048, 'Ethereum Hoodi'],
  [80_002, 'Polygon Amoy'],
  [300, 'zkSync Sepolia'],
  [4_690, 'IoTeX testnet'],
  [9_990, 'peaq agung'],
])

export interface DeployRequest {
  readonly contract: ContractName
  readonly chainId: number
  /** Owner of what takes payments in: 20 bytes. */
  readonly owner?: Uint8Array
  /** Where the audit of this very code is to be read; needed on main nets. */
  readonly audit?: string
  readonly nonce: number
  readonly gas: bigint
  /** Smallest units for a unit of gas. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Why nothing is made of a request. */
export type DeployRefusal = 'audit' | 'owner'

/** A transaction for a hardware wallet to sign. */
export interface UnsignedDeployment {
  readonly contract: ContractName
  readonly chainId: number
  /** RLP of the EIP-1559 payload that is signed, `0x02` before it. */
  readonly unsigned: Uint8Array
  readonly data: Uint8Array
  readonly audit?: string
}

/** The unsigned transaction, or why there is none: a main net without an audit, or a contract without its owner. */
export function planDeployment(request: DeployRequest): UnsignedDeployment | { readonly refused: DeployRefusal } {
  const { contract, chainId, owner, audit, nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = request
  if (!TEST_CHAINS.has(chainId) && (audit ?? '').trim() === '') return { refused: 'audit' }
  const { creation, owned } = CONTRACTS[contract]
  const named = owner?.some((byte) => byte !== 0) === true
  if (owned !== named) return { refused: 'owner' }
  const code = fromHex(creation.slice(2))
  const address = `0x${toHex(owner ?? new Uint8Array(20))}` as const
  const argument = owned ? fromHex(encodeAbiParameters([{ type: 'address' }], [address]).slice(2)) : new Uint8Array()
  const data = concatBytes(code, argument)
  const fees = { maxFeePerGas, maxPriorityFeePerGas }
  const unsigned = serializeTransaction({ type: 'eip1559', chainId, nonce, gas, ...fees, data: `0x${toHex(data)}` })
  return { contract, chainId, unsigned: fromHex(unsigned.slice(2)), data, ...(audit !== undefined && { audit }) }
}

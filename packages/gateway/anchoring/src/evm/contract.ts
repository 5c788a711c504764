import { toHex } from '@nexus/codec'
import {
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  keccak256,
  parseAbi,
  toFunctionSelector,
} from 'viem'
import type { Statement } from '../chain.ts'
import { stateAnchorCode } from '../generated/contracts.ts'

/** The functions of StateAnchor.sol that this package calls. */
export const STATE_ANCHOR_ABI = parseAbi([
  'function anchor(bytes16 logId, uint64 size, bytes32 root)',
  'function sizeOf(address anchorer, bytes16 logId) view returns (uint64 size)',
  'function rootOf(address anchorer, bytes16 logId, uint64 size) view returns (bytes32 root)',
  'event Anchored(address indexed anchorer, bytes16 indexed logId, uint64 indexed size, bytes32 root)',
  'error NotGrown(uint64 size)',
  'error NoRoot()',
])

/** Keccak-256 of the code that every StateAnchor has: who has it keeps its rules. */
export const STATE_ANCHOR_CODE_HASH: `0x${string}` = stateAnchorCode.runtimeHash

/** Topics of the event that writing a statement leaves. */
export function anchoredTopics(anchorer: Uint8Array, { logId, size }: Statement): readonly unknown[] {
  const args = { anchorer: hex(anchorer), logId: hex(logId), size: BigInt(size) } as const
  return encodeEventTopics({ abi: STATE_ANCHOR_ABI, eventName: 'Anchored', args })
}

/** By which a call says that the contract holds as many entries of the log already, or more. */
export const NOT_GROWN_SELECTOR: `0x${string}` = toFunctionSelector('NotGrown(uint64)')

/** Slot of `rootOf` in StateAnchor.sol. */
const ROOTS_SLOT = 1n

/** Call data that writes a statement. */
export function anchorCall({ logId, size, root }: Statement): `0x${string}` {
  const args = [hex(logId), BigInt(size), hex(root)] as const
  return encodeFunctionData({ abi: STATE_ANCHOR_ABI, functionName: 'anchor', args })
}

/** Call data that reads the root of a statement's size. */
export function rootCall(anchorer: Uint8Array, { logId, size }: Statement): `0x${string}` {
  const args = [hex(anchorer), hex(logId), BigInt(size)] as const
  return encodeFunctionData({ abi: STATE_ANCHOR_ABI, functionName: 'rootOf', args })
}

/** Storage key of that root: Solidity's layout of a mapping in a mapping in a mapping. */
export function rootSlot(anchorer: Uint8Array, { logId, size }: Statement): Uint8Array {
  const byAnchorer = keccak256(
    encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [hex(anchorer), ROOTS_SLOT]),
  )
  const byLog = keccak256(encodeAbiParameters([{ type: 'bytes16' }, { type: 'bytes32' }], [hex(logId), byAnchorer]))
  const bySize = encodeAbiParameters([{ type: 'uint64' }, { type: 'bytes32' }], [BigInt(size), byLog])
  return keccak256(bySize, 'bytes')
}

/** `0x` and lower-case hexadecimal, as JSON-RPC writes bytes. */
export function hex(bytes: Uint8Array): `0x${string}` {
  return `0x${toHex(bytes)}`
}

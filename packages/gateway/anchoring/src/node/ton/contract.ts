import { Buffer } from 'node:buffer'
import { type Address, beginCell, Cell, contractAddress, type StateInit } from '@ton/core'
import type { Statement } from '../../chain.ts'
import { tonAnchorCode } from '../../generated/contracts.ts'

/** Operation of a message that writes a head: "anch". */
const OP_ANCHOR = 0x616e6368

const CODE = Cell.fromBase64(tonAnchorCode.boc)

/** What the contract of one log keeps. */
export interface TonHead {
  readonly owner: string
  readonly logId: Uint8Array
  readonly size: bigint
  readonly root: Uint8Array
}

/** Code and first data of the contract that keeps one log's heads for one owner. */
export function anchorInit(owner: Address, logId: Uint8Array): StateInit {
  const data = beginCell().storeAddress(owner).storeBuffer(Buffer.from(logId), 16)
  return { code: CODE, data: data.storeUint(0, 64 + 256 + 64).endCell() }
}

/** Its address, which no contract of other code, owner or log can have. */
export function anchorAddress(owner: Address, logId: Uint8Array): Address {
  return contractAddress(owner.workChain, anchorInit(owner, logId))
}

/** Body of the message that writes a statement. */
export function anchorBody({ size, root }: Statement): Cell {
  const body = beginCell().storeUint(OP_ANCHOR, 32).storeUint(0, 64)
  return body.storeUint(size, 64).storeBuffer(Buffer.from(root), 32).endCell()
}

/** Reads the contract's data; `undefined` for cells of another layout. */
export function readHead(data: Cell): TonHead | undefined {
  try {
    const slice = data.beginParse()
    const head = {
      owner: slice.loadAddress().toRawString(),
      logId: new Uint8Array(slice.loadBuffer(16)),
      size: slice.loadUintBig(64),
      root: new Uint8Array(slice.loadBuffer(32)),
    }
    slice.skip(64).endParse()
    return head
  } catch {
    return undefined
  }
}

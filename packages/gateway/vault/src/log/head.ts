import { ByteWriter } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { HASH_BYTES, ID_BYTES } from '../limits.ts'

const TAG = 'nxs-sthd'

/** What a log says of itself at one moment; two heads that are not consistent are evidence against its key. */
export interface TreeHead {
  readonly logId: Uint8Array
  readonly size: number
  readonly root: Uint8Array
  /** Unix milliseconds; never falls. */
  readonly timeMs: number
}

/** A head with the Ed25519 signature of the log's key. */
export interface SignedTreeHead extends TreeHead {
  readonly signature: Uint8Array
}

/** Signs over `nxs-sthd ‖ log id 16 ‖ size u64 ‖ root 32 ‖ time u64` (docs/spec/vault.md). */
export function signHead(crypto: Pick<Crypto, 'sign'>, seed: Uint8Array, head: TreeHead): SignedTreeHead {
  return { ...head, signature: crypto.sign(seed, TAG, headBytes(head)) }
}

/** Whether the log's key signed this head. */
export function verifyHead(crypto: Pick<Crypto, 'verify'>, publicKey: Uint8Array, head: SignedTreeHead): boolean {
  return crypto.verify(publicKey, head.signature, TAG, headBytes(head))
}

function headBytes({ logId, size, root, timeMs }: TreeHead): Uint8Array {
  const writer = new ByteWriter(ID_BYTES + 8 + HASH_BYTES + 8)
  writer.bytes(logId, ID_BYTES).u64(BigInt(size)).bytes(root, HASH_BYTES).u64(BigInt(timeMs))
  return writer.finish()
}

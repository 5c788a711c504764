import { ByteReader, ByteWriter, equalBytes } from '@nexus/codec'
import { NODE_ID_BYTES } from '@nexus/identity'
import { LedgerError } from './errors.ts'
import { HASH_BYTES } from './limits.ts'
import { type Hash, merkleDepth, merkleTopFrom } from './merkle.ts'
import { accountLeaf, rootOf, type Snapshot } from './snapshot.ts'

/** That an account had a balance in a snapshot, for those who know its root alone. */
export interface BalanceProof {
  readonly nodeId: Uint8Array
  readonly balance: bigint
  readonly nextSeq: bigint
  readonly index: number
  /** Accounts in the snapshot. */
  readonly count: number
  readonly siblings: readonly Uint8Array[]
  readonly minted: bigint
  readonly epoch: bigint
  readonly channelsTop: Uint8Array
  readonly pendingTop: Uint8Array
}

/** Proves the balance of an account; nothing for one that is not listed. */
export function proveBalance(hash: Hash, snapshot: Snapshot, nodeId: Uint8Array): BalanceProof | undefined {
  const index = snapshot.accounts.find(nodeId)
  if (index < 0) return undefined
  const { minted, epoch, channelsTop, pendingTop } = snapshot
  return {
    nodeId: nodeId.slice(),
    ...snapshot.account(nodeId),
    index,
    count: snapshot.accounts.count,
    siblings: snapshot.siblings(hash, index),
    minted,
    epoch,
    channelsTop,
    pendingTop,
  }
}

/** Whether a proof leads to this root. */
export function verifyBalance(hash: Hash, proof: BalanceProof, root: Uint8Array): boolean {
  const { nodeId, balance, nextSeq, index, count, siblings } = proof
  if (index >= count || siblings.length !== merkleDepth(index, count)) return false
  const accountsTop = merkleTopFrom(hash, accountLeaf(hash, nodeId, balance, nextSeq), siblings, index, count)
  return equalBytes(rootOf(hash, proof, { ...proof, accountsTop }), root)
}

const FIXED_BYTES = NODE_ID_BYTES + 8 + 8 + 4 + 4 + 8 + 8 + 2 * HASH_BYTES

/**
 * A balance proof (docs/spec/crdt-ledger.md): 760 bytes among a million accounts.
 *
 * |  at | bytes | field        |                                              |
 * | --: | ----: | ------------ | -------------------------------------------- |
 * |   0 |    16 | NodeID       |                                              |
 * |  16 |     8 | balance      | μNXS                                         |
 * |  24 |     8 | next seq     |                                              |
 * |  32 |     4 | index        | below count                                  |
 * |  36 |     4 | count        |                                              |
 * |  40 |     8 | minted       |                                              |
 * |  48 |     8 | epoch        |                                              |
 * |  56 |    32 | channels top |                                              |
 * |  88 |    32 | pending top  |                                              |
 * | 120 |  32·n | siblings     | from below, as many as index and count ask for |
 */
export function encodeBalanceProof(proof: BalanceProof): Uint8Array {
  const writer = new ByteWriter(FIXED_BYTES + proof.siblings.length * HASH_BYTES)
    .bytes(proof.nodeId, NODE_ID_BYTES)
    .u64(proof.balance)
    .u64(proof.nextSeq)
    .u32(proof.index)
    .u32(proof.count)
    .u64(proof.minted)
    .u64(proof.epoch)
    .bytes(proof.channelsTop, HASH_BYTES)
    .bytes(proof.pendingTop, HASH_BYTES)
  for (const sibling of proof.siblings) writer.bytes(sibling, HASH_BYTES)
  return writer.finish()
}

/** Reads a proof; whether it proves is for {@link verifyBalance}. @throws {LedgerError} `ledger/malformed`, `ledger/proof-shape` */
export function decodeBalanceProof(bytes: Uint8Array): BalanceProof {
  const reader = new ByteReader(bytes, (fault) => new LedgerError({ code: 'ledger/malformed', fault }))
  const nodeId = reader.bytes(NODE_ID_BYTES)
  const [balance, nextSeq] = [reader.u64(), reader.u64()]
  const [index, count] = [reader.u32(), reader.u32()]
  const [minted, epoch] = [reader.u64(), reader.u64()]
  const [channelsTop, pendingTop] = [reader.bytes(HASH_BYTES), reader.bytes(HASH_BYTES)]
  const siblings = reader.remaining / HASH_BYTES
  if (index >= count || siblings !== merkleDepth(index, count)) {
    throw new LedgerError({ code: 'ledger/proof-shape', index, count, siblings })
  }
  const path = Array.from({ length: siblings }, () => reader.bytes(HASH_BYTES))
  return { nodeId, balance, nextSeq, index, count, siblings: path, minted, epoch, channelsTop, pendingTop }
}

import { ByteReader, concatBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { HASH_BYTES, STATE_CELLS_MAX } from '../limits.ts'
import { loginFault } from './adapter.ts'

/** A cell of TON: up to 1 023 bits and up to four cells below it. */
export interface TonCell {
  readonly bits: number
  /** The bits from the first byte's highest on; what is left of the last byte is a one and zeros. */
  readonly data: Uint8Array
  readonly refs: readonly TonCell[]
  /** Cells to the lowest one below. */
  readonly depth: number
  /** SHA-256 of the representation: what an address or a code is known by. */
  readonly hash: Uint8Array
}

const MAGIC: readonly number[] = [0xb5, 0xee, 0x9c, 0x72]
const DEPTH_MAX = 1_024
const EXOTIC = 0x08
/** A library cell stands for the cell with the hash that it holds: type 2, then 32 bytes. */
const LIBRARY_TYPE = 2
const LIBRARY_BITS: number = 8 + 8 * HASH_BYTES

/**
 * Reads a bag of cells with one root (TON's `serialized_boc`): ordinary cells and library cells, of level 0. The checksum
 * is passed over: whoever reads one here knows the hash that the root must have.
 * @throws {SentryError} `sentry/login`, fault `state`
 */
export function readCells(crypto: Crypto, bytes: Uint8Array): TonCell {
  const reader = new ByteReader(bytes, () => loginFault('state'))
  for (const byte of MAGIC) demand(reader.u8() === byte)
  const flags = reader.u8()
  const hasIndex = (flags & 0x80) !== 0
  const hasChecksum = (flags & 0x40) !== 0
  const refBytes = flags & 0x07
  const offsetBytes = reader.u8()
  demand((flags & 0x38) === 0 && refBytes >= 1 && refBytes <= 4 && offsetBytes >= 1 && offsetBytes <= 8)
  const cells = bigEndian(reader, refBytes)
  const roots = bigEndian(reader, refBytes)
  const absent = bigEndian(reader, refBytes)
  const dataBytes = bigEndian(reader, offsetBytes)
  demand(cells >= 1 && cells <= STATE_CELLS_MAX && roots === 1 && absent === 0)
  demand(bigEndian(reader, refBytes) === 0)
  if (hasIndex) reader.view(cells * offsetBytes)
  const from = reader.at
  const raw = Array.from({ length: cells }, (_, index) => readCell(reader, index, cells, refBytes))
  demand(reader.at - from === dataBytes)
  if (hasChecksum) reader.view(4)
  reader.end()
  // A cell refers to later ones only, so from the last on each finds those below it made.
  const made: TonCell[] = []
  for (let index = cells - 1; index >= 0; index--) made[index] = makeCell(crypto, raw[index]!, made)
  return made[0]!
}

/** `count` bits of a cell from `at` on, as bytes; the last byte is filled up with zeros. */
export function cellBits(cell: TonCell, at: number, count: number): Uint8Array {
  if (at + count > cell.bits) throw loginFault('state')
  const taken = new Uint8Array(Math.ceil(count / 8))
  for (let bit = 0; bit < count; bit++) {
    const from = at + bit
    const set = (cell.data[from >> 3]! >> (7 - (from & 7))) & 1
    taken[bit >> 3]! |= set << (7 - (bit & 7))
  }
  return taken
}

interface RawCell {
  readonly descriptors: Uint8Array
  readonly data: Uint8Array
  readonly bits: number
  readonly refs: readonly number[]
}

function readCell(reader: ByteReader, index: number, cells: number, refBytes: number): RawCell {
  const descriptors = reader.bytes(2)
  const [first, second] = [descriptors[0]!, descriptors[1]!]
  const refCount = first & 0x07
  // Neither a level nor hashes of its own: pruned branches and proofs are nothing that a wallet consists of.
  demand(refCount <= 4 && (first & 0xf0) === 0)
  const data = reader.bytes((second + 1) >> 1)
  const bits = second % 2 === 0 ? 8 * data.length : bitsBeforeTag(data)
  const refs = Array.from({ length: refCount }, () => bigEndian(reader, refBytes))
  demand(refs.every((ref) => ref > index && ref < cells))
  if ((first & EXOTIC) !== 0) demand(refCount === 0 && bits === LIBRARY_BITS && data[0] === LIBRARY_TYPE)
  return { descriptors, data, bits, refs }
}

/** Where the last byte is not full, its lowest one marks the end; a byte with nothing before that would say nothing. */
function bitsBeforeTag(data: Uint8Array): number {
  const last = data.at(-1) ?? 0
  demand((last & 0x7f) !== 0)
  const trailingZeros = 31 - Math.clz32(last & -last)
  return 8 * data.length - 1 - trailingZeros
}

function makeCell(
  crypto: Crypto,
  { descriptors, data, bits, refs: indices }: RawCell,
  made: readonly TonCell[],
): TonCell {
  const refs = indices.map((ref) => made[ref]!)
  const depth = refs.reduce((deepest, below) => Math.max(deepest, below.depth + 1), 0)
  demand(depth <= DEPTH_MAX)
  const depths = refs.map((below) => Uint8Array.of(below.depth >> 8, below.depth & 0xff))
  const hash = crypto.sha256(concatBytes(descriptors, data, ...depths, ...refs.map((below) => below.hash)))
  return { bits, data, refs, depth, hash }
}

function bigEndian(reader: ByteReader, length: number): number {
  return reader.bytes(length).reduce((sum, byte) => sum * 256 + byte, 0)
}

function demand(holds: boolean): void {
  if (!holds) throw loginFault('state')
}

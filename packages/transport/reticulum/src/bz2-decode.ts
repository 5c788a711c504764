import { BLOCK_MAGIC, crcOfStream, crcStep, END_MAGIC, GROUP_SYMBOLS, RUN_B } from './bz2-crc.ts'
import { ReticulumError } from './errors.ts'

const CODE_BITS_MAX = 20
const SYMBOLS_MAX = 258
const SELECTORS_MAX = 18_002
const LEVEL_BYTES = 100_000
/** Bytes that a full block makes at least are more: a stream of many small ones would cost its reader much. */
const BLOCK_BYTES_LEAST = 50_000
/** Groups of symbols, and bytes, between two steps: a few milliseconds. */
const STEP_GROUPS = 512
const STEP_BYTES = 32_768

/**
 * Reads one bzip2 stream, with all its checks; never makes more than `bytesMax` bytes, whatever the stream claims.
 * @throws {ReticulumError} `reticulum/bz2`
 */
export function bz2Decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const steps = bz2DecompressSteps(bytes, bytesMax)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** {@link bz2Decompress} in steps of a few milliseconds. @throws {ReticulumError} `reticulum/bz2` */
export function* bz2DecompressSteps(bytes: Uint8Array, bytesMax: number): Generator<void, Uint8Array> {
  const bits = new BitReader(bytes)
  if (bits.read(24) !== 0x425a68) fail('not a bzip2 stream')
  const level = bits.read(8) - 0x30
  if (level < 1 || level > 9) fail('no such block size')
  // Run-length coding makes five bytes of four at worst: no block of an output within its bound is larger.
  const blockBytesMax = Math.min(level * LEVEL_BYTES, Math.ceil(bytesMax * 1.25) + 5)
  const blocksMax = 2 + bytesMax / BLOCK_BYTES_LEAST
  const output = new Output(bytesMax)
  for (let streamCrc = 0, blocks = 0; ; ) {
    const high = bits.read(24)
    const low = bits.read(24)
    const crc = bits.read(16) * 0x10000 + bits.read(16)
    if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
      if (crc !== streamCrc) fail('the check of the stream does not hold')
      bits.end()
      return output.finish()
    }
    if (high !== BLOCK_MAGIC[0] || low !== BLOCK_MAGIC[1]) fail('no block where one must be')
    if (++blocks > blocksMax) fail('more blocks than it needs')
    if ((yield* readBlock(bits, blockBytesMax, output)) !== crc) fail('the check of a block does not hold')
    streamCrc = crcOfStream(streamCrc, crc)
  }
}

/** Appends a block to the output; returns its check value. */
function* readBlock(bits: BitReader, blockBytesMax: number, output: Output): Generator<void, number> {
  if (bits.read(1) !== 0) fail('a randomised block')
  const origin = bits.read(24)
  const alphabet = readAlphabet(bits)
  const tables = readTables(bits, alphabet.length + 2)
  const { counts, column } = yield* readSymbols(bits, alphabet, tables, blockBytesMax)
  if (origin >= column.length) fail('the origin lies outside its block')
  let sum = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte]!
    counts[byte] = sum
    sum += count
  }
  for (let from = 0; from < column.length; from += STEP_BYTES) {
    const to = Math.min(from + STEP_BYTES, column.length)
    for (let at = from; at < to; at++) column[counts[column[at]! & 0xff]!++]! |= at << 8
    if (to < column.length) yield
  }
  return yield* output.putRuns(column, origin)
}

function readAlphabet(bits: BitReader): Uint8Array {
  const ranges = bits.read(16)
  const alphabet: number[] = []
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue
    const used = bits.read(16)
    for (let at = 0; at < 16; at++) if (used & (0x8000 >> at)) alphabet.push(16 * range + at)
  }
  if (alphabet.length === 0) fail('a block without bytes')
  return Uint8Array.from(alphabet)
}

interface Tables {
  readonly selectors: Uint8Array
  readonly tables: readonly HuffmanTable[]
}

function readTables(bits: BitReader, symbols: number): Tables {
  const tableCount = bits.read(3)
  const selectorCount = bits.read(15)
  if (tableCount < 2 || tableCount > 6 || selectorCount < 1 || selectorCount > SELECTORS_MAX) fail('Huffman tables')
  const order = Uint8Array.from({ length: tableCount }, (_, at) => at)
  const selectors = new Uint8Array(selectorCount)
  for (let at = 0; at < selectorCount; at++) {
    let place = 0
    while (bits.read(1) === 1) if (++place >= tableCount) fail('a selector')
    const table = order[place]!
    order.copyWithin(1, 0, place)
    order[0] = table
    selectors[at] = table
  }
  return { selectors, tables: Array.from({ length: tableCount }, () => new HuffmanTable(readLengths(bits, symbols))) }
}

function readLengths(bits: BitReader, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols)
  let length = bits.read(5)
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > CODE_BITS_MAX) fail('a code length')
      if (bits.read(1) === 0) break
      length += bits.read(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return lengths
}

/** Undoes Huffman coding, zero runs and move-to-front: the last column of the sorted rotations, and its byte counts. */
function* readSymbols(bits: BitReader, alphabet: Uint8Array, { selectors, tables }: Tables, blockBytesMax: number) {
  const reader = new ColumnReader(alphabet, blockBytesMax)
  for (let group = 0; group < selectors.length; group++) {
    if (reader.takeGroup(bits, tables[selectors[group]!]!)) return reader.finish()
    if (group % STEP_GROUPS === STEP_GROUPS - 1) yield
  }
  return fail('more symbols than selectors')
}

class ColumnReader {
  readonly #front: Uint8Array
  readonly #end: number
  readonly #bytesMax: number
  readonly #counts = new Uint32Array(256)
  #column: Uint32Array<ArrayBuffer>
  #length = 0
  #runBit = 1
  #run = 0

  constructor(alphabet: Uint8Array, bytesMax: number) {
    this.#front = alphabet.slice()
    this.#end = alphabet.length + 1
    this.#bytesMax = bytesMax
    this.#column = new Uint32Array(Math.min(bytesMax, 4_096))
  }

  finish(): { readonly counts: Uint32Array; readonly column: Uint32Array } {
    return { counts: this.#counts, column: this.#column.subarray(0, this.#length) }
  }

  /** Takes the symbols of one group; whether the last one was the end. */
  takeGroup(bits: BitReader, table: HuffmanTable): boolean {
    const front = this.#front
    for (let n = 0; n < GROUP_SYMBOLS; n++) {
      const symbol = table.read(bits)
      if (symbol <= RUN_B) {
        if (this.#runBit > this.#bytesMax) fail('a block longer than it may be')
        this.#run += this.#runBit << symbol
        this.#runBit <<= 1
        continue
      }
      if (this.#run > 0) this.#put(front[0]!, this.#run)
      this.#run = 0
      this.#runBit = 1
      if (symbol === this.#end) return true
      const byte = front[symbol - 1]!
      front.copyWithin(1, 0, symbol - 1)
      front[0] = byte
      this.#put(byte, 1)
    }
    return false
  }

  #put(byte: number, times: number): void {
    const wanted = this.#length + times
    if (wanted > this.#bytesMax) fail('a block longer than it may be')
    if (wanted > this.#column.length) {
      const larger = new Uint32Array(Math.min(this.#bytesMax, Math.max(2 * this.#column.length, wanted)))
      larger.set(this.#column.subarray(0, this.#length))
      this.#column = larger
    }
    this.#column.fill(byte, this.#length, wanted)
    this.#counts[byte]! += times
    this.#length = wanted
  }
}

/** Canonical Huffman codes by their limits at each length. */
class HuffmanTable {
  readonly #limits = new Int32Array(CODE_BITS_MAX + 2)
  readonly #offsets = new Int32Array(CODE_BITS_MAX + 1)
  readonly #symbols = new Uint16Array(SYMBOLS_MAX)
  readonly #lengthMin: number

  constructor(lengths: Uint8Array) {
    let at = 0
    let code = 0
    this.#lengthMin = lengths.reduce((least, length) => Math.min(least, length), CODE_BITS_MAX)
    for (let length = this.#lengthMin; length <= CODE_BITS_MAX; length++) {
      this.#offsets[length] = at - code
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue
        this.#symbols[at++] = symbol
        code++
      }
      this.#limits[length] = code
      if (code > 1 << length) fail('more codes than there are')
      code <<= 1
    }
  }

  read(bits: BitReader): number {
    let length = this.#lengthMin
    let code = bits.read(length)
    while (code >= this.#limits[length]!) {
      if (++length > CODE_BITS_MAX) fail('an unknown code')
      code = (code << 1) | bits.read(1)
    }
    return this.#symbols[code + this.#offsets[length]!]!
  }
}

/** Bytes decompressed so far; grows by doubling, up to its bound. */
class Output {
  readonly #bytesMax: number
  #bytes: Uint8Array
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#bytes = new Uint8Array(Math.min(bytesMax, 1_024))
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Follows the sorted rotations from `origin`, and undoes the first run-length coding; returns the check value. */
  *putRuns(column: Uint32Array, origin: number): Generator<void, number> {
    let crc = 0xffffffff
    let repeats = 0
    let last = -1
    let place = column[origin]! >>> 8
    let pauseAt = this.#length + STEP_BYTES
    for (let at = 0; at < column.length; at++) {
      if (this.#length >= pauseAt) {
        yield
        pauseAt = this.#length + STEP_BYTES
      }
      const entry = column[place]!
      const byte = entry & 0xff
      place = entry >>> 8
      if (repeats === 4) {
        repeats = 0
        for (let n = 0; n < byte; n++) crc = crcStep(crc, this.#put(last))
        last = -1
        continue
      }
      repeats = byte === last ? repeats + 1 : 1
      last = byte
      crc = crcStep(crc, this.#put(byte))
    }
    return ~crc >>> 0
  }

  #put(byte: number): number {
    if (this.#length === this.#bytes.length) {
      if (this.#length >= this.#bytesMax) fail(`more than ${this.#bytesMax} bytes`)
      const larger = new Uint8Array(Math.min(this.#bytesMax, 2 * this.#length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = byte
    return byte
  }
}

/** Bits from the high end of each byte. */
class BitReader {
  readonly #bytes: Uint8Array
  #at = 0
  #held = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @param count 1 to 24 */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.#bytes.length) fail('cut short')
      this.#held = ((this.#held & 0xffffff) << 8) | this.#bytes[this.#at++]!
      this.#count += 8
    }
    this.#count -= count
    return (this.#held >>> this.#count) & ((1 << count) - 1)
  }

  /** Nothing may be left but the bits that fill the last byte. */
  end(): void {
    if (this.#at < this.#bytes.length) fail('bytes after the stream')
  }
}

function fail(why: string): never {
  throw new ReticulumError({ code: 'reticulum/bz2', why })
}

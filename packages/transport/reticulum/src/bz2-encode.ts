import { BLOCK_MAGIC, crcOfStream, crcStep, END_MAGIC, GROUP_SYMBOLS } from './bz2-crc.ts'
import { codeLengths, codesOf } from './huffman.ts'
import { sortRotations } from './rotations.ts'

/** Bytes of a block after run-length coding: the smallest blocks there are, each of which takes some 20 ms to sort. */
const BLOCK_BYTES = 99_981
const RUN_MAX = 255

/** One bzip2 stream that any decoder reads (bzip2 1.0 format, blocks of 100 000 bytes). */
export function bz2Compress(bytes: Uint8Array): Uint8Array {
  const steps = bz2CompressSteps(bytes)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** {@link bz2Compress}, a block at a step. */
export function* bz2CompressSteps(bytes: Uint8Array): Generator<void, Uint8Array> {
  const bits = new BitWriter(bytes.length)
  bits.write(0x425a68, 24)
  bits.write(0x31, 8)
  let streamCrc = 0
  for (let at = 0; at < bytes.length; ) {
    const block = runLengthCode(bytes, at)
    writeBlock(bits, block.coded, block.crc)
    streamCrc = crcOfStream(streamCrc, block.crc)
    at = block.end
    if (at < bytes.length) yield
  }
  bits.write(END_MAGIC[0], 24)
  bits.write(END_MAGIC[1], 24)
  bits.write(streamCrc >>> 16, 16)
  bits.write(streamCrc & 0xffff, 16)
  return bits.finish()
}

/** Four equal bytes and a count for each run of four to 259; as much of `bytes` as a block holds. */
function runLengthCode(bytes: Uint8Array, start: number) {
  const coded = new Uint8Array(BLOCK_BYTES + 5)
  let length = 0
  let crc = 0xffffffff
  let at = start
  while (at < bytes.length && length < BLOCK_BYTES) {
    const byte = bytes[at]!
    let run = 1
    while (run < 4 + RUN_MAX && bytes[at + run] === byte) run++
    for (let n = 0; n < Math.min(run, 4); n++) coded[length++] = byte
    if (run >= 4) coded[length++] = run - 4
    for (let n = 0; n < run; n++) crc = crcStep(crc, byte)
    at += run
  }
  return { coded: coded.subarray(0, length), crc: ~crc >>> 0, end: at }
}

function writeBlock(bits: BitWriter, coded: Uint8Array, crc: number): void {
  const order = sortRotations(coded)
  bits.write(BLOCK_MAGIC[0], 24)
  bits.write(BLOCK_MAGIC[1], 24)
  bits.write(crc >>> 16, 16)
  bits.write(crc & 0xffff, 16)
  bits.write(0, 1)
  bits.write(order.indexOf(0), 24)
  const alphabet = writeAlphabet(bits, coded)
  const symbols = moveToFront(coded, order, alphabet)
  writeSymbols(bits, symbols, alphabet.length + 2)
}

function writeAlphabet(bits: BitWriter, coded: Uint8Array): Uint8Array {
  const used = new Uint8Array(256)
  for (const byte of coded) used[byte] = 1
  const ranges = Array.from({ length: 16 }, (_, range) => used.subarray(16 * range, 16 * range + 16).indexOf(1) >= 0)
  for (const range of ranges) bits.write(range ? 1 : 0, 1)
  for (const [range, isUsed] of ranges.entries()) {
    if (isUsed) for (let at = 0; at < 16; at++) bits.write(used[16 * range + at]!, 1)
  }
  return Uint8Array.from([...used.keys()].filter((byte) => used[byte] === 1))
}

/** Move-to-front of the last column, runs of its front in binary digits 1 and 2, and the end symbol. */
function moveToFront(coded: Uint8Array, order: Uint32Array, alphabet: Uint8Array): Uint16Array {
  const front = alphabet.slice()
  const symbols = new Uint16Array(coded.length + 1)
  let length = 0
  let run = 0
  const flush = () => {
    for (; run > 0; run = (run - 1) >> 1) symbols[length++] = (run - 1) & 1
  }
  for (const start of order) {
    const byte = coded[start === 0 ? coded.length - 1 : start - 1]!
    const place = front.indexOf(byte)
    if (place === 0) {
      run++
      continue
    }
    flush()
    front.copyWithin(1, 0, place)
    front[0] = byte
    symbols[length++] = place + 1
  }
  flush()
  symbols[length++] = alphabet.length + 1
  return symbols.subarray(0, length)
}

function writeSymbols(bits: BitWriter, symbols: Uint16Array, symbolCount: number): void {
  const { lengths, selectors } = chooseTables(symbols, symbolCount)
  bits.write(lengths.length, 3)
  bits.write(selectors.length, 15)
  const recent = lengths.map((_, table) => table)
  for (const table of selectors) {
    const place = recent.indexOf(table)
    for (let n = 0; n < place; n++) bits.write(1, 1)
    bits.write(0, 1)
    recent.splice(place, 1)
    recent.unshift(table)
  }
  for (const table of lengths) writeLengths(bits, table)
  const codes = lengths.map(codesOf)
  for (let at = 0; at < symbols.length; at++) {
    const table = selectors[Math.floor(at / GROUP_SYMBOLS)]!
    const symbol = symbols[at]!
    bits.write(codes[table]![symbol]!, lengths[table]![symbol]!)
  }
}

function writeLengths(bits: BitWriter, lengths: Uint8Array): void {
  let length = lengths[0]!
  bits.write(length, 5)
  for (const wanted of lengths) {
    for (; length < wanted; length++) bits.write(0b10, 2)
    for (; length > wanted; length--) bits.write(0b11, 2)
    bits.write(0, 1)
  }
}

/** Tables fitted to the groups that choose them, a few times over. */
function chooseTables(symbols: Uint16Array, symbolCount: number) {
  const groups = Math.ceil(symbols.length / GROUP_SYMBOLS)
  const tableCount =
    symbols.length < 200 ? 2 : symbols.length < 600 ? 3 : symbols.length < 1_200 ? 4 : symbols.length < 2_400 ? 5 : 6
  // Neighbouring groups resemble each other: each table begins with a stretch of them.
  let selectors = Uint8Array.from({ length: groups }, (_, group) => Math.floor((group * tableCount) / groups))
  let lengths: Uint8Array[] = []
  for (let round = 0; round < 4; round++) {
    const weights = Array.from({ length: tableCount }, () => new Uint32Array(symbolCount).fill(1))
    for (let at = 0; at < symbols.length; at++) weights[selectors[Math.floor(at / GROUP_SYMBOLS)]!]![symbols[at]!]! += 8
    lengths = weights.map(codeLengths)
    selectors = Uint8Array.from({ length: groups }, (_, group) => cheapest(symbols, group, lengths))
  }
  return { lengths, selectors }
}

function cheapest(symbols: Uint16Array, group: number, lengths: readonly Uint8Array[]): number {
  const from = group * GROUP_SYMBOLS
  const to = Math.min(symbols.length, from + GROUP_SYMBOLS)
  let best = 0
  let bestBits = Number.POSITIVE_INFINITY
  for (const [table, of] of lengths.entries()) {
    let bits = 0
    for (let at = from; at < to; at++) bits += of[symbols[at]!]!
    if (bits < bestBits) {
      best = table
      bestBits = bits
    }
  }
  return best
}

/** Bits from the high end of each byte. */
class BitWriter {
  #bytes: Uint8Array
  #length = 0
  #held = 0
  #count = 0

  constructor(sizeHint: number) {
    this.#bytes = new Uint8Array(sizeHint + 64)
  }

  /** @param count 1 to 24 */
  write(value: number, count: number): void {
    this.#held = (this.#held << count) | value
    this.#count += count
    while (this.#count >= 8) {
      this.#count -= 8
      this.#byte((this.#held >>> this.#count) & 0xff)
    }
    this.#held &= (1 << this.#count) - 1
  }

  finish(): Uint8Array {
    if (this.#count > 0) this.write(0, 8 - this.#count)
    return this.#bytes.slice(0, this.#length)
  }

  #byte(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = byte
  }
}

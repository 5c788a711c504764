const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value >>> 0
})

/** The CRC-32 of bzip2: polynomial 04C11DB7, high bit first. Begin with 0xffffffff, end with a complement. */
export function crcStep(crc: number, byte: number): number {
  return (((crc << 8) >>> 0) ^ TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0
}

/** The check value of a stream, after one more block. */
export function crcOfStream(stream: number, block: number): number {
  return (((stream << 1) | (stream >>> 31)) ^ block) >>> 0
}

/** First bits of a block, and of the end of a stream, in two halves of 24 bits. */
export const BLOCK_MAGIC = [0x314159, 0x265359] as const
export const END_MAGIC = [0x177245, 0x385090] as const
/** Symbols that one Huffman table codes before the next selector. */
export const GROUP_SYMBOLS = 50
export const RUN_A = 0
export const RUN_B = 1

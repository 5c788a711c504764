/** Bytes in and out: bounded readers and writers, hex, base32, UTF-8, TLV (docs/spec/conventions.md). */
export { compareBytes, concatBytes, equalBytes, readU32, writeU32 } from './bytes.ts'
export { CodecError, type CodecErrorDetail } from './errors.ts'
export { ByteReader, type ReadFault } from './reader.ts'
export { decodeUtf8, encodeUtf8, fromBase32, fromHex, toBase32, toHex } from './text.ts'
export { readTlvs, type Tlv, tlvsLength, writeTlvs } from './tlv.ts'
export { ByteWriter } from './writer.ts'

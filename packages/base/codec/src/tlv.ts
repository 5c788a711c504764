import type { ByteReader } from './reader.ts'
import type { ByteWriter } from './writer.ts'

/** Type `u8`, length `u8`, data: types that a reader does not know are kept and forwarded untouched. */
export interface Tlv {
  readonly type: number
  readonly data: Uint8Array
}

/** Bytes that the list takes when written. */
export function tlvsLength(tlvs: readonly Tlv[]): number {
  return tlvs.reduce((sum, tlv) => sum + 2 + tlv.data.length, 0)
}

/** Reads TLVs to the end of the input; a cut one is the reader's fault. */
export function readTlvs(reader: ByteReader): Tlv[] {
  const tlvs: Tlv[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()
    tlvs.push({ type, data: reader.bytes(reader.u8()) })
  }
  return tlvs
}

/** Writes each TLV in order. @throws {RangeError} where data is longer than 255 bytes */
export function writeTlvs(writer: ByteWriter, tlvs: readonly Tlv[]): void {
  for (const tlv of tlvs) writer.u8(tlv.type).u8(tlv.data.length).bytes(tlv.data)
}

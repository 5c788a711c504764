import { ByteReader, ByteWriter, concatBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { GossipError } from './errors.ts'
import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES, RECORD_ID_BYTES } from './limits.ts'

/** What is gossiped: a typed body that its handler understands. */
export interface GossipRecord {
  readonly type: number
  readonly body: Uint8Array
}

/**
 * Name of a record: BLAKE3(type ‖ named part)[0..16]. The named part is the body without its signatures, since a signer
 * can make endless valid signatures of one statement.
 */
export function recordId(crypto: Crypto, type: number, namedPart: Uint8Array): Uint8Array {
  return crypto.blake3(concatBytes(Uint8Array.of(type), namedPart)).slice(0, RECORD_ID_BYTES)
}

/** Key of an id in maps. */
export const idKey = (id: Uint8Array): string => toHex(id)

export const recordBytes = (record: GossipRecord): number => RECORD_HEADER_BYTES + record.body.length

/**
 * Appends a record at the writer's place.
 *
 * | at | bytes | field  |                                  |
 * | -: | ----: | ------ | -------------------------------- |
 * |  0 |     1 | type   |                                  |
 * |  1 |     2 | length | at most {@link RECORD_BODY_BYTES_MAX} |
 * |  3 |     n | body   |                                  |
 */
export function writeRecord(writer: ByteWriter, record: GossipRecord): void {
  writer.u8(record.type).u16(record.body.length).bytes(record.body)
}

/** Reads one record. @throws {GossipError} `gossip/record-length`, `gossip/malformed` by the reader's fault */
export function readRecord(reader: ByteReader): GossipRecord {
  const type = reader.u8()
  const lengthBytes = reader.u16()
  if (lengthBytes > RECORD_BODY_BYTES_MAX) {
    throw new GossipError({ code: 'gossip/record-length', lengthBytes, lengthBytesMax: RECORD_BODY_BYTES_MAX })
  }
  return { type, body: reader.bytes(lengthBytes) }
}

/** A record alone, as stores keep it. */
export function encodeRecord(record: GossipRecord): Uint8Array {
  const writer = new ByteWriter(recordBytes(record))
  writeRecord(writer, record)
  return writer.finish()
}

/** The inverse of {@link encodeRecord}. @throws {GossipError} */
export function decodeRecord(bytes: Uint8Array): GossipRecord {
  const reader = new ByteReader(bytes, (fault) => new GossipError({ code: 'gossip/malformed', fault }))
  const record = readRecord(reader)
  reader.end()
  return record
}

import { ByteReader, ByteWriter } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { DIGEST_BYTES } from './limits.ts'

const VERSION = 1
const FLAG_SIGNED = 1
const FLAG_TAKEN = 2
const FLAG_TIMED = 4

/** A message on disk; once the application took it, only what is needed to know it again. */
export interface InboxRecord {
  /** Absent for an anonymous message. */
  readonly sender?: { readonly publicKey: Uint8Array; readonly id: bigint }
  /** Of the message; of the box where it is anonymous. */
  readonly digest: Uint8Array
  /** Absent once taken. */
  readonly body?: Uint8Array
  /** Unix time of arrival by the host's clock, in ms; absent once taken, and where the host has none. */
  readonly receivedAtMs?: number
}

/**
 * `version 1 | flags u8 (1 signed, 2 taken, 4 timed) | [public key 32 | id u64] | digest 16 | [received u64] | [body]`
 *
 * @throws {SessionError} `session/record`, `session/length`
 */
export function decodeInboxRecord(record: Uint8Array): InboxRecord {
  const reader = new ByteReader(record, (detail) => {
    const extraBytes = detail.code === 'codec/trailing' ? detail.extraBytes : 0
    return new SessionError({ code: 'session/length', wantBytes: record.length - extraBytes, gotBytes: record.length })
  })
  const version = reader.u8()
  const flags = reader.u8()
  const isTaken = (flags & FLAG_TAKEN) !== 0
  const isTimed = (flags & FLAG_TIMED) !== 0
  if (version !== VERSION || flags > (FLAG_SIGNED | FLAG_TAKEN | FLAG_TIMED) || (isTaken && isTimed)) {
    throw new SessionError({ code: 'session/record', version })
  }
  const sender = (flags & FLAG_SIGNED) === 0 ? {} : { sender: { publicKey: reader.bytes(32), id: reader.u64() } }
  const digest = reader.bytes(DIGEST_BYTES)
  if (isTaken) {
    reader.end()
    return { ...sender, digest }
  }
  const receivedAtMs = isTimed ? Number(reader.u64()) : undefined
  if (receivedAtMs !== undefined && !Number.isSafeInteger(receivedAtMs)) {
    throw new SessionError({ code: 'session/record', version })
  }
  return { ...sender, digest, ...(receivedAtMs === undefined ? {} : { receivedAtMs }), body: reader.rest() }
}

/** Writes what {@link decodeInboxRecord} reads. */
export function encodeInboxRecord({ sender, digest, body, receivedAtMs }: InboxRecord): Uint8Array {
  const timeBytes = body === undefined || receivedAtMs === undefined ? 0 : 8
  const writer = new ByteWriter(2 + (sender === undefined ? 0 : 40) + DIGEST_BYTES + timeBytes + (body?.length ?? 0))
  const flags = (sender === undefined ? 0 : FLAG_SIGNED) | (body === undefined ? FLAG_TAKEN : 0)
  writer.u8(VERSION).u8(flags | (timeBytes === 0 ? 0 : FLAG_TIMED))
  if (sender !== undefined) writer.bytes(sender.publicKey, 32).u64(sender.id)
  writer.bytes(digest, DIGEST_BYTES)
  if (timeBytes > 0) writer.u64(BigInt(receivedAtMs!))
  if (body !== undefined) writer.bytes(body)
  return writer.finish()
}

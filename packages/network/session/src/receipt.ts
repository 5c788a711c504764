import { ByteReader, ByteWriter } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { BITMAP_MAX_BYTES, DIGEST_BYTES, RECEIPT_BYTES } from './limits.ts'

/** What the receiver says of a message. */
export const STATUS = { stored: 0, refused: 1, tooOld: 2, fragments: 3 } as const

/** The body of a receipt. */
export interface Receipt {
  /** Id of the message that is answered. */
  readonly id: bigint
  /** {@link messageDigest} of the message; 16 zero bytes where the receiver does not hold the whole body. */
  readonly digest: Uint8Array
  readonly status: (typeof STATUS)[keyof typeof STATUS]
  /** Status 3: bit `i & 7` of byte `i >> 3` is set where part `i` is held. Empty otherwise. */
  readonly bitmap: Uint8Array
}

export const NO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES)
export const NO_BITMAP: Uint8Array = new Uint8Array(0)

/**
 * Reads the body of a mode-2 content (docs/spec/session.md, Receipts).
 *
 * | at | bytes | field  | note                                                 |
 * | -: | ----: | ------ | ---------------------------------------------------- |
 * |  0 |     8 | id     | of the message                                       |
 * |  8 |    16 | digest | of the message as the receiver holds it, else zeros  |
 * | 24 |     1 | status | 0 stored, 1 refused, 2 too old, 3 fragments          |
 * | 25 | 1…27  | bitmap | status 3 only                                        |
 *
 * @throws {SessionError} `session/length`, `session/status`
 */
export function decodeReceipt(body: Uint8Array): Receipt {
  const reader = new ByteReader(body, () => length(RECEIPT_BYTES, body.length))
  const id = reader.u64()
  const digest = reader.bytes(DIGEST_BYTES)
  const status = reader.u8()
  if (!isStatus(status)) throw new SessionError({ code: 'session/status', status })
  if (status !== STATUS.fragments) {
    reader.end()
    return { id, digest, status, bitmap: NO_BITMAP }
  }
  if (reader.remaining === 0) throw length(RECEIPT_BYTES + 1, body.length)
  if (reader.remaining > BITMAP_MAX_BYTES) throw length(RECEIPT_BYTES + BITMAP_MAX_BYTES, body.length)
  return { id, digest, status, bitmap: reader.rest() }
}

/** Writes what {@link decodeReceipt} reads. */
export function encodeReceipt({ id, digest, status, bitmap }: Receipt): Uint8Array {
  const writer = new ByteWriter(RECEIPT_BYTES + bitmap.length)
  return writer.u64(id).bytes(digest, DIGEST_BYTES).u8(status).bytes(bitmap).finish()
}

function isStatus(status: number): status is Receipt['status'] {
  return status <= STATUS.fragments
}

function length(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}

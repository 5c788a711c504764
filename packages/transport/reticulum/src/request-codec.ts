import { encodeUtf8 } from '@nexus/codec'
import { truncated } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import { ADDRESS_BYTES } from './limits.ts'
import { decodeMsgPack, encodeMsgPack, Float64, type MsgPack } from './msgpack.ts'

/** 16 bytes: what a request names its path by. */
export function pathHash(crypto: ReticulumCrypto, path: string): Uint8Array {
  return truncated(crypto.sha256(encodeUtf8(path)))
}

export interface Request {
  /** Unix time in seconds. */
  readonly requestedAt: number
  readonly pathHash: Uint8Array
  readonly data: MsgPack
}

/** msgpack `[time float64, path hash, data]`. */
export function encodeRequest({ requestedAt, pathHash: path, data }: Request): Uint8Array {
  return encodeMsgPack([new Float64(requestedAt), path, data])
}

/** @throws {ReticulumError} `reticulum/msgpack`, `reticulum/form` */
export function decodeRequest(bytes: Uint8Array): Request {
  const value = decodeMsgPack(bytes)
  const [requestedAt, path, data] = Array.isArray(value) ? (value as readonly MsgPack[]) : []
  if (!Array.isArray(value) || value.length !== 3 || typeof requestedAt !== 'number' || !isAddress(path)) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a request', why: 'no time and path' })
  }
  return { requestedAt, pathHash: path, data: data as MsgPack }
}

export interface Response {
  readonly requestId: Uint8Array
  readonly value: MsgPack
}

/** msgpack `[request id, value]`. */
export function encodeResponse({ requestId, value }: Response): Uint8Array {
  return encodeMsgPack([requestId, value])
}

/** @throws {ReticulumError} `reticulum/msgpack`, `reticulum/form` */
export function decodeResponse(bytes: Uint8Array): Response {
  const value = decodeMsgPack(bytes)
  const [requestId, content] = Array.isArray(value) ? (value as readonly MsgPack[]) : []
  if (!Array.isArray(value) || value.length !== 2 || !isAddress(requestId)) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a response', why: 'no request id' })
  }
  return { requestId, value: content as MsgPack }
}

function isAddress(value: MsgPack | undefined): value is Uint8Array {
  return value instanceof Uint8Array && value.length === ADDRESS_BYTES
}

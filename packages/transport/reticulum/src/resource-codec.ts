import { concatBytes } from '@nexus/codec'
import { readBigEndian, writeBigEndian } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import { ADDRESS_BYTES, HASH_BYTES, HASHMAP_PARTS_MAX, MAP_HASH_BYTES, METADATA_BYTES_MAX } from './limits.ts'
import { decodeMsgPack, encodeMsgPack, type MsgPack } from './msgpack.ts'

/** What a resource's sender says before it sends: one segment of it. */
export interface ResourceAdvertisement {
  /** Bytes of all parts together. */
  readonly transferBytes: number
  /** Bytes of the whole resource, metadata included, uncompressed. */
  readonly totalBytes: number
  readonly parts: number
  readonly hash: Uint8Array
  readonly randomHash: Uint8Array
  /** Hash of the first segment. */
  readonly originalHash: Uint8Array
  /** From 1. */
  readonly segmentIndex: number
  readonly segments: number
  readonly requestId: Uint8Array | undefined
  readonly encrypted: boolean
  readonly compressed: boolean
  readonly split: boolean
  readonly isRequest: boolean
  readonly isResponse: boolean
  readonly hasMetadata: boolean
  /** Map hashes of the first parts, 4 bytes each. */
  readonly hashmap: Uint8Array
}

const BITS = ['encrypted', 'compressed', 'split', 'isRequest', 'isResponse', 'hasMetadata'] as const

/** A msgpack map with one-letter keys (docs/spec/reticulum.md). */
export function encodeAdvertisement(advertisement: ResourceAdvertisement): Uint8Array {
  const flags = BITS.reduce((sum, name, bit) => sum | (advertisement[name] ? 1 << bit : 0), 0)
  return encodeMsgPack({
    t: advertisement.transferBytes,
    d: advertisement.totalBytes,
    n: advertisement.parts,
    h: advertisement.hash,
    r: advertisement.randomHash,
    o: advertisement.originalHash,
    i: advertisement.segmentIndex,
    l: advertisement.segments,
    q: advertisement.requestId ?? null,
    f: flags,
    m: advertisement.hashmap,
  })
}

/** @throws {ReticulumError} `reticulum/msgpack`, `reticulum/form` */
export function decodeAdvertisement(plaintext: Uint8Array): ResourceAdvertisement {
  const map = decodeMsgPack(plaintext)
  if (!(map instanceof Map)) throw formError('no map')
  const number = (key: string, max = Number.MAX_SAFE_INTEGER) => {
    const value: MsgPack | undefined = map.get(key)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) throw formError(key)
    return value
  }
  const bytes = (key: string, length?: number) => {
    const value: MsgPack | undefined = map.get(key)
    if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw formError(key)
    return value
  }
  const flags = number('f', 0xff)
  const flag = (name: (typeof BITS)[number]) => (flags & (1 << BITS.indexOf(name))) !== 0
  const hashmap = bytes('m')
  const parts = number('n')
  const segmentIndex = number('i')
  const segments = number('l')
  if (hashmap.length % MAP_HASH_BYTES !== 0 || hashmap.length > parts * MAP_HASH_BYTES) throw formError('m')
  if (parts === 0 || segmentIndex < 1 || segmentIndex > segments) throw formError('i')
  return {
    transferBytes: number('t'),
    totalBytes: number('d'),
    parts,
    hash: bytes('h', HASH_BYTES),
    randomHash: bytes('r', MAP_HASH_BYTES),
    originalHash: bytes('o', HASH_BYTES),
    segmentIndex,
    segments,
    requestId: (map.get('q') ?? null) === null ? undefined : bytes('q', ADDRESS_BYTES),
    encrypted: flag('encrypted'),
    compressed: flag('compressed'),
    split: flag('split'),
    isRequest: flag('isRequest'),
    isResponse: flag('isResponse'),
    hasMetadata: flag('hasMetadata'),
    hashmap,
  }
}

/** What a receiver asks for. */
export interface PartRequest {
  readonly hash: Uint8Array
  /** Map hashes of the wanted parts, 4 bytes each. */
  readonly wanted: Uint8Array
  /** The last map hash that the receiver knows, where it wants more of the hashmap. */
  readonly lastMapHash: Uint8Array | undefined
}

/** `00 | hash | map hashes`, or `FF | last map hash | hash | map hashes`. */
export function encodePartRequest({ hash, wanted, lastMapHash }: PartRequest): Uint8Array {
  if (lastMapHash === undefined) return concatBytes(Uint8Array.of(0), hash, wanted)
  return concatBytes(Uint8Array.of(0xff), lastMapHash, hash, wanted)
}

/** @throws {ReticulumError} `reticulum/length`, `reticulum/form` */
export function decodePartRequest(plaintext: Uint8Array): PartRequest {
  const kind = plaintext[0]
  if (kind !== 0 && kind !== 0xff)
    throw new ReticulumError({ code: 'reticulum/form', what: 'a part request', why: 'kind' })
  const at = kind === 0 ? 1 : 1 + MAP_HASH_BYTES
  const wanted = plaintext.subarray(at + HASH_BYTES)
  if (plaintext.length < at + HASH_BYTES || wanted.length % MAP_HASH_BYTES !== 0) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'a part request', gotBytes: plaintext.length })
  }
  return {
    hash: plaintext.subarray(at, at + HASH_BYTES),
    wanted,
    lastMapHash: kind === 0 ? undefined : plaintext.subarray(1, at),
  }
}

/** More of a hashmap: the part of it that begins at map hash `segment` × {@link HASHMAP_PARTS_MAX}. */
export interface HashmapUpdate {
  readonly hash: Uint8Array
  readonly segment: number
  readonly hashmap: Uint8Array
}

/** `hash | msgpack [segment, map hashes]`. */
export function encodeHashmapUpdate({ hash, segment, hashmap }: HashmapUpdate): Uint8Array {
  return concatBytes(hash, encodeMsgPack([segment, hashmap]))
}

/** @throws {ReticulumError} `reticulum/length`, `reticulum/msgpack`, `reticulum/form` */
export function decodeHashmapUpdate(plaintext: Uint8Array): HashmapUpdate {
  if (plaintext.length < HASH_BYTES) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'a hashmap update', gotBytes: plaintext.length })
  }
  const value = decodeMsgPack(plaintext.subarray(HASH_BYTES))
  const [segment, hashmap] = Array.isArray(value) ? (value as readonly MsgPack[]) : []
  if (
    !Array.isArray(value) ||
    value.length !== 2 ||
    typeof segment !== 'number' ||
    !Number.isSafeInteger(segment) ||
    segment < 0 ||
    !(hashmap instanceof Uint8Array) ||
    hashmap.length % MAP_HASH_BYTES !== 0 ||
    hashmap.length > HASHMAP_PARTS_MAX * MAP_HASH_BYTES
  ) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a hashmap update', why: 'no segment with map hashes' })
  }
  return { hash: plaintext.slice(0, HASH_BYTES), segment, hashmap }
}

/** SHA-256 of the segment before compression and the random hash. */
export function resourceHash(crypto: ReticulumCrypto, segment: Uint8Array, randomHash: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(segment, randomHash))
}

/** What a receiver proves a segment by: `hash | SHA-256(segment | hash)`. */
export function resourceProof(crypto: ReticulumCrypto, segment: Uint8Array, hash: Uint8Array): Uint8Array {
  return concatBytes(hash, crypto.sha256(concatBytes(segment, hash)))
}

/** 4 bytes that name a part within its segment. */
export function mapHash(crypto: ReticulumCrypto, part: Uint8Array, randomHash: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(part, randomHash)).subarray(0, MAP_HASH_BYTES)
}

/** `length u24, high byte first | msgpack`, before the data of a first segment. @throws {RangeError} where it is too long */
export function encodeMetadata(metadata: MsgPack): Uint8Array {
  const packed = encodeMsgPack(metadata)
  if (packed.length > METADATA_BYTES_MAX) throw new RangeError('metadata')
  const bytes = new Uint8Array(3 + packed.length)
  writeBigEndian(packed.length, bytes, 0, 3)
  bytes.set(packed, 3)
  return bytes
}

/** Metadata and the data after it. @throws {ReticulumError} `reticulum/length`, `reticulum/msgpack` */
export function splitMetadata(bytes: Uint8Array): { readonly metadata: MsgPack; readonly data: Uint8Array } {
  const length = bytes.length < 3 ? Number.POSITIVE_INFINITY : readBigEndian(bytes, 0, 3)
  if (3 + length > bytes.length) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'metadata', gotBytes: bytes.length })
  }
  return { metadata: decodeMsgPack(bytes.subarray(3, 3 + length)), data: bytes.subarray(3 + length) }
}

function formError(key: string): ReticulumError {
  return new ReticulumError({ code: 'reticulum/form', what: 'a resource advertisement', why: key })
}

import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '@nexus/codec'
import { AnchorError } from './errors.ts'
import {
  ENTRIES_MAX,
  ENTRY_BYTES,
  EPOCH_BYTES_MIN,
  EPOCH_ID_BYTES,
  HEADS_MAX,
  KEY_BYTES,
  MAC_BYTES,
  NAME_BYTES_MAX,
  NONCE_BYTES,
  NONCE_HEAD_BYTES,
  PULSE_BYTES_MIN,
  REQUEST_BYTES,
  SALT_BYTES,
  SEALED_KEY_BYTES,
  SIGNATURE_BYTES,
  VERSION,
  ZONE_HASH_BYTES,
} from './limits.ts'

/** First byte of each datagram. */
export const KIND = { pulse: 1, epoch: 2, request: 3 } as const
/** How a segment admits, as the third byte of an EPOCH says it. */
export const ADMISSION = { open: 0, passphrase: 1, 'allow-list': 2 } as const
export type AdmissionName = keyof typeof ADMISSION
/** What a node is for, shown to people: the two low bits of a pulse's role. */
export const NODE_TYPES = ['Bridge', 'Rig-Hub', 'Data-Mule', 'Agent'] as const
export type NodeType = (typeof NODE_TYPES)[number]
/** Pulses that the sender did not hear of its anchor: 7 stands for all above. */
export const MISSED_MAX = 7

/** What every datagram has: who speaks, and a number that only rises. */
export interface Spoken {
  /** Starts of the sender, kept on its disk. */
  readonly boot: number
  /** Datagrams since that start, of all three kinds. */
  readonly sequence: number
  /** 0…255: the greatest leads. */
  readonly ego: number
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

export interface Pulse extends Spoken {
  readonly kind: 'pulse'
  readonly epochId: Uint8Array
  /** Seconds since the sender's start, for people; nothing is decided by it. */
  readonly uptimeSeconds: number
  readonly isAnchor: boolean
  /** Whole pulse intervals since the sender heard its anchor, at most {@link MISSED_MAX}. */
  readonly missed: number
  readonly type: NodeType
  readonly zoneHash: Uint8Array
  readonly name: string
  readonly mac: Uint8Array
}

export interface Request extends Spoken {
  readonly kind: 'request'
  readonly zoneHash: Uint8Array
  readonly nonce: Uint8Array
}

/** Head of the nonce that is answered; with the epoch's key sealed for its sender, unless a passphrase gives the key. */
export interface Answer {
  readonly nonceHead: Uint8Array
  readonly sealedKey?: Uint8Array
}

export interface Epoch extends Spoken {
  readonly kind: 'epoch'
  readonly admission: AdmissionName
  readonly epoch: number
  readonly salt: Uint8Array
  readonly answers: readonly Answer[]
  readonly mac: Uint8Array
}

export type Datagram = Pulse | Request | Epoch

/** Any of the three. @throws {AnchorError} */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  switch (bytes[0]) {
    case KIND.pulse:
      return decodePulse(bytes)
    case KIND.epoch:
      return decodeEpoch(bytes)
    case KIND.request:
      return decodeRequest(bytes)
    case undefined:
      throw new AnchorError({ code: 'anchor/length', what: 'a datagram', wantBytes: 1, gotBytes: 0 })
    default:
      throw new AnchorError({ code: 'anchor/kind', kind: bytes[0] })
  }
}

/**
 * A pulse (docs/spec/anchor-truth.md), little-endian.
 *
 * |  at | bytes | field                                                                       |
 * | --: | ----: | --------------------------------------------------------------------------- |
 * |   0 |     1 | kind 1                                                                      |
 * |   1 |     1 | version 1                                                                   |
 * |   2 |     8 | epoch id                                                                    |
 * |  10 |     4 | boot                                                                        |
 * |  14 |     4 | sequence                                                                    |
 * |  18 |     4 | uptime in seconds                                                           |
 * |  22 |     1 | ego                                                                         |
 * |  23 |     1 | role: bit 7 anchor, bits 4–6 pulses missed, bits 2–3 zero, bits 0–1 type    |
 * |  24 |     4 | zone hash                                                                   |
 * |  28 |     1 | bytes of the name, n ≤ 24                                                   |
 * |  29 |     n | name, UTF-8                                                                 |
 * |     |    32 | Ed25519 public key                                                          |
 * |     |    64 | signature over pseudo-header and all before, tag `nxs-puls`                 |
 * |     |    32 | HMAC-SHA256 under the epoch key, over pseudo-header and all before          |
 *
 * @throws {AnchorError} `anchor/length`, `anchor/kind`, `anchor/version`, `anchor/role`, `anchor/name`
 */
export function decodePulse(bytes: Uint8Array): Pulse {
  const reader = open(bytes, 'a pulse', KIND.pulse, PULSE_BYTES_MIN)
  const nameBytes = bytes[28] as number
  exactly('a pulse', bytes, PULSE_BYTES_MIN + nameBytes)
  const epochId = reader.bytes(EPOCH_ID_BYTES)
  const boot = reader.u32()
  const sequence = reader.u32()
  const uptimeSeconds = reader.u32()
  const ego = reader.u8()
  const role = reader.u8()
  if ((role & 0x0c) !== 0) throw new AnchorError({ code: 'anchor/role', role })
  const zoneHash = reader.bytes(ZONE_HASH_BYTES)
  reader.u8()
  const name = nameBytes > NAME_BYTES_MAX ? undefined : decodeUtf8(reader.view(nameBytes))
  if (name === undefined) throw new AnchorError({ code: 'anchor/name' })
  return {
    kind: 'pulse',
    epochId,
    boot,
    sequence,
    uptimeSeconds,
    ego,
    isAnchor: role >= 0x80,
    missed: (role >> 4) & MISSED_MAX,
    type: NODE_TYPES[role & 3] as NodeType,
    zoneHash,
    name,
    publicKey: reader.bytes(KEY_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES),
    mac: reader.bytes(MAC_BYTES),
  }
}

/** @throws {RangeError} for a field that is out of its range, or a name of more than {@link NAME_BYTES_MAX} bytes */
export function encodePulse(pulse: Pulse): Uint8Array {
  const name = encodeUtf8(pulse.name)
  if (name.length > NAME_BYTES_MAX) throw new RangeError(`a name has at most ${NAME_BYTES_MAX} bytes`)
  if (!(pulse.missed >= 0 && pulse.missed <= MISSED_MAX)) throw new RangeError(`${pulse.missed} pulses missed`)
  const role = (pulse.isAnchor ? 0x80 : 0) | (pulse.missed << 4) | NODE_TYPES.indexOf(pulse.type)
  return new ByteWriter(PULSE_BYTES_MIN + name.length)
    .u8(KIND.pulse)
    .u8(VERSION)
    .bytes(pulse.epochId, EPOCH_ID_BYTES)
    .u32(pulse.boot)
    .u32(pulse.sequence)
    .u32(pulse.uptimeSeconds)
    .u8(pulse.ego)
    .u8(role)
    .bytes(pulse.zoneHash, ZONE_HASH_BYTES)
    .u8(name.length)
    .bytes(name)
    .bytes(pulse.publicKey, KEY_BYTES)
    .bytes(pulse.signature, SIGNATURE_BYTES)
    .bytes(pulse.mac, MAC_BYTES)
    .finish()
}

/**
 * A REQ_EPOCH, 127 bytes (docs/spec/anchor-truth.md).
 *
 * | at | bytes | field                                                       |
 * | -: | ----: | ----------------------------------------------------------- |
 * |  0 |     1 | kind 3                                                      |
 * |  1 |     1 | version 1                                                   |
 * |  2 |     4 | boot                                                        |
 * |  6 |     4 | sequence                                                    |
 * | 10 |     1 | ego                                                         |
 * | 11 |     4 | zone hash                                                   |
 * | 15 |    16 | nonce                                                       |
 * | 31 |    32 | Ed25519 public key                                          |
 * | 63 |    64 | signature over pseudo-header and all before, tag `nxs-reqe` |
 *
 * @throws {AnchorError} `anchor/length`, `anchor/kind`, `anchor/version`
 */
export function decodeRequest(bytes: Uint8Array): Request {
  const reader = open(bytes, 'a request', KIND.request, REQUEST_BYTES)
  exactly('a request', bytes, REQUEST_BYTES)
  return {
    kind: 'request',
    boot: reader.u32(),
    sequence: reader.u32(),
    ego: reader.u8(),
    zoneHash: reader.bytes(ZONE_HASH_BYTES),
    nonce: reader.bytes(NONCE_BYTES),
    publicKey: reader.bytes(KEY_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES),
  }
}

/** @throws {RangeError} for a field that is out of its range */
export function encodeRequest(request: Request): Uint8Array {
  return new ByteWriter(REQUEST_BYTES)
    .u8(KIND.request)
    .u8(VERSION)
    .u32(request.boot)
    .u32(request.sequence)
    .u8(request.ego)
    .bytes(request.zoneHash, ZONE_HASH_BYTES)
    .bytes(request.nonce, NONCE_BYTES)
    .bytes(request.publicKey, KEY_BYTES)
    .bytes(request.signature, SIGNATURE_BYTES)
    .finish()
}

/**
 * An EPOCH: a claim and the key of an epoch (docs/spec/anchor-truth.md).
 *
 * | at | bytes | field                                                                                  |
 * | -: | ----: | -------------------------------------------------------------------------------------- |
 * |  0 |     1 | kind 2                                                                                 |
 * |  1 |     1 | version 1                                                                              |
 * |  2 |     1 | admission: 0 open, 1 passphrase, 2 allow-list                                          |
 * |  3 |     1 | ego                                                                                    |
 * |  4 |     4 | boot                                                                                   |
 * |  8 |     4 | sequence                                                                               |
 * | 12 |     4 | epoch                                                                                  |
 * | 16 |    32 | salt                                                                                   |
 * | 48 |    32 | Ed25519 public key of the anchor                                                       |
 * | 80 |     1 | answers, n                                                                             |
 * | 81 | 8n / 56n | per answer the head of its nonce, 8; unless passphrase, the key sealed for it, 48   |
 * |    |    64 | signature over pseudo-header and all before, tag `nxs-epoc`                            |
 * |    |    32 | HMAC-SHA256 under the epoch's key, over pseudo-header and all before                   |
 *
 * @throws {AnchorError} `anchor/length`, `anchor/kind`, `anchor/version`, `anchor/admission`, `anchor/count`
 */
export function decodeEpoch(bytes: Uint8Array): Epoch {
  const reader = open(bytes, 'an epoch', KIND.epoch, EPOCH_BYTES_MIN)
  const byte = reader.u8()
  const admission = (Object.keys(ADMISSION) as AdmissionName[]).find((name) => ADMISSION[name] === byte)
  if (admission === undefined) throw new AnchorError({ code: 'anchor/admission', admission: byte })
  const count = bytes[80] as number
  const isSealed = admission !== 'passphrase'
  const countMax = isSealed ? ENTRIES_MAX : HEADS_MAX
  if (count > countMax) throw new AnchorError({ code: 'anchor/count', count, countMax })
  exactly('an epoch', bytes, EPOCH_BYTES_MIN + count * (isSealed ? ENTRY_BYTES : NONCE_HEAD_BYTES))
  const ego = reader.u8()
  const boot = reader.u32()
  const sequence = reader.u32()
  const epoch = reader.u32()
  const salt = reader.bytes(SALT_BYTES)
  const publicKey = reader.bytes(KEY_BYTES)
  reader.u8()
  const answers = Array.from({ length: count }, () => {
    const nonceHead = reader.bytes(NONCE_HEAD_BYTES)
    return isSealed ? { nonceHead, sealedKey: reader.bytes(SEALED_KEY_BYTES) } : { nonceHead }
  })
  const signature = reader.bytes(SIGNATURE_BYTES)
  const mac = reader.bytes(MAC_BYTES)
  return { kind: 'epoch', admission, ego, boot, sequence, epoch, salt, publicKey, answers, signature, mac }
}

/** @throws {RangeError} for a field that is out of its range, or more answers than fit */
export function encodeEpoch(epoch: Epoch): Uint8Array {
  const isSealed = epoch.admission !== 'passphrase'
  const count = epoch.answers.length
  if (count > (isSealed ? ENTRIES_MAX : HEADS_MAX)) throw new RangeError(`${count} answers do not fit`)
  const writer = new ByteWriter(EPOCH_BYTES_MIN + count * (isSealed ? ENTRY_BYTES : NONCE_HEAD_BYTES))
    .u8(KIND.epoch)
    .u8(VERSION)
    .u8(ADMISSION[epoch.admission])
    .u8(epoch.ego)
    .u32(epoch.boot)
    .u32(epoch.sequence)
    .u32(epoch.epoch)
    .bytes(epoch.salt, SALT_BYTES)
    .bytes(epoch.publicKey, KEY_BYTES)
    .u8(count)
  for (const { nonceHead, sealedKey } of epoch.answers) {
    writer.bytes(nonceHead, NONCE_HEAD_BYTES)
    if (isSealed !== (sealedKey !== undefined)) throw new RangeError('a sealed key belongs to open and allow-list')
    if (sealedKey !== undefined) writer.bytes(sealedKey, SEALED_KEY_BYTES)
  }
  return writer.bytes(epoch.signature, SIGNATURE_BYTES).bytes(epoch.mac, MAC_BYTES).finish()
}

/** A reader behind kind and version, once `bytes` have at least `bytesMin`. */
function open(bytes: Uint8Array, what: string, kind: number, bytesMin: number): ByteReader {
  if (bytes.length < bytesMin) {
    throw new AnchorError({ code: 'anchor/length', what, wantBytes: bytesMin, gotBytes: bytes.length })
  }
  const reader = new ByteReader(bytes)
  const given = reader.u8()
  if (given !== kind) throw new AnchorError({ code: 'anchor/kind', kind: given })
  const version = reader.u8()
  if (version !== VERSION) throw new AnchorError({ code: 'anchor/version', version })
  return reader
}

function exactly(what: string, bytes: Uint8Array, wantBytes: number): void {
  if (bytes.length !== wantBytes) {
    throw new AnchorError({ code: 'anchor/length', what, wantBytes, gotBytes: bytes.length })
  }
}

import { ByteReader, ByteWriter, type CodecErrorDetail } from '@nexus/codec'
import { LinkError } from './errors.ts'
import {
  COOKIE_BYTES,
  COOKIE_FRAME_BYTES,
  DEST_TAG_BYTES,
  HANDSHAKE_PAYLOAD_BYTES,
  HELLO_BYTES,
  HS1_PADDED_BYTES,
  HS1_PROLOGUE_BYTES,
  HS2_BYTES,
  HS3_BYTES,
  LINK_FRAME_BYTES_MIN,
  NODE_ID_BYTES,
  PART_HEADER_BYTES,
  PARTS_MAX,
  PUBLIC_KEY_BYTES,
  TAG_BYTES,
} from './limits.ts'

/** First byte of a frame on the medium. */
export const FRAME = {
  hello: 0x01,
  hs1: 0x02,
  hs2: 0x03,
  hs3: 0x04,
  cookie: 0x05,
  part: 0x06,
  dataNarrow: 0x10,
  dataWide: 0x11,
} as const

/** The beacon: unsigned, a hint, and nothing but an attempt to link may follow from it. */
export interface Hello {
  readonly nodeId: Uint8Array
  /** Bits: 0 relay, 1 gateway, 2 storage, 3 NXS-Byte, 4 WASM, 5 pub hub, 6 DHT, 7 names. */
  readonly capabilities: number
  /** 0 free … 3 expensive. */
  readonly costTier: number
  /** Share of the channel in use, of 255. */
  readonly load: number
}

/** First handshake frame. The views are valid as long as the frame is. */
export interface Hs1 {
  /** Id that the initiator is to be answered at. */
  readonly senderId: number
  /** First 8 bytes of the wanted NodeID; zeros: whoever is at the other end. */
  readonly destTag: Uint8Array
  /** Noise message 1: 32 bytes, 48 with a network key. */
  readonly noise: Uint8Array
  readonly cookie: Uint8Array
  readonly mac: Uint8Array
}

export interface Hs2 {
  readonly receiverId: number
  readonly senderId: number
  /** Noise message 2, 143 bytes. */
  readonly noise: Uint8Array
}

export interface Hs3 {
  readonly receiverId: number
  /** Noise message 3, 111 bytes. */
  readonly noise: Uint8Array
}

export interface CookieFrame {
  readonly receiverId: number
  readonly cookie: Uint8Array
}

/** A piece of a frame that is too long for the medium, or that must give way to others. */
export interface Part {
  /** The id that the whole frame names; 0 before there is one. */
  readonly receiverId: number
  /** The same in all parts of a frame. */
  readonly frameId: number
  readonly index: number
  readonly last: number
  readonly bytes: Uint8Array
}

/** What each end says of itself under the protection of the handshake. */
export interface HandshakePayload {
  /** Ed25519. */
  readonly publicKey: Uint8Array
  /** The sender's monotonic clock. */
  readonly clockMs: bigint
  /** The id that frames to the sender carry. */
  readonly linkId: number
  readonly parameters: LinkParameters
}

export interface LinkParameters {
  /** Bit 0: my frames carry 32-bit counters; bit 1: I pad; the rest is kept for later versions. */
  readonly flags: number
  /** Longest frame that the sender takes, at least 508. */
  readonly mtuBytes: number
  /** Nominal rate: round(8·log2(bit/s)). */
  readonly bitrate: number
}

export const LINK_VERSION = 1
export const PARAMETER_FLAG = { wideCounters: 1, padding: 2 } as const

/** `01 | node id 16 | capabilities u16 | cost tier u8 | load u8`, 21 bytes. */
export function encodeHello(hello: Hello): Uint8Array {
  return new ByteWriter(HELLO_BYTES)
    .u8(FRAME.hello)
    .bytes(hello.nodeId, NODE_ID_BYTES)
    .u16(hello.capabilities)
    .u8(hello.costTier)
    .u8(hello.load)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/kind` */
export function decodeHello(frame: Uint8Array): Hello {
  const reader = frameReader(frame, FRAME.hello, 'HELLO', HELLO_BYTES)
  return { nodeId: reader.bytes(NODE_ID_BYTES), capabilities: reader.u16(), costTier: reader.u8(), load: reader.u8() }
}

/**
 * `02 | sid u16 | dest tag 8 | Noise message 1 (32 or 48) | cookie 16 | mac 16`, 75 or 91 bytes; with `padded`, zeros
 * follow to 148.
 */
export function encodeHs1(hs1: Hs1, padded: boolean): Uint8Array {
  const bytes = new Uint8Array(padded ? HS1_PADDED_BYTES : hs1Bytes(hs1.noise.length))
  new ByteWriter(hs1Bytes(hs1.noise.length), bytes)
    .u8(FRAME.hs1)
    .u16(hs1.senderId)
    .bytes(hs1.destTag, DEST_TAG_BYTES)
    .bytes(hs1.noise)
    .bytes(hs1.cookie, COOKIE_BYTES)
    .bytes(hs1.mac, TAG_BYTES)
  return bytes
}

/** The first 11 bytes of HS1, which the prologue binds. */
export function encodeHs1Head(senderId: number, destTag: Uint8Array): Uint8Array {
  return new ByteWriter(HS1_PROLOGUE_BYTES).u8(FRAME.hs1).u16(senderId).bytes(destTag, DEST_TAG_BYTES).finish()
}

/** @throws {LinkError} `link/length`, `link/kind`, `link/zeros` */
export function decodeHs1(frame: Uint8Array, noiseBytes: number, padded: boolean): Hs1 {
  const reader = frameReader(frame, FRAME.hs1, 'HS1', padded ? HS1_PADDED_BYTES : hs1Bytes(noiseBytes))
  const hs1 = {
    senderId: reader.u16(),
    destTag: reader.view(DEST_TAG_BYTES),
    noise: reader.view(noiseBytes),
    cookie: reader.view(COOKIE_BYTES),
    mac: reader.view(TAG_BYTES),
  }
  while (reader.remaining > 0)
    if (reader.u8() !== 0) throw new LinkError({ code: 'link/zeros', what: 'the end of HS1' })
  return hs1
}

/** Bytes of HS1 before its mac: what the mac covers. */
export function hs1MacOffset(noiseBytes: number): number {
  return hs1Bytes(noiseBytes) - TAG_BYTES
}

/** `03 | rid u16 | sid u16 | Noise message 2 143`, 148 bytes. */
export function encodeHs2(hs2: Hs2): Uint8Array {
  return new ByteWriter(HS2_BYTES)
    .u8(FRAME.hs2)
    .u16(hs2.receiverId)
    .u16(hs2.senderId)
    .bytes(hs2.noise, HS2_BYTES - 5)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/kind` */
export function decodeHs2(frame: Uint8Array): Hs2 {
  const reader = frameReader(frame, FRAME.hs2, 'HS2', HS2_BYTES)
  return { receiverId: reader.u16(), senderId: reader.u16(), noise: reader.view(HS2_BYTES - 5) }
}

/** `04 | rid u16 | Noise message 3 111`, 114 bytes. */
export function encodeHs3(hs3: Hs3): Uint8Array {
  return new ByteWriter(HS3_BYTES)
    .u8(FRAME.hs3)
    .u16(hs3.receiverId)
    .bytes(hs3.noise, HS3_BYTES - 3)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/kind` */
export function decodeHs3(frame: Uint8Array): Hs3 {
  const reader = frameReader(frame, FRAME.hs3, 'HS3', HS3_BYTES)
  return { receiverId: reader.u16(), noise: reader.view(HS3_BYTES - 3) }
}

/** `05 | rid u16 | cookie 16`, 19 bytes. */
export function encodeCookieFrame(frame: CookieFrame): Uint8Array {
  return new ByteWriter(COOKIE_FRAME_BYTES)
    .u8(FRAME.cookie)
    .u16(frame.receiverId)
    .bytes(frame.cookie, COOKIE_BYTES)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/kind` */
export function decodeCookieFrame(frame: Uint8Array): CookieFrame {
  const reader = frameReader(frame, FRAME.cookie, 'COOKIE', COOKIE_FRAME_BYTES)
  return { receiverId: reader.u16(), cookie: reader.bytes(COOKIE_BYTES) }
}

/** `06 | rid u16 | frame id u8 | index in the high 4 bits, last index in the low 4 | bytes`. */
export function encodePart(part: Part): Uint8Array {
  if (!(part.last >= 1 && part.last < PARTS_MAX && part.index >= 0 && part.index <= part.last)) {
    throw new RangeError(`part ${part.index} of 0…${part.last} cannot be`)
  }
  return new ByteWriter(PART_HEADER_BYTES + part.bytes.length)
    .u8(FRAME.part)
    .u16(part.receiverId)
    .u8(part.frameId)
    .u8((part.index << 4) | part.last)
    .bytes(part.bytes)
    .finish()
}

/** The bytes are a view of the frame. @throws {LinkError} `link/length`, `link/kind`, `link/part` */
export function decodePart(frame: Uint8Array): Part {
  if (frame.length <= PART_HEADER_BYTES) throw wrongLength('PART', PART_HEADER_BYTES + 1, frame.length)
  const reader = frameReader(frame, FRAME.part, 'PART', frame.length)
  const receiverId = reader.u16()
  const frameId = reader.u8()
  const place = reader.u8()
  const index = place >> 4
  const last = place & 15
  if (last === 0 || index > last) throw new LinkError({ code: 'link/part', index, last })
  return { receiverId, frameId, index, last, bytes: reader.view(reader.remaining) }
}

/** `Ed25519 public key 32 | clock ms u64 | own id u16 | version u8 (1) | flags u8 | mtu u16 | bitrate u8`, 47 bytes. */
export function encodeHandshakePayload(payload: HandshakePayload): Uint8Array {
  return new ByteWriter(HANDSHAKE_PAYLOAD_BYTES)
    .bytes(payload.publicKey, PUBLIC_KEY_BYTES)
    .u64(payload.clockMs)
    .u16(payload.linkId)
    .u8(LINK_VERSION)
    .u8(payload.parameters.flags)
    .u16(payload.parameters.mtuBytes)
    .u8(payload.parameters.bitrate)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/version`, `link/mtu` */
export function decodeHandshakePayload(bytes: Uint8Array): HandshakePayload {
  if (bytes.length !== HANDSHAKE_PAYLOAD_BYTES) {
    throw wrongLength('a handshake payload', HANDSHAKE_PAYLOAD_BYTES, bytes.length)
  }
  const reader = new ByteReader(bytes, asLinkError('a handshake payload'))
  const publicKey = reader.bytes(PUBLIC_KEY_BYTES)
  const clockMs = reader.u64()
  const linkId = reader.u16()
  const version = reader.u8()
  if (version !== LINK_VERSION) throw new LinkError({ code: 'link/version', version })
  const flags = reader.u8()
  const mtuBytes = reader.u16()
  if (mtuBytes < LINK_FRAME_BYTES_MIN) throw new LinkError({ code: 'link/mtu', mtuBytes })
  return { publicKey, clockMs, linkId, parameters: { flags, mtuBytes, bitrate: reader.u8() } }
}

function hs1Bytes(noiseBytes: number): number {
  return 3 + DEST_TAG_BYTES + noiseBytes + COOKIE_BYTES + TAG_BYTES
}

function frameReader(frame: Uint8Array, kind: number, what: string, wantBytes: number): ByteReader {
  if (frame.length !== wantBytes) throw wrongLength(what, wantBytes, frame.length)
  const reader = new ByteReader(frame, asLinkError(what))
  const got = reader.u8()
  if (got !== kind) throw new LinkError({ code: 'link/kind', kind: got })
  return reader
}

function wrongLength(what: string, wantBytes: number, gotBytes: number): LinkError {
  return new LinkError({ code: 'link/length', what, wantBytes, gotBytes })
}

function asLinkError(what: string): (detail: CodecErrorDetail) => LinkError {
  return (detail) => {
    const gotBytes = 'gotBytes' in detail ? detail.gotBytes : 0
    const wantBytes = 'wantBytes' in detail ? detail.wantBytes : 0
    return wrongLength(what, wantBytes, gotBytes)
  }
}

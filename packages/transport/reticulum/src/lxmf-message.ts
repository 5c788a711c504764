import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from '@nexus/codec'
import type { ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import type { Identity, RemoteIdentity } from './identity.ts'
import { ADDRESS_BYTES, SIGNATURE_BYTES } from './limits.ts'
import { decodeMsgPack, encodeMsgPack, Float64, type MsgPack } from './msgpack.ts'

/** The destination name of those who take LXMF messages. */
export const LXMF_NAME = 'lxmf.delivery'
/** First byte of a msgpack list of fewer than 16 items, less their number. */
const SHORT_LIST = 0x90
const HEAD_BYTES = 2 * ADDRESS_BYTES + SIGNATURE_BYTES

/** A message of LXMF. Title and content are bytes on the wire, UTF-8 by custom. */
export interface LxmfContent {
  /** Unix time in seconds. */
  readonly timestamp: number
  readonly title: Uint8Array
  readonly content: Uint8Array
  /** By small numbers, as LXMF lists them; empty for plain text. */
  readonly fields: ReadonlyMap<MsgPack, MsgPack>
}

/** A message with whom it is from and to. */
export interface LxmfMessage extends LxmfContent {
  readonly destination: Uint8Array
  readonly source: Uint8Array
  /** As it came, without a stamp: what id and signature are over. Others encode numbers in ways of their own. */
  readonly payload: Uint8Array
  /** 32 bytes: H(destination ‖ source ‖ payload). */
  readonly id: Uint8Array
  readonly signature: Uint8Array
  /** A proof of work that the recipient may ask for; not part of the id. */
  readonly stamp: Uint8Array | undefined
}

/**
 * A message as it goes over links: `destination 16 | source 16 | signature 64 | payload` (docs/spec/lxmf.md), the payload
 * being msgpack `[timestamp, title, content, fields]`.
 */
export function packLxmf(
  crypto: ReticulumCrypto,
  source: { readonly identity: Identity; readonly hash: Uint8Array },
  destination: Uint8Array,
  content: LxmfContent,
): Uint8Array {
  const payload = payloadOf(content)
  const head = concatBytes(destination, source.hash)
  const id = crypto.sha256(concatBytes(head, payload))
  return concatBytes(head, source.identity.sign(concatBytes(head, payload, id)), payload)
}

/** Reads a message; says nothing of its signature. @throws {ReticulumError} `reticulum/length`, `reticulum/msgpack`, `reticulum/form` */
export function unpackLxmf(crypto: ReticulumCrypto, packed: Uint8Array): LxmfMessage {
  if (packed.length <= HEAD_BYTES) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'an LXMF message', gotBytes: packed.length })
  }
  const value = decodeMsgPack(packed.subarray(HEAD_BYTES))
  if (!Array.isArray(value) || value.length < 4) throw formError('payload')
  const [timestamp, title, text, fields, stamp] = value as readonly MsgPack[]
  if (typeof timestamp !== 'number') throw formError('timestamp')
  if (!(title instanceof Uint8Array) || !(text instanceof Uint8Array)) throw formError('title or content')
  if (!(fields instanceof Map)) throw formError('fields')
  if (stamp !== undefined && stamp !== null && !(stamp instanceof Uint8Array)) throw formError('stamp')
  const content = { timestamp, title, content: text, fields }
  const head = packed.slice(0, 2 * ADDRESS_BYTES)
  const payload = withoutStamp(packed.slice(HEAD_BYTES), value)
  return {
    ...content,
    payload,
    destination: head.subarray(0, ADDRESS_BYTES),
    source: head.subarray(ADDRESS_BYTES),
    signature: packed.slice(2 * ADDRESS_BYTES, HEAD_BYTES),
    id: crypto.sha256(concatBytes(head, payload)),
    stamp: stamp ?? undefined,
  }
}

/** Whether the message is signed by the identity of its source. */
export function verifyLxmf(message: LxmfMessage, source: RemoteIdentity): boolean {
  const { destination, source: from, payload, id, signature } = message
  return source.verify(signature, concatBytes(destination, from, payload, id))
}

/** The app data of an announce: msgpack `[display name, stamp cost]`. */
export function lxmfAppData(displayName: string): Uint8Array {
  return encodeMsgPack([encodeUtf8(displayName), null])
}

/** The display name and stamp cost in the app data of an announce; older clients announce the bare name. */
export function readLxmfAppData(appData: Uint8Array): { readonly displayName: string; readonly stampCost: number } {
  const plain = { displayName: decodeUtf8(appData) ?? '', stampCost: 0 }
  const first = appData[0] ?? 0
  const isList = (first >= 0x90 && first <= 0x9f) || first === 0xdc
  if (!isList) return plain
  try {
    const [name, cost] = decodeMsgPack(appData) as readonly MsgPack[]
    const displayName = name instanceof Uint8Array ? (decodeUtf8(name) ?? '') : ''
    return { displayName, stampCost: typeof cost === 'number' ? cost : 0 }
  } catch (error) {
    if (error instanceof ReticulumError) return plain
    throw error
  }
}

/** What an opportunistic packet leaves out, since it is the packet's own address. */
export function withoutDestination(packed: Uint8Array): Uint8Array {
  return packed.subarray(ADDRESS_BYTES)
}

/** Whether a message is for `destination`. */
export function isLxmfFor(message: LxmfMessage, destination: Uint8Array): boolean {
  return equalBytes(message.destination, destination)
}

function payloadOf({ timestamp, title, content, fields }: LxmfContent): Uint8Array {
  return encodeMsgPack([new Float64(timestamp), title, content, fields])
}

/** The payload as a list of its first four items, their bytes unchanged. @throws {ReticulumError} `reticulum/form` */
function withoutStamp(payload: Uint8Array, items: readonly MsgPack[]): Uint8Array {
  if (items.length === 4) return payload
  if (payload[0] !== (SHORT_LIST | items.length)) throw formError('payload')
  const extraBytes = items.slice(4).reduce<number>((sum, item) => sum + encodeMsgPack(item).length, 0)
  return concatBytes(Uint8Array.of(SHORT_LIST | 4), payload.subarray(1, payload.length - extraBytes))
}

function formError(why: string): ReticulumError {
  return new ReticulumError({ code: 'reticulum/form', what: 'an LXMF message', why })
}

import { ByteWriter } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import {
  type Datagram,
  type Epoch,
  encodeEpoch,
  encodePulse,
  encodeRequest,
  type Pulse,
  type Request,
} from './datagram.ts'
import { ADDRESS_BYTES, MAC_BYTES, SIGNATURE_BYTES } from './limits.ts'

/** Where a datagram comes from: its UDP source. */
export interface Source {
  /** IPv6, 16 bytes. */
  readonly address: Uint8Array
  readonly port: number
}

/** Tag of each kind's signature. */
export const TAG = { pulse: 'nxs-puls', epoch: 'nxs-epoc', request: 'nxs-reqe' } as const

const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES)
const NO_MAC = new Uint8Array(MAC_BYTES)

/**
 * 18 bytes that are signed and never sent: address 16, port 2. A datagram that is caught and sent on from elsewhere does
 * not hold.
 */
export function pseudoHeader({ address, port }: Source): Uint8Array {
  return new ByteWriter(ADDRESS_BYTES + 2).bytes(address, ADDRESS_BYTES).u16(port).finish()
}

/** Whether the signature holds for that source. `bytes` are what was decoded. */
export function isSignedFrom(crypto: Crypto, source: Source, datagram: Datagram, bytes: Uint8Array): boolean {
  const after = SIGNATURE_BYTES + (datagram.kind === 'request' ? 0 : MAC_BYTES)
  const signed = bytes.subarray(0, bytes.length - after)
  return crypto.verify(datagram.publicKey, datagram.signature, TAG[datagram.kind], pseudoHeader(source), signed)
}

/** HMAC-SHA256 of pseudo-header and all before the MAC. */
export function macOf(crypto: Crypto, key: Uint8Array, source: Source, bytes: Uint8Array): Uint8Array {
  const covered = bytes.length - MAC_BYTES
  const input = new ByteWriter(ADDRESS_BYTES + 2 + covered)
    .bytes(source.address, ADDRESS_BYTES)
    .u16(source.port)
    .bytes(bytes.subarray(0, covered))
    .finish()
  return crypto.hmacSha256(key, input)
}

/** Signs and encodes. */
export function signRequest(
  identity: Identity,
  source: Source,
  fields: Omit<Request, 'kind' | 'signature' | 'publicKey'>,
): Uint8Array {
  const bytes = encodeRequest({ ...fields, kind: 'request', publicKey: identity.publicKey, signature: NO_SIGNATURE })
  return sign(identity, TAG.request, source, bytes, 0)
}

type Unproven<T extends Pulse | Epoch> = Omit<T, 'kind' | 'signature' | 'publicKey' | 'mac'>

/** Signs, authenticates under the epoch's key, encodes. */
export function signPulse(
  crypto: Crypto,
  identity: Identity,
  source: Source,
  key: Uint8Array,
  fields: Unproven<Pulse>,
): Uint8Array {
  const { publicKey } = identity
  const bytes = encodePulse({ ...fields, kind: 'pulse', publicKey, signature: NO_SIGNATURE, mac: NO_MAC })
  return prove(crypto, key, source, sign(identity, TAG.pulse, source, bytes, MAC_BYTES))
}

/** Signs, authenticates under the epoch's key, encodes. */
export function signEpoch(
  crypto: Crypto,
  identity: Identity,
  source: Source,
  key: Uint8Array,
  fields: Unproven<Epoch>,
): Uint8Array {
  const { publicKey } = identity
  const bytes = encodeEpoch({ ...fields, kind: 'epoch', publicKey, signature: NO_SIGNATURE, mac: NO_MAC })
  return prove(crypto, key, source, sign(identity, TAG.epoch, source, bytes, MAC_BYTES))
}

function sign(identity: Identity, tag: string, source: Source, bytes: Uint8Array, after: number): Uint8Array {
  const end = bytes.length - after - SIGNATURE_BYTES
  bytes.set(identity.sign(tag, pseudoHeader(source), bytes.subarray(0, end)), end)
  return bytes
}

function prove(crypto: Crypto, key: Uint8Array, source: Source, bytes: Uint8Array): Uint8Array {
  bytes.set(macOf(crypto, key, source, bytes), bytes.length - MAC_BYTES)
  return bytes
}

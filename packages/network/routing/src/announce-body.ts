import { concatBytes } from '@nexus/codec'
import { ANNOUNCE_BYTES_MIN, HEADER_BYTES, PACKET_TYPE } from '@nexus/framing'

// Announces are kept as the data of their packet (docs/spec/announce.md); the header is rebuilt when one is handed on.

/** Offsets within the data: what relays rewrite, and what the signature does not cover. */
export const MAX_HOPS_AT = 40
const SIGNATURE_AT = 41
const VERSION_AT = 106
export const COST_AT = 107
const TLVS_AT: number = ANNOUNCE_BYTES_MIN

/** Whether two announces differ in nothing but what relays rewrite. */
export function isSameAnnounce(a: Uint8Array, b: Uint8Array): boolean {
  return (
    a.length === b.length && isSame(a, b, 0, MAX_HOPS_AT) && isSame(a, b, SIGNATURE_AT, COST_AT) && isSignedTail(a, b)
  )
}

/** Whether the two say the same, whoever's signature proves it. */
export function isSameContent(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && isSame(a, b, 0, MAX_HOPS_AT) && a[VERSION_AT] === b[VERSION_AT] && isSignedTail(a, b)
}

/** What the signature of an announce covers after its tag: of two that differ, the smaller BLAKE3 wins. */
export function signedBytes(destination: Uint8Array, data: Uint8Array): Uint8Array {
  return concatBytes(
    destination,
    data.subarray(0, MAX_HOPS_AT),
    data.subarray(VERSION_AT, COST_AT),
    data.subarray(TLVS_AT),
  )
}

/** Writes the header of an announce packet before data that is already in place at {@link HEADER_BYTES}. */
export function writeAnnounceHeader(packet: Uint8Array, hops: number, destination: Uint8Array): void {
  packet[0] = PACKET_TYPE.ANNOUNCE
  packet[1] = hops
  packet.set(destination, 2)
  packet[HEADER_BYTES - 1] = 0
}

function isSignedTail(a: Uint8Array, b: Uint8Array): boolean {
  return isSame(a, b, TLVS_AT, a.length)
}

function isSame(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (a[at] !== b[at]) return false
  return true
}

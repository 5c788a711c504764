import {
  LORA_FRAME_BYTES_MAX,
  RADIO_HEADER_BYTES,
  RADIO_PACKET_BYTES_MAX,
  RADIO_PART_BYTES_MAX,
  SPLIT_SEQUENCES,
} from './limits.ts'

const SPLIT_FLAG = 0x01

/**
 * The radio packets of a frame, in the form of RNodes (docs/spec/lora.md): a header byte, `sequence` in its upper four
 * bits, bit 0 set on both halves of a frame above {@link RADIO_PART_BYTES_MAX} bytes; then the bytes. RNodes draw the
 * sequence at random for each frame.
 */
export function splitFrame(frame: Uint8Array, sequence: number): Uint8Array[] {
  if (frame.length === 0 || frame.length > LORA_FRAME_BYTES_MAX)
    throw new RangeError(`a frame of ${frame.length} bytes`)
  if (!Number.isInteger(sequence) || sequence < 0 || sequence >= SPLIT_SEQUENCES) {
    throw new RangeError(`sequence ${sequence} has more than four bits`)
  }
  const split = frame.length > RADIO_PART_BYTES_MAX
  const header = (sequence << 4) | (split ? SPLIT_FLAG : 0)
  const packets = [radioPacket(header, frame.subarray(0, RADIO_PART_BYTES_MAX))]
  if (split) packets.push(radioPacket(header, frame.subarray(RADIO_PART_BYTES_MAX)))
  return packets
}

/** Bytes of the radio packets that a frame becomes, headers included. */
export function radioBytes(frameBytes: number): number {
  return frameBytes + RADIO_HEADER_BYTES * (frameBytes > RADIO_PART_BYTES_MAX ? 2 : 1)
}

export interface ReassemblyStats {
  frames: number
  /** Packets that are no radio packet of this form: shorter than the header and one byte, or too long. */
  malformed: number
  /** First halves whose second did not come in time. */
  expired: number
  /** Second halves whose first was not heard. */
  orphans: number
}

interface Half {
  readonly bytes: Uint8Array
  readonly expiresMs: number
}

/**
 * Puts split frames together again. Holds one first half per sequence number, so {@link SPLIT_SEQUENCES} × 254 bytes at
 * most: unlike an RNode it keeps a half while a stranger's packet comes between. A first half fills its packet, so a
 * shorter one can only be a second.
 */
export class Reassembler {
  readonly stats: ReassemblyStats = { frames: 0, malformed: 0, expired: 0, orphans: 0 }
  readonly #timeoutMs: number
  readonly #halves: (Half | undefined)[] = Array.from({ length: SPLIT_SEQUENCES }, () => undefined)

  /** `timeoutMs`: how long after a first half its second may end; twice the airtime of a full radio packet is ample. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The frame that this radio packet completes; a view into the packet where it holds the frame whole. */
  receive(nowMs: number, packet: Uint8Array): Uint8Array | undefined {
    if (packet.length <= RADIO_HEADER_BYTES || packet.length > RADIO_PACKET_BYTES_MAX) {
      this.stats.malformed++
      return undefined
    }
    const header = packet[0]!
    const bytes = packet.subarray(RADIO_HEADER_BYTES)
    if ((header & SPLIT_FLAG) === 0) {
      this.stats.frames++
      return bytes
    }
    return this.#half(nowMs, header >> 4, bytes)
  }

  #half(nowMs: number, sequence: number, bytes: Uint8Array): Uint8Array | undefined {
    let first = this.#halves[sequence]
    if (first !== undefined && nowMs > first.expiresMs) {
      this.stats.expired++
      first = undefined
    }
    this.#halves[sequence] = undefined
    if (first !== undefined) {
      const frame = new Uint8Array(first.bytes.length + bytes.length)
      frame.set(first.bytes)
      frame.set(bytes, first.bytes.length)
      this.stats.frames++
      return frame
    }
    if (bytes.length < RADIO_PART_BYTES_MAX) {
      this.stats.orphans++
      return undefined
    }
    this.#halves[sequence] = { bytes: bytes.slice(), expiresMs: nowMs + this.#timeoutMs }
    return undefined
  }
}

function radioPacket(header: number, bytes: Uint8Array): Uint8Array {
  const packet = new Uint8Array(RADIO_HEADER_BYTES + bytes.length)
  packet[0] = header
  packet.set(bytes, RADIO_HEADER_BYTES)
  return packet
}

import type { Random } from '@nexus/crypto'
import type { ReticulumCrypto } from './crypto.ts'
import { Feed } from './feed.ts'
import { MTU_BYTES } from './limits.ts'
import { CONTEXT, DESTINATION_TYPE, encodePacket, PACKET_TYPE } from './packet.ts'
import { openToken, sealToken } from './token.ts'

export interface BroadcastHost {
  readonly crypto: ReticulumCrypto
  readonly random: Random
  broadcast(packet: Uint8Array): void
  close(destination: BroadcastDestination): void
}

/** A PLAIN or GROUP destination: whatever is sent to it reaches all direct neighbours, and goes no further. */
export class BroadcastDestination {
  readonly name: string
  readonly hash: Uint8Array
  readonly packets: Feed<Uint8Array> = new Feed()
  readonly #host: BroadcastHost
  readonly #key: Uint8Array | undefined

  /** @param key 64 (or 32) bytes that all members of a GROUP share; PLAIN packets are in the clear */
  constructor(host: BroadcastHost, name: string, hash: Uint8Array, key: Uint8Array | undefined) {
    this.#host = host
    this.name = name
    this.hash = hash
    this.#key = key
  }

  get type(): number {
    return this.#key === undefined ? DESTINATION_TYPE.plain : DESTINATION_TYPE.group
  }

  /** @throws {RangeError} where the packet would not fit every medium */
  send(data: Uint8Array): void {
    const { crypto, random } = this.#host
    const packet = encodePacket({
      destinationType: this.type,
      packetType: PACKET_TYPE.data,
      hops: 0,
      destination: this.hash,
      context: CONTEXT.none,
      data: this.#key === undefined ? data : sealToken(crypto, this.#key, data, random),
    })
    if (packet.length > MTU_BYTES) throw new RangeError(`a packet of ${packet.length} bytes, over ${MTU_BYTES}`)
    this.#host.broadcast(packet)
  }

  /** A packet that came. */
  receive(data: Uint8Array): void {
    const plaintext = this.#key === undefined ? data.slice() : openToken(this.#host.crypto, this.#key, data)
    if (plaintext !== undefined) this.packets.publish(plaintext)
  }

  close(): void {
    this.#host.close(this)
    this.packets.end()
  }
}

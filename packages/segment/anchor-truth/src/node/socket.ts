import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { MachineInterface } from '@nexus/transport/node'
import { GROUP, HOP_LIMIT } from '../limits.ts'
import type { Source } from '../proof.ts'

/** What the kernel may hold of datagrams not yet read: half a second of a flood at 10 000 a second. */
const RECEIVE_BUFFER_BYTES = 1_048_576

export interface SegmentSocketPorts {
  datagram(bytes: Uint8Array, source: Source): void
  problem(error: Error): void
}

/**
 * The group on one network interface: joined by the interface's name, heard on the port of the group, sent from the
 * interface's own link-local address, which is what the signatures name.
 */
export class SegmentSocket {
  readonly #zone: string
  readonly #port: number
  readonly #ports: SegmentSocketPorts
  #hearing: Socket | undefined
  #speaking: Socket | undefined

  constructor(zone: string, port: number, ports: SegmentSocketPorts) {
    this.#zone = zone
    this.#port = port
    this.#ports = ports
  }

  /** @throws what the system says, such as EADDRNOTAVAIL while the address is still checked for duplicates */
  async open(address: string): Promise<void> {
    try {
      this.#speaking = await bound(`${address}%${this.#zone}`, this.#port)
      this.#speaking.setMulticastInterface(`::%${this.#zone}`)
      this.#speaking.setMulticastTTL(HOP_LIMIT)
      this.#speaking.setMulticastLoopback(true)
      this.#hearing = await bound(`${GROUP}%${this.#zone}`, this.#port)
      this.#hearing.addMembership(GROUP, `::%${this.#zone}`)
    } catch (error) {
      this.close()
      throw error
    }
    for (const socket of [this.#speaking, this.#hearing]) socket.on('error', (error) => this.#ports.problem(error))
    this.#hearing.on('message', (bytes, { address: from, port }) => this.#receive(bytes, from, port))
  }

  send(datagram: Uint8Array): void {
    this.#speaking?.send(datagram, this.#port, `${GROUP}%${this.#zone}`, (error) => {
      if (error !== null) this.#ports.problem(error)
    })
  }

  close(): void {
    this.#hearing?.close()
    this.#speaking?.close()
    this.#hearing = undefined
    this.#speaking = undefined
  }

  #receive(bytes: Uint8Array, from: string, port: number): void {
    const [host = '', zone] = from.split('%')
    // Link-local sources alone, of this interface alone: others share the port, not the segment.
    if (!host.startsWith('fe80:') || (zone !== undefined && zone !== this.#zone)) return
    const { buffer, byteOffset, length } = bytes
    this.#ports.datagram(new Uint8Array(buffer, byteOffset, length), { address: addressBytes(host), port })
  }
}

/** The link-local address of an interface that the segment is reached by: the first in order, so that it stays. */
export function linkLocalOf({ addresses }: MachineInterface): string | undefined {
  return addresses.find((address) => address.startsWith('fe80:'))
}

/** 16 bytes of an IPv6 address without zone. @throws {TypeError} for anything else */
export function addressBytes(text: string): Uint8Array {
  if (!isIPv6(text) || text.includes('.') || text.includes('%')) throw new TypeError(`not an IPv6 address: ${text}`)
  const [head = '', tail] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const words = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]))
}

/** The text of 16 bytes, without shortening. */
export function addressText(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16))
  return words.join(':')
}

function bound(address: string, port: number): Promise<Socket> {
  // Several nodes of a machine share the port: each hears the group.
  const socket = createSocket({
    type: 'udp6',
    ipv6Only: true,
    reuseAddr: true,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    // Addresses are numbers already: no turn of the event loop for each datagram.
    lookup: (host, _options, done) => done(null, host, 6),
  })
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    socket.bind({ address, port }, () => {
      socket.removeListener('error', fail)
      resolve(socket)
    })
  })
}

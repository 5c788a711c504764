import { createSocket, type Socket } from 'node:dgram'

export interface AutoNetworkPorts {
  /** A datagram on the port for tokens that are meant for this node alone. */
  token(network: AutoNetwork, datagram: Uint8Array, from: string): void
  data(network: AutoNetwork, datagram: Uint8Array, from: string): void
  failed(network: AutoNetwork, error: Error): void
}

/** A network interface of the machine that peers are looked for on, with sockets at its link-local address. */
export class AutoNetwork {
  readonly name: string
  readonly scopeId: number
  /** The link-local address, without zone: what this node's token is made of. */
  readonly address: string
  readonly token: Uint8Array
  readonly #zone: string
  #tokens: Socket | undefined
  #data: Socket | undefined

  constructor(at: { readonly name: string; readonly scopeId: number; readonly address: string }, token: Uint8Array) {
    this.name = at.name
    this.scopeId = at.scopeId
    this.address = at.address
    this.token = token
    // Windows names zones by number, all others by name.
    this.#zone = process.platform === 'win32' ? String(at.scopeId) : at.name
  }

  get zone(): string {
    return this.#zone
  }

  /** @throws {Error} where a port cannot be had, or the address may not be used yet */
  async open(ports: { readonly unicast: number; readonly data: number }, on: AutoNetworkPorts): Promise<void> {
    try {
      this.#tokens = await this.#bind(ports.unicast, on, (bytes, from) => on.token(this, bytes, from))
      this.#data = await this.#bind(ports.data, on, (bytes, from) => on.data(this, bytes, from))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Says that this node is there: to a multicast group, or one peer. */
  sayToken(address: string, port: number): void {
    this.#tokens?.send(this.token, port, `${address}%${this.#zone}`, () => {
      // A network that is down for a moment: the next token is on its way in a second.
    })
  }

  /** @param onSent when the kernel has taken the frame, or not */
  send(
    frame: Uint8Array,
    address: string,
    port: number,
    onSent: (error: NodeJS.ErrnoException | null) => void,
  ): boolean {
    if (this.#data === undefined) return false
    // The frame is the caller's again when this returns, and the kernel may take it later.
    this.#data.send(frame.slice(), port, `${address}%${this.#zone}`, onSent)
    return true
  }

  get queuedBytes(): number {
    return this.#data?.getSendQueueSize() ?? 0
  }

  close(): void {
    this.#tokens?.close()
    this.#data?.close()
    this.#tokens = undefined
    this.#data = undefined
  }

  #bind(port: number, on: AutoNetworkPorts, onMessage: (bytes: Uint8Array, from: string) => void): Promise<Socket> {
    const socket = createSocket({ type: 'udp6', ipv6Only: true })
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close()
        reject(error)
      })
      socket.bind({ address: `${this.address}%${this.#zone}`, port }, () => {
        socket.removeAllListeners('error')
        socket.on('error', (error) => on.failed(this, error))
        socket.on('message', (bytes, { address }) => {
          onMessage(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), withoutZone(address))
        })
        resolve(socket)
      })
    })
  }
}

export function withoutZone(address: string): string {
  const at = address.indexOf('%')
  return at < 0 ? address : address.slice(0, at)
}

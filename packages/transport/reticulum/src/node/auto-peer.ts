import type { HostGate, Interface, InterfaceFacts } from '@nexus/transport'
import { AUTO_FRAME_BYTES_MAX } from '../auto-discovery.ts'
import type { AutoNetwork } from './auto-network.ts'

export interface AutoPeerOptions {
  readonly bitrateBps: number
  readonly port: number
  readonly queueBytesMax: number
  readonly gate: HostGate
  close(peer: AutoPeer): void
}

/** A node that was found on a network of the machine. */
export class AutoPeer implements Interface {
  readonly facts: InterfaceFacts
  readonly network: AutoNetwork
  readonly address: string
  readonly #options: AutoPeerOptions
  #refused = false

  constructor(network: AutoNetwork, address: string, options: AutoPeerOptions) {
    this.network = network
    this.address = address
    this.#options = options
    this.facts = {
      id: `auto:${this.key}`,
      kind: 'udp',
      mtuBytes: AUTO_FRAME_BYTES_MAX,
      bitrateBps: options.bitrateBps,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'point',
      addressed: false,
    }
  }

  get key(): string {
    return `${this.address}%${this.network.zone}`
  }

  get queuedBytes(): number {
    return this.network.queuedBytes
  }

  send(frame: Uint8Array): boolean {
    const { gate, port, queueBytesMax } = this.#options
    const { id: interfaceId, mtuBytes } = this.facts
    const bytes = frame.length
    if (!gate.isUp(this)) return false
    if (bytes === 0 || bytes > mtuBytes) {
      gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    if (this.queuedBytes > queueBytesMax) {
      this.#refused = true
      return false
    }
    return this.network.send(frame, this.address, port, (error) => {
      if (error !== null) gate.problem({ code: 'transport/device', interfaceId, why: error.code ?? error.message })
      if (!this.#refused || this.queuedBytes > queueBytesMax / 2) return
      this.#refused = false
      gate.drain(this)
    })
  }

  async close(): Promise<void> {
    this.#options.close(this)
  }
}

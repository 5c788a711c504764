import { type Crypto, systemRandom } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import { type Link, LinkLayer } from '@nexus/link'
import type { Interface, Transport, TransportHost } from '@nexus/transport'

const TICK_MS = 20

/** A neighbour: links over one transport, driven by real time, without a node behind them. */
export class LinkEnd implements TransportHost {
  readonly identity: Identity
  readonly layer: LinkLayer
  link: Link | undefined
  onMessage: (link: Link, type: number, body: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  /** Sees every frame first; false keeps it from the link layer. */
  onFrame: (frame: Uint8Array) => boolean = () => true
  readonly #transport: Transport
  readonly #interfaces = new Map<string, Interface>()

  constructor(crypto: Crypto, transport: Transport) {
    this.identity = createIdentity(crypto, systemRandom(32))
    this.#transport = transport
    this.layer = new LinkLayer(
      { crypto, identity: this.identity, random: systemRandom },
      {
        transmit: (interfaceId, frame, to) => this.#interfaces.get(interfaceId)?.send(frame, to) ?? false,
        linkUp: (link) => {
          this.link = link
        },
        linkDown: (_link, reason) => {
          throw new Error(`the link went down: ${reason}`)
        },
        message: (link, type, body) => this.onMessage(link, type, body),
        refused: ({ reason }) => {
          throw new Error(`refused: ${reason}`)
        },
      },
    )
  }

  async start(): Promise<void> {
    await this.#transport.start(this)
    setInterval(() => this.layer.tick(performance.now()), TICK_MS)
  }

  send(type: number, body: Uint8Array): boolean {
    return this.layer.send(performance.now(), this.link!, type, body)
  }

  up(iface: Interface): void {
    this.#interfaces.set(iface.facts.id, iface)
    this.layer.interfaceUp(performance.now(), iface.facts)
  }

  down(_iface: Interface, reason: string): void {
    throw new Error(`the interface went down: ${reason}`)
  }

  frame(iface: Interface, frame: Uint8Array, from?: string): void {
    if (this.onFrame(frame)) this.layer.receive(performance.now(), iface.facts.id, frame, from)
  }

  drain(): void {
    this.onDrain()
  }
}

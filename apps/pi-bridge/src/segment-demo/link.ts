import type { Source } from '@nexus/anchor-truth'

/** Between the sending of a datagram and its arrival, in ms: this, and as much again at most. */
const DELAY_MS = 1

type Receive = (datagram: Uint8Array, source: Source) => void

/** What is plugged into a link. */
export interface Plug {
  /** Which of the two halves it is on while the link is cut. */
  readonly half: 0 | 1
  readonly receive: Receive
}

/** A simulated cable that all hear each other on; it may be cut in two. It carries datagrams in real time. */
export class SimulatedLink {
  readonly #plugs = new Set<Plug>()
  #isCut = false

  get isCut(): boolean {
    return this.#isCut
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut
  }

  /** Plugs in; returns how to pull the plug. */
  plug(plug: Plug): () => void {
    this.#plugs.add(plug)
    return () => this.#plugs.delete(plug)
  }

  /** To all others that it reaches now. */
  send(from: Plug, datagram: Uint8Array, source: Source): void {
    const heard = [...this.#plugs].filter((to) => to !== from && !(this.#isCut && to.half !== from.half))
    setTimeout(
      () => {
        for (const to of heard) if (this.#plugs.has(to)) to.receive(datagram, source)
      },
      DELAY_MS * (1 + Math.random()),
    )
  }
}

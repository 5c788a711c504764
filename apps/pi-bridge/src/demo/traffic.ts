import type { Node } from '@nexus/node'

/** Packets of this context are the demonstration's own: standard urgency, read by nobody. */
const CONTEXT = 0x90
const BYTES = 380
/** Between two packets of one node: a window of the lottery passes in half a minute, and the radio is a third full. */
const EVERY_MS = 500

/** Keeps a node at work: packets to one of the others, drawn anew each time. Strangers pay for what they have relayed. */
export class Traffic {
  readonly #node: Node
  readonly #others: readonly Uint8Array[]
  #timer: NodeJS.Timeout | undefined

  constructor(node: Node, others: readonly Uint8Array[]) {
    this.#node = node
    this.#others = others
    node.register(CONTEXT, () => {})
  }

  turn(on: boolean): void {
    clearInterval(this.#timer)
    this.#timer = on ? setInterval(() => this.#send(), EVERY_MS) : undefined
  }

  #send(): void {
    const to = this.#others[Math.floor(Math.random() * this.#others.length)]
    if (to !== undefined) this.#node.sendData(to, CONTEXT, new Uint8Array(BYTES))
  }
}

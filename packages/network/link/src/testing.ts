/** For tests: link layers on media in virtual time. */
import type { Random } from '@nexus/crypto'
import type { InterfaceFacts } from '@nexus/transport'
import type { DownReason, Link, LinkLayerOptions, Refusal } from './link.ts'
import { LinkLayer } from './link-layer.ts'

/** What a medium does to frames. Shares are 0 … 1, decided anew for each receiver. */
export interface MediumFaults {
  readonly lossShare?: number
  readonly duplicateShare?: number
  readonly corruptShare?: number
  /** One-way delay, drawn between the two: frames overtake each other where they differ. */
  readonly delayMsMin?: number
  readonly delayMsMax?: number
}

/** A frame as it was put on a medium, before the faults. */
export interface CapturedFrame {
  readonly atMs: number
  readonly interfaceId: string
  readonly from: string
  readonly to: string | undefined
  readonly bytes: Uint8Array
}

/** A message that a node was handed, copied. */
export interface ReceivedMessage {
  readonly atMs: number
  readonly link: Link
  readonly type: number
  readonly body: Uint8Array
}

/** More steps than this without time passing: a layer asks to be woken, and does nothing. */
const STEPS_AT_ONCE_MAX = 1_000

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void }

/** A link layer on a {@link LinkPump}, with all that its ports reported. Its name is its address. */
export class PumpNode {
  readonly name: string
  readonly layer: LinkLayer
  readonly messages: ReceivedMessage[] = []
  readonly ups: Link[] = []
  readonly downs: {
    readonly atMs: number
    readonly link: Link
    readonly reason: DownReason
    readonly code?: number
  }[] = []
  readonly refusals: Refusal[] = []
  /** Called with each message while its body is valid. */
  onMessage: ((link: Link, type: number, body: Uint8Array) => void) | undefined

  constructor(pump: LinkPump, name: string, options: LinkLayerOptions) {
    this.name = name
    this.layer = new LinkLayer(options, {
      transmit: (interfaceId, frame, to) => pump.transmit(name, interfaceId, frame, to),
      linkUp: (link) => this.ups.push(link),
      linkDown: (link, reason, code) => {
        this.downs.push({ atMs: pump.nowMs, link, reason, ...(code === undefined ? {} : { code }) })
      },
      message: (link, type, body) => {
        this.messages.push({ atMs: pump.nowMs, link, type, body: body.slice() })
        this.onMessage?.(link, type, body)
      },
      refused: (refusal) => this.refusals.push(refusal),
    })
  }

  /** The links that are up. */
  get links(): Link[] {
    return [...this.layer.links()]
  }
}

/**
 * Link layers on media in virtual time, with faults from one seed: for the tests of this package and of those that
 * stand on it. A medium is known by the interface id, which its nodes share.
 */
export class LinkPump {
  nowMs = 0
  readonly captured: CapturedFrame[] = []
  readonly #random: Random
  readonly #media = new Map<string, { facts: InterfaceFacts; faults: MediumFaults; nodes: Map<string, PumpNode> }>()
  readonly #nodes = new Map<string, PumpNode>()
  readonly #events: Event[] = []
  #order = 0

  constructor(random: Random) {
    this.#random = random
  }

  addMedium(facts: InterfaceFacts, faults: MediumFaults = {}): void {
    this.#media.set(facts.id, { facts, faults, nodes: new Map() })
  }

  setFaults(interfaceId: string, faults: MediumFaults): void {
    this.#medium(interfaceId).faults = faults
  }

  /** A node; one of the same name before it is gone, with its interfaces, as after a crash. */
  addNode(name: string, options: LinkLayerOptions): PumpNode {
    this.removeNode(name)
    const node = new PumpNode(this, name, options)
    this.#nodes.set(name, node)
    return node
  }

  /** Takes a node off all media without a word to anyone. */
  removeNode(name: string): void {
    this.#nodes.delete(name)
    for (const { nodes } of this.#media.values()) nodes.delete(name)
  }

  attach(node: PumpNode, interfaceId: string): void {
    const { facts, nodes } = this.#medium(interfaceId)
    nodes.set(node.name, node)
    node.layer.interfaceUp(this.nowMs, facts)
  }

  detach(node: PumpNode, interfaceId: string): void {
    this.#medium(interfaceId).nodes.delete(node.name)
    node.layer.interfaceDown(this.nowMs, interfaceId)
  }

  /** Puts a frame on a medium as a node does. */
  transmit(from: string, interfaceId: string, frame: Uint8Array, to?: string): boolean {
    const medium = this.#medium(interfaceId)
    const bytes = frame.slice()
    this.captured.push({ atMs: this.nowMs, interfaceId, from, to, bytes })
    if (bytes.length > medium.facts.mtuBytes) throw new RangeError(`${bytes.length} bytes on ${interfaceId}`)
    for (const name of medium.nodes.keys()) {
      if (name === from || (to !== undefined && to !== name)) continue
      if (this.#happens(medium.faults.lossShare)) continue
      this.#carry(medium, from, name, bytes)
      if (this.#happens(medium.faults.duplicateShare)) this.#carry(medium, from, name, bytes)
    }
    return true
  }

  /** Hands a frame to a node at once, as if it had come from `from`: what an attacker does. */
  inject(to: PumpNode, interfaceId: string, frame: Uint8Array, from?: string): void {
    const { addressed } = this.#medium(interfaceId).facts
    if (addressed && from !== undefined) to.layer.receive(this.nowMs, interfaceId, frame, from)
    else to.layer.receive(this.nowMs, interfaceId, frame)
  }

  /** Runs for a while, or until `done` says so; returns whether it did. */
  run(durationMs: number, done?: () => boolean): boolean {
    const endMs = this.nowMs + durationMs
    let steps = 0
    for (;;) {
      if (done?.() === true) return true
      const wakeMs = this.#nextMs()
      steps = wakeMs > this.nowMs ? 0 : steps + 1
      if (steps > STEPS_AT_ONCE_MAX)
        throw new Error(`a node has something to do at ${this.nowMs} ms and does not do it`)
      if (wakeMs > endMs) {
        this.nowMs = endMs
        return done?.() === true
      }
      this.nowMs = Math.max(this.nowMs, wakeMs)
      this.#step()
    }
  }

  #step(): void {
    for (let next = this.#events[0]; next !== undefined && next.atMs <= this.nowMs; next = this.#events[0]) {
      this.#events.shift()
      next.run()
    }
    for (const { layer } of this.#nodes.values()) if (layer.nextWakeMs() <= this.nowMs) layer.tick(this.nowMs)
  }

  #nextMs(): number {
    let nextMs = this.#events[0]?.atMs ?? Number.POSITIVE_INFINITY
    for (const { layer } of this.#nodes.values()) nextMs = Math.min(nextMs, layer.nextWakeMs())
    return nextMs
  }

  #carry(medium: { facts: InterfaceFacts; faults: MediumFaults }, from: string, to: string, bytes: Uint8Array): void {
    const { delayMsMin = 1, delayMsMax = delayMsMin, corruptShare } = medium.faults
    const airtimeMs =
      (medium.facts.airtimeSeconds?.(bytes.length) ?? (bytes.length * 8) / medium.facts.bitrateBps) * 1e3
    const frame = bytes.slice()
    if (this.#happens(corruptShare)) {
      const at = Math.floor(this.#share() * frame.length)
      frame[at] = frame[at]! ^ (1 << Math.floor(this.#share() * 8))
    }
    const atMs = this.nowMs + airtimeMs + delayMsMin + this.#share() * (delayMsMax - delayMsMin)
    const { id, addressed } = medium.facts
    this.#schedule(atMs, () => {
      const receiver = this.#medium(id).nodes.get(to)
      if (receiver === undefined) return
      if (addressed) receiver.layer.receive(this.nowMs, id, frame, from)
      else receiver.layer.receive(this.nowMs, id, frame)
    })
  }

  #schedule(atMs: number, run: () => void): void {
    const event = { atMs, order: this.#order++, run }
    let at = this.#events.length
    while (at > 0 && this.#events[at - 1]!.atMs > atMs) at--
    this.#events.splice(at, 0, event)
  }

  #medium(interfaceId: string) {
    const medium = this.#media.get(interfaceId)
    if (medium === undefined) throw new TypeError(`no medium ${interfaceId}`)
    return medium
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#share() < share
  }

  #share(): number {
    const bytes = this.#random(4)
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  }
}

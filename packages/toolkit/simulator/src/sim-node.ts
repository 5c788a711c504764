import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import { type CoreEvent, MemoryStore, NodeCore, type NodeCoreOptions } from '@nexus/node/core'
import type { InboxMessage, MessageStatus, SendOptions } from '@nexus/session'
import type { InterfaceFacts } from '@nexus/transport'

import { tickOf } from './clock.ts'

/** Events of a node that are kept, unless its options say otherwise. */
export const EVENTS_MAX = 4_096

export type SimNodeOptions = Omit<NodeCoreOptions, 'crypto' | 'identity' | 'random' | 'store'> & {
  /** How much faster than true time the node's clock runs: 1.0001 gains 100 ppm. */
  readonly clockRate?: number
  /** Events kept, the newest; {@link EVENTS_MAX} if not given. A large mesh has millions. */
  readonly eventsMax?: number
  /** Made of the simulation's seed and the node's name, if not given. */
  readonly identity?: Identity
}

/** A port of a node to a medium: what the medium calls, and what it offers. */
export interface SimPort {
  readonly facts: InterfaceFacts
  /** Takes a frame of the node; false where its queue is full. */
  send(frame: Uint8Array): boolean
  /** Bytes that wait in the medium. */
  queuedBytes(): number
}

/** What a node needs of the simulation around it. */
export interface SimHost {
  readonly crypto: Crypto
  nowMs(): number
  at(ms: number, run: () => void): void
  isValid(job: { publicKey: Uint8Array; signature: Uint8Array; tag: string; parts: readonly Uint8Array[] }): boolean
}

/**
 * A node of the simulation: the same core as in production, with virtual time, virtual media and a disk in memory that
 * outlives crashes. Its clock starts at 0 with each start, as a machine's does.
 */
export class SimNode {
  readonly name: string
  readonly identity: Identity
  readonly store = new MemoryStore()
  /** What a user would have been told: the newest, at least {@link SimNodeOptions.eventsMax} of them. */
  readonly events: { readonly atMs: number; readonly event: CoreEvent }[] = []
  readonly inbox: InboxMessage[] = []
  readonly states = new Map<bigint, MessageStatus>()
  core: NodeCore | undefined
  readonly #host: SimHost
  readonly #random: Random
  readonly #options: SimNodeOptions
  readonly #ports = new Map<string, SimPort>()
  #bootMs = 0
  #clockMs = 0
  #wakeMs = Number.POSITIVE_INFINITY
  #life = 0

  constructor(name: string, host: SimHost, random: Random, options: SimNodeOptions) {
    this.name = name
    this.#host = host
    this.#random = random
    this.#options = options
    this.identity = options.identity ?? createIdentity(host.crypto, random(32))
  }

  get nodeId(): Uint8Array {
    return this.identity.nodeId
  }

  get id(): string {
    return toHex(this.identity.nodeId)
  }

  get isUp(): boolean {
    return this.core !== undefined
  }

  /** The core of a node that is up. @throws {RangeError} where it is down */
  get live(): NodeCore {
    if (this.core === undefined) throw new RangeError(`${this.name} is down`)
    return this.core
  }

  /** The node's own clock; it never falls. */
  get clockMs(): number {
    const { clockRate = 1 } = this.#options
    this.#clockMs = Math.max(this.#clockMs, tickOf((this.#host.nowMs() - this.#bootMs) * clockRate))
    return this.#clockMs
  }

  start(): void {
    if (this.core !== undefined) return
    this.#bootMs = this.#host.nowMs()
    this.#life++
    this.#clockMs = 0
    this.#wakeMs = Number.POSITIVE_INFINITY
    const { crypto } = this.#host
    this.core = new NodeCore(
      { ...this.#options, crypto, identity: this.identity, random: this.#random, store: this.store },
      {
        transmit: (interfaceId, frame) => this.#ports.get(interfaceId)?.send(frame) ?? false,
        queuedBytes: (interfaceId) => this.#ports.get(interfaceId)?.queuedBytes() ?? 0,
        verify: (jobs, done) =>
          done(
            this.clockMs,
            jobs.map((job) => this.#host.isValid(job)),
          ),
        event: (event) => this.#note(event),
        message: (message) => this.#received(message),
        messageState: (status) => this.states.set(status.id, status),
      },
    )
    this.core.start(0)
    for (const port of this.#ports.values()) this.core.interfaceUp(0, port.facts)
    for (const message of this.core.messenger.inbox()) this.#received(message)
    this.touch()
  }

  /** The power goes: nothing is said, what was not put into the store is gone. */
  crash(): void {
    this.core = undefined
  }

  /** An orderly stop: neighbours are told. */
  stop(): void {
    this.core?.stop(this.clockMs)
    this.core = undefined
  }

  attach(port: SimPort): void {
    this.#ports.set(port.facts.id, port)
    this.core?.interfaceUp(this.clockMs, port.facts)
    this.touch()
  }

  detach(interfaceId: string): void {
    this.#ports.delete(interfaceId)
    this.core?.interfaceDown(this.clockMs, interfaceId)
    this.touch()
  }

  /** A medium delivers a frame. */
  deliver(interfaceId: string, frame: Uint8Array): void {
    if (this.core === undefined || !this.#ports.has(interfaceId)) return
    this.core.receive(this.clockMs, interfaceId, frame, undefined)
    this.touch()
  }

  drained(interfaceId: string): void {
    this.core?.drained(this.clockMs, interfaceId)
    this.touch()
  }

  /** Medium access gave a frame up. */
  frameLost(interfaceId: string): void {
    this.core?.frameLost(this.clockMs, interfaceId)
    this.touch()
  }

  /** Sends a packet of a service. False: there is no way. */
  sendData(to: SimNode, context: number, data: Uint8Array): boolean {
    const isSent = this.live.sendData(this.clockMs, to.nodeId, context, data)
    this.touch()
    return isSent
  }

  /** Sends a message. Returns its handle. */
  send(to: SimNode | Uint8Array, body: Uint8Array, options?: SendOptions): bigint {
    const handle = this.live.send(this.clockMs, to instanceof SimNode ? to.nodeId : to, body, options)
    this.touch()
    return handle
  }

  /** Sees to it that the core is ticked when it next has something to do. */
  touch(): void {
    if (this.core === undefined) return
    const dueMs = this.core.nextWakeMs()
    const atMs = Math.max(this.#host.nowMs(), this.#bootMs + dueMs / (this.#options.clockRate ?? 1))
    if (!(atMs < this.#wakeMs) || atMs === Number.POSITIVE_INFINITY) return
    this.#wakeMs = atMs
    const life = this.#life
    this.#host.at(atMs, () => {
      if (life !== this.#life || this.core === undefined || this.#wakeMs !== atMs) return
      this.#wakeMs = Number.POSITIVE_INFINITY
      // The way from its clock to ours and back rounds: what is due must not be a rounding error away for ever.
      this.#clockMs = Math.max(this.clockMs, tickOf(dueMs))
      this.core.tick(this.#clockMs)
      this.touch()
    })
  }

  #note(event: CoreEvent): void {
    const { eventsMax = EVENTS_MAX } = this.#options
    if (eventsMax === 0) return
    // Twice the number before the older half goes: each is moved once.
    if (this.events.length >= 2 * eventsMax) this.events.splice(0, eventsMax)
    this.events.push({ atMs: this.#host.nowMs(), event })
  }

  #received(message: InboxMessage): void {
    this.inbox.push(message)
    this.core?.messenger.take(message.handle)
  }
}

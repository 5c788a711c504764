import { encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import type { Identity } from '@nexus/identity'
import type { MessageStatus, SendOptions } from '@nexus/session'
import type { Transport } from '@nexus/transport'
import type { Api } from '../api/api.ts'
import type { NodeEvent } from '../api/schemas.ts'
import type { SegmentReport } from '../api/segment.ts'
import { type CoreEvent, EventLog } from '../core/events.ts'
import { NodeCore } from '../core/node-core.ts'
import type { NodeCoreOptions } from '../core/node-options.ts'
import type { PacketService } from '../core/packets.ts'
import { MemoryStore, type Store } from '../core/store.ts'
import { type Message, messageOf } from './message.ts'
import { NodeApi } from './node-api.ts'
import { type NodeStream, type NodeStreamEvent, NodeStreams } from './node-streams.ts'
import { Runtime } from './runtime.ts'

/** What a node is made of. Everything but the identity has a default. */
export interface NodeOptions
  extends Partial<Omit<NodeCoreOptions, 'identity' | 'store' | 'networkKey'>>,
    Pick<NodeCoreOptions, 'networkKey'> {
  readonly identity: Identity
  readonly transports?: readonly Transport[]
  /** Where state is kept; in memory, and so forgotten, if not said. See `openStore`. */
  readonly store?: Store
  /** Shown by `status`. */
  readonly version?: string
  /** What is known of the link-local segments that the node takes part in; the method `segment` answers with it. */
  readonly segment?: () => SegmentReport
}

export interface NodeEvents {
  message: Message
  state: MessageStatus
  event: NodeEvent
  /** While somebody listens, nodes whose key is known may open streams to this one. */
  stream: NodeStreamEvent
}

/** A running node. */
export interface Node extends AsyncDisposable {
  /** In hex. */
  readonly nodeId: string
  readonly core: NodeCore
  /** The same answers as over the control socket. */
  readonly api: Api
  start(): Promise<void>
  stop(): Promise<void>
  /** Hands data packets of a context that end here to a service. @throws {RangeError} where the context is taken */
  register(context: number, service: PacketService): void
  /** Sends a packet of a service, once and without a receipt; its context says how urgent it is. False: there is no way. */
  sendData(to: Uint8Array, context: number, data: Uint8Array): boolean
  /**
   * Puts a message into the outbox; it is on disk when this returns. `state` events tell how it fares.
   * @throws {import('@nexus/session').SessionError} where it is too large or the outbox is full
   */
  send(to: string | Uint8Array, body: string | Uint8Array, options?: SendOptions): bigint
  /**
   * Begins a stream; what is written before it is open waits. `stream` events tell how it fares.
   * @throws {import('@nexus/session').SessionError} where the key of the node is not known, or with too many streams
   */
  openStream(to: string | Uint8Array): NodeStream
  on<K extends keyof NodeEvents>(kind: K, listener: (event: NodeEvents[K]) => void): () => void
  /** Says that the application has a message for good; until then it comes again with each start. */
  take(handle: bigint): boolean
  status(): ReturnType<NodeApi['status']>
  /**
   * Dials a node that was found at an address, again and again until it answers, as long as too many others are not found
   * after it. It is trusted no more for that. `interfaceId` is the id of a transport, up or not.
   */
  meet(nodeId: Uint8Array, interfaceId: string, address: string): void
  /** Adds to the node's events what something beside it has to tell. */
  note(event: CoreEvent): void
}

/** Puts a node together. Nothing is opened before `start`. */
export async function createNode(options: NodeOptions): Promise<Node> {
  const crypto = options.crypto ?? (await nodeCrypto())
  return new DrivenNode({ ...options, crypto })
}

class DrivenNode implements Node {
  readonly nodeId: string
  readonly core: NodeCore
  readonly api: NodeApi
  readonly #runtime: Runtime
  readonly #log = new EventLog()
  readonly #listeners: { [K in keyof NodeEvents]: Set<(event: NodeEvents[K]) => void> } = {
    message: new Set(),
    state: new Set(),
    event: new Set(),
    stream: new Set(),
  }
  readonly #streams = new NodeStreams(Runtime.now, () => this.#runtime.soon())
  #stopping: Promise<void> | undefined

  constructor(options: NodeOptions & { readonly crypto: Crypto }) {
    const { transports = [], version = '0.0.0', random = systemRandom, store = new MemoryStore() } = options
    this.nodeId = toHex(options.identity.nodeId)
    this.#log.listen((event) => this.#tell('event', event))
    this.core = new NodeCore(
      { wallClockMs: Date.now, ...options, random, store },
      {
        transmit: (interfaceId, frame, to) => this.#runtime.transmit(interfaceId, frame, to),
        queuedBytes: (interfaceId) => this.#runtime.queuedBytes(interfaceId),
        verify: (jobs, done) => {
          options.crypto.verifyBatch(jobs).then(
            (verdicts) => {
              done(Runtime.now(), verdicts)
              this.#runtime.soon()
            },
            (error: unknown) => this.#problem(`signatures could not be checked: ${error}`, 'crypto'),
          )
        },
        event: (event) => this.#log.add(event, new Date().toISOString()),
        message: (message) => this.#tell('message', messageOf(message)),
        messageState: (status) => this.#tell('state', status),
        stream: ({ kind, stream }) => this.#tell('stream', { kind, stream: this.#streams.of(stream) }),
        acceptsStreams: () => this.#listeners.stream.size > 0,
        failed: (error) => {
          this.#problem(`The store failed, and the node stops: ${error}`, 'store')
          void this.stop()
        },
      },
    )
    this.#runtime = new Runtime(this.core, transports, {
      interfaceUp: ({ facts }) => {
        this.#log.add(
          {
            kind: 'interface-up',
            text: `${facts.id} is up.`,
            facts: { interface: facts.id, kind: facts.kind, bitrateBps: facts.bitrateBps },
          },
          new Date().toISOString(),
        )
      },
      interfaceDown: ({ facts }, reason) => {
        this.#log.add(
          { kind: 'interface-down', text: `${facts.id} is down: ${reason}.`, facts: { interface: facts.id, reason } },
          new Date().toISOString(),
        )
      },
      problem: (error) => this.#problem(error.message, error.detail.code),
    })
    this.api = new NodeApi({
      core: this.core,
      log: this.#log,
      version,
      crypto: options.crypto.name,
      now: Runtime.now,
      queuedBytes: (interfaceId) => this.#runtime.queuedBytes(interfaceId),
      listening: () => this.#runtime.listening(),
      changed: () => this.#runtime.soon(),
      stop: () => void this.stop(),
      onMessage: (listener) => this.on('message', listener),
      segment: options.segment,
    })
  }

  async start(): Promise<void> {
    await this.#runtime.start()
    this.#log.add(
      { kind: 'started', text: 'The node is up.', facts: { nodeId: this.nodeId } },
      new Date().toISOString(),
    )
    for (const message of this.core.messenger.inbox()) this.#tell('message', messageOf(message))
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  register(context: number, service: PacketService): void {
    this.core.register(context, service)
  }

  sendData(to: Uint8Array, context: number, data: Uint8Array): boolean {
    const sent = this.core.sendData(Runtime.now(), to, context, data)
    this.#runtime.soon()
    return sent
  }

  send(to: string | Uint8Array, body: string | Uint8Array, options?: SendOptions): bigint {
    const bytes = typeof body === 'string' ? encodeUtf8(body) : body
    const handle = this.core.send(Runtime.now(), nodeIdFrom(to), bytes, options)
    this.#runtime.soon()
    return handle
  }

  openStream(to: string | Uint8Array): NodeStream {
    const stream = this.core.openStream(Runtime.now(), nodeIdFrom(to))
    this.#runtime.soon()
    return this.#streams.of(stream)
  }

  on<K extends keyof NodeEvents>(kind: K, listener: (event: NodeEvents[K]) => void): () => void {
    this.#listeners[kind].add(listener)
    return () => this.#listeners[kind].delete(listener)
  }

  take(handle: bigint): boolean {
    return this.core.messenger.take(handle)
  }

  status(): ReturnType<NodeApi['status']> {
    return this.api.status()
  }

  meet(nodeId: Uint8Array, interfaceId: string, address: string): void {
    this.core.meet(Runtime.now(), nodeId, interfaceId, address)
    this.#runtime.soon()
  }

  note(event: CoreEvent): void {
    this.#log.add(event, new Date().toISOString())
  }

  async #stop(): Promise<void> {
    this.#log.add({ kind: 'stopping', text: 'The node stops.', facts: {} }, new Date().toISOString())
    await this.#runtime.stop()
    this.api.close()
  }

  #tell<K extends keyof NodeEvents>(kind: K, event: NodeEvents[K]): void {
    for (const listener of this.#listeners[kind]) listener(event)
  }

  #problem(text: string, code: string): void {
    this.#log.add({ kind: 'problem', text, facts: { code } }, new Date().toISOString())
  }
}

function nodeIdFrom(to: string | Uint8Array): Uint8Array {
  return typeof to === 'string' ? fromHex(to) : to
}

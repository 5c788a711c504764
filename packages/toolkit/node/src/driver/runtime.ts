import { type Interface, type Listening, type Transport, TransportError, type TransportHost } from '@nexus/transport'
import type { NodeCore } from '../core/node-core.ts'

/** Longest sleep: a timer of Node cannot be set beyond 2^31 ms, and a wake too many costs nothing. */
const SLEEP_MS_MAX = 60_000

/** What the runtime tells its owner. */
export interface RuntimePorts {
  interfaceUp(iface: Interface): void
  interfaceDown(iface: Interface, reason: string): void
  problem(error: TransportError): void
}

/**
 * The only place that owns the event loop: frames of real transports and the passing of real time go into the core, and
 * what it sends goes out. Many frames of one turn of the loop cost one look at the core's timers.
 */
export class Runtime implements TransportHost {
  readonly #core: NodeCore
  readonly #ports: RuntimePorts
  readonly #transports: readonly Transport[]
  readonly #interfaces = new Map<string, Interface>()
  #timer: NodeJS.Timeout | undefined
  #turn: NodeJS.Immediate | undefined
  #running = false

  constructor(core: NodeCore, transports: readonly Transport[], ports: RuntimePorts) {
    this.#core = core
    this.#transports = transports
    this.#ports = ports
  }

  /** Milliseconds of the node's own monotonic clock; starts anew with the process. */
  static now(): number {
    return performance.now()
  }

  async start(): Promise<void> {
    this.#running = true
    this.#core.start(Runtime.now())
    // A transport that cannot start is reported and left out; the node lives on with the others.
    await Promise.all(this.#transports.map((transport) => this.#open(transport)))
    this.soon()
  }

  async stop(): Promise<void> {
    this.#core.stop(Runtime.now())
    this.#running = false
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    await Promise.all(this.#transports.map((transport) => transport.stop()))
    this.#interfaces.clear()
  }

  /** Hands a frame to an interface. */
  transmit(interfaceId: string, frame: Uint8Array, to: string | undefined): boolean {
    return this.#interfaces.get(interfaceId)?.send(frame, to) ?? false
  }

  /** The transports that wait for others to connect, by name. */
  listening(): ReadonlyMap<string, Listening> {
    return new Map(
      this.#transports.flatMap(({ name, listening }) => (listening === undefined ? [] : [[name, listening]])),
    )
  }

  /** Bytes that wait inside an interface. */
  queuedBytes(interfaceId: string): number {
    return this.#interfaces.get(interfaceId)?.queuedBytes ?? 0
  }

  up(iface: Interface): void {
    this.#interfaces.set(iface.facts.id, iface)
    this.#ports.interfaceUp(iface)
    this.#core.interfaceUp(Runtime.now(), iface.facts)
    this.soon()
  }

  down(iface: Interface, reason: string): void {
    if (this.#interfaces.get(iface.facts.id) !== iface) return
    this.#interfaces.delete(iface.facts.id)
    this.#core.interfaceDown(Runtime.now(), iface.facts.id)
    this.#ports.interfaceDown(iface, reason)
    this.soon()
  }

  frame(iface: Interface, frame: Uint8Array, from?: string): void {
    if (!this.#running) return
    this.#core.receive(Runtime.now(), iface.facts.id, frame, from)
    this.soon()
  }

  reachChanged(iface: Interface): void {
    this.#core.reachChanged(Runtime.now(), iface.facts.id)
    this.soon()
  }

  drain(iface: Interface): void {
    this.#core.drained(Runtime.now(), iface.facts.id)
    this.soon()
  }

  lost(iface: Interface): void {
    this.#core.frameLost(Runtime.now(), iface.facts.id)
    this.soon()
  }

  problem(error: TransportError): void {
    this.#ports.problem(error)
  }

  /** Looks at the core's timers at the end of this turn of the event loop. */
  soon(): void {
    if (this.#turn !== undefined || !this.#running) return
    this.#turn = setImmediate(() => {
      this.#turn = undefined
      this.#tick()
    })
  }

  async #open(transport: Transport): Promise<void> {
    try {
      await transport.start(this)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      this.#ports.problem(error)
    }
  }

  #tick(): void {
    if (!this.#running) return
    this.#core.tick(Runtime.now())
    clearTimeout(this.#timer)
    const waitMs = this.#core.nextWakeMs() - Runtime.now()
    if (waitMs <= 0) this.soon()
    else this.#timer = setTimeout(() => this.#tick(), Math.min(waitMs, SLEEP_MS_MAX))
  }
}

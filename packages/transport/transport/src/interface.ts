import type { TransportError } from './errors.ts'

/** What carries the frames. */
export type InterfaceKind = 'memory' | 'udp' | 'tcp' | 'serial' | 'lora' | 'websocket' | 'reticulum'

/** What an interface says about its medium. Constant for its life. */
export interface InterfaceFacts {
  /**
   * Unique within the node at any time, and stable across restarts for the same configuration: `udp:[::]:4242`,
   * `tcp:10.1.1.2:4242`. An accepted connection is named by its remote address.
   */
  readonly id: string
  readonly kind: InterfaceKind
  /** Largest frame that {@link Interface.send} takes, in bytes; at least {@link FRAME_BYTES_MIN}. */
  readonly mtuBytes: number
  /** Nominal bit/s. */
  readonly bitrateBps: number
  readonly duplex: 'half' | 'full'
  /** Share of time that the medium may be used by this node, over 0 and up to 1. */
  readonly dutyCycle: number
  /** `point`: exactly one peer. `shared`: everyone in reach hears every frame, or the socket serves many addresses. */
  readonly reach: 'point' | 'shared'
  /** Whether frames come with a source address that can be answered (UDP), or not (radio, point-to-point). */
  readonly addressed: boolean
  /** Seconds that the medium is busy with a frame of `bytes` bytes; absent: bytes × 8 ÷ bitrate. */
  readonly airtimeSeconds?: (bytes: number) => number
}

/** An open interface. */
export interface Interface {
  readonly facts: InterfaceFacts
  /**
   * Hands a frame of 1 to `mtuBytes` bytes to the medium: to one address where given, else to all in reach. Never
   * throws for what the medium does. `true`: taken, though it may still be lost. `false`: not taken, because the
   * interface is down, its own queue is full ({@link TransportHost.drain} follows), or the frame does not fit
   * (`transport/frame-size` follows). The bytes are the caller's again when it returns.
   * @throws {TypeError} where `to` is no address of this medium; a `from` always is one
   */
  send(frame: Uint8Array, to?: string): boolean
  /** Bytes that wait in the interface itself. A node keeps this small: its own queue decides the order. */
  readonly queuedBytes: number
  /**
   * Takes the interface down; `down` has been called when it resolves. A transport that dials will dial again:
   * only {@link Transport.stop} ends that.
   */
  close(): Promise<void>
}

/** What a transport tells its host. Called on the event loop, never from inside `send`, never after `stop` has resolved. */
export interface TransportHost {
  up(iface: Interface): void
  /** Follows every `up` once. Nothing of the interface comes after it. */
  down(iface: Interface, reason: string): void
  /** A whole frame. The bytes are valid during the call only. `from` where the interface is addressed. */
  frame(iface: Interface, frame: Uint8Array, from?: string): void
  /** After a `send` that found the queue full: it has drained below its low mark, sending may go on. */
  drain?(iface: Interface): void
  /** A frame that was taken was given up: the medium was busy whenever it was listened to (docs/spec/congestion.md). */
  lost?(iface: Interface): void
  /**
   * Who is in reach may have changed while the interface stayed up (a network came, a name has a new address): worth
   * a greeting now, not at the next beat.
   */
  reachChanged?(iface: Interface): void
  /** Something worth telling the operator: a refused frame, a lost port, a wrong setting. Limited in rate. */
  problem?(error: TransportError): void
}

/** Where a transport waits for others to connect; each connection is an interface of its own. */
export interface Listening {
  /** `[::]:4242`. */
  readonly address: string
  readonly kind: InterfaceKind
  /** What its connections will state. */
  readonly mtuBytes: number
  readonly bitrateBps: number
}

/** A medium, opened by `start`, closed by `stop`; both may be called once. */
export interface Transport {
  readonly name: string
  /** Present while it listens. */
  readonly listening?: Listening | undefined
  /**
   * Resolves when listening or when the first attempt was made; later failures are reported, and retried.
   * @throws {TransportError} `transport/bind` where a port cannot be had at all
   */
  start(host: TransportHost): Promise<void>
  /** Closes all interfaces; no callback comes after it resolves. */
  stop(): Promise<void>
  /** The machine woke up or changed networks: what waits for its next attempt tries now. */
  kick?(): void
}

/**
 * The interface every medium speaks (docs/spec/transports.md). A transport opens interfaces and reports their frames;
 * it knows nothing of links, identities or routes. Interfaces come and go while the node runs.
 */

/** What carries the frames. */
export type InterfaceKind = 'memory' | 'udp' | 'tcp' | 'serial' | 'lora' | 'websocket' | 'reticulum'

/** What an interface says about its medium. Constant for its life. */
export interface InterfaceFacts {
  /** Unique within the node and stable across restarts for the same configuration: `udp:eth0`, `tcp:10.1.1.2:4242`. */
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
   * Hands a frame to the medium: to one address where given, else to all in reach. Never throws for what the medium
   * does; a frame may be lost, and `false` says that it was not taken (down, or its own queue is full).
   * The bytes are the caller's again when it returns.
   */
  send(frame: Uint8Array, to?: string): boolean
  /** Frames and bytes that wait in the interface itself. A node keeps this small: its own queue decides the order. */
  readonly queuedBytes: number
  close(): Promise<void>
}

/** What a transport tells its host. Called on the event loop, never from inside `send`. */
export interface TransportHost {
  up(iface: Interface): void
  down(iface: Interface, reason: string): void
  /** A whole frame. The bytes are valid during the call only. `from` where the interface is addressed. */
  frame(iface: Interface, frame: Uint8Array, from?: string): void
  /** The interface's own queue has drained below its low mark: sending may go on. */
  drain?(iface: Interface): void
  /** Something worth telling the operator: a refused frame, a lost port, a wrong setting. */
  problem?(error: TransportError): void
}

/** A medium, opened by `start`, closed by `stop`; both may be called once. */
export interface Transport {
  readonly name: string
  /** Resolves when listening or when the first attempt was made; later failures are reported, and retried. */
  start(host: TransportHost): Promise<void>
  /** Closes all interfaces; no callback comes after it resolves. */
  stop(): Promise<void>
}

/** A full link frame, 506 bytes, fits every medium (docs/spec/link.md). Smaller media cut frames into parts themselves or by the shim. */
export const FRAME_BYTES_FULL = 508
/** Media below this can't carry the shim. */
export const FRAME_BYTES_MIN = 37

export type TransportErrorDetail =
  | { readonly code: 'transport/bind'; readonly address: string; readonly why: string }
  | { readonly code: 'transport/connect'; readonly address: string; readonly why: string; readonly retryMs: number }
  | {
      readonly code: 'transport/frame-size'
      readonly interfaceId: string
      readonly bytes: number
      readonly mtuBytes: number
    }
  | { readonly code: 'transport/framing'; readonly interfaceId: string; readonly why: string }
  | { readonly code: 'transport/device'; readonly interfaceId: string; readonly why: string }
  | { readonly code: 'transport/limit'; readonly interfaceId: string; readonly why: string }

/** A medium's trouble: for the operator, never fatal to the node. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly detail: TransportErrorDetail
  constructor(detail: TransportErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: TransportErrorDetail): string {
  switch (detail.code) {
    case 'transport/bind':
      return `cannot listen on ${detail.address}: ${detail.why}`
    case 'transport/connect':
      return `cannot reach ${detail.address}: ${detail.why}; next try in ${Math.round(detail.retryMs / 100) / 10} s`
    case 'transport/frame-size':
      return `${detail.interfaceId}: a frame of ${detail.bytes} bytes, the medium carries ${detail.mtuBytes}`
    case 'transport/framing':
      return `${detail.interfaceId}: ${detail.why}`
    case 'transport/device':
      return `${detail.interfaceId}: ${detail.why}`
    case 'transport/limit':
      return `${detail.interfaceId}: ${detail.why}`
  }
}

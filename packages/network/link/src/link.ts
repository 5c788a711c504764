import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { Hello } from './frames.ts'
import type { LinkLimits } from './limits.ts'

/** Why something was not let in. Nothing of it reaches the layers above. */
export type RefusalReason =
  /** HS1 made under another network key, or damaged: not answered. */
  | 'network-key'
  /** Authenticated, but `admit` says no. */
  | 'not-admitted'
  /** The Ed25519 key does not map to the static key that the handshake proved. */
  | 'key-mismatch'
  /** Authenticated, but not the node that was dialled. */
  | 'unexpected-peer'
  /** Our own handshake came back to us. */
  | 'self'
  /** Somebody else proved to hold our own key: the seed was copied. */
  | 'duplicate-identity'
  /** A handshake or a frame that was taken before. */
  | 'replay'
  /** Not in the form of any frame or message. */
  | 'malformed'
  /** More handshakes or links than the limits allow. */
  | 'flood'
  /** The other way round: the peer, authenticated, does not admit us or has no room. */
  | 'by-peer'

/** Something that was not let in, or would not let us in. */
export interface Refusal {
  readonly interfaceId: string
  readonly reason: RefusalReason
  /** On media with addresses. */
  readonly from?: string
  /** Who it was, where that was proved. */
  readonly nodeId?: Uint8Array
}

/** Why a link ended. */
export type DownReason = 'closed' | 'peer-closed' | 'silent' | 'replaced' | 'interface-down'

/** Reasons of the close message; others are kept as numbers. */
export const CLOSE = { unspecified: 0, leaving: 1, capacity: 2, policy: 3 } as const

/** What control bytes were for. */
export type ControlUse = 'hello' | 'handshake' | 'probe' | 'rekey' | 'close'

/** Names one frame of a link: both ends know it alike. The object is reused for the next frame. */
export interface FrameMark {
  /** 64 bytes: the hash of the handshake whose key carried the frame. */
  readonly handshakeHash: Uint8Array
  readonly counter: number
}

export interface LinkCounters {
  readonly framesIn: number
  readonly bytesIn: number
  readonly framesOut: number
  readonly bytesOut: number
  readonly rekeys: number
}

/** An authenticated neighbour on one interface. */
export interface Link {
  /** Unique within the node's run, never used again. */
  readonly id: number
  readonly peer: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array }
  readonly interfaceId: string
  /** Where its frames go, on media with addresses; follows the peer when it moves. */
  readonly address: string | undefined
  readonly initiator: boolean
  /** Longest body that `send` takes. */
  readonly payloadBytesMax: number
  /** The slower of both ends' nominal rates. */
  readonly bitrateBps: number
  /** Whether frames show 32 bits of their counter: own ones, and the peer's as its link parameters say. */
  readonly wideCounters: { readonly own: boolean; readonly peer: boolean }
  /** Smoothed round trip of probes, the handshake's at first; undefined before the first sample. */
  readonly rttMs: number | undefined
  readonly upSinceMs: number
  readonly lastHeardMs: number
  /** 64 bytes, of the key in use for sending; changes with a rekey. */
  readonly handshakeHash: Uint8Array
  /** The peer's clock less ours, at the handshake, ± half its round trip. For expiries only. */
  readonly clockOffsetMs: number
  readonly counters: LinkCounters
  /** The frame sent last, and the one whose message is being handed up. */
  readonly sent: FrameMark
  readonly received: FrameMark
}

export interface InterfaceStats {
  framesIn: number
  bytesIn: number
  framesOut: number
  bytesOut: number
  /** HS1 that were asked for a cookie first. */
  cookiesDemanded: number
  /** Frames for ids that are not ours: others' traffic on a shared medium, or links that ended. */
  unknownIds: number
  /** Frames whose tag did not hold: damage, forgery, or another node's id that equals ours. */
  forged: number
  readonly controlBytesOut: Record<ControlUse, number>
  readonly refused: Record<RefusalReason, number>
}

/** A snapshot for status pages. */
export interface LinkLayerStats {
  readonly links: number
  readonly halfOpen: number
  readonly attempts: number
  readonly dials: number
  /** Nodes heard by their beacons and not linked. */
  readonly neighbours: number
  /** Authenticated nodes not admitted and remembered. */
  readonly turnedAway: number
  readonly interfaces: ReadonlyMap<string, Readonly<InterfaceStats>>
}

export interface LinkLayerOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  /** 32 bytes that all nodes of a closed network share. */
  readonly networkKey?: Uint8Array
  /** The allow-list: whether an Ed25519 key may be linked with. Absent: everyone may. */
  readonly admit?: (publicKey: Uint8Array) => boolean
  readonly limits?: Partial<LinkLimits>
  /**
   * How many times faster than usual beacons and probes come, 1 if not said, above 0 and at most 100: for networks
   * that are to be watched while they heal.
   */
  readonly pace?: number
}

/** What the layer asks of its host. Called from within the layer's methods; `receive` and `tick` must not be called back. */
export interface LinkPorts {
  /** Hands a frame to an interface; the bytes are the layer's again on return. False: not taken. */
  transmit(interfaceId: string, frame: Uint8Array, to?: string): boolean
  linkUp(link: Link): void
  /** `code`: what the peer's close message said. */
  linkDown(link: Link, reason: DownReason, code?: number): void
  /** A message of type 1, 2, 3, 4 or 7. The body is a view that is valid during the call. */
  message(link: Link, type: number, body: Uint8Array): void
  refused(refusal: Refusal): void
  /** So many other nodes are on a medium, linked or heard by their beacons: they share it. Called as the number changes. */
  heard?(interfaceId: string, others: number): void
  /** A beacon was heard: unsigned, a hint. */
  hello?(interfaceId: string, hello: Hello, from?: string): void
}

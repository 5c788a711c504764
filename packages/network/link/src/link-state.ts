import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { decodeBandwidth } from '@nexus/compact-path-cost'
import { type Cipher, type Crypto, wipe } from '@nexus/crypto'
import { type LinkParameters, PARAMETER_FLAG } from './frames.ts'
import {
  DATA_HEADER_NARROW_BYTES,
  DATA_HEADER_WIDE_BYTES,
  REKEY_BANDWIDTH_SECONDS,
  REKEY_BYTES_MIN,
  TAG_BYTES,
} from './limits.ts'
import type { DownReason, Link } from './link.ts'
import { Liveness } from './liveness.ts'
import type { Medium } from './medium.ts'
import type { NoiseHandshake, NoiseResult } from './noise.ts'
import { ReplayWindow } from './replay-window.ts'

const REKEY_LABEL = encodeUtf8('nxs-rekey')

/** A rekey under way; what it waits for is repeated at `nextMs`. */
export type RekeyState =
  /** The higher NodeID asks the lower one to start: for step 1. */
  | { readonly phase: 'asking'; nextMs: number }
  /** The lower NodeID started: for step 2. */
  | {
      readonly phase: 'starting'
      readonly noise: NoiseHandshake
      readonly receiveId: number
      readonly body: Uint8Array
      nextMs: number
    }
  /** The lower NodeID has the new key: for a frame under it. */
  | { readonly phase: 'confirming'; nextMs: number }

/** The last step 1 answered, so that a copy of it gets the same answer. */
export interface RekeyAnswer {
  readonly question: Uint8Array
  readonly body: Uint8Array
  readonly atMs: number
}

/** One pair of directional keys of a link, with the ids that name it. */
export class LinkKey {
  readonly kind = 'key'
  readonly link: LinkState
  /** Named by frames to us. */
  readonly receiveId: number
  /** Named by frames to the peer. */
  readonly sendId: number
  readonly handshakeHash: Uint8Array
  /** The psk of the next rekey. */
  readonly rekeySecret: Uint8Array
  readonly createdMs: number
  readonly sender: Cipher
  readonly receiver: Cipher
  readonly window = new ReplayWindow()
  sendCounter = 0
  /** Frame bytes in both directions. */
  bytes = 0

  constructor(
    nowMs: number,
    crypto: Crypto,
    link: LinkState,
    keys: NoiseResult,
    ids: { receiveId: number; sendId: number },
  ) {
    this.link = link
    this.receiveId = ids.receiveId
    this.sendId = ids.sendId
    this.handshakeHash = keys.handshakeHash
    this.createdMs = nowMs
    this.sender = crypto.cipher(keys.sendKey)
    this.receiver = crypto.cipher(keys.receiveKey)
    const [lower, higher] = link.lower ? [keys.sendKey, keys.receiveKey] : [keys.receiveKey, keys.sendKey]
    this.rekeySecret = crypto.blake2b(concatBytes(REKEY_LABEL, lower, higher))
    wipe(keys.sendKey, keys.receiveKey)
  }

  forget(): void {
    this.sender.wipe()
    this.receiver.wipe()
    wipe(this.rekeySecret)
  }
}

/** What the layer knows of a link; `Link` is the part that others see. */
export class LinkState implements Link {
  readonly id: number
  readonly peer: { readonly nodeId: Uint8Array; readonly publicKey: Uint8Array }
  readonly interfaceId: string
  readonly medium: Medium
  readonly initiator: boolean
  /** Whether our NodeID is the lower one. */
  readonly lower: boolean
  readonly headerBytes: number
  readonly plaintextBytesMax: number
  readonly bitrateBps: number
  readonly wideCounters: { readonly own: boolean; readonly peer: boolean }
  readonly rekeyBytes: number
  readonly clockOffsetMs: number
  readonly counters = { framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0, rekeys: 0 }
  readonly sent: { handshakeHash: Uint8Array; counter: number }
  readonly received: { handshakeHash: Uint8Array; counter: number }
  readonly liveness: Liveness
  /** The initiator's e, by which glare is settled. */
  readonly handshakeEphemeral: Uint8Array
  /** When the handshake was first seen here. */
  readonly handshakeMs: number
  address: string | undefined
  upSinceMs = Number.POSITIVE_INFINITY
  /** Whether it was reported, which it is once both ends are known to have the keys. */
  up = false
  /** Why it ended; the object is dead from then on. */
  down: DownReason | 'unconfirmed' | undefined
  #key: LinkKey | undefined
  /** The key before, still good for reading until {@link previousDiesMs}; Infinity: until the new one was heard. */
  previous: LinkKey | undefined
  previousDiesMs = Number.POSITIVE_INFINITY
  /** Made by our answer to a rekey; used for sending once the peer used it. */
  next: LinkKey | undefined
  rekey: RekeyState | undefined
  /** Before this the share for control traffic does not allow a rekey. */
  rekeyNotBeforeMs = Number.NEGATIVE_INFINITY
  rekeyAnswer: RekeyAnswer | undefined
  /** Initiator: the HS3 to repeat until the peer is heard. */
  confirmation: { readonly frame: Uint8Array; tries: number; nextMs: number } | undefined
  /** Responder: the HS3 taken, whose copies ask for another confirmation until the peer is heard. */
  accepted: Uint8Array | undefined
  /** A sealed frame that is being sent in parts. */
  parts: { readonly frames: Uint8Array[]; at: number } | undefined

  constructor(options: {
    nowMs: number
    id: number
    peer: Link['peer']
    medium: Medium
    initiator: boolean
    lower: boolean
    address: string | undefined
    parameters: LinkParameters
    clockOffsetMs: number
    rttMs: number | undefined
    handshakeEphemeral: Uint8Array
    handshakeMs: number
    probeToken: number
  }) {
    const { medium, parameters } = options
    this.id = options.id
    this.peer = options.peer
    this.medium = medium
    this.interfaceId = medium.id
    this.initiator = options.initiator
    this.lower = options.lower
    this.address = options.address
    this.headerBytes = medium.wideCounters ? DATA_HEADER_WIDE_BYTES : DATA_HEADER_NARROW_BYTES
    this.plaintextBytesMax = Math.min(medium.frameBytesMax, parameters.mtuBytes) - this.headerBytes - TAG_BYTES
    this.bitrateBps = Math.min(medium.facts.bitrateBps, decodeBandwidth(parameters.bitrate))
    this.wideCounters = {
      own: medium.wideCounters,
      peer: (parameters.flags & PARAMETER_FLAG.wideCounters) !== 0,
    }
    this.rekeyBytes = Math.max(REKEY_BYTES_MIN, (this.bitrateBps / 8) * REKEY_BANDWIDTH_SECONDS)
    this.clockOffsetMs = options.clockOffsetMs
    this.handshakeEphemeral = options.handshakeEphemeral
    this.handshakeMs = options.handshakeMs
    this.sent = { handshakeHash: new Uint8Array(0), counter: 0 }
    this.received = { handshakeHash: new Uint8Array(0), counter: 0 }
    this.liveness = new Liveness(options.nowMs, medium, {
      rttMs: options.rttMs,
      token: options.probeToken,
      defers: !options.lower,
    })
  }

  get payloadBytesMax(): number {
    return this.plaintextBytesMax - 1
  }

  get rttMs(): number | undefined {
    return this.liveness.rttMs
  }

  get lastHeardMs(): number {
    return this.liveness.lastHeardMs
  }

  get handshakeHash(): Uint8Array {
    return this.key.handshakeHash
  }

  /** The key that seals. */
  get key(): LinkKey {
    if (this.#key === undefined) throw new Error('link: used before it had a key')
    return this.#key
  }

  set key(key: LinkKey) {
    this.#key = key
  }

  /** All keys that frames may come under. */
  keys(): LinkKey[] {
    return [this.key, this.previous, this.next].filter((key) => key !== undefined)
  }
}

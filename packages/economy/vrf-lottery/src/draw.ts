import { ByteWriter, encodeUtf8 } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { FrameLog } from './frame-log.ts'
import { COMMIT_BYTES, HANDSHAKE_BYTES, REVEAL_BYTES, TICKET_BYTES } from './limits.ts'
import { winTarget } from './price.ts'

const LABEL = encodeUtf8('nxs-lot1')
const LABEL_BYTES = 8
const KEY_BYTES = 32

/** BLAKE3(r)[0..16]: what binds a payer to a window's secret before the window begins. */
export function commitTo(crypto: Crypto, secret: Uint8Array): Uint8Array {
  return crypto.blake3(secret).slice(0, COMMIT_BYTES)
}

/** Input of a window's VRF: "nxs-lot1" ‖ handshake hash[0..32] ‖ window u32 ‖ r 16. */
export function drawInput(handshakeHash: Uint8Array, window: number, secret: Uint8Array): Uint8Array {
  return new ByteWriter(LABEL_BYTES + HANDSHAKE_BYTES + 4 + REVEAL_BYTES)
    .bytes(LABEL)
    .bytes(handshakeHash.subarray(0, HANDSHAKE_BYTES), HANDSHAKE_BYTES)
    .u32(window)
    .bytes(secret, REVEAL_BYTES)
    .finish()
}

/**
 * The draws of one window, by the output beta of its VRF. The ticket of the frame with counter c is the first 8 bytes,
 * big-endian, of BLAKE3 keyed with beta[0..32] over `c u64 ‖ packet hash[0..8]`; it wins below floor(2^64 / n).
 */
export class Draw {
  readonly #crypto: Crypto
  readonly #key: Uint8Array
  readonly #ticket = new Uint8Array(TICKET_BYTES)
  readonly #view = new DataView(this.#ticket.buffer)
  readonly #firstCounter: number
  readonly #targetHigh: number
  readonly #targetLow: number

  constructor(crypto: Crypto, beta: Uint8Array, firstCounter: number, odds: number) {
    this.#crypto = crypto
    this.#key = beta.slice(0, KEY_BYTES)
    this.#firstCounter = firstCounter
    const target = winTarget(odds)
    this.#targetHigh = Number(target >> 32n)
    this.#targetLow = Number(target & 0xffff_ffffn)
  }

  /** Whether the frame noted at `offset` wins. */
  wins(log: FrameLog, offset: number): boolean {
    const counter = this.#firstCounter + offset
    this.#view.setUint32(0, counter >>> 0, true)
    this.#view.setUint32(4, Math.floor(counter / 0x1_0000_0000), true)
    log.readHash(offset, this.#ticket, 8)
    const digest = this.#crypto.blake3(this.#ticket, this.#key)
    const high = ((digest[0]! << 24) | (digest[1]! << 16) | (digest[2]! << 8) | digest[3]!) >>> 0
    if (high !== this.#targetHigh) return high < this.#targetHigh
    return ((digest[4]! << 24) | (digest[5]! << 16) | (digest[6]! << 8) | digest[7]!) >>> 0 < this.#targetLow
  }
}

import type { Random } from '@nexus/crypto'
import type { InterfaceFacts } from '@nexus/transport'
import type { SimNode, SimPort } from './sim-node.ts'

/** What a wire does to frames. */
export interface WireOptions {
  readonly bitrateBps: number
  readonly delayMs: number
  /** Added at random, so that frames overtake each other. */
  readonly jitterMs: number
  readonly lossRatio: number
  readonly duplicateRatio: number
  /** Share of frames of which one bit is flipped. */
  readonly corruptRatio: number
  readonly dutyCycle: number
  readonly mtuBytes: number
  /** Bytes that one end may have waiting. */
  readonly queueBytesMax: number
}

export const WIRE_DEFAULT: WireOptions = {
  bitrateBps: 10_000_000,
  delayMs: 5,
  jitterMs: 0,
  lossRatio: 0,
  duplicateRatio: 0,
  corruptRatio: 0,
  dutyCycle: 1,
  mtuBytes: 508,
  queueBytesMax: 65_536,
}

export interface WireTraffic {
  frames: number
  bytes: number
  lost: number
  duplicated: number
  corrupted: number
}

/** What a wire needs of the simulation around it. */
export interface WireHost {
  nowMs(): number
  at(ms: number, run: () => void): void
  readonly random: Random
}

/** A point-to-point medium between two nodes, each way with its own queue; faults can be changed while it runs. */
export class Wire {
  readonly id: string
  readonly ends: readonly [SimNode, SimNode]
  readonly traffic: [WireTraffic, WireTraffic] = [noTraffic(), noTraffic()]
  options: WireOptions
  /** Whether frames get through: a partition is a wire that is cut while its ends believe it is there. */
  isCut = false
  readonly #host: WireHost
  readonly #freeAtMs: [number, number] = [0, 0]
  readonly #waitingBytes: [number, number] = [0, 0]
  readonly #refused: [boolean, boolean] = [false, false]

  constructor(id: string, ends: readonly [SimNode, SimNode], options: Partial<WireOptions>, host: WireHost) {
    this.id = id
    this.ends = ends
    this.options = { ...WIRE_DEFAULT, ...options }
    this.#host = host
    for (const end of [0, 1] as const) ends[end].attach(this.#port(end))
  }

  /** Takes the interfaces away from both ends, as when a cable is pulled that both can feel. */
  unplug(): void {
    for (const end of this.ends) end.detach(this.id)
  }

  plug(): void {
    for (const end of [0, 1] as const) this.ends[end].attach(this.#port(end))
  }

  #port(end: 0 | 1): SimPort {
    const { bitrateBps, mtuBytes, dutyCycle } = this.options
    const facts: InterfaceFacts = {
      id: this.id,
      kind: 'memory',
      mtuBytes,
      bitrateBps,
      duplex: 'full',
      dutyCycle,
      reach: 'point',
      addressed: false,
    }
    return { facts, send: (frame) => this.#send(end, frame) }
  }

  #send(from: 0 | 1, frame: Uint8Array): boolean {
    const { options } = this
    const nowMs = this.#host.nowMs()
    if (this.#waitingBytes[from] + frame.length > options.queueBytesMax) {
      this.#refused[from] = true
      return false
    }
    const traffic = this.traffic[from]
    traffic.frames++
    traffic.bytes += frame.length
    const sentMs = Math.max(nowMs, this.#freeAtMs[from]) + (frame.length * 8_000) / options.bitrateBps
    this.#freeAtMs[from] = sentMs
    this.#waitingBytes[from] += frame.length
    this.#host.at(sentMs, () => this.#left(from, frame.length))
    this.#carry(from, frame.slice(), sentMs)
    return true
  }

  #left(from: 0 | 1, bytes: number): void {
    this.#waitingBytes[from] -= bytes
    if (!this.#refused[from] || this.#waitingBytes[from] > this.options.queueBytesMax / 2) return
    this.#refused[from] = false
    this.ends[from].drained(this.id)
  }

  #carry(from: 0 | 1, frame: Uint8Array, sentMs: number): void {
    const { lossRatio, duplicateRatio, corruptRatio, delayMs, jitterMs } = this.options
    const traffic = this.traffic[from]
    if (this.isCut || this.#chance(lossRatio)) {
      traffic.lost++
      return
    }
    if (this.#chance(corruptRatio)) {
      traffic.corrupted++
      frame[Math.floor(this.#fraction() * frame.length)]! ^= 1 << Math.floor(this.#fraction() * 8)
    }
    const copies = this.#chance(duplicateRatio) ? 2 : 1
    if (copies === 2) traffic.duplicated++
    for (let copy = 0; copy < copies; copy++) {
      const atMs = sentMs + delayMs + (jitterMs === 0 ? 0 : jitterMs * this.#fraction())
      this.#host.at(atMs, () => {
        if (!this.isCut) this.ends[1 - from]!.deliver(this.id, frame)
      })
    }
  }

  #chance(ratio: number): boolean {
    return ratio > 0 && this.#fraction() < ratio
  }

  #fraction(): number {
    return new DataView(this.#host.random(4).buffer).getUint32(0) / 0x1_0000_0000
  }
}

function noTraffic(): WireTraffic {
  return { frames: 0, bytes: 0, lost: 0, duplicated: 0, corrupted: 0 }
}

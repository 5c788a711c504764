import type { Random } from '@nexus/crypto'
import type { InterfaceFacts } from '@nexus/transport'
import type { SimNode, SimPort } from './sim-node.ts'

/** What a wire does to frames. */
export interface WireOptions {
  readonly bitrateBps: number
  /** What the interfaces say that it is; the true rate, if not said. Taken when it is plugged in. */
  readonly nominalBps?: number
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
  /** Arrived before one that was sent earlier. */
  reordered: number
  /** Swallowed while the wire was cut. */
  cut: number
}

/** What a wire needs of the simulation around it. */
export interface WireHost {
  nowMs(): number
  at(ms: number, run: () => void): void
  readonly random: Random
  /** Sees each frame that a node hands over. */
  captured(medium: string, from: SimNode, frame: Uint8Array): void
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
  readonly #refused: [boolean, boolean] = [false, false]
  readonly #latestMs: [number, number] = [0, 0]

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
    const { bitrateBps, nominalBps = bitrateBps, mtuBytes, dutyCycle } = this.options
    const facts: InterfaceFacts = {
      id: this.id,
      kind: 'memory',
      mtuBytes,
      bitrateBps: nominalBps,
      duplex: 'full',
      dutyCycle,
      reach: 'point',
      addressed: false,
    }
    return { facts, send: (frame) => this.#send(end, frame), queuedBytes: () => this.#waitingBytes(end) }
  }

  #send(from: 0 | 1, frame: Uint8Array): boolean {
    const { bitrateBps, queueBytesMax } = this.options
    const nowMs = this.#host.nowMs()
    const beginMs = Math.max(nowMs, this.#freeAtMs[from])
    if (this.#waitingBytes(from) + frame.length > queueBytesMax) {
      this.#refuse(from, nowMs + (beginMs - nowMs) / 2)
      return false
    }
    const traffic = this.traffic[from]
    traffic.frames++
    traffic.bytes += frame.length
    this.#host.captured(this.id, this.ends[from], frame)
    this.#freeAtMs[from] = beginMs + (frame.length * 8_000) / bitrateBps
    this.#carry(from, frame.slice(), this.#freeAtMs[from])
    return true
  }

  /** Bytes not yet on the wire, the frame that is on its way included. */
  #waitingBytes(from: 0 | 1): number {
    const leftMs = Math.max(0, this.#freeAtMs[from] - this.#host.nowMs())
    return Math.round((leftMs * this.options.bitrateBps) / 8_000)
  }

  /** The node is told when half of the queue has left. */
  #refuse(from: 0 | 1, drainedMs: number): void {
    if (this.#refused[from]) return
    this.#refused[from] = true
    this.#host.at(drainedMs, () => {
      this.#refused[from] = false
      this.ends[from].drained(this.id)
    })
  }

  #carry(from: 0 | 1, frame: Uint8Array, sentMs: number): void {
    const { lossRatio, duplicateRatio, corruptRatio, delayMs, jitterMs } = this.options
    const traffic = this.traffic[from]
    if (this.isCut) {
      traffic.cut++
      return
    }
    if (this.#chance(lossRatio)) {
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
      if (atMs < this.#latestMs[from]) traffic.reordered++
      this.#latestMs[from] = Math.max(this.#latestMs[from], atMs)
      this.#host.at(atMs, () => {
        if (this.isCut) traffic.cut++
        else this.ends[1 - from]!.deliver(this.id, frame)
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
  return { frames: 0, bytes: 0, lost: 0, duplicated: 0, corrupted: 0, reordered: 0, cut: 0 }
}

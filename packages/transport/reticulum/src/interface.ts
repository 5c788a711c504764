import type { AccessCode } from './access-code.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { HEADER_BYTES, MTU_BYTES } from './limits.ts'
import { checkPacket, FLAG } from './packet.ts'

/** Announces that wait for their share of an interface. */
export const ANNOUNCES_WAITING_MAX = 256
/** Share of an interface's bitrate that announces of others may take. */
export const ANNOUNCE_SHARE = 0.02
/** Announces of unknown destinations that are checked at once, and per second, from one interface. */
export const NEW_ANNOUNCES_BURST = 2_000
export const NEW_ANNOUNCES_PER_SECOND = 100

/**
 * What an interface is for (Reticulum manual, "Interface Modes"): `full` takes part in everything; `access-point` hears
 * announces but repeats none; `gateway` also finds paths for those behind it; `roaming` is for what moves, whose paths are
 * soon forgotten; `boundary` leads to a different kind of network.
 */
export type InterfaceMode = 'full' | 'gateway' | 'access-point' | 'roaming' | 'boundary'

export interface InterfaceOptions {
  readonly name: string
  /** Nominal bit/s: what announces may take, and how long first hops take, follow from it. */
  readonly bitrateBps: number
  /** Largest packet that links over this interface may agree on; default {@link MTU_BYTES}. */
  readonly mtuBytes?: number
  readonly mode?: InterfaceMode
  readonly accessCode?: AccessCode
  /** Share of the bitrate that announces of others may take; default {@link ANNOUNCE_SHARE}. */
  readonly announceShare?: number
  /** Hands a frame to the medium; `false` where it took none. */
  send(frame: Uint8Array): boolean
}

/** Counts of an interface, for status pages. */
export interface InterfaceCounts {
  framesIn: number
  framesOut: number
  bytesIn: number
  bytesOut: number
  announcesOut: number
  refused: number
  announcesDropped: number
}

interface WaitingAnnounce {
  readonly packet: Uint8Array
  readonly hops: number
}

/** An interface of a node: access codes, counters, and the share that announces get. */
export class ReticulumInterface {
  readonly name: string
  readonly bitrateBps: number
  readonly mtuBytes: number
  readonly mode: InterfaceMode
  readonly counts: InterfaceCounts = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    announcesOut: 0,
    refused: 0,
    announcesDropped: 0,
  }
  readonly #options: InterfaceOptions
  readonly #agenda: Agenda
  readonly #nowMs: () => number
  readonly #waiting: WaitingAnnounce[] = []
  #announceAtMs = 0
  #pending: Appointment | undefined
  #newAnnounces = NEW_ANNOUNCES_BURST
  #newAnnouncesMs = 0
  #open = true

  constructor(options: InterfaceOptions, agenda: Agenda, nowMs: () => number) {
    const { name, bitrateBps, mtuBytes = MTU_BYTES, mode = 'full', announceShare = ANNOUNCE_SHARE } = options
    if (!(bitrateBps > 0)) throw new RangeError('bitrateBps')
    if (!(mtuBytes >= MTU_BYTES)) throw new RangeError(`mtuBytes must be at least ${MTU_BYTES}`)
    if (!(announceShare > 0 && announceShare <= 1)) throw new RangeError('announceShare')
    this.name = name
    this.bitrateBps = bitrateBps
    this.mtuBytes = mtuBytes
    this.mode = mode
    this.#options = options
    this.#agenda = agenda
    this.#nowMs = nowMs
  }

  get open(): boolean {
    return this.#open
  }

  /** Announces that wait for their share. */
  get waitingAnnounces(): number {
    return this.#waiting.length
  }

  send(packet: Uint8Array): boolean {
    if (!this.#open) return false
    const frame = this.#options.accessCode?.protect(packet) ?? packet
    if (!this.#options.send(frame)) return false
    this.counts.framesOut++
    this.counts.bytesOut += frame.length
    return true
  }

  /** Sends an announce of someone else when its share of the medium allows; those from nearby go first. */
  sendAnnounce(packet: Uint8Array, hops: number): void {
    if (!this.#open) return
    if (this.#waiting.length >= ANNOUNCES_WAITING_MAX) {
      const farthest = this.#waiting.reduce((worst, { hops: of }, at, all) => (of > all[worst]!.hops ? at : worst), 0)
      this.counts.announcesDropped++
      if (this.#waiting[farthest]!.hops <= hops) return
      this.#waiting.splice(farthest, 1)
    }
    this.#waiting.push({ packet, hops })
    this.#sendWaiting()
  }

  /** The packet within a frame, or `undefined` where the frame is not for this interface or no packet. */
  receive(frame: Uint8Array): Uint8Array | undefined {
    this.counts.framesIn++
    this.counts.bytesIn += frame.length
    const packet = this.#packetOf(frame)
    if (packet === undefined) this.counts.refused++
    return packet
  }

  /** Whether an announce of an unknown destination may be checked now. */
  admitNewAnnounce(): boolean {
    const nowMs = this.#nowMs()
    const refill = ((nowMs - this.#newAnnouncesMs) / 1_000) * NEW_ANNOUNCES_PER_SECOND
    this.#newAnnounces = Math.min(NEW_ANNOUNCES_BURST, this.#newAnnounces + refill)
    this.#newAnnouncesMs = nowMs
    if (this.#newAnnounces < 1) {
      this.counts.announcesDropped++
      return false
    }
    this.#newAnnounces--
    return true
  }

  close(): void {
    this.#open = false
    this.#waiting.length = 0
    this.#pending?.cancel()
  }

  #packetOf(frame: Uint8Array): Uint8Array | undefined {
    const { accessCode } = this.#options
    const flagged = frame.length > 0 && (frame[0]! & FLAG.accessCode) !== 0
    if (frame.length < HEADER_BYTES || flagged !== (accessCode !== undefined)) return undefined
    const packet = accessCode === undefined ? frame : accessCode.open(frame)
    if (packet === undefined) return undefined
    try {
      checkPacket(packet)
      return packet
    } catch {
      return undefined
    }
  }

  #sendWaiting(): void {
    const nowMs = this.#nowMs()
    while (this.#waiting.length > 0 && this.#announceAtMs <= nowMs) {
      const nearest = this.#waiting.reduce((best, { hops }, at, all) => (hops < all[best]!.hops ? at : best), 0)
      const [{ packet }] = this.#waiting.splice(nearest, 1) as [WaitingAnnounce]
      if (this.send(packet)) this.counts.announcesOut++
      const share = this.#options.announceShare ?? ANNOUNCE_SHARE
      this.#announceAtMs = Math.max(nowMs, this.#announceAtMs) + (packet.length * 8_000) / this.bitrateBps / share
    }
    if (this.#waiting.length === 0 || this.#pending !== undefined) return
    this.#pending = this.#agenda.after(this.#announceAtMs - nowMs, () => {
      this.#pending = undefined
      this.#sendWaiting()
    })
  }
}

import type { AccessCode } from './access-code.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { HEADER_BYTES, MTU_BYTES } from './limits.ts'
import { checkPacket, FLAG } from './packet.ts'
import { RateLimit } from './rate-limit.ts'

/** Announces that wait for their share of an interface. */
export const ANNOUNCES_WAITING_MAX = 256
/** Share of an interface's bitrate that announces of others may take. */
export const ANNOUNCE_SHARE = 0.02
/** Announces of unknown destinations that are checked at once, and per second, from one interface. */
export const NEW_ANNOUNCES_BURST = 2_000
export const NEW_ANNOUNCES_PER_SECOND = 100
/** Announces with bad signatures after which, and beyond how many per second, an interface's are no longer checked. */
export const FORGERIES_BURST = 200
export const FORGERIES_PER_SECOND = 20
/** Link requests that are answered at once, and per second, from one interface: each costs an agreement and a signature. */
export const LINK_REQUESTS_BURST = 128
export const LINK_REQUESTS_PER_SECOND = 64
/** Share of an interface's bitrate that answers to path requests may take, and bytes per second that they may on fast ones. */
export const PATH_ANSWER_SHARE = 0.1
export const PATH_ANSWER_BYTES_PER_SECOND_MAX = 12_800
const PATH_ANSWER_BURST_SECONDS = 10
/** Answers to path requests that wait for their time. */
export const PATH_ANSWERS_WAITING_MAX = 256

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
  readonly #newAnnounces = new RateLimit(NEW_ANNOUNCES_BURST, NEW_ANNOUNCES_PER_SECOND)
  readonly #forgeries = new RateLimit(FORGERIES_BURST, FORGERIES_PER_SECOND)
  readonly #linkRequests = new RateLimit(LINK_REQUESTS_BURST, LINK_REQUESTS_PER_SECOND)
  readonly #pathAnswerBytes: RateLimit
  /** By the destination that is told of. */
  readonly #pathAnswers = new Map<string, Appointment>()
  #pending: Appointment | undefined
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
    const bytesPerSecond = Math.min(PATH_ANSWER_BYTES_PER_SECOND_MAX, (PATH_ANSWER_SHARE * bitrateBps) / 8)
    this.#pathAnswerBytes = new RateLimit(
      Math.max(MTU_BYTES, PATH_ANSWER_BURST_SECONDS * bytesPerSecond),
      bytesPerSecond,
    )
  }

  get open(): boolean {
    return this.#open
  }

  /** Announces that wait for their share. */
  get waitingAnnounces(): number {
    return this.#waiting.length
  }

  /** Answers to path requests that wait for their time. */
  get waitingPathAnswers(): number {
    return this.#pathAnswers.size
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

  /** Whether an announce may be checked now; one of an unknown destination counts by that alone. */
  admitAnnounce(isKnown: boolean): boolean {
    const nowMs = this.#nowMs()
    const admitted = this.#forgeries.has(1, nowMs) && (isKnown || this.#newAnnounces.take(1, nowMs))
    if (!admitted) this.counts.announcesDropped++
    return admitted
  }

  /** An announce's signature was bad. */
  forged(): void {
    this.#forgeries.take(1, this.#nowMs())
  }

  /** Whether a link request may be answered now. */
  admitLinkRequest(): boolean {
    return this.#linkRequests.take(1, this.#nowMs())
  }

  /** Whether so many bytes may go for paths here: answers, and requests that are passed on. */
  admitPathAnswer(bytes: number): boolean {
    return this.#pathAnswerBytes.take(bytes, this.#nowMs())
  }

  /** Answers a path request after a while; one answer does for all who ask for the same destination meanwhile. */
  sendPathAnswer(destinationKey: string, packet: Uint8Array, afterMs: number): void {
    if (!this.#open || this.#pathAnswers.has(destinationKey)) return
    if (this.#pathAnswers.size >= PATH_ANSWERS_WAITING_MAX || !this.admitPathAnswer(packet.length)) return
    const appointment = this.#agenda.after(afterMs, () => {
      this.#pathAnswers.delete(destinationKey)
      this.send(packet)
    })
    this.#pathAnswers.set(destinationKey, appointment)
  }

  close(): void {
    this.#open = false
    this.#waiting.length = 0
    this.#pending?.cancel()
    for (const answer of this.#pathAnswers.values()) answer.cancel()
    this.#pathAnswers.clear()
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

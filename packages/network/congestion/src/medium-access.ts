import { ACCESS_ATTEMPTS_MAX, ACCESS_QUEUE_BYTES_MAX, LISTEN_MS_MIN } from './limits.ts'

/** The radio below, as medium access sees it. */
export interface Medium {
  /** Whether the medium was in use at any time from `sinceMs` to now. */
  busySince(nowMs: number, sinceMs: number): boolean
  /** Milliseconds on the air of these radio packets, one after the other. */
  airtimeMs(packets: readonly Uint8Array[]): number
  /** 0 where the duty cycle allows `airtimeMs` more now, else the wait; Infinity: never. */
  dutyWaitMs(nowMs: number, airtimeMs: number): number
  /** Starts to send a packet and says when it ends; `undefined`: the radio does not take it. */
  transmit(nowMs: number, packet: Uint8Array): number | undefined
}

export type Dropped = 'medium-busy' | 'duty-cycle' | 'radio-off'

export interface MediumAccessPorts {
  /** A frame's last packet has left. */
  sent(nowMs: number): void
  dropped(nowMs: number, reason: Dropped): void
}

export interface MediumAccessOptions {
  readonly random: (length: number) => Uint8Array
  /** A back-off slot: one full radio packet. */
  readonly slotMs: number
  /** How long activity detection takes; it listens for {@link LISTEN_MS_MIN} at least. */
  readonly listenMs?: number
  /** {@link ACCESS_ATTEMPTS_MAX} */
  readonly attemptsMax?: number
  /** {@link ACCESS_QUEUE_BYTES_MAX} */
  readonly queueBytesMax?: number
}

/** A {@link MediumAccess}, as a function to be handed to whoever drives a radio. */
export function createMediumAccess(
  options: MediumAccessOptions,
  medium: Medium,
  ports: MediumAccessPorts,
): MediumAccess {
  return new MediumAccess(options, medium, ports)
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly sinceMs: number; readonly untilMs: number }
  | { readonly kind: 'waiting'; readonly untilMs: number }
  | { readonly kind: 'sending'; readonly next: number; readonly untilMs: number }

interface Waiting {
  readonly packets: readonly Uint8Array[]
  readonly bytes: number
}

/**
 * Medium access of a half-duplex radio (docs/spec/congestion.md): listen, and talk where it is quiet; else wait a random
 * number of slots from 1 to 2^attempt and listen again; after the last attempt the frame is dropped and reported. The
 * packets of one frame go out without a gap. After a frame of its own a station waits up to a slot, so that others get
 * a word in. Waiting for the duty cycle is no attempt.
 */
export class MediumAccess {
  readonly #medium: Medium
  readonly #ports: MediumAccessPorts
  readonly #random: (length: number) => Uint8Array
  readonly #slotMs: number
  readonly #listenMs: number
  readonly #attemptsMax: number
  readonly #queueBytesMax: number
  readonly #queue: Waiting[] = []
  #queuedBytes = 0
  #attempts = 0
  #state: State = { kind: 'idle' }

  constructor(options: MediumAccessOptions, medium: Medium, ports: MediumAccessPorts) {
    const attemptsMax = options.attemptsMax ?? ACCESS_ATTEMPTS_MAX
    if (!Number.isInteger(attemptsMax) || attemptsMax < 1 || attemptsMax > 16) throw new RangeError('attempts 1 … 16')
    this.#medium = medium
    this.#ports = ports
    this.#random = options.random
    this.#slotMs = options.slotMs
    this.#listenMs = Math.max(LISTEN_MS_MIN, options.listenMs ?? 0)
    this.#attemptsMax = attemptsMax
    this.#queueBytesMax = options.queueBytesMax ?? ACCESS_QUEUE_BYTES_MAX
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Takes the radio packets of one frame; `false` where the queue has no room. */
  enqueue(nowMs: number, packets: readonly Uint8Array[]): boolean {
    const bytes = packets.reduce((sum, packet) => sum + packet.length, 0)
    if (packets.length === 0) throw new RangeError('a frame without packets')
    if (this.#queuedBytes + bytes > this.#queueBytesMax) return false
    this.#queue.push({ packets, bytes })
    this.#queuedBytes += bytes
    if (this.#state.kind === 'idle') this.#listen(nowMs)
    return true
  }

  /** Forgets what waits, as when the radio went away; nothing is reported. */
  clear(): void {
    this.#queue.length = 0
    this.#queuedBytes = 0
    this.#attempts = 0
    this.#state = { kind: 'idle' }
  }

  nextWakeMs(): number {
    return this.#state.kind === 'idle' ? Number.POSITIVE_INFINITY : this.#state.untilMs
  }

  /** Goes on where {@link nextWakeMs} has come. */
  tick(nowMs: number): void {
    const state = this.#state
    if (state.kind === 'idle' || nowMs < state.untilMs) return
    if (state.kind === 'listening') this.#heard(nowMs, state.sinceMs)
    else if (state.kind === 'waiting') this.#listen(nowMs)
    else this.#transmit(nowMs, state.next)
  }

  #listen(nowMs: number): void {
    if (this.#queue.length === 0) this.#state = { kind: 'idle' }
    else this.#state = { kind: 'listening', sinceMs: nowMs, untilMs: nowMs + this.#listenMs }
  }

  #heard(nowMs: number, sinceMs: number): void {
    const waitMs = this.#medium.dutyWaitMs(nowMs, this.#medium.airtimeMs(this.#queue[0]!.packets))
    if (waitMs === Number.POSITIVE_INFINITY) {
      this.#drop(nowMs, 'duty-cycle')
    } else if (waitMs > 0) {
      this.#state = { kind: 'waiting', untilMs: nowMs + waitMs }
    } else if (this.#medium.busySince(nowMs, sinceMs)) {
      this.#backOff(nowMs)
    } else {
      this.#transmit(nowMs, 0)
    }
  }

  #backOff(nowMs: number): void {
    this.#attempts++
    if (this.#attempts >= this.#attemptsMax) {
      this.#drop(nowMs, 'medium-busy')
      return
    }
    const slots = 1 + this.#draw(2 ** this.#attempts)
    this.#state = { kind: 'waiting', untilMs: nowMs + slots * this.#slotMs }
  }

  #transmit(nowMs: number, index: number): void {
    const packet = this.#queue[0]!.packets[index]
    if (packet === undefined) {
      this.#finish(nowMs)
      return
    }
    const endMs = this.#medium.transmit(nowMs, packet)
    if (endMs === undefined) this.#drop(nowMs, 'radio-off')
    else this.#state = { kind: 'sending', next: index + 1, untilMs: endMs }
  }

  #finish(nowMs: number): void {
    this.#shift()
    // A station with more to send would else always come before those that wait in slots.
    this.#state = { kind: 'waiting', untilMs: nowMs + (this.#draw(2 ** 16) / 2 ** 16) * this.#slotMs }
    this.#ports.sent(nowMs)
  }

  #drop(nowMs: number, reason: Dropped): void {
    this.#shift()
    this.#listen(nowMs)
    this.#ports.dropped(nowMs, reason)
  }

  #shift(): void {
    this.#queuedBytes -= this.#queue.shift()!.bytes
    this.#attempts = 0
  }

  /** Uniform over 0 … `choices` − 1; `choices` is a power of two up to 2^16. */
  #draw(choices: number): number {
    const bytes = this.#random(2)
    return ((bytes[0]! << 8) | bytes[1]!) & (choices - 1)
  }
}

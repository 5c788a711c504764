import type { Access, CreateAccess, Dropped } from './access.ts'
import type { LoraChannel } from './channel.ts'
import { LORA_FRAME_BYTES_MAX, RADIO_PACKET_BYTES_MAX, STATION_QUEUE_BYTES_MAX } from './limits.ts'
import { airtimeSeconds, symbolSeconds } from './modulation.ts'
import type { Delivery } from './radio.ts'
import { Reassembler, type ReassemblyStats, splitFrame } from './split.ts'

export interface StationPorts {
  /** A whole frame; the bytes are valid during the call. Signal figures of its last radio packet. */
  frame(nowMs: number, frame: Uint8Array, signal: { readonly rssiDbm: number; readonly snrDb: number }): void
  sent(nowMs: number): void
  dropped(nowMs: number, reason: Dropped): void
}

/**
 * A radio of a channel with what a modem does around it: split frames, reassembly, and medium access by the rule handed in. The host calls
 * {@link receive} with the channel's deliveries and {@link tick} when {@link nextWakeMs} has come.
 */
export class Station {
  readonly radio: number
  readonly #channel: LoraChannel
  readonly #random: (length: number) => Uint8Array
  readonly #access: Access
  readonly #reassembler: Reassembler
  readonly #ports: StationPorts

  /** `radio` was made by `channel.addRadio`; its modulation stays as it is while the station lives. */
  constructor(
    channel: LoraChannel,
    radio: number,
    random: (length: number) => Uint8Array,
    createAccess: CreateAccess,
    ports: StationPorts,
  ) {
    const { modulation } = channel.settings(radio)
    const slotMs = airtimeSeconds(modulation, RADIO_PACKET_BYTES_MAX) * 1_000
    this.radio = radio
    this.#channel = channel
    this.#random = random
    this.#ports = ports
    this.#reassembler = new Reassembler(2 * slotMs)
    this.#access = createAccess(
      { random, slotMs, listenMs: 2_000 * symbolSeconds(modulation), queueBytesMax: STATION_QUEUE_BYTES_MAX },
      {
        busySince: (nowMs, sinceMs) => channel.activity(nowMs, radio, sinceMs),
        airtimeMs: (packets) => packets.reduce((sum, packet) => sum + channel.airtimeMs(radio, packet.length), 0),
        dutyWaitMs: (nowMs, airtimeMs) => channel.dutyWaitMs(nowMs, radio, airtimeMs),
        transmit: (nowMs, packet) => {
          const result = channel.transmit(nowMs, radio, packet)
          return result.kind === 'sent' ? result.endMs : undefined
        },
      },
      ports,
    )
  }

  get queuedBytes(): number {
    return this.#access.queuedBytes
  }

  get reassembly(): Readonly<ReassemblyStats> {
    return this.#reassembler.stats
  }

  /** Takes a frame of 1 … 508 bytes; `false` where the queue has no room. The bytes are the caller's again. */
  send(nowMs: number, frame: Uint8Array): boolean {
    if (frame.length === 0 || frame.length > LORA_FRAME_BYTES_MAX)
      throw new RangeError(`a frame of ${frame.length} bytes`)
    return this.#access.enqueue(nowMs, splitFrame(frame, this.#random(1)[0]! >> 4))
  }

  receive(delivery: Delivery): void {
    const frame = this.#reassembler.receive(delivery.atMs, delivery.bytes)
    if (frame !== undefined) this.#ports.frame(delivery.atMs, frame, delivery)
  }

  tick(nowMs: number): void {
    this.#access.tick(nowMs)
  }

  nextWakeMs(): number {
    return this.#access.nextWakeMs()
  }

  /** Forgets what waits. */
  clear(): void {
    this.#access.clear()
  }

  /** Takes the radio down. */
  remove(): void {
    this.clear()
    this.#channel.removeRadio(this.radio)
  }
}

import { createMediumAccess } from '@nexus/congestion'
import { type Delivery, LoraChannel, type RadioSettings, Station } from '@nexus/transport-lora-sim'

/** Xorshift bytes: the same for the same seed. */
export function seeded(seed: number): (length: number) => Uint8Array {
  let state = (Math.imul(seed, 0x9e3779b1) | 1) >>> 0
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      state >>>= 0
      return state >>> 24
    })
}

/** A channel without places: nobody hears anybody until a path loss is set. */
export function bareChannel(seed = 1): LoraChannel {
  return new LoraChannel({ random: seeded(seed) })
}

export const LAB: Partial<RadioSettings> = { dutyCycle: 1, txPowerDbm: 14 }

export function bytes(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (first + at) & 0xff)
}

export interface Heard {
  readonly atMs: number
  readonly frame: Uint8Array
}

/** Stations on one channel, driven through virtual time. */
export class Bench {
  readonly channel: LoraChannel
  readonly stations = new Map<number, Station>()
  readonly heard = new Map<number, Heard[]>()
  readonly drops: { readonly radio: number; readonly reason: string }[] = []
  readonly sent = new Map<number, number>()
  nowMs = 0

  constructor(channel: LoraChannel) {
    this.channel = channel
  }

  add(seed: number, settings: Partial<RadioSettings> = LAB): Station {
    const radio = this.channel.addRadio(settings)
    const heard: Heard[] = []
    const station = new Station(this.channel, radio, seeded(seed), createMediumAccess, {
      frame: (atMs, frame) => heard.push({ atMs, frame: frame.slice() }),
      sent: () => this.sent.set(radio, (this.sent.get(radio) ?? 0) + 1),
      dropped: (_, reason) => this.drops.push({ radio, reason }),
    })
    this.heard.set(radio, heard)
    this.stations.set(radio, station)
    return station
  }

  /** Runs to `untilMs`; `each` is called at every event. */
  run(untilMs: number, each: () => void = () => {}): void {
    for (;;) {
      each()
      let nextMs = this.channel.nextEventMs()
      for (const station of this.stations.values()) nextMs = Math.min(nextMs, station.nextWakeMs())
      if (nextMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, nextMs)
      for (const delivery of this.channel.advance(this.nowMs)) this.#hand(delivery)
      for (const station of this.stations.values()) station.tick(this.nowMs)
    }
    this.nowMs = untilMs
  }

  #hand(delivery: Delivery): void {
    this.stations.get(delivery.radio)?.receive(delivery)
  }
}

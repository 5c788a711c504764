import { createMediumAccess } from '@nexus/congestion'
import type { Random } from '@nexus/crypto'
import type { InterfaceFacts } from '@nexus/transport'
import {
  bitrateBps,
  type ChannelOptions,
  frameAirtimeSeconds,
  LORA_FRAME_BYTES_MAX,
  LoraChannel,
  type RadioSettings,
  Station,
} from '@nexus/transport-lora-sim'
import type { SimNode } from './sim-node.ts'

export interface AirHost {
  nowMs(): number
  at(ms: number, run: () => void): void
  readonly random: Random
  /** Sees each frame that a node hands over. */
  captured(medium: string, from: SimNode, frame: Uint8Array): void
}

/** A LoRa channel in virtual time, with the radios of nodes on it. */
export class Air {
  readonly id: string
  readonly channel: LoraChannel
  readonly #host: AirHost
  readonly #stations = new Map<number, { readonly station: Station; readonly node: SimNode }>()
  #wakeMs = Number.POSITIVE_INFINITY

  constructor(id: string, options: Omit<ChannelOptions, 'random'>, host: AirHost) {
    this.id = id
    this.#host = host
    this.channel = new LoraChannel({ ...options, random: host.random })
  }

  /** Gives a node a radio. Returns the radio's number on the channel. */
  addRadio(node: SimNode, settings: Partial<RadioSettings> = {}): number {
    const radio = this.channel.addRadio(settings)
    const { modulation, dutyCycle } = this.channel.settings(radio)
    const station = new Station(this.channel, radio, this.#host.random, createMediumAccess, {
      frame: (_nowMs, frame) => node.deliver(this.id, frame),
      sent: () => node.drained(this.id),
      dropped: (_nowMs, reason) => {
        if (reason === 'medium-busy') node.frameLost(this.id)
        node.drained(this.id)
      },
    })
    this.#stations.set(radio, { station, node })
    const facts: InterfaceFacts = {
      id: this.id,
      kind: 'lora',
      mtuBytes: LORA_FRAME_BYTES_MAX,
      bitrateBps: bitrateBps(modulation),
      duplex: 'half',
      dutyCycle,
      reach: 'shared',
      addressed: false,
      airtimeSeconds: (bytes) => frameAirtimeSeconds(modulation, bytes),
    }
    node.attach({
      facts,
      queuedBytes: () => station.queuedBytes,
      send: (frame) => {
        // One frame at a time: the node's own queue decides what is next.
        if (station.queuedBytes > 0) return false
        const taken = station.send(this.#host.nowMs(), frame)
        if (taken) this.#host.captured(this.id, node, frame)
        this.#touch()
        return taken
      },
    })
    return radio
  }

  #advance(): void {
    const nowMs = this.#host.nowMs()
    for (const delivery of this.channel.advance(nowMs)) this.#stations.get(delivery.radio)?.station.receive(delivery)
    for (const { station } of this.#stations.values()) if (station.nextWakeMs() <= nowMs) station.tick(nowMs)
    this.#touch()
  }

  #touch(): void {
    let wakeMs = this.channel.nextEventMs()
    for (const { station } of this.#stations.values()) wakeMs = Math.min(wakeMs, station.nextWakeMs())
    if (wakeMs >= this.#wakeMs || wakeMs === Number.POSITIVE_INFINITY) return
    this.#wakeMs = wakeMs
    this.#host.at(Math.max(wakeMs, this.#host.nowMs()), () => {
      if (this.#wakeMs !== wakeMs) return
      this.#wakeMs = Number.POSITIVE_INFINITY
      this.#advance()
    })
  }
}

import { type Admission, Segment, type SegmentEvent, SequenceSource, type Source } from '@nexus/anchor-truth'
import { addressText } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import type { Api } from '@nexus/node/api'
import { type PageNode, SegmentApi } from '@nexus/node/page'
import { eventOf } from '../segment/events.ts'
import { reportOf } from '../segment/report.ts'
import { zoneNames } from '../segment/zones.ts'
import type { Plug, SimulatedLink } from './link.ts'
import type { PlannedStation } from './plan.ts'

const SLEEP_MS_MAX = 1_000

export interface StationParts {
  readonly crypto: Crypto
  readonly link: SimulatedLink
  readonly admission: Admission
  /** Place among the stations, from 0: address and half of the cable follow from it. */
  readonly index: number
  /** NodeID in hex to the name that it has here. */
  readonly nameOf: (nodeId: string) => string
  readonly tell: (station: Station, event: SegmentEvent) => void
}

/** A simulated node: the protocol's own core with real keys, in real time, on a link that is simulated. */
export class Station implements PageNode {
  readonly name: string
  readonly role: string
  readonly views = ['segment'] as const
  readonly identity: Identity
  readonly #plan: PlannedStation
  readonly #parts: StationParts
  readonly #source: Source
  readonly #plug: Plug
  #boot = 0
  #segment: Segment | undefined
  #api: SegmentApi | undefined
  #pull: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(plan: PlannedStation, parts: StationParts) {
    this.name = plan.name
    this.role = `${plan.type} of ${plan.zone}, ego ${plan.ego}`
    this.identity = createIdentity(parts.crypto, systemRandom(32))
    this.#plan = plan
    this.#parts = parts
    const { index } = parts
    this.#source = { address: Uint8Array.of(0xfe, 0x80, ...new Array(13).fill(0), 1 + index), port: 19_541 }
    this.#plug = {
      half: index % 2 === 0 ? 0 : 1,
      receive: (datagram, source) => {
        this.#segment?.receive(nowMs(), datagram, source)
        this.#planNext()
      },
    }
  }

  get isOn(): boolean {
    return this.#segment !== undefined
  }

  get isAnchor(): boolean {
    return this.#segment?.phase === 'anchor'
  }

  api(): Api | undefined {
    return this.#api
  }

  /** Off: as if its plug were pulled; it says nothing to anybody, and forgets all but its boot counter. */
  async setPower(on: boolean): Promise<void> {
    if (on === this.isOn) return
    if (on) this.#start()
    else this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#pull?.()
    this.#api?.close()
    this.#segment = undefined
    this.#api = undefined
  }

  #start(): void {
    const { crypto, link, admission, tell, nameOf } = this.#parts
    const { name, type, zone, ego } = this.#plan
    const sequence = new SequenceSource((above) => {
      this.#boot = Math.max(above, this.#boot) + 1
      return this.#boot
    })
    const { identity } = this
    const zones = zoneNames(zone)
    const segment = new Segment(
      { crypto, identity, random: systemRandom, sequence, admission, ego, type, zone, name },
      {
        transmit: (datagram) => link.send(this.#plug, datagram, this.#source),
        event: (event) => {
          const told = eventOf('link', event, nameOf)
          if (told !== undefined) this.#api?.note(told)
          tell(this, event)
        },
      },
    )
    const self = { nodeId: identity.nodeId, name, type, zone }
    const address = addressText(this.#source.address)
    this.#api = new SegmentApi(() =>
      reportOf(self, [{ ...segment.status(nowMs()), interfaceName: 'link', address }], zones),
    )
    this.#segment = segment
    this.#pull = link.plug(this.#plug)
    segment.up(nowMs(), this.#source)
    this.#planNext()
  }

  #planNext(): void {
    clearTimeout(this.#timer)
    const segment = this.#segment
    if (segment === undefined) return
    const waitMs = Math.min(SLEEP_MS_MAX, Math.max(0, segment.nextWakeMs() - nowMs()))
    this.#timer = setTimeout(() => {
      segment.tick(nowMs())
      this.#planNext()
    }, waitMs)
  }
}

/** The name of a station, for those who know its NodeID. */
export function namesOf(stations: readonly Station[]): ReadonlyMap<string, string> {
  return new Map(stations.map(({ identity, name }) => [toHex(identity.nodeId), name]))
}

const nowMs = (): number => Math.floor(performance.now())

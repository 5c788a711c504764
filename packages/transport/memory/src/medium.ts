import {
  FRAME_BYTES_MIN,
  HostGate,
  type Interface,
  type InterfaceFacts,
  type Transport,
  type TransportHost,
} from '@nexus/transport'
import { Agenda } from './agenda.ts'
import { Dice } from './dice.ts'
import { checkImpairment, type FaultCounts, type Impairment, noFaults, Path } from './impairment.ts'
import { BITRATE_BPS, IN_FLIGHT_MAX, MEMBERS_MAX, MTU_BYTES, QUEUE_BYTES_MAX } from './limits.ts'

export interface MemoryMediumOptions {
  /** Names the interfaces: `memory:<name>`; default `0`. */
  readonly name?: string
  /** `point` (default): a cable with two ends, up while both are there. `shared`: everyone hears everyone. */
  readonly reach?: 'point' | 'shared'
  /** On a shared medium: frames show who sent them, and can be sent to one member by its name. Default false. */
  readonly addressed?: boolean
  /** `half`: one member sends at a time. Default `full`. */
  readonly duplex?: 'half' | 'full'
  /** Default {@link MTU_BYTES}. */
  readonly mtuBytes?: number
  /** Default {@link BITRATE_BPS}. */
  readonly bitrateBps?: number
  /** Bytes that may wait in one member; default {@link QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number
  /** Default: none. */
  readonly impairment?: Impairment
  /** Of all that is drawn; default 0. */
  readonly seed?: number
}

/** What happened on the medium so far. A frame counts once for each member that could hear it. */
export interface MediumCounts extends FaultCounts {
  sent: number
  delivered: number
  /** Between members that were cut off from each other. */
  cut: number
  /** Beyond {@link IN_FLIGHT_MAX}. */
  overflowed: number
}

/** What drives a medium in place of {@link MemoryMedium.advance}. */
export interface MediumClock {
  nowMs(): number
  /** Something falls due at `atMs`, earlier than all before. */
  wake(atMs: number): void
}

/**
 * A medium in this process: frames take the time that bitrate and latency say, and are lost, doubled, delayed past
 * others or changed as drawn from the seed. Time is what {@link advance} says, so the same calls give the same run.
 */
export class MemoryMedium {
  readonly counts: MediumCounts = { sent: 0, delivered: 0, cut: 0, overflowed: 0, ...noFaults() }
  readonly #facts: InterfaceFacts
  readonly #queueBytesMax: number
  readonly #agenda = new Agenda()
  readonly #dice: Dice
  readonly #members = new Map<string, Member>()
  readonly #cuts = new Set<string>()
  #impairment: Impairment
  #clock: MediumClock | undefined
  #nowMs = 0
  #busyUntilMs = 0

  constructor(options: MemoryMediumOptions = {}) {
    const {
      reach = 'point',
      addressed = false,
      duplex = 'full',
      mtuBytes = MTU_BYTES,
      bitrateBps = BITRATE_BPS,
    } = options
    if (addressed && reach === 'point') throw new RangeError('a cable has no addresses')
    if (!(mtuBytes >= FRAME_BYTES_MIN)) throw new RangeError(`mtuBytes must be at least ${FRAME_BYTES_MIN}`)
    if (!(bitrateBps > 0)) throw new RangeError('bitrateBps must be over 0')
    this.#facts = {
      id: `memory:${options.name ?? '0'}`,
      kind: 'memory',
      mtuBytes,
      bitrateBps,
      duplex,
      dutyCycle: 1,
      reach,
      addressed,
    }
    this.#queueBytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX
    if (!(this.#queueBytesMax >= mtuBytes)) throw new RangeError('queueBytesMax must hold one frame')
    this.#impairment = checkImpairment(options.impairment ?? {})
    this.#dice = new Dice(options.seed ?? 0)
  }

  /** The time of what happens now. */
  get nowMs(): number {
    return this.#clock?.nowMs() ?? this.#nowMs
  }

  /** When something happens next; Infinity while nothing is under way. */
  nextWakeMs(): number {
    return this.#agenda.nextMs
  }

  /**
   * Lets everything happen that falls due up to `nowMs`.
   * @throws {RangeError} where time would run back
   */
  advance(nowMs: number): void {
    if (nowMs < this.#nowMs) throw new RangeError(`time can't go back from ${this.#nowMs} to ${nowMs} ms`)
    while (this.#agenda.nextMs <= nowMs) {
      this.#nowMs = Math.max(this.#nowMs, this.#agenda.nextMs)
      this.#agenda.take()?.()
    }
    this.#nowMs = nowMs
  }

  /** A transport with one interface on this medium. `member` is its address where the medium has addresses. */
  transport(member: string): Transport {
    return new Member(member, this.#facts, this.#queueBytesMax, {
      nowMs: () => this.nowMs,
      join: (who) => this.#join(who),
      leave: (who, reason) => this.#leave(who, reason),
      send: (from, frame, to) => this.#send(from, frame, to),
    })
  }

  /** What frames sent from now on suffer. */
  impair(impairment: Impairment): void {
    this.#impairment = checkImpairment(impairment)
  }

  /** From now on nothing that `from` sends reaches `to`. */
  cut(from: string, to: string): void {
    this.#cuts.add(pathKey(from, to))
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(pathKey(from, to))
  }

  /** Lets `clock` say the time. Returns what ends that. */
  follow(clock: MediumClock): () => void {
    if (this.#clock !== undefined) throw new TypeError('the medium has a clock')
    this.#clock = clock
    clock.wake(this.#agenda.nextMs)
    return () => {
      this.#clock = undefined
    }
  }

  #join(who: Member): void {
    if (this.#members.has(who.name)) throw new TypeError(`${who.name} is on the medium`)
    if (this.#members.size >= (this.#facts.reach === 'point' ? 2 : MEMBERS_MAX))
      throw new RangeError('the medium is full')
    this.#members.set(who.name, who)
    if (this.#facts.reach === 'shared') who.goUp()
    else if (this.#members.size === 2) for (const end of this.#members.values()) end.goUp()
  }

  #leave(who: Member, reason: string): void {
    if (this.#members.get(who.name) !== who) return
    this.#members.delete(who.name)
    who.goDown(reason)
    if (this.#facts.reach === 'point') for (const end of this.#members.values()) end.goDown('the other end left')
  }

  #send(from: Member, frame: Uint8Array, to: string | undefined): void {
    const nowMs = this.nowMs
    const half = this.#facts.duplex === 'half'
    const startMs = Math.max(nowMs, half ? this.#busyUntilMs : from.busyUntilMs)
    const sentMs = startMs + (frame.length * 8_000) / this.#facts.bitrateBps
    if (half) this.#busyUntilMs = sentMs
    else from.busyUntilMs = sentMs
    const bytes = frame.length
    from.queuedBytes += bytes
    this.#put(sentMs, () => from.sent(bytes))
    for (const member of this.#members.values()) {
      if (member === from || (to !== undefined && member.name !== to)) continue
      this.counts.sent++
      this.#carry(from, member, sentMs, frame)
    }
  }

  #carry(from: Member, to: Member, sentMs: number, frame: Uint8Array): void {
    if (this.#cuts.has(pathKey(from.name, to.name))) {
      this.counts.cut++
      return
    }
    let path = from.paths.get(to)
    if (path === undefined) {
      path = new Path(this.#dice, this.counts)
      from.paths.set(to, path)
    }
    path.carry(this.#impairment, sentMs, frame, (atMs, bytes) => {
      if (this.#agenda.size >= IN_FLIGHT_MAX) this.counts.overflowed++
      else this.#put(atMs, () => this.#deliver(from.name, to, bytes))
    })
  }

  #deliver(from: string, to: Member, bytes: Uint8Array): void {
    // Who left meanwhile hears nothing, even if another of its name has come.
    if (this.#members.get(to.name) !== to) return
    this.counts.delivered++
    to.hear(bytes, this.#facts.addressed ? from : undefined)
  }

  #put(atMs: number, act: () => void): void {
    const earlier = atMs < this.#agenda.nextMs
    this.#agenda.put(atMs, act)
    if (earlier) this.#clock?.wake(atMs)
  }
}

interface MemberPorts {
  nowMs(): number
  join(who: Member): void
  leave(who: Member, reason: string): void
  send(from: Member, frame: Uint8Array, to: string | undefined): void
}

class Member implements Transport, Interface {
  readonly name: string
  readonly facts: InterfaceFacts
  queuedBytes = 0
  busyUntilMs = 0
  readonly paths = new WeakMap<Member, Path>()
  readonly #queueBytesMax: number
  readonly #ports: MemberPorts
  #gate: HostGate | undefined
  #up = false
  #refused = false

  constructor(name: string, facts: InterfaceFacts, queueBytesMax: number, ports: MemberPorts) {
    this.name = name
    this.facts = facts
    this.#queueBytesMax = queueBytesMax
    this.#ports = ports
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.facts.id, host, () => this.#ports.nowMs())
    this.#ports.join(this)
  }

  async stop(): Promise<void> {
    this.#ports.leave(this, 'stopped')
    this.#gate?.shut()
  }

  async close(): Promise<void> {
    this.#ports.leave(this, 'closed')
  }

  send(frame: Uint8Array, to?: string): boolean {
    if (!this.#up) return false
    const bytes = frame.length
    const { mtuBytes, id: interfaceId } = this.facts
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate?.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    if (this.queuedBytes + bytes > this.#queueBytesMax) {
      this.#refused = true
      return false
    }
    this.#ports.send(this, frame, to)
    return true
  }

  goUp(): void {
    this.#up = true
    this.#gate?.up(this)
  }

  goDown(reason: string): void {
    this.#up = false
    this.#gate?.down(this, reason)
  }

  hear(bytes: Uint8Array, from: string | undefined): void {
    this.#gate?.frame(this, bytes, from)
  }

  sent(bytes: number): void {
    this.queuedBytes -= bytes
    if (!this.#refused || this.queuedBytes > this.#queueBytesMax / 2) return
    this.#refused = false
    this.#gate?.drain(this)
  }
}

function pathKey(from: string, to: string): string {
  return JSON.stringify([from, to])
}

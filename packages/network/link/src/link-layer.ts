import { equalBytes } from '@nexus/codec'
import type { InterfaceFacts } from '@nexus/transport'
import { LinkError } from './errors.ts'
import { decodeHello, FRAME } from './frames.ts'
import { Handshaker, type Target } from './handshake.ts'
import { Handshakes } from './handshakes.ts'
import { DEFAULT_LIMITS, type LinkLimits } from './limits.ts'
import {
  CLOSE,
  type DownReason,
  type Link,
  type LinkLayerOptions,
  type LinkLayerStats,
  type LinkPorts,
} from './link.ts'
import type { LinkKey, LinkState } from './link-state.ts'
import { LinkTable } from './link-table.ts'
import { Medium } from './medium.ts'
import { bodyOf, decodeClose, decodeProbe, decodeRekey, MESSAGE, PADDED_BIT, PASSED_UP } from './messages.ts'
import { Opener } from './opener.ts'
import { type Beacon, Peering } from './peering.ts'
import { Sender } from './sender.ts'
import { Upkeep } from './upkeep.ts'

/**
 * All links of a node, on all its interfaces: a core without I/O (docs/spec/link.md). Frames and time go in; frames,
 * messages and news of links come out by the ports. `nowMs` is the node's monotonic clock and never falls.
 */
export class LinkLayer {
  readonly #ports: LinkPorts
  readonly #limits: LinkLimits
  readonly #options: LinkLayerOptions
  readonly #table: LinkTable
  readonly #sender = new Sender()
  readonly #opener: Opener
  readonly #upkeep: Upkeep
  readonly #handshakes: Handshakes
  readonly #peering: Peering
  readonly #media = new Map<string, Medium>()
  #busy = false
  #wakeMs = Number.POSITIVE_INFINITY
  #wakeIsStale = false

  constructor(options: LinkLayerOptions, ports: LinkPorts) {
    const { crypto, identity, random } = options
    this.#options = options
    this.#ports = ports
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#table = new LinkTable(random)
    this.#opener = new Opener(this.#table)
    this.#upkeep = new Upkeep(options, this.#table, this.#sender)
    const handshaker = new Handshaker(options)
    const context = { crypto, identity, random, limits: this.#limits }
    this.#handshakes = new Handshakes(context, handshaker, this.#table, {
      accepted: (nowMs, link) => this.#accepted(nowMs, link),
      confirm: (nowMs, link) => this.#confirm(nowMs, link),
      turnAway: (nowMs, link, code) => {
        this.#sender.send(nowMs, link.key, MESSAGE.close, Uint8Array.of(code), 'close')
        this.#table.retire(link.key)
      },
      notAdmitted: (medium, peer, from) => this.#peering.turnedAway(medium, peer, from),
    })
    this.#peering = new Peering(context, this.#table, this.#handshakes)
  }

  /** An interface came. @throws {TypeError} where one of this id is up; {RangeError} where there are too many */
  interfaceUp(nowMs: number, facts: InterfaceFacts): void {
    if (this.#media.has(facts.id)) throw new TypeError(`the interface ${facts.id} is up already`)
    if (this.#media.size >= this.#limits.interfaces)
      throw new RangeError(`more than ${this.#limits.interfaces} interfaces`)
    const { crypto, random } = this.#options
    const medium = new Medium(
      nowMs,
      facts,
      { crypto, random, limits: this.#limits, pace: this.#options.pace ?? 1 },
      this.#ports,
    )
    this.#media.set(facts.id, medium)
    this.#sender.reserve(medium.frameBytesMax)
    this.#opener.reserve(medium.frameBytesMax)
    this.#peering.mediumUp(nowMs, medium)
    this.#workNow(nowMs)
  }

  /** An interface went: its links are down. Unknown ones are ignored. */
  interfaceDown(nowMs: number, interfaceId: string): void {
    const medium = this.#media.get(interfaceId)
    if (medium === undefined) return
    this.#media.delete(interfaceId)
    this.#handshakes.mediumDown(medium)
    this.#peering.mediumDown(medium)
    for (const link of [...this.#table.up.values()]) {
      if (link.medium === medium) this.#takeDown(nowMs, link, 'interface-down')
    }
    this.#wakeIsStale = true
  }

  /**
   * Links with a configured peer and goes on trying, now and whenever the interface comes up, until {@link forget}.
   * False: too many configured peers.
   * @throws {TypeError} where nothing says whom: on media that many share, an address or a NodeID is needed
   */
  dial(nowMs: number, interfaceId: string, target: Target): boolean {
    const added = this.#peering.dial(nowMs, interfaceId, target)
    this.#workNow(nowMs)
    return added
  }

  /** Ends what {@link dial} began; a link that is up stays. */
  forget(interfaceId: string, target: Target): boolean {
    this.#wakeIsStale = true
    return this.#peering.forget(interfaceId, target)
  }

  /** The medium reaches others than before (a network appeared, a cable was plugged in): beacons come at once and soon again. */
  greet(nowMs: number, interfaceId: string): void {
    this.#peering.greet(nowMs, interfaceId)
    this.#wakeIsStale = true
  }

  /** `admit` says something else than before: who was turned away lately and would be admitted now is linked with. */
  admissionChanged(nowMs: number): void {
    const { admit } = this.#options
    this.#peering.readmit(nowMs, (publicKey) => admit === undefined || admit(publicKey))
    this.#wakeIsStale = true
  }

  /** What the beacon says from now on. */
  setBeacon(beacon: Beacon): void {
    this.#peering.beacon = beacon
  }

  /** Bit/s that beacons, handshakes, probes and rekeying may use on an interface: their intervals stretch to fit. */
  setControlBudget(nowMs: number, interfaceId: string, bps: number): void {
    if (!(bps > 0)) throw new RangeError(`a budget is above 0 bit/s, not ${bps}`)
    this.#media.get(interfaceId)?.setControlBudget(nowMs, bps)
    this.#wakeIsStale = true
  }

  /** A frame came from a medium. Never throws for what it holds; frames of unknown interfaces are ignored. */
  receive(nowMs: number, interfaceId: string, frame: Uint8Array, from?: string): void {
    if (this.#busy) throw new TypeError('receive and tick are not for calling from within a port')
    const medium = this.#media.get(interfaceId)
    if (medium === undefined) return
    medium.stats.framesIn++
    medium.stats.bytesIn += frame.length
    this.#busy = true
    try {
      this.#dispatch(nowMs, medium, frame, from)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      medium.refuse('malformed', from)
    } finally {
      this.#busy = false
    }
    this.#tellOthers(medium)
  }

  /**
   * Seals a message and hands it to the medium now; queues are the caller's. False: the link is down, or the medium did not take
   * the frame. `isControl`: the node's own talk, most of which is never answered; below 1 Mbit/s silence after it raises no doubt.
   * @throws {RangeError} where the body is longer than `payloadBytesMax`; {TypeError} for a type of the link's own
   */
  send(nowMs: number, link: Link, type: number, body: Uint8Array, isControl = false): boolean {
    const state = this.#sendable(link, type, body)
    if (state === undefined) return false
    const taken = this.#sender.send(nowMs, state.key, type, body)
    this.#noteSent(nowMs, state, !isControl || state.medium.wideCounters)
    return taken
  }

  /**
   * Seals a message whose frame others may interrupt: it is cut into parts of 150 ms, and the first is sent. Returns how
   * many are left for {@link sendNextPart}.
   * @throws as {@link send}, and {TypeError} while parts of another frame are left
   */
  sendInterruptible(nowMs: number, link: Link, type: number, body: Uint8Array): number {
    const state = this.#sendable(link, type, body)
    if (state === undefined) return 0
    if (state.parts !== undefined) throw new TypeError('parts of another frame are left')
    this.#sender.cut(state, type, body)
    this.#noteSent(nowMs, state, true)
    return this.#sender.sendNextPart(nowMs, state)
  }

  /** Sends the next part; returns how many are left. A part that the medium refuses costs the frame. */
  sendNextPart(nowMs: number, link: Link): number {
    const state = this.#table.up.get(link.id)
    return state === undefined ? 0 : this.#sender.sendNextPart(nowMs, state)
  }

  /** Tells the peer and ends the link; a configured peer is dialled again unless it is forgotten first. */
  close(nowMs: number, link: Link, code: number = CLOSE.unspecified): void {
    const state = this.#table.up.get(link.id)
    if (state === undefined) return
    this.#sender.send(nowMs, state.key, MESSAGE.close, Uint8Array.of(code), 'close')
    this.#takeDown(nowMs, state, 'closed')
  }

  /** Does what is due. */
  tick(nowMs: number): void {
    if (this.#busy) throw new TypeError('receive and tick are not for calling from within a port')
    if (nowMs < this.nextWakeMs()) return
    this.#busy = true
    try {
      this.#handshakes.tick(nowMs)
      for (const link of [...this.#table.up.values()]) {
        if (link.down === undefined && this.#upkeep.tick(nowMs, link)) this.#takeDown(nowMs, link, 'silent')
      }
      this.#peering.tick(nowMs)
    } finally {
      this.#busy = false
      this.#wakeIsStale = true
    }
    for (const medium of this.#media.values()) this.#tellOthers(medium)
  }

  /** When {@link tick} has something to do at the latest; Infinity: never. */
  nextWakeMs(): number {
    if (!this.#wakeIsStale) return this.#wakeMs
    let wakeMs = Math.min(this.#handshakes.nextWakeMs(), this.#peering.nextWakeMs())
    for (const link of this.#table.up.values()) wakeMs = Math.min(wakeMs, this.#upkeep.nextWakeMs(link))
    this.#wakeMs = wakeMs
    this.#wakeIsStale = false
    return wakeMs
  }

  /** The links that are up. */
  links(): Iterable<Link> {
    return this.#table.up.values()
  }

  stats(): LinkLayerStats {
    return {
      links: this.#table.up.size,
      halfOpen: this.#handshakes.halfOpen,
      attempts: this.#handshakes.attemptsInAll,
      dials: this.#peering.dials,
      neighbours: this.#peering.neighbours,
      turnedAway: this.#peering.turnedAwayNodes,
      interfaces: new Map([...this.#media].map(([id, medium]) => [id, medium.stats])),
    }
  }

  /** Does at once what just became due, or leaves it to the host's next tick where a port is being called. */
  #workNow(nowMs: number): void {
    this.#wakeIsStale = true
    if (!this.#busy) this.tick(nowMs)
  }

  #dispatch(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const kind = frame[0]
    if (kind === FRAME.dataNarrow || kind === FRAME.dataWide) {
      this.#onData(nowMs, medium, frame, from)
      return
    }
    this.#wakeIsStale = true
    if (kind === FRAME.hello) this.#onHello(nowMs, medium, frame, from)
    else if (kind === FRAME.part) this.#onPart(nowMs, medium, frame, from)
    else this.#handshakes.receive(nowMs, medium, frame, from)
  }

  #onHello(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const hello = decodeHello(frame)
    if (equalBytes(hello.nodeId, this.#options.identity.nodeId)) return
    this.#ports.hello?.(medium.id, hello, from)
    this.#peering.onHello(nowMs, medium, hello, from)
  }

  #onPart(nowMs: number, medium: Medium, part: Uint8Array, from: string | undefined): void {
    const frame = medium.reassembler.receive(nowMs, part, from)
    if (frame === undefined) return
    if (frame[0] === FRAME.part) medium.refuse('malformed', from)
    else this.#dispatch(nowMs, medium, frame, from)
  }

  #onData(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const key = this.#opener.open(medium, frame, from)
    if (key === undefined) {
      if (this.#opener.unknownId && !medium.radio) {
        this.#peering.onStranger(nowMs, medium, from)
        this.#wakeIsStale = true
      }
      return
    }
    if (!key.link.up && (this.#opener.plaintext[0]! & ~PADDED_BIT) === MESSAGE.close) {
      this.#endUnconfirmed(key.link, decodeClose(bodyOf(this.#opener.plaintext)), from)
      return
    }
    this.#onAuthentic(nowMs, key, frame.length, from)
    // Its host may have closed the link on hearing of it.
    if (key.link.down === undefined) this.#onPlaintext(nowMs, key, this.#opener.plaintext)
  }

  /** Bookkeeping of an authentic frame. */
  #onAuthentic(nowMs: number, key: LinkKey, frameBytes: number, from: string | undefined): void {
    const { link } = key
    const { counter } = this.#opener
    key.bytes += frameBytes
    link.counters.framesIn++
    link.counters.bytesIn += frameBytes
    link.received.handshakeHash = key.handshakeHash
    link.received.counter = counter
    link.liveness.heard(nowMs)
    link.accepted = undefined
    // A peer that moved is followed by its newest frame only: late ones still name the old place.
    if (link.medium.addressed && from !== link.address && counter === key.window.highest) link.address = from
    if (key !== link.key || link.rekey !== undefined) {
      this.#upkeep.opened(nowMs, link, key)
      this.#wakeIsStale = true
    }
    if (!link.up) this.#report(nowMs, link)
    if (link.key.bytes >= link.rekeyBytes && link.rekey === undefined) this.#wakeBy(nowMs)
  }

  #onPlaintext(nowMs: number, key: LinkKey, plaintext: Uint8Array): void {
    const { link } = key
    const type = plaintext[0]! & ~PADDED_BIT
    const body = bodyOf(plaintext)
    if (PASSED_UP.includes(type)) this.#ports.message(link, type, body)
    else if (type === MESSAGE.probe) this.#upkeep.onProbe(nowMs, link, decodeProbe(body))
    else if (type === MESSAGE.rekey) {
      this.#upkeep.onRekey(nowMs, link, key, decodeRekey(body))
      this.#wakeIsStale = true
    } else if (type === MESSAGE.close) this.#takeDown(nowMs, link, 'peer-closed', decodeClose(body))
    else link.medium.refuse('malformed', link.address)
  }

  #sendable(link: Link, type: number, body: Uint8Array): LinkState | undefined {
    const state = this.#table.up.get(link.id)
    if (!PASSED_UP.includes(type)) throw new TypeError(`messages of type ${type} are not for sending`)
    if (state === undefined) return undefined
    if (body.length > state.payloadBytesMax) {
      throw new RangeError(`a body of ${body.length} bytes, the link takes ${state.payloadBytesMax}`)
    }
    return state
  }

  #noteSent(nowMs: number, link: LinkState, isAnswerable: boolean): void {
    if (isAnswerable) this.#wakeBy(link.liveness.sent(nowMs))
    if (link.key.bytes >= link.rekeyBytes && link.rekey === undefined) this.#wakeBy(nowMs)
  }

  #accepted(nowMs: number, link: LinkState): void {
    // First on the wire: the initiator may not speak, nor be spoken to, before it knows that we have its HS3.
    this.#upkeep.probe(nowMs, link)
    this.#report(nowMs, link)
  }

  #confirm(nowMs: number, link: LinkState): void {
    // HS3 can be replayed until the peer was heard: it may keep the link for as long as an honest peer repeats it.
    if (nowMs < link.upSinceMs + link.medium.halfOpenMs) link.liveness.reprieve()
    this.#upkeep.probe(nowMs, link)
  }

  /** The peer ends what was never a link: HS3 need not be repeated. */
  #endUnconfirmed(link: LinkState, code: number, from: string | undefined): void {
    this.#table.remove(link, 'unconfirmed')
    this.#wakeIsStale = true
    if (code === CLOSE.policy || code === CLOSE.capacity) link.medium.refuse('by-peer', from, link.peer.nodeId)
  }

  #report(nowMs: number, link: LinkState): void {
    const older = this.#table.find(link.interfaceId, link.peer.nodeId)
    if (older !== undefined) this.#takeDown(nowMs, older, 'replaced')
    link.up = true
    link.upSinceMs = nowMs
    link.confirmation = undefined
    this.#table.addUp(link)
    this.#peering.linkUp(link)
    this.#wakeIsStale = true
    this.#ports.linkUp(link)
  }

  #takeDown(nowMs: number, link: LinkState, reason: DownReason, code?: number): void {
    this.#table.remove(link, reason)
    this.#peering.linkDown(nowMs, link)
    this.#wakeIsStale = true
    this.#ports.linkDown(link, reason, code)
  }

  #tellOthers(medium: Medium): void {
    const others = this.#peering.others(medium)
    if (others === medium.othersTold) return
    medium.othersTold = others
    this.#ports.heard?.(medium.id, others)
  }

  #wakeBy(ms: number): void {
    if (ms < this.#wakeMs) this.#wakeMs = ms
  }
}

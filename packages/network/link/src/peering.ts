import { compareBytes, equalBytes, toHex } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { encodeHello, type Hello } from './frames.ts'
import { type Attempt, isUnderWay, type Target } from './handshake.ts'
import type { Handshakes } from './handshakes.ts'
import {
  GREETING_SHARES,
  HEARD_INTERVALS,
  HELLO_ANSWER_INTERVALS,
  type LinkLimits,
  REDIAL_MS,
  UNLINKED_COUNTED_MAX,
} from './limits.ts'
import type { Link } from './link.ts'
import type { LinkState } from './link-state.ts'
import type { LinkTable } from './link-table.ts'
import type { Medium } from './medium.ts'

/** What our beacon says beside our NodeID. */
export type Beacon = Omit<Hello, 'nodeId'>

/** A configured peer, tried for ever. */
interface Dial {
  readonly interfaceId: string
  readonly target: Target
  attempt: Attempt | undefined
  link: LinkState | undefined
  failures: number
  nextMs: number
}

/** A node that was heard by its beacon, and has no link. */
interface Neighbour {
  readonly nodeId: Uint8Array
  readonly firstMs: number
  lastMs: number
  address: string | undefined
  attempt: Attempt | undefined
  failures: number
  nextMs: number
}

/** Whom to link with, and when: beacons, neighbours heard, configured peers (docs/spec/link.md). */
export class Peering {
  beacon: Beacon = { capabilities: 0, costTier: 0, load: 0 }
  readonly #identity: Identity
  readonly #random: Random
  readonly #limits: LinkLimits
  readonly #table: LinkTable
  readonly #handshakes: Handshakes
  readonly #media = new Map<string, { readonly medium: Medium; readonly neighbours: Map<string, Neighbour> }>()
  readonly #dials = new Map<string, Dial>()
  /** The latest last. */
  readonly #turnedAway = new Map<string, { medium: Medium; peer: Link['peer']; from: string | undefined }>()

  constructor(
    context: { identity: Identity; random: Random; limits: LinkLimits },
    table: LinkTable,
    handshakes: Handshakes,
  ) {
    this.#identity = context.identity
    this.#random = context.random
    this.#limits = context.limits
    this.#table = table
    this.#handshakes = handshakes
  }

  get dials(): number {
    return this.#dials.size
  }

  get turnedAwayNodes(): number {
    return this.#turnedAway.size
  }

  /** Other nodes on a medium: those linked, and of those only heard so many as a flood of beacons may make up. */
  others(medium: Medium): number {
    const heard = this.#media.get(medium.id)?.neighbours.size ?? 0
    return medium.links + Math.min(heard, UNLINKED_COUNTED_MAX)
  }

  /** Nodes heard by their beacons and not linked, in all. */
  get neighbours(): number {
    let sum = 0
    for (const { neighbours } of this.#media.values()) sum += neighbours.size
    return sum
  }

  /** A medium is there: configured peers are tried at once, whatever the waiting time was. */
  mediumUp(nowMs: number, medium: Medium): void {
    this.#media.set(medium.id, { medium, neighbours: new Map() })
    for (const dial of this.#dials.values()) {
      if (dial.interfaceId !== medium.id) continue
      dial.failures = 0
      dial.nextMs = nowMs
    }
  }

  mediumDown(medium: Medium): void {
    this.#media.delete(medium.id)
    for (const [key, gone] of this.#turnedAway) if (gone.medium === medium) this.#turnedAway.delete(key)
  }

  /** Beacons come at once and soon again. */
  greet(nowMs: number, interfaceId: string): void {
    const medium = this.#media.get(interfaceId)?.medium
    if (medium === undefined) return
    medium.beacons = 0
    medium.nextBeaconMs = Math.min(medium.nextBeaconMs, nowMs)
  }

  /** Adds a configured peer; false where there are too many. @throws {TypeError} where nothing says whom */
  dial(nowMs: number, interfaceId: string, target: Target): boolean {
    const medium = this.#media.get(interfaceId)?.medium
    if (medium?.point === false && target.nodeId === undefined && (medium.radio || target.address === undefined)) {
      const needed = medium.radio ? 'NodeID' : 'NodeID or an address'
      throw new TypeError(`${interfaceId} has many peers: dial needs a ${needed}`)
    }
    const key = dialKey(interfaceId, target)
    if (this.#dials.has(key)) return true
    if (this.#dials.size >= this.#limits.dials) return false
    this.#dials.set(key, {
      interfaceId,
      target,
      attempt: undefined,
      link: undefined,
      failures: 0,
      nextMs: nowMs,
    })
    return true
  }

  /** Tries a configured peer no more; its link stays. False where it was none. */
  forget(interfaceId: string, target: Target): boolean {
    return this.#dials.delete(dialKey(interfaceId, target))
  }

  /** An authenticated node was not admitted: should it be one day, we know where it is. */
  turnedAway(medium: Medium, peer: Link['peer'], from: string | undefined): void {
    const key = `${toHex(peer.nodeId)}${medium.id}`
    this.#turnedAway.delete(key)
    if (this.#turnedAway.size >= this.#limits.turnedAway) dropFirst(this.#turnedAway)
    this.#turnedAway.set(key, { medium, peer, from })
  }

  /** Links with those turned away whom `admit` admits now. */
  readmit(nowMs: number, admit: (publicKey: Uint8Array) => boolean): void {
    for (const [key, { medium, peer, from }] of this.#turnedAway) {
      if (!admit(peer.publicKey)) continue
      this.#turnedAway.delete(key)
      const isBusy = this.#handshakes.isBusyWith(medium, peer.nodeId, from)
      if (isBusy || this.#table.find(medium.id, peer.nodeId) !== undefined) continue
      this.#handshakes.start(nowMs, medium, targetAt(medium, peer.nodeId, from), medium.spreadMs())
    }
  }

  onHello(nowMs: number, medium: Medium, hello: Hello, from: string | undefined): void {
    const link = this.#table.find(medium.id, hello.nodeId)
    if (link !== undefined) {
      link.liveness.beaconed(nowMs, medium.helloIntervalMs(this.beacon.load))
      return
    }
    const neighbour = this.#heard(nowMs, medium, hello.nodeId, from)
    if (neighbour.attempt !== undefined && !isUnderWay(neighbour.attempt)) {
      neighbour.attempt = undefined
      neighbour.nextMs = nowMs + this.#waitMs(medium, neighbour.failures++)
    }
    const lower = compareBytes(this.#identity.nodeId, hello.nodeId) < 0
    // The higher one leaves the start to the other, who may not have heard of us yet.
    const mine = lower || nowMs - neighbour.firstMs >= 2 * medium.helloIntervalMs(this.beacon.load)
    if (!mine) this.#answerHello(nowMs, medium, from)
    if (!mine || nowMs < neighbour.nextMs || this.#handshakes.isBusyWith(medium, hello.nodeId, from)) return
    // One beacon makes all who hear it start, and they need not hear each other: not at once, nor later in step.
    const target = targetAt(medium, hello.nodeId, from)
    neighbour.attempt = this.#handshakes.startOnHint(nowMs, medium, target, medium.startSpreadMs(this.others(medium)))
  }

  /**
   * A frame for a link that we do not have, from someone who can be answered: perhaps we restarted and it does not know.
   * Our beacon makes it ask.
   */
  onStranger(nowMs: number, medium: Medium, from: string | undefined): void {
    this.#answerHello(nowMs, medium, from)
  }

  linkUp({ medium, peer }: LinkState): void {
    medium.links++
    this.#media.get(medium.id)?.neighbours.delete(toHex(peer.nodeId))
  }

  /** A link ended. A neighbour that fell silent is tried once more at once; configured peers have their own plan. */
  linkDown(nowMs: number, link: LinkState): void {
    const { medium, peer, address } = link
    medium.links--
    if (link.down !== 'silent') return
    for (const dial of this.#dials.values()) if (this.#covers(dial, link)) return
    this.#handshakes.start(nowMs, medium, targetAt(medium, peer.nodeId, address))
  }

  tick(nowMs: number): void {
    for (const dial of this.#dials.values()) this.#tickDial(nowMs, dial)
    for (const { medium, neighbours } of this.#media.values()) {
      if (nowMs < medium.nextBeaconMs) continue
      this.#forget(nowMs, medium, neighbours)
      this.#sendBeacon(nowMs, medium)
    }
  }

  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const dial of this.#dials.values()) {
      if (!this.#media.has(dial.interfaceId) || (dial.link !== undefined && dial.link.down === undefined)) continue
      if (dial.attempt !== undefined && isUnderWay(dial.attempt)) continue
      wakeMs = Math.min(wakeMs, dial.nextMs)
    }
    for (const { medium } of this.#media.values()) wakeMs = Math.min(wakeMs, medium.nextBeaconMs)
    return wakeMs
  }

  #tickDial(nowMs: number, dial: Dial): void {
    const medium = this.#media.get(dial.interfaceId)?.medium
    if (medium === undefined) return
    this.#settle(nowMs, medium, dial)
    if (dial.link !== undefined || dial.attempt !== undefined || nowMs < dial.nextMs) return
    dial.link = this.#linkFor(dial)
    if (dial.link !== undefined) return
    dial.attempt = this.#handshakes.start(nowMs, medium, dial.target)
    if (dial.attempt === undefined) dial.nextMs = nowMs + REDIAL_MS
  }

  /** Learns what became of the dial's attempt and link. */
  #settle(nowMs: number, medium: Medium, dial: Dial): void {
    if (dial.link?.down !== undefined) {
      dial.nextMs = nowMs + (dial.link.down === 'silent' || dial.link.down === 'replaced' ? 0 : REDIAL_MS)
      dial.link = undefined
    }
    if (dial.attempt === undefined || isUnderWay(dial.attempt)) return
    const { link } = dial.attempt
    dial.attempt = undefined
    if (link?.up === true && link.down === undefined) {
      dial.link = link
      dial.failures = 0
    } else dial.nextMs = nowMs + this.#waitMs(medium, dial.failures++)
  }

  #linkFor(dial: Dial): LinkState | undefined {
    if (dial.target.nodeId !== undefined) return this.#table.find(dial.interfaceId, dial.target.nodeId)
    for (const link of this.#table.up.values()) if (this.#covers(dial, link)) return link
    return undefined
  }

  #covers(dial: Dial, link: LinkState): boolean {
    if (dial.interfaceId !== link.interfaceId) return false
    const { nodeId, address } = dial.target
    return nodeId === undefined ? address === link.address : equalBytes(nodeId, link.peer.nodeId)
  }

  #heard(nowMs: number, medium: Medium, nodeId: Uint8Array, from: string | undefined): Neighbour {
    const { neighbours } = this.#media.get(medium.id)!
    const key = toHex(nodeId)
    let neighbour = neighbours.get(key)
    if (neighbour === undefined) {
      if (neighbours.size >= this.#limits.neighbours) dropFirst(neighbours)
      neighbour = {
        nodeId,
        firstMs: nowMs,
        lastMs: nowMs,
        address: from,
        attempt: undefined,
        failures: 0,
        nextMs: nowMs,
      }
    } else neighbours.delete(key)
    neighbour.lastMs = nowMs
    neighbour.address = from
    neighbours.set(key, neighbour)
    return neighbour
  }

  /** Who was not heard for some beacon intervals went elsewhere. */
  #forget(nowMs: number, medium: Medium, neighbours: Map<string, Neighbour>): void {
    const keptMs = HEARD_INTERVALS * medium.helloIntervalMs(this.beacon.load)
    for (const [key, neighbour] of neighbours) {
      if (nowMs - neighbour.lastMs < keptMs) return
      if (neighbour.attempt === undefined || !isUnderWay(neighbour.attempt)) neighbours.delete(key)
    }
  }

  /** A beacon out of turn: to the one who asked where the medium has addresses, whoever else was told just before. */
  #answerHello(nowMs: number, medium: Medium, from: string | undefined): void {
    const soonestMs = medium.lastBeaconMs + medium.helloIntervalMs(this.beacon.load, HELLO_ANSWER_INTERVALS)
    if (!medium.addressed) medium.nextBeaconMs = Math.min(medium.nextBeaconMs, Math.max(nowMs, soonestMs))
    else if (medium.mayAnswerHello(nowMs)) medium.send(nowMs, this.#hello(), from, 0, 'hello')
  }

  #sendBeacon(nowMs: number, medium: Medium): void {
    const atMs = medium.controlAtMs(nowMs)
    if (atMs > nowMs) {
      medium.nextBeaconMs = atMs
      return
    }
    const pauseMs = medium.helloIntervalMs(this.beacon.load, GREETING_SHARES[medium.beacons++])
    medium.nextBeaconMs = nowMs + pauseMs * this.#jitter()
    if (medium.point && this.#isLinked(medium)) return
    medium.lastBeaconMs = nowMs
    medium.send(nowMs, this.#hello(), undefined, 0, 'hello')
  }

  #isLinked(medium: Medium): boolean {
    for (const link of this.#table.up.values()) if (link.medium === medium) return true
    return false
  }

  #hello(): Uint8Array {
    return encodeHello({ nodeId: this.#identity.nodeId, ...this.beacon })
  }

  #waitMs(medium: Medium, failures: number): number {
    return Math.min(REDIAL_MS * 2 ** failures, medium.redialMsMax) * this.#jitter()
  }

  /** 0.9 … 1.1: nodes that started together should not go on together. */
  #jitter(): number {
    const bytes = this.#random(2)
    return 0.9 + ((bytes[0]! | (bytes[1]! << 8)) / 0xffff) * 0.2
  }
}

function targetAt(medium: Medium, nodeId: Uint8Array, address: string | undefined): Target {
  return medium.addressed && address !== undefined ? { nodeId, address } : { nodeId }
}

function dialKey(interfaceId: string, { address, nodeId }: Target): string {
  return JSON.stringify([interfaceId, address ?? null, nodeId === undefined ? null : toHex(nodeId)])
}

function dropFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}

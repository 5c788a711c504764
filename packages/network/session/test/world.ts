import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { decodePacket } from '@nexus/framing'
import { createIdentity, type Identity, ReservedCounter } from '@nexus/identity'
import {
  type InboxMessage,
  type Limits,
  MemoryStore,
  type MessageStatus,
  Messenger,
  type SendResult,
  type Store,
  type StreamEvent,
} from '@nexus/session'

/** The power went at a write. */
export class PowerLoss extends Error {}

/** A store whose machine loses power before or after the write that is told. */
export class FragileStore implements Store {
  readonly kept = new MemoryStore()
  writes = 0
  failAt = Number.POSITIVE_INFINITY
  failAfterWrite = false

  get(key: string): Uint8Array | undefined {
    return this.kept.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.#write(() => this.kept.put(key, value))
  }

  delete(key: string): void {
    this.#write(() => this.kept.delete(key))
  }

  entries(prefix: string): Iterable<[string, Uint8Array]> {
    return this.kept.entries(prefix)
  }

  #write(run: () => void): void {
    this.writes++
    const fails = this.writes === this.failAt
    if (fails && !this.failAfterWrite) throw new PowerLoss()
    run()
    if (fails) throw new PowerLoss()
  }
}

export interface Conditions {
  lossRatio: number
  duplicateRatio: number
  delayMsMin: number
  delayMsMax: number
}

export const CALM: Conditions = { lossRatio: 0, duplicateRatio: 0, delayMsMin: 20, delayMsMax: 20 }
export const ROUGH: Conditions = { lossRatio: 0.2, duplicateRatio: 0.1, delayMsMin: 10, delayMsMax: 900 }

/** What the wall shows when a world begins. */
export const WALL_CLOCK_MS = 1_800_000_000_000

/** A node whose application shows each message once: what it showed is kept beside what it took. */
export class Peer {
  readonly world: World
  readonly identity: Identity
  readonly store = new FragileStore()
  readonly limits: Partial<Limits>
  readonly shownHandles = new Set<bigint>()
  readonly shown: { from: string | undefined; body: Uint8Array }[] = []
  readonly states: MessageStatus[] = []
  online = true
  strangers: boolean
  keys: Map<string, Uint8Array>
  takes = true
  /** Overrides what the network says to a packet. */
  answer: ((packet: Uint8Array) => SendResult | undefined) | undefined
  onStream: (event: StreamEvent) => void = () => {}
  onState: (status: MessageStatus) => void = () => {}
  messenger!: Messenger
  restarts = 0

  constructor(world: World, seed: Uint8Array, limits: Partial<Limits>, strangers: boolean) {
    this.world = world
    this.identity = createIdentity(world.crypto, seed)
    this.limits = limits
    this.strangers = strangers
    this.keys = world.keys
    this.start()
  }

  get name(): string {
    return toHex(this.identity.nodeId)
  }

  start(): void {
    const reserved = this.store.get('counter')
    const counters = new ReservedCounter(
      reserved === undefined ? 0n : BigInt(new TextDecoder().decode(reserved)),
      (upTo) => this.store.put('counter', new TextEncoder().encode(String(upTo))),
    )
    const { world, identity, store, limits } = this
    this.messenger = new Messenger(
      {
        crypto: world.crypto,
        identity,
        random: world.random,
        store,
        counters,
        limits,
        allowStrangerReceipts: this.strangers,
        wallClockMs: () => world.wallClockMs,
      },
      {
        sendPacket: (_nowMs, destination, packet) => this.answer?.(packet) ?? world.carry(this, destination, packet),
        publicKeyOf: (nodeId) => this.keys.get(toHex(nodeId)),
        message: (message) => this.show(message),
        stateChanged: (status) => {
          this.states.push(status)
          this.onState(status)
        },
        stream: (event) => this.onStream(event),
        roundTripMs: () => world.roundTripMs,
      },
    )
    for (const message of this.messenger.inbox()) this.show(message)
  }

  show(message: InboxMessage): void {
    if (!this.shownHandles.has(message.handle)) {
      this.shownHandles.add(message.handle)
      const from = message.sender && toHex(message.sender.nodeId)
      this.shown.push({ from, body: message.body })
    }
    if (this.takes) this.messenger.take(message.handle)
  }

  /** Runs `act`; a loss of power in it restarts the node from what was written. */
  powered<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error
      this.restart()
      return undefined
    }
  }

  restart(): void {
    this.restarts++
    for (;;) {
      try {
        this.start()
        return
      } catch (error) {
        if (!(error instanceof PowerLoss)) throw error
      }
    }
  }

  send(to: Peer, body: Uint8Array, options?: { expiresMs?: number; anonymous?: boolean }): bigint | undefined {
    return this.powered(() => this.messenger.send(this.world.nowMs, to.identity.nodeId, body, options))
  }

  state(id: bigint): string | undefined {
    const status = this.messenger.status(this.world.nowMs, id)
    return status && (status.reason === undefined ? status.state : `${status.state}:${status.reason}`)
  }
}

interface Flight {
  readonly atMs: number
  readonly order: number
  readonly to: Peer
  readonly packet: Uint8Array
}

/** Peers on a network that loses, doubles, delays and reorders, in virtual time from one seed. */
export class World {
  readonly crypto: Crypto
  readonly random: Random
  readonly peers: Peer[] = []
  readonly keys = new Map<string, Uint8Array>()
  conditions: Conditions
  nowMs = 1_000
  wallClockMs = WALL_CLOCK_MS
  packets = 0
  /** What routing says of every path. */
  roundTripMs: number | undefined
  readonly #inFlight: Flight[] = []
  #order = 0

  constructor(crypto: Crypto, seed: number | string, conditions: Conditions = CALM) {
    this.crypto = crypto
    this.random = seededRandom(seed)
    this.conditions = conditions
  }

  peer(limits: Partial<Limits> = {}, strangers = false): Peer {
    const peer = new Peer(this, this.random(32), limits, strangers)
    this.peers.push(peer)
    this.keys.set(peer.name, peer.identity.publicKey)
    return peer
  }

  /** A number below 1. */
  chance(): number {
    const [a, b, c] = this.random(3)
    return (a! + b! * 256 + c! * 65_536) / 16_777_216
  }

  carry(from: Peer, destination: Uint8Array, packet: Uint8Array): SendResult {
    const to = this.peers.find((peer) => toHex(destination) === peer.name)
    if (to === undefined || !from.online || !to.online) return 'no-route'
    this.packets++
    const { duplicateRatio, lossRatio } = this.conditions
    for (let copies = this.chance() < duplicateRatio ? 2 : 1; copies > 0; copies--) {
      if (this.chance() >= lossRatio) this.#launch(to, packet)
    }
    return 'sent'
  }

  /** Runs until nothing is due before `untilMs`. */
  run(untilMs: number, stepsMax = 200_000): void {
    for (let steps = 0; ; steps++) {
      if (steps > stepsMax) throw new Error('the world does not come to rest')
      const next = this.#earliest()
      const atMs = Math.min(
        next?.atMs ?? Number.POSITIVE_INFINITY,
        ...this.peers.map((peer) => peer.messenger.nextWakeMs()),
      )
      if (atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      if (next !== undefined && next.atMs <= this.nowMs) {
        this.#inFlight.splice(this.#inFlight.indexOf(next), 1)
        if (next.to.online)
          next.to.powered(() => next.to.messenger.receivePacket(this.nowMs, decodePacket(next.packet)))
      }
      for (const peer of this.peers) {
        if (peer.messenger.nextWakeMs() <= this.nowMs) peer.powered(() => peer.messenger.tick(this.nowMs))
      }
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  runFor(ms: number): void {
    this.run(this.nowMs + ms)
  }

  #launch(to: Peer, packet: Uint8Array): void {
    const { delayMsMax, delayMsMin } = this.conditions
    const atMs = this.nowMs + delayMsMin + Math.floor(this.chance() * (delayMsMax - delayMsMin))
    this.#inFlight.push({ atMs, order: this.#order++, to, packet: packet.slice() })
  }

  #earliest(): Flight | undefined {
    let best: Flight | undefined
    for (const flight of this.#inFlight) {
      if (best === undefined || flight.atMs < best.atMs || (flight.atMs === best.atMs && flight.order < best.order)) {
        best = flight
      }
    }
    return best
  }
}

/** A body that no other message of the test has. */
export function bodyOf(tag: number, bytes: number): Uint8Array {
  const body = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at++) body[at] = (at * 31 + tag * 17 + (at >> 8)) & 0xff
  new DataView(body.buffer).setUint32(0, tag, true)
  return body
}

import { compareBytes, encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { HostGate, type Interface, type InterfaceFacts, type Transport, type TransportHost } from '@nexus/transport'
import { addressKey } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import type { Destination } from './destination.ts'
import { ReticulumError } from './errors.ts'
import { ExpiringMap } from './expiring-map.ts'
import { Identity } from './identity.ts'
import type { HeardAnnounce } from './inbound.ts'
import type { Link } from './link.ts'
import { nameHash } from './name.ts'
import type { RemoteDestination, Reticulum } from './reticulum.ts'

/** What NEXUS nodes announce in Reticulum networks. */
export const NEXUS_NAME = 'nexus.node'
/** NEXUS nodes that one node links with across Reticulum. */
export const NEXUS_PEERS_MAX = 64
/** How often a node announces itself. */
export const NEXUS_ANNOUNCE_MS = 1_800_000
/** Least time between an announce and an answer to another's, and between two attempts at one peer. */
const ANSWER_MS = 10_000
/** Attempts at one peer, each wait twice as long as the one before; then its next announce is waited for. */
const ATTEMPTS_MAX = 6
const IDENTITY_LABEL = 'nxs-reticulum'

/** The Reticulum identity of a NEXUS node: keys of their own, that follow from its seed (docs/spec/reticulum.md). */
export function nexusReticulumIdentity(crypto: Crypto, reticulum: ReticulumCrypto, seed: Uint8Array): Identity {
  return new Identity(reticulum, crypto.blake2b(seed, { length: 64, key: encodeUtf8(IDENTITY_LABEL) }))
}

export interface NexusTransportOptions {
  /** A node on the Reticulum network; it outlives this transport. */
  readonly node: Reticulum
  /** Of {@link nexusReticulumIdentity}. */
  readonly identity: Identity
  /** The NexusExtension that announces carry, in bytes that mean nothing here; asked for at each announce. */
  readonly extension: () => Uint8Array
  /** Whether others may find this node; default true. Without, it links with those that it hears, and asks them itself. */
  readonly announces?: boolean
  /** Default {@link NEXUS_ANNOUNCE_MS}. */
  readonly announceMs?: number
  /** Clock and timer of the host. */
  readonly nowMs: () => number
  readonly after: (ms: number, act: () => void) => { cancel(): void }
}

/**
 * A medium whose cable is a Reticulum network: NEXUS nodes find each other by their announces, and each link between two of
 * them is an interface. The nodes in between are no hops of NEXUS and cost nothing there.
 */
export function nexusTransport(options: NexusTransportOptions): Transport {
  return new NexusTransport(options)
}

class NexusTransport implements Transport {
  readonly name = 'reticulum'
  readonly #options: NexusTransportOptions
  readonly #nameHash: Uint8Array
  readonly #interfaces = new Map<string, LinkInterface>()
  readonly #attempts = new ExpiringMap<true>(NEXUS_PEERS_MAX * 4, ANSWER_MS)
  readonly #retries = new Map<string, { cancel(): void }>()
  #gate: HostGate | undefined
  #destination: Destination | undefined
  #timer: { cancel(): void } | undefined
  #answer: { cancel(): void } | undefined
  #announcedMs = Number.NEGATIVE_INFINITY
  #stopped = false
  #unsubscribe: (() => void)[] = []

  constructor(options: NexusTransportOptions) {
    this.#options = options
    this.#nameHash = nameHash(options.identity.crypto, NEXUS_NAME)
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host, this.#options.nowMs)
    const { node, identity } = this.#options
    const destination = node.serve(identity, NEXUS_NAME, { proves: 'none' })
    this.#destination = destination
    this.#unsubscribe = [
      destination.links.subscribe((link) => this.#accept(link)),
      node.announces.subscribe((announce) => this.#heard(announce)),
    ]
    this.#announce()
  }

  kick(): void {
    this.#announce()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#answer?.cancel()
    for (const retry of this.#retries.values()) retry.cancel()
    this.#retries.clear()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const { link } of [...this.#interfaces.values()]) link.close()
    this.#destination?.close()
    await Promise.resolve()
    this.#gate?.shut()
  }

  #announce(): void {
    this.#timer?.cancel()
    this.#answer?.cancel()
    this.#answer = undefined
    const { announces = true, announceMs = NEXUS_ANNOUNCE_MS, after, nowMs, extension } = this.#options
    if (!announces || this.#stopped) return
    this.#announcedMs = nowMs()
    this.#destination?.announce({ appData: extension() })
    this.#timer = after(announceMs, () => this.#announce())
  }

  /** Announces once more as soon as that may be: whoever heard the last one may not have been there yet. */
  #announceSoon(): void {
    const { announces = true, after, nowMs } = this.#options
    if (!announces || this.#stopped || this.#answer !== undefined) return
    const waitMs = Math.max(0, this.#announcedMs + ANSWER_MS - nowMs())
    this.#answer = after(waitMs, () => this.#announce())
  }

  /** Of two nodes the one with the lower hash asks for the link; the other makes sure that it was heard, if it may be. */
  #heard({ hash, identity, nameHash: name }: HeardAnnounce): void {
    const own = this.#destination?.hash
    if (own === undefined || !equalBytes(name, this.#nameHash) || equalBytes(own, hash)) return
    if (this.#isLinked(hash) || this.#interfaces.size >= NEXUS_PEERS_MAX) return
    if (compareBytes(own, hash) > 0 && (this.#options.announces ?? true)) this.#announceSoon()
    else this.#ask({ hash, identity }, 1)
  }

  #isLinked(hash: Uint8Array): boolean {
    return [...this.#interfaces.values()].some(({ peer }) => peer !== undefined && equalBytes(peer, hash))
  }

  #ask(peer: RemoteDestination, attempt: number): void {
    const nowMs = this.#options.nowMs()
    const key = addressKey(peer.hash)
    if (this.#isLinked(peer.hash) || this.#attempts.get(key, nowMs) !== undefined) return
    this.#attempts.set(key, true, nowMs)
    this.#options.node.connect(peer, { proves: false }).then(
      (link) => this.#open(link, peer),
      (error: Error) => {
        if (!(error instanceof ReticulumError)) throw error
        const retryMs = this.#askLater(peer, attempt)
        this.#gate?.problem({ code: 'transport/connect', address: toHex(peer.hash), why: error.message, retryMs })
      },
    )
  }

  /** Returns when that is. */
  #askLater(peer: RemoteDestination, attempt: number): number {
    const { announceMs = NEXUS_ANNOUNCE_MS, after } = this.#options
    const key = addressKey(peer.hash)
    if (attempt >= ATTEMPTS_MAX || this.#retries.size >= NEXUS_PEERS_MAX || this.#stopped) return announceMs
    const retryMs = ANSWER_MS * 2 ** (attempt - 1)
    this.#retries.get(key)?.cancel()
    const retry = after(retryMs, () => {
      this.#retries.delete(key)
      this.#attempts.delete(key)
      this.#ask(peer, attempt + 1)
    })
    this.#retries.set(key, retry)
    return retryMs
  }

  #accept(link: Link): void {
    if (this.#interfaces.size >= NEXUS_PEERS_MAX) link.close()
    else this.#open(link, undefined)
  }

  #open(link: Link, peer: RemoteDestination | undefined): void {
    const gate = this.#gate
    if (gate === undefined || !gate.open) {
      link.close()
      return
    }
    const iface = new LinkInterface(link, peer?.hash, gate)
    const key = addressKey(link.id)
    this.#interfaces.set(key, iface)
    gate.up(iface)
    link.packets.subscribe((frame) => gate.frame(iface, frame))
    void link.closed.then((reason) => {
      this.#interfaces.delete(key)
      gate.down(iface, reason)
      // Who asked asks again, and hears the other where the way has changed.
      if (peer === undefined) this.#announceSoon()
      else this.#askLater(peer, 1)
    })
  }
}

/** A link between two NEXUS nodes, as one of their interfaces. */
class LinkInterface implements Interface {
  readonly facts: InterfaceFacts
  readonly link: Link
  readonly peer: Uint8Array | undefined
  readonly queuedBytes = 0
  readonly #gate: HostGate

  constructor(link: Link, peer: Uint8Array | undefined, gate: HostGate) {
    this.link = link
    this.peer = peer
    this.#gate = gate
    this.facts = {
      id: `reticulum:${toHex(peer ?? link.id)}`,
      kind: 'reticulum',
      mtuBytes: link.mduBytes,
      bitrateBps: link.iface.bitrateBps,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'point',
      addressed: false,
    }
  }

  send(frame: Uint8Array): boolean {
    if (!this.link.isOpen) return false
    const { id: interfaceId, mtuBytes } = this.facts
    const bytes = frame.length
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    return this.link.transmit(frame)
  }

  async close(): Promise<void> {
    this.link.close()
    await this.link.closed
  }
}

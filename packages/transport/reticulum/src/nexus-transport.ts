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
import type { Reticulum } from './reticulum.ts'

/** What NEXUS nodes announce in Reticulum networks. */
export const NEXUS_NAME = 'nexus.node'
/** NEXUS nodes that one node links with across Reticulum. */
export const NEXUS_PEERS_MAX = 64
/** How often a node announces itself. */
export const NEXUS_ANNOUNCE_MS = 1_800_000
/** Least time between two announces, and between two attempts at one peer. */
const ANSWER_MS = 10_000
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
  #gate: HostGate | undefined
  #destination: Destination | undefined
  #timer: { cancel(): void } | undefined
  #announcedMs = Number.NEGATIVE_INFINITY
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
    this.#timer?.cancel()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const { link } of [...this.#interfaces.values()]) link.close()
    this.#destination?.close()
    await Promise.resolve()
    this.#gate?.shut()
  }

  #announce(): void {
    this.#timer?.cancel()
    const { announces = true, announceMs = NEXUS_ANNOUNCE_MS, after, nowMs, extension } = this.#options
    if (!announces) return
    this.#announcedMs = nowMs()
    this.#destination?.announce({ appData: extension() })
    this.#timer = after(announceMs, () => this.#announce())
  }

  /** Of two nodes the one with the lower hash asks for the link; the other makes sure that it was heard, if it may be. */
  #heard({ hash, identity, nameHash: name }: HeardAnnounce): void {
    const own = this.#destination?.hash
    if (own === undefined || !equalBytes(name, this.#nameHash)) return
    const nowMs = this.#options.nowMs()
    const key = addressKey(hash)
    const isLinked = [...this.#interfaces.values()].some(({ peer }) => peer !== undefined && equalBytes(peer, hash))
    if (isLinked || this.#interfaces.size >= NEXUS_PEERS_MAX) return
    if (compareBytes(own, hash) > 0 && (this.#options.announces ?? true)) {
      if (nowMs - this.#announcedMs >= ANSWER_MS) this.#announce()
      return
    }
    if (this.#attempts.get(key, nowMs) !== undefined) return
    this.#attempts.set(key, true, nowMs)
    this.#options.node.connect({ hash, identity }, { proves: false }).then(
      (link) => this.#open(link, hash),
      (error: Error) => {
        if (!(error instanceof ReticulumError)) throw error
        this.#gate?.problem({
          code: 'transport/connect',
          address: toHex(hash),
          why: error.message,
          retryMs: this.#options.announceMs ?? NEXUS_ANNOUNCE_MS,
        })
      },
    )
  }

  #accept(link: Link): void {
    if (this.#interfaces.size >= NEXUS_PEERS_MAX) link.close()
    else this.#open(link, undefined)
  }

  #open(link: Link, peer: Uint8Array | undefined): void {
    const gate = this.#gate
    if (gate === undefined || !gate.open) {
      link.close()
      return
    }
    const iface = new LinkInterface(link, peer, gate)
    const key = addressKey(link.id)
    this.#interfaces.set(key, iface)
    gate.up(iface)
    link.packets.subscribe((frame) => gate.frame(iface, frame))
    void link.closed.then((reason) => {
      this.#interfaces.delete(key)
      gate.down(iface, reason)
      // The lower hash asks again when it hears the other, so that one speaks up.
      if (gate.open && this.#options.nowMs() - this.#announcedMs >= ANSWER_MS) this.#announce()
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

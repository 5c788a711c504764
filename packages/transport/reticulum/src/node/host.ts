import { type Crypto, type Random, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import type { Interface, Transport, TransportError } from '@nexus/transport'
import { AccessCode } from '../access-code.ts'
import { type ReticulumCrypto, reticulumCrypto } from '../crypto.ts'
import { Feed } from '../feed.ts'
import { Identity } from '../identity.ts'
import type { ReticulumInterface } from '../interface.ts'
import { Lxmf, type LxmfOptions } from '../lxmf.ts'
import { type NexusTransportOptions, nexusTransport } from '../nexus-transport.ts'
import { Reticulum, type ReticulumOptions } from '../reticulum.ts'
import { nodeAes } from './aes.ts'
import type { Medium } from './media.ts'

/** How long after an interface came up a NEXUS node announces itself over all of them: once for those that come together. */
const ATTACHED_ANNOUNCE_MS = 2_000
/** Longest that a timer of Node waits. */
const TIMER_MS_MAX = 2_000_000_000

export interface StartOptions extends ReticulumOptions {
  readonly media?: readonly Medium[]
  /** A provider of @nexus/crypto; default: the one for Node, made anew. */
  readonly crypto?: Crypto
  readonly random?: Random
  /** What goes wrong on a medium, and what functions of the caller's throw. */
  readonly onProblem?: (problem: TransportError | unknown) => void
}

/** A node with real sockets and clocks. */
export interface RunningReticulum {
  readonly node: Reticulum
  readonly crypto: ReticulumCrypto
  /** Interfaces as they come up. */
  readonly attached: Feed<ReticulumInterface>
  newIdentity(): Identity
  /** Resolves when the medium listens, or has made its first attempt. @throws {TransportError} `transport/bind` */
  add(medium: Medium): Promise<void>
  stop(): Promise<void>
}

/** Starts a node, and its media. @throws {TransportError} `transport/bind` where a port cannot be had */
export async function startReticulum(options: StartOptions = {}): Promise<RunningReticulum> {
  const crypto = reticulumCrypto(options.crypto ?? (await nodeCrypto()), nodeAes)
  const running = new Host(crypto, options)
  try {
    for (const medium of options.media ?? []) await running.add(medium)
  } catch (error) {
    await running.stop()
    throw error
  }
  return running
}

/**
 * A transport that joins a NEXUS node with others across the network of `reticulum`; stop it before that. It announces
 * itself again soon after an interface came up, since nobody beyond has heard of it.
 */
export function nexusTransportOn(
  reticulum: RunningReticulum,
  options: Pick<NexusTransportOptions, 'identity' | 'extension' | 'announces' | 'announceMs'>,
): Transport {
  const transport = nexusTransport({
    ...options,
    node: reticulum.node,
    nowMs: () => performance.now(),
    after(ms, act) {
      const timer = setTimeout(act, Math.min(ms, TIMER_MS_MAX))
      timer.unref()
      return { cancel: () => clearTimeout(timer) }
    },
  })
  let soon: NodeJS.Timeout | undefined
  const unsubscribe = reticulum.attached.subscribe(() => {
    soon ??= setTimeout(() => {
      soon = undefined
      transport.kick?.()
    }, ATTACHED_ANNOUNCE_MS)
  })
  return {
    name: transport.name,
    start: (host) => transport.start(host),
    kick: () => transport.kick?.(),
    stop() {
      unsubscribe()
      clearTimeout(soon)
      return transport.stop()
    },
  }
}

/** LXMF messages to and from an identity, over a running node. */
export function lxmfOn(reticulum: RunningReticulum, options: Pick<LxmfOptions, 'identity' | 'displayName'>): Lxmf {
  const { node, crypto } = reticulum
  return new Lxmf({ ...options, node, crypto, unixMs: () => Date.now(), nowMs: () => performance.now() })
}

/** Primitives of Node for what is made before a node starts, such as its identities. */
export async function reticulumNodeCrypto(): Promise<ReticulumCrypto> {
  return reticulumCrypto(await nodeCrypto(), nodeAes)
}

class Host implements RunningReticulum {
  readonly node: Reticulum
  readonly crypto: ReticulumCrypto
  readonly attached: Feed<ReticulumInterface> = new Feed()
  readonly #random: Random
  readonly #onProblem: (problem: unknown) => void
  readonly #transports: Transport[] = []
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(crypto: ReticulumCrypto, options: StartOptions) {
    this.crypto = crypto
    this.#random = options.random ?? systemRandom
    this.#onProblem = options.onProblem ?? (() => {})
    this.node = new Reticulum(
      {
        crypto,
        random: this.#random,
        nowMs: () => performance.now(),
        unixMs: () => Date.now(),
        wake: (atMs) => this.#wake(atMs),
        fault: (error) => this.#onProblem(error),
      },
      options,
    )
  }

  newIdentity(): Identity {
    return Identity.generate(this.crypto, this.#random)
  }

  async add(medium: Medium): Promise<void> {
    const attached = new Map<Interface, ReticulumInterface>()
    const { transport, mtuBytes, bitrateBps, mode, accessCode, announceShare } = medium
    const code = accessCode && new AccessCode(this.crypto, accessCode)
    this.#transports.push(transport)
    await transport.start({
      up: (iface) => {
        const options = {
          name: iface.facts.id,
          bitrateBps: bitrateBps ?? iface.facts.bitrateBps,
          send: (frame: Uint8Array) => iface.send(frame),
          ...(mtuBytes === undefined ? {} : { mtuBytes }),
          ...(mode === undefined ? {} : { mode }),
          ...(code === undefined ? {} : { accessCode: code }),
          ...(announceShare === undefined ? {} : { announceShare }),
        }
        const made = this.node.attach(options)
        attached.set(iface, made)
        this.attached.publish(made)
      },
      down: (iface) => {
        const gone = attached.get(iface)
        attached.delete(iface)
        if (gone !== undefined) this.node.detach(gone)
      },
      frame: (iface, frame) => {
        const from = attached.get(iface)
        if (from !== undefined) this.node.receive(from, frame)
      },
      problem: this.#onProblem,
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.node.close()
    this.attached.end()
    clearTimeout(this.#timer)
    await Promise.all(this.#transports.map((transport) => transport.stop()))
  }

  #wake(atMs: number): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    const waitMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(atMs - performance.now())))
    this.#timer = setTimeout(() => this.node.tick(), waitMs)
  }
}

import { concatBytes, toHex } from '@nexus/codec'
import type { Crypto, Random, VerifyJob } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import type { ChannelOptions } from '@nexus/transport-lora-sim'

import { Air, type AirHost } from './air.ts'
import { tickOf } from './clock.ts'
import { EventQueue } from './event-queue.ts'
import { SimNode, type SimNodeOptions } from './sim-node.ts'
import { Wire, type WireOptions } from './wire.ts'

export interface SimulationOptions {
  /** One seed, one run. */
  readonly seed: number
  readonly crypto: Crypto
}

/** Verdicts remembered: a signature is checked once however many nodes hear it; a pure function may be. */
const VERDICTS_MAX = 1_000_000

/**
 * Many nodes in virtual time. Everything that happens comes out of one queue of events, and all chance out of one seed:
 * the same calls give the same run, to the byte.
 */
export class Simulation {
  readonly crypto: Crypto
  readonly random: Random
  readonly nodes: SimNode[] = []
  readonly wires: Wire[] = []
  /** Events carried out so far. */
  events = 0
  /** Sees each frame that a node hands to a medium; the bytes are valid during the call. */
  capture: ((medium: string, from: SimNode, frame: Uint8Array) => void) | undefined
  readonly #seed: number
  readonly #queue = new EventQueue()
  readonly #verdicts = new Map<string, boolean>()
  #nowMs = 0

  constructor({ seed, crypto }: SimulationOptions) {
    this.crypto = crypto
    this.random = seededRandom(seed)
    this.#seed = seed
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Adds a node; it is down until it is started. */
  addNode(options: SimNodeOptions = {}, name = `n${this.nodes.length}`): SimNode {
    const node = new SimNode(
      name,
      {
        crypto: this.crypto,
        nowMs: () => this.#nowMs,
        at: (ms, run) => this.at(ms, run),
        isValid: (job) => this.#isValid(job),
      },
      seededRandom(`${this.#seed}/${name}`),
      options,
    )
    this.nodes.push(node)
    return node
  }

  /** Connects two nodes. */
  wire(a: SimNode, b: SimNode, options: Partial<WireOptions> = {}): Wire {
    const wire = new Wire(`w${this.wires.length}`, [a, b], options, this.#host(`wire ${this.wires.length}`))
    this.wires.push(wire)
    return wire
  }

  /** Makes a LoRa channel. */
  air(options: Omit<ChannelOptions, 'random'> = {}, id = 'lora'): Air {
    return new Air(id, options, this.#host(`air ${id}`))
  }

  /** Runs `run` at a time, not before now, on the next {@link tickOf} of the clock. */
  at(ms: number, run: () => void): void {
    this.#queue.add(Math.max(tickOf(ms), this.#nowMs), run)
  }

  start(): void {
    for (const node of this.nodes) node.start()
  }

  /** Lets `ms` milliseconds pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** Lets time pass until `isDone`, asked every `stepMs`, or for `limitMs`. Returns the milliseconds that it took, or undefined. */
  runUntil(isDone: () => boolean, limitMs: number, stepMs = 250): number | undefined {
    const startMs = this.#nowMs
    if (!(limitMs >= 0 && stepMs > 0)) throw new RangeError(`${limitMs} ms in steps of ${stepMs} ms`)
    for (let targetMs = startMs; ; ) {
      if (isDone()) return this.#nowMs - startMs
      if (targetMs >= startMs + limitMs) return undefined
      targetMs = tickOf(Math.min(targetMs + stepMs, startMs + limitMs))
      while (this.#queue.nextMs <= targetMs) {
        const event = this.#queue.take()!
        this.#nowMs = Math.max(this.#nowMs, event.atMs)
        this.events++
        event.run()
      }
      this.#nowMs = targetMs
    }
  }

  #isValid({ publicKey, signature, tag, parts }: VerifyJob): boolean {
    const key = `${toHex(signature)}${toHex(this.crypto.blake2b(concatBytes(publicKey, ...parts)))}`
    let verdict = this.#verdicts.get(key)
    if (verdict === undefined) {
      if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear()
      verdict = this.crypto.verify(publicKey, signature, tag, ...parts)
      this.#verdicts.set(key, verdict)
    }
    return verdict
  }

  #host(name: string): AirHost {
    return {
      nowMs: () => this.#nowMs,
      at: (ms, run) => this.at(ms, run),
      random: seededRandom(`${this.#seed}/${name}`),
      captured: (medium, from, frame) => this.capture?.(medium, from, frame),
    }
  }
}

/** Both ends of payment channels on stores that flush every commit, and such commits alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelPorts, Channels, type Store } from '@nexus/channels'
import { compareBytes, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, type Identity } from '@nexus/identity'
import { openStore } from '@nexus/node'
import { serve, type Values } from '../child.ts'

const crypto = await nodeCrypto()
const NETWORK_ID = new Uint8Array(16)
const PRICE_MICRO = 700n

const folder = mkdtempSync(join(tmpdir(), 'nexus-bench-channels-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** A store of its own, which notes what each flush of it wrote. */
function freshStore(): Store & { readonly flushes: [string, Uint8Array][][] } {
  const { store } = openStore(join(folder, `${files++}.db`))
  const flushes: [string, Uint8Array][][] = []
  let depth = 0
  let writes: [string, Uint8Array][] = []
  return {
    flushes,
    get: (key) => store.get(key),
    put: (key, value) => {
      writes.push([key, value])
      store.put(key, value)
    },
    delete: (key) => store.delete(key),
    entries: (prefix) => store.entries(prefix),
    atomically: (work) => {
      if (depth > 0) return work()
      depth++
      try {
        return store.atomically(work)
      } finally {
        depth--
        if (writes.length > 0) flushes.push(writes)
        writes = []
      }
    },
  }
}

/** The keys of one node begin with its prefix, so that many share a file and its flush. */
function partOf(store: Store, prefix: string): Store {
  return {
    get: (key) => store.get(prefix + key),
    put: (key, value) => store.put(prefix + key, value),
    delete: (key) => store.delete(prefix + key),
    entries: (within) => [...store.entries(prefix + within)].map(([key, value]) => [key.slice(prefix.length), value]),
    atomically: (work) => store.atomically(work),
  }
}

type Frame = { readonly from: Node; readonly to: Uint8Array; readonly bytes: Uint8Array }

class Node {
  readonly identity: Identity
  readonly channels: Channels
  earned = 0

  constructor(store: Store, wire: Frame[]) {
    this.identity = createIdentity(crypto, systemRandom(32))
    const ports: ChannelPorts = {
      send: (to, bytes) => wire.push({ from: this, to, bytes }),
      publish: () => undefined,
      judge: () => ({ payMicro: PRICE_MICRO }),
      paid: () => undefined,
      earned: () => void this.earned++,
      claimRefused: () => {
        throw new Error('a claim was refused')
      },
      wouldApply: () => false,
      payerSeqSeen: () => 0n,
      settledSequence: () => 0n,
      finalSequence: () => 0n,
      balanceInSnapshotMicro: () => 1n << 60n,
      creditLineMicro: () => 0n,
    }
    const { identity } = this
    const options = { crypto, identity, random: systemRandom, store, networkId: NETWORK_ID, epoch: 0n }
    this.channels = new Channels({ ...options, exposureLimitMicro: 1n << 60n }, ports)
  }
}

/** One relay that is paid by `count` neighbours, whose nodes share the other store. */
class Neighbourhood {
  readonly wire: Frame[] = []
  readonly relay: Node
  readonly payers: Node[]
  readonly relayStore = freshStore()
  readonly payerStore = freshStore()
  readonly #byId = new Map<string, Node>()
  nowMs = 0

  constructor(count: number) {
    this.relay = new Node(this.relayStore, this.wire)
    this.payers = Array.from({ length: count }, (_, n) => new Node(partOf(this.payerStore, `${n}/`), this.wire))
    for (const node of [this.relay, ...this.payers]) this.#byId.set(toHex(node.identity.nodeId), node)
    for (const payer of this.payers) {
      this.relay.channels.linkUp(0, payer.identity.publicKey, 1_000)
      payer.channels.linkUp(0, this.relay.identity.publicKey, 1_000)
      payer.channels.open(0, this.relay.identity.nodeId)
    }
    this.carry()
    // A first update each: jumps are over.
    this.claim(1)
  }

  /** Every payer is claimed from `rounds` times; returns when all of it is signed by both and on both disks. */
  claim(rounds: number): void {
    const body = systemRandom(92)
    for (let round = 0; round < rounds; round++) {
      const earned = this.relay.earned
      this.relay.channels.batch(() => {
        for (const { identity } of this.payers) {
          new DataView(body.buffer).setUint32(0, round)
          this.relay.channels.claim(this.nowMs, identity.nodeId, body, PRICE_MICRO, 100n)
        }
      })
      this.carry()
      if (this.relay.earned !== earned + this.payers.length) throw new Error('not all were paid')
    }
  }

  /** Delivers all frames; those that are there together are handled in one flush of each side. */
  carry(): void {
    while (this.wire.length > 0) {
      const frames = this.wire.splice(0)
      const isRelays = ({ to }: Frame) => compareBytes(to, this.relay.identity.nodeId) === 0
      const [up, down] = [frames.filter(isRelays), frames.filter((frame) => !isRelays(frame))]
      this.relay.channels.batch(() => {
        for (const { bytes, from } of up) this.relay.channels.receive(this.nowMs, from.identity.nodeId, bytes)
      })
      this.#together(down)
    }
  }

  /** What the payers promise leaves once their common store has flushed. */
  #together(frames: readonly Frame[]): void {
    const before = this.wire.length
    this.payerStore.atomically(() => {
      for (const { bytes, from, to } of frames) {
        this.#byId.get(toHex(to))!.channels.receive(this.nowMs, from.identity.nodeId, bytes)
      }
    })
    if (this.wire.length < before) throw new Error('frames were lost')
  }
}

const single = new Neighbourhood(1)
const many = new Neighbourhood(64)

/** The flushes of one update, to be done again without a channel. */
const updateFlushes = (() => {
  const before = [single.relayStore.flushes.length, single.payerStore.flushes.length]
  single.claim(1)
  return [...single.relayStore.flushes.slice(before[0]), ...single.payerStore.flushes.slice(before[1])]
})()
const bare = freshStore()

serve({
  single: ({ count }) => timed(Number(count), 1, () => single.claim(1)),
  many: ({ count }) => timed(Math.ceil(Number(count) / 64), 64, () => many.claim(1)),
  flushes: ({ count }) =>
    timed(Number(count), 1, () => {
      for (const writes of updateFlushes) {
        bare.atomically(() => {
          for (const [key, value] of writes) bare.put(key, value)
        })
      }
    }),
  flush: ({ count }) =>
    timed(Number(count), 1, () => {
      bare.atomically(() => {
        for (const writes of updateFlushes) for (const [key, value] of writes) bare.put(key, value)
      })
    }),
})

function timed(turns: number, each: number, run: () => void): Values {
  for (const store of [single.relayStore, single.payerStore, many.relayStore, many.payerStore, bare])
    store.flushes.length = 0
  const startMs = performance.now()
  for (let done = 0; done < turns; done++) run()
  return { perSecond: (turns * each * 1_000) / (performance.now() - startMs), flushes: updateFlushes.length }
}

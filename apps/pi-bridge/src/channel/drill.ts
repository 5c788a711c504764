import { type ChannelPorts, Channels, readStoredChannels, type Store } from '@nexus/channels'
import type { Crypto, Random } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import { openStore } from '@nexus/node'

const NETWORK_ID = new Uint8Array(16).fill(0xd1)
const PRICE_MICRO = 300n
const SPACING_MS = 1_000
const LIMIT_MICRO = 1n << 50n

/** How one backup went. */
export interface DrillRow {
  readonly backupSequence: bigint
  readonly newestSequence: bigint
  readonly signedWhileSilent: number
  readonly closedWhileSilent: boolean
  readonly lowestSigned: bigint | undefined
  readonly balanceRegained: boolean
  readonly ok: boolean
}

type Wire = { readonly to: Side; readonly from: Uint8Array; readonly bytes: Uint8Array }[]

/** One side of the drill: channels on a store, every sequence that it signs noted. */
class Side {
  readonly identity: Identity
  readonly store: Store
  readonly channels: Channels
  readonly signed: bigint[] = []
  closes = 0
  peer: Side | undefined

  constructor(crypto: Crypto, random: Random, identity: Identity, store: Store, wire: Wire) {
    this.store = store
    this.identity = watched(identity, this.signed)
    this.channels = new Channels(
      {
        crypto,
        identity: this.identity,
        random,
        store,
        networkId: NETWORK_ID,
        epoch: 0n,
        exposureLimitMicro: LIMIT_MICRO,
      },
      {
        ...quietPorts(),
        send: (_, bytes) => {
          if (this.peer !== undefined) wire.push({ to: this.peer, from: identity.nodeId, bytes })
        },
        publish: () => void this.closes++,
      },
    )
  }

  get sequence(): bigint {
    const [channel] = this.channels.list()
    return channel?.sequence ?? 0n
  }

  get owedMicro(): bigint {
    return this.channels.list()[0]?.owedMicro ?? 0n
  }

  /** Everything that a node with a grudge, or without a memory, would try. */
  tryAll(nowMs: number, peerId: Uint8Array): void {
    this.channels.reconciled()
    this.channels.claim(nowMs, peerId, Uint8Array.of(0xff), PRICE_MICRO, 1n)
    this.channels.settle(nowMs, peerId)
    this.channels.dispute(peerId)
    for (let ms = 0; ms < 120_000; ms += SPACING_MS) this.channels.tick(nowMs + ms)
  }
}

/**
 * Two nodes trade on files in `folder`; the first is then started from each of `count` backups taken on the way: first its
 * peer is silent and everything is tried, then the peer answers and both trade on.
 */
export function drill(crypto: Crypto, random: Random, folder: string, count: number): DrillRow[] {
  const wire: Wire = []
  const [one, two] = [createIdentity(crypto, random(32)), createIdentity(crypto, random(32))]
  const open = (name: string) => openStore(`${folder}/${name}.db`).store
  const [store, peerStore] = [open('drilled'), open('peer')]
  try {
    const first = new Side(crypto, random, one, store, wire)
    const peer = new Side(crypto, random, two, peerStore, wire)
    connect(first, peer, 0)
    first.channels.open(0, two.nodeId)
    deliver(wire, 0)
    const backups: Map<string, Uint8Array>[] = []
    for (let n = 0; n < count; n++) {
      backups.push(new Map(store.entries('')))
      trade(wire, n % 3 === 2 ? [peer, first] : [first, peer], n)
    }
    return backups.map((backup, n) => restore(crypto, random, { one, peer, wire, nowMs: (n + 1) * 1e6 }, backup, first))
  } finally {
    store.close()
    peerStore.close()
  }
}

interface Scene {
  readonly one: Identity
  readonly peer: Side
  readonly wire: Wire
  readonly nowMs: number
}

function restore(
  crypto: Crypto,
  random: Random,
  { one, peer, wire, nowMs }: Scene,
  backup: ReadonlyMap<string, Uint8Array>,
  before: Side,
): DrillRow {
  // The newest states that both agree on: the peer goes on from them, whatever the copies of this node do.
  const newestSequence = peer.sequence
  const owedMicro = -peer.owedMicro
  const everSigned = [...before.signed, newestSequence].toSorted(ascending).at(-1)!
  replace(before.store, backup)
  const restored = new Side(crypto, random, one, before.store, wire)
  const backupSequence = restored.sequence
  restored.channels.linkUp(nowMs, peer.identity.publicKey, SPACING_MS)
  restored.tryAll(nowMs, peer.identity.nodeId)
  const [signedWhileSilent, closedWhileSilent] = [restored.signed.length, restored.closes > 0]
  connect(restored, peer, nowMs)
  deliver(wire, nowMs)
  trade(wire, [restored, peer], 1_000)
  const paid = owedMicro + PRICE_MICRO
  const lowestSigned = restored.signed.toSorted(ascending)[0]
  before.signed.push(...restored.signed)
  // What was tried in silence was claimed too, once the peer answered.
  const balanceRegained = restored.owedMicro === -peer.owedMicro && restored.owedMicro >= paid
  const ok = signedWhileSilent === 0 && !closedWhileSilent && balanceRegained && (lowestSigned ?? 0n) > everSigned
  return { backupSequence, newestSequence, signedWhileSilent, closedWhileSilent, lowestSigned, balanceRegained, ok }
}

/** What a node would sign or close, started on this store, while all its peers are silent. */
export function trySilently(
  crypto: Crypto,
  random: Random,
  store: Store,
): { peerId: Uint8Array; sequence: bigint; signed: number; closed: boolean }[] {
  return readStoredChannels(crypto, store).channels.map(({ nodeId, peerId, peerKey, sequence }) => {
    // The key of the node is not needed: a signature would be counted, and nothing leaves.
    const identity = { ...createIdentity(crypto, random(32)), nodeId, sign: () => new Uint8Array(64) } as Identity
    const side = new Side(crypto, random, identity, store, [])
    side.channels.linkUp(0, peerKey, SPACING_MS)
    side.tryAll(0, peerId)
    return { peerId, sequence, signed: side.signed.length, closed: side.closes > 0 }
  })
}

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : Number(a > b))

function connect(one: Side, other: Side, nowMs: number): void {
  one.peer = other
  other.peer = one
  for (const [side, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    side.channels.linkDown(peer.identity.nodeId)
    side.channels.linkUp(nowMs, peer.identity.publicKey, SPACING_MS)
  }
}

function trade(wire: Wire, [payee, payer]: readonly [Side, Side], n: number): void {
  payee.channels.claim(0, payer.identity.nodeId, Uint8Array.of(n & 0xff, n >> 8), PRICE_MICRO, 1n)
  deliver(wire, 0)
}

function deliver(wire: Wire, nowMs: number): void {
  for (let next = wire.shift(); next !== undefined; next = wire.shift()) {
    next.to.channels.receive(nowMs, next.from, next.bytes)
  }
}

function replace(store: Store, values: ReadonlyMap<string, Uint8Array>): void {
  store.atomically(() => {
    for (const [key] of [...store.entries('')]) if (!values.has(key)) store.delete(key)
    for (const [key, value] of values) store.put(key, value)
  })
}

function watched(identity: Identity, signed: bigint[]): Identity {
  return {
    nodeId: identity.nodeId,
    publicKey: identity.publicKey,
    agreementKey: identity.agreementKey,
    agreementSecret: identity.agreementSecret,
    agree: (key) => identity.agree(key),
    prove: (alpha) => identity.prove(alpha),
    sign: (tag, ...parts) => {
      const body = parts.at(-1)!
      // The sequence of a state is the last field of what is signed.
      if (tag === 'nxs-chan') signed.push(new DataView(body.buffer, body.byteOffset + 64, 8).getBigUint64(0, true))
      return identity.sign(tag, ...parts)
    },
  }
}

function quietPorts(): Omit<ChannelPorts, 'send' | 'publish'> {
  return {
    judge: () => ({ payMicro: PRICE_MICRO }),
    paid: () => undefined,
    earned: () => undefined,
    claimRefused: () => undefined,
    wouldApply: () => false,
    payerSeqSeen: () => 0n,
    settledSequence: () => 0n,
    finalSequence: () => 0n,
    balanceInSnapshotMicro: () => LIMIT_MICRO,
    creditLineMicro: () => 0n,
  }
}

import assert from 'node:assert/strict'
import { concatBytes, equalBytes } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { CONTEXT, decodePacket, packetContext } from '@nexus/framing'
import { SessionError, type Stream, type StreamEvent } from '@nexus/session'
import { describe, test } from 'vitest'
import { bodyOf, CALM, type Conditions, type Peer, World } from './world.ts'

const crypto = await nodeCrypto()
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 2)
const LOSSY: Conditions = { lossRatio: 0.1, duplicateRatio: 0.05, delayMsMin: 20, delayMsMax: 120 }

/** An application that writes all of `data` and then closes its side, and keeps what it reads. */
class Talker {
  readonly peer: Peer
  readonly read: Uint8Array[] = []
  readonly kinds: string[] = []
  stream: Stream | undefined
  reads = true
  #data: Uint8Array
  #at = 0

  constructor(peer: Peer, data: Uint8Array) {
    this.peer = peer
    this.#data = data
    peer.onStream = (event) => this.on(event)
  }

  get all(): Uint8Array {
    return concatBytes(...this.read)
  }

  open(to: Peer): Stream {
    this.stream = this.peer.messenger.openStream(this.peer.world.nowMs, to.identity.nodeId)
    this.write()
    return this.stream
  }

  write(): void {
    const { nowMs } = this.peer.world
    const part = this.#data.subarray(this.#at)
    this.#at += this.stream!.write(nowMs, part)
    if (this.#at === this.#data.length) this.stream!.close(nowMs)
  }

  drain(): void {
    for (;;) {
      const bytes = this.stream!.read(this.peer.world.nowMs)
      if (bytes.length === 0) return
      this.read.push(bytes)
    }
  }

  on({ kind, stream }: StreamEvent): void {
    this.kinds.push(kind)
    if (kind === 'incoming') {
      this.stream = stream
      this.write()
    }
    if (kind === 'writable') this.write()
    if (kind === 'readable' && this.reads) this.drain()
  }
}

function pair(seed: number | string, conditions: Conditions, here: Uint8Array, there: Uint8Array, limits = {}) {
  const world = new World(crypto, seed, conditions)
  const [alice, bob] = [world.peer(limits), world.peer(limits)]
  return { world, alice, bob, a: new Talker(alice, here), b: new Talker(bob, there) }
}

const NONE = new Uint8Array(0)

describe('a stream', () => {
  test('carries both directions, ends in order and is forgotten', () => {
    const { world, alice, bob, a, b } = pair(1, CALM, bodyOf(1, 50_000), bodyOf(2, 70_000))
    const stream = a.open(bob)
    assert.equal(stream.state, 'opening')
    world.runFor(10_000)
    assert.ok(equalBytes(b.all, bodyOf(1, 50_000)))
    assert.ok(equalBytes(a.all, bodyOf(2, 70_000)))
    assert.equal(a.stream!.end, 'finished')
    assert.equal(b.stream!.end, 'finished')
    assert.ok(equalBytes(b.stream!.peer.nodeId, alice.identity.nodeId))
    assert.equal(a.kinds[0], 'open')
    assert.equal(b.kinds[0], 'incoming')
    assert.equal(alice.messenger.stats().streams + bob.messenger.stats().streams, 0)
  })

  test('carries nothing and still ends', () => {
    const { world, a, b, bob } = pair(2, CALM, NONE, NONE)
    a.open(bob)
    world.runFor(10_000)
    assert.equal(a.stream!.end, 'finished')
    assert.equal(b.stream!.end, 'finished')
  })

  test('of 1 MB arrives intact at 10 % loss, with duplicates and out of order', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const data = bodyOf(seed, 1024 * 1024)
      const { world, a, b, bob } = pair(`megabyte ${seed}`, LOSSY, data, bodyOf(9, 1_000))
      a.open(bob)
      world.runFor(3_600_000)
      assert.ok(equalBytes(b.all, data), `seed ${seed}`)
      assert.ok(equalBytes(a.all, bodyOf(9, 1_000)), `seed ${seed}`)
      assert.equal(a.stream!.end, 'finished')
    }
  })

  test('a reader that does not read stops the writer at one buffer, and nothing is lost', () => {
    const limits = { streamBufferBytes: 32 * 1024 }
    const data = bodyOf(3, 200_000)
    const { world, a, b, bob } = pair(3, CALM, data, NONE, limits)
    b.reads = false
    a.open(bob)
    world.runFor(60_000)
    assert.equal(b.stream!.readableBytes, 32 * 1024)
    assert.ok(a.stream!.writableBytes < 16 * 1024)
    const before = world.packets
    world.runFor(600_000)
    assert.ok(world.packets - before < 20, 'a stopped stream is quiet')
    b.reads = true
    b.drain()
    world.runFor(60_000)
    assert.ok(equalBytes(b.all, data))
  })

  test.each(['sent', 'no-route'] as const)('news of room that is lost (%s) is told again', (fate) => {
    const data = bodyOf(3, 100_000)
    const { world, a, b, bob } = pair(31, CALM, data, NONE, { streamBufferBytes: 32 * 1024 })
    b.reads = false
    a.open(bob)
    world.runFor(60_000)
    let dropped = 0
    bob.answer = () => (dropped++ === 0 ? fate : undefined)
    b.reads = true
    b.drain()
    assert.equal(dropped, 1)
    world.runFor(60_000)
    assert.ok(equalBytes(b.all, data))
  })

  test('both ends open at once: two streams', () => {
    const world = new World(crypto, 4)
    const [alice, bob] = [world.peer(), world.peer()]
    const streams: Stream[] = []
    for (const peer of [alice, bob]) {
      peer.onStream = ({ kind, stream }) => {
        if (kind === 'incoming') streams.push(stream)
      }
    }
    const fromAlice = alice.messenger.openStream(world.nowMs, bob.identity.nodeId)
    const fromBob = bob.messenger.openStream(world.nowMs, alice.identity.nodeId)
    fromAlice.write(world.nowMs, bodyOf(1, 10))
    fromBob.write(world.nowMs, bodyOf(2, 10))
    world.runFor(2_000)
    assert.equal(streams.length, 2)
    assert.deepEqual(
      streams.map((stream) => stream.read(world.nowMs)),
      [bodyOf(1, 10), bodyOf(2, 10)],
    )
  })

  test('a reset tells the peer its code at once', () => {
    const { world, a, b, bob } = pair(5, CALM, bodyOf(1, 400_000), NONE)
    b.reads = false
    a.open(bob)
    world.runFor(1_000)
    b.stream!.reset(world.nowMs, 7)
    world.runFor(1_000)
    assert.equal(a.stream!.end, 'reset')
    assert.equal(a.stream!.resetCode, 7)
    assert.equal(a.stream!.write(world.nowMs, bodyOf(1, 10)), 0)
  })

  test('a reset that is lost is repeated to a peer that goes on', () => {
    const { world, a, b, bob } = pair(6, CALM, bodyOf(1, 200_000), NONE)
    a.open(bob)
    world.runFor(200)
    bob.answer = () => 'sent'
    b.stream!.reset(world.nowMs, 9)
    bob.answer = undefined
    world.runFor(5_000)
    assert.equal(a.stream!.resetCode, 9)
  })

  test('ends say why: unreachable, timeout, no route, idle', () => {
    const endOf = (seed: number, act: (world: World, alice: Peer, bob: Peer, a: Talker) => void, waitMs: number) => {
      const { world, alice, bob, a } = pair(seed, CALM, bodyOf(1, 400_000), NONE, { streamIdleMs: 600_000 })
      const stream = a.open(bob)
      act(world, alice, bob, a)
      world.runFor(waitMs)
      assert.equal(alice.messenger.stats().streams, 0)
      return stream.end
    }
    assert.equal(
      endOf(7, (_world, _alice, bob) => (bob.answer = () => 'sent'), 7_200_000),
      'unreachable',
    )
    const dieAfter = (how: 'sent' | 'no-route') => (world: World, alice: Peer, bob: Peer) => {
      world.runFor(100)
      alice.answer = () => how
      bob.answer = () => how
    }
    assert.equal(endOf(8, dieAfter('sent'), 599_000), 'timeout')
    assert.equal(endOf(9, dieAfter('no-route'), 599_000), 'no-route')
    const { world, alice, bob } = pair(10, CALM, NONE, NONE, { streamIdleMs: 600_000 })
    bob.onStream = () => {}
    const idle = alice.messenger.openStream(world.nowMs, bob.identity.nodeId)
    world.runFor(1_200_000)
    assert.equal(idle.end, 'idle')
    assert.equal(bob.messenger.stats().streams, 0)
  })

  test('works on a path of 5 bit/s, where a packet takes a quarter of an hour', () => {
    const slow: Conditions = { lossRatio: 0, duplicateRatio: 0, delayMsMin: 800_000, delayMsMax: 800_000 }
    const { world, a, b, bob } = pair(11, slow, bodyOf(1, 2_000), bodyOf(2, 10), { streamIdleMs: 24 * 3_600_000 })
    world.roundTripMs = 2_000_000
    a.open(bob)
    world.runFor(48 * 3_600_000)
    assert.ok(equalBytes(b.all, bodyOf(1, 2_000)))
    assert.equal(a.stream!.end, 'finished')
    assert.ok(world.packets < 200, `${world.packets} packets`)
  })

  test('survives a path that comes and goes', () => {
    const data = bodyOf(12, 300_000)
    const { world, a, b, bob } = pair(12, LOSSY, data, NONE)
    a.open(bob)
    for (let outage = 0; outage < 5; outage++) {
      world.runFor(3_000)
      bob.online = false
      world.runFor(4_000)
      bob.online = true
    }
    world.runFor(600_000)
    assert.ok(equalBytes(b.all, data))
  })
})

describe('hostile streams', () => {
  test('replayed, flipped and cut packets change nothing', () => {
    const data = bodyOf(20, 60_000)
    const { world, alice, bob, a, b } = pair(20, CALM, data, NONE)
    const seen: Uint8Array[] = []
    alice.answer = (packet) => {
      seen.push(packet.slice())
      const old = seen[Math.floor(world.chance() * seen.length)]!
      world.carry(alice, bob.identity.nodeId, old)
      const bent = packet.slice()
      bent[19 + Math.floor(world.chance() * (bent.length - 19))]! ^= 1 << Math.floor(world.chance() * 8)
      world.carry(alice, bob.identity.nodeId, bent)
      world.carry(
        alice,
        bob.identity.nodeId,
        packet.subarray(0, 19 + Math.floor(world.chance() * (packet.length - 19))),
      )
      return undefined
    }
    a.open(bob)
    world.runFor(200)
    for (const packet of seen.slice(0, 20).filter((packet) => packetContext(packet) === CONTEXT.STREAM)) {
      assert.equal(bob.messenger.receivePacket(world.nowMs, decodePacket(packet)), 'unreadable')
    }
    world.runFor(60_000)
    assert.ok(equalBytes(b.all, data))
    assert.equal(b.kinds.filter((kind) => kind === 'incoming').length, 1)
  })

  test('strangers open no streams, and floods of handshakes are bounded', () => {
    const world = new World(crypto, 21)
    const bob = world.peer({ streamsMax: 20, streamsHalfOpenMax: 8, streamsPerPeerMax: 4 })
    const alice = world.peer({ streamsPerPeerMax: 10 })
    for (let index = 0; index < 10; index++) alice.messenger.openStream(world.nowMs, bob.identity.nodeId)
    assert.ok(world.packets >= 8)
    world.runFor(50)
    assert.equal(bob.messenger.stats().streams, 4)
    const mallory = world.peer()
    bob.keys = new Map([[alice.name, alice.identity.publicKey]])
    const refused = mallory.messenger.openStream(world.nowMs, bob.identity.nodeId)
    world.runFor(7_200_000)
    assert.equal(refused.end, 'unreachable')
    assert.equal(bob.messenger.stats().streams, 0)
  })

  test('a session id that is taken is not answered, and the initiator takes another one', () => {
    const world = new World(crypto, 24)
    const [alice, bob, carol] = [world.peer(), world.peer(), world.peer()]
    const handshakes: Uint8Array[] = []
    let answers = 0
    bob.answer = () => {
      answers++
      return undefined
    }
    for (const peer of [alice, carol]) {
      peer.answer = (packet) => {
        handshakes.push(packet.slice())
        return 'sent'
      }
      peer.messenger.openStream(world.nowMs, bob.identity.nodeId)
    }
    const [first, second] = handshakes as [Uint8Array, Uint8Array]
    second.set(first.subarray(19, 23), 19)
    assert.equal(bob.messenger.receivePacket(world.nowMs, decodePacket(first)), 'handshake')
    assert.equal(bob.messenger.receivePacket(world.nowMs, decodePacket(second)), 'unreadable')
    assert.equal(answers, 1)
    alice.answer = undefined
    const ids = new Set<string>()
    carol.answer = (packet) => {
      ids.add(packet.subarray(19, 23).join())
      return 'sent'
    }
    world.runFor(600_000)
    assert.equal(ids.size, 3)
  })

  test('a recorded handshake opens no stream to the application', () => {
    const { world, alice, bob, a, b } = pair(22, CALM, bodyOf(1, 100), NONE)
    const first: Uint8Array[] = []
    alice.answer = (packet) => {
      if (packetContext(packet) === CONTEXT.HANDSHAKE) first.push(packet.slice())
      return undefined
    }
    a.open(bob)
    world.runFor(60_000)
    assert.equal(a.stream!.end, 'finished')
    const opened = b.kinds.length
    for (let repeat = 0; repeat < 100; repeat++) world.carry(alice, bob.identity.nodeId, first[0]!)
    world.runFor(5_000)
    assert.equal(bob.messenger.stats().streams, 1)
    assert.equal(b.kinds.length, opened)
  })

  test('opening is refused with a reason', () => {
    const world = new World(crypto, 23)
    const alice = world.peer({ streamsMax: 2 })
    const bob = world.peer()
    const code = (act: () => unknown) => {
      try {
        act()
      } catch (error) {
        if (error instanceof SessionError) return error.detail.code
        throw error
      }
      return undefined
    }
    const open = (nodeId: Uint8Array) => code(() => alice.messenger.openStream(world.nowMs, nodeId))
    assert.equal(open(new Uint8Array(16)), 'session/no-key')
    assert.equal(open(bob.identity.nodeId), undefined)
    assert.equal(open(bob.identity.nodeId), undefined)
    assert.equal(open(bob.identity.nodeId), 'session/streams-full')
  })
})

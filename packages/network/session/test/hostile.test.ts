import assert from 'node:assert/strict'
import { portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { CONTEXT, decodePacket } from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import {
  encodeFragment,
  encodeReceipt,
  MODE,
  messageDigest,
  openBox,
  type Received,
  STATUS,
  sealBox,
  signContent,
} from '@nexus/session'
import { describe, test } from 'vitest'
import { bodyOf, type Peer, World } from './world.ts'

const crypto = await nodeCrypto()
const NO_DIGEST = new Uint8Array(16)
const NO_BITMAP = new Uint8Array(0)

/** One who signs and seals whatever it likes. */
class Mallory {
  readonly identity
  readonly world: World

  constructor(world: World) {
    this.world = world
    this.identity = createIdentity(crypto, world.random(32))
  }

  content(
    to: Peer,
    mode: 1 | 2,
    id: bigint,
    body: Uint8Array,
    context: number = CONTEXT.SEALED,
    claims?: Uint8Array,
  ): Received {
    const ephemeral = crypto.ephemeralKey(this.world.random)
    const plaintext = signContent(crypto, this.identity, { mode, id, body }, to.identity.nodeId, ephemeral.publicKey)
    if (claims !== undefined) plaintext.set(claims, 1)
    const { agreementKey, nodeId } = to.identity
    const data = sealBox(crypto, ephemeral, agreementKey, nodeId, context, plaintext)
    return to.messenger.receivePacket(this.world.nowMs, { destination: nodeId, context, data })
  }
}

describe('forgery', () => {
  test('only a receipt of the destination, for this message, counts', () => {
    const world = new World(crypto, 1)
    const [alice, bob] = [world.peer(), world.peer()]
    const mallory = new Mallory(world)
    bob.answer = () => 'sent'
    const id = alice.send(bob, bodyOf(1, 40))!
    const digest = messageDigest(crypto, alice.identity.publicKey, id, bodyOf(1, 40))
    const receipt = encodeReceipt({ id, digest, status: STATUS.stored, bitmap: NO_BITMAP })
    assert.equal(mallory.content(alice, MODE.receipt, 9n, receipt), 'stale-receipt')
    assert.equal(mallory.content(alice, MODE.receipt, 9n, receipt, CONTEXT.SEALED, bob.identity.publicKey), 'forged')
    // A message whose body looks like a receipt is a message.
    assert.equal(mallory.content(alice, MODE.signed, 10n, receipt), 'message')
    for (const wrong of [NO_DIGEST, digest.map((byte) => byte ^ 1)]) {
      const bad = encodeReceipt({ id, digest: wrong, status: STATUS.stored, bitmap: NO_BITMAP })
      const ephemeral = crypto.ephemeralKey(world.random)
      const content = { mode: MODE.receipt, id: 5n, body: bad }
      const plaintext = signContent(crypto, bob.identity, content, alice.identity.nodeId, ephemeral.publicKey)
      const { agreementKey, nodeId } = alice.identity
      const data = sealBox(crypto, ephemeral, agreementKey, nodeId, CONTEXT.SEALED, plaintext)
      const received = alice.messenger.receivePacket(world.nowMs, {
        destination: nodeId,
        context: CONTEXT.SEALED,
        data,
      })
      assert.equal(received, 'stale-receipt')
    }
    assert.equal(alice.state(id), 'sent')
  })

  test('a captured packet opens nothing elsewhere: other context, other recipient, any bit', () => {
    const world = new World(crypto, 2)
    const [alice, bob, carol] = [world.peer(), world.peer(), world.peer()]
    let captured!: Uint8Array
    alice.answer = (packet) => {
      captured = packet.slice()
      return 'sent'
    }
    alice.send(bob, bodyOf(1, 40))
    const { data } = decodePacket(captured)
    const receive = (peer: Peer, context: number, bytes: Uint8Array) =>
      peer.messenger.receivePacket(world.nowMs, { destination: peer.identity.nodeId, context, data: bytes })
    assert.equal(receive(bob, CONTEXT.FRAGMENT, data), 'unreadable')
    assert.equal(receive(bob, CONTEXT.STREAM, data), 'unreadable')
    assert.equal(receive(carol, CONTEXT.SEALED, data), 'unreadable')
    const wrong = { destination: carol.identity.nodeId, context: CONTEXT.SEALED, data }
    assert.equal(bob.messenger.receivePacket(world.nowMs, wrong), 'not-ours')
    for (let bit = 0; bit < data.length * 8; bit += 3) {
      const bent = data.slice()
      bent[bit >> 3]! ^= 1 << (bit & 7)
      assert.notEqual(receive(bob, CONTEXT.SEALED, bent), 'message', `bit ${bit}`)
    }
    for (let length = 0; length < data.length; length++) {
      assert.equal(receive(bob, CONTEXT.SEALED, data.subarray(0, length)), 'unreadable')
    }
    assert.equal(receive(bob, CONTEXT.SEALED, data), 'message')
    for (let repeat = 0; repeat < 50; repeat++) assert.equal(receive(bob, CONTEXT.SEALED, data), 'repeated')
    assert.equal(bob.shown.length, 1)
  })

  test('who opened a message cannot seal it again for another', () => {
    const world = new World(crypto, 3)
    const [alice, bob, carol] = [world.peer(), world.peer(), world.peer()]
    const ephemeral = crypto.ephemeralKey(world.random)
    const content = { mode: MODE.signed, id: 7n, body: bodyOf(1, 40) }
    const plaintext = signContent(crypto, alice.identity, content, bob.identity.nodeId, ephemeral.publicKey)
    for (const [peer, key] of [
      [carol, ephemeral],
      [bob, crypto.ephemeralKey(world.random)],
    ] as const) {
      const { agreementKey, nodeId } = peer.identity
      const data = sealBox(crypto, key, agreementKey, nodeId, CONTEXT.SEALED, plaintext)
      assert.equal(peer.messenger.receivePacket(0, { destination: nodeId, context: CONTEXT.SEALED, data }), 'forged')
    }
  })

  test('an ephemeral key of small order is unreadable', () => {
    const world = new World(crypto, 4)
    const bob = world.peer()
    const destination = bob.identity.nodeId
    assert.equal(
      bob.messenger.receivePacket(0, { destination, context: CONTEXT.SEALED, data: new Uint8Array(200) }),
      'unreadable',
    )
  })

  test('an anonymous box is shown once', () => {
    const world = new World(crypto, 5)
    const [alice, bob] = [world.peer(), world.peer()]
    let captured!: Uint8Array
    alice.answer = (packet) => {
      captured = packet.slice()
      return undefined
    }
    alice.send(bob, bodyOf(1, 40), { anonymous: true })
    world.runFor(1_000)
    assert.equal(bob.messenger.receivePacket(world.nowMs, decodePacket(captured)), 'repeated')
    bob.restart()
    assert.equal(bob.messenger.receivePacket(world.nowMs, decodePacket(captured)), 'repeated')
    assert.equal(bob.shown.length, 1)
  })
})

describe('windows', () => {
  test('an id below the window is too old; in it, it is answered with what was stored', () => {
    const world = new World(crypto, 6)
    const bob = world.peer({}, true)
    const mallory = new Mallory(world)
    for (let id = 2n; id <= 1_026n; id++) mallory.content(bob, MODE.signed, id, bodyOf(Number(id), 8))
    assert.equal(bob.shown.length, 1_025)
    const answers: bigint[] = []
    bob.answer = () => {
      answers.push(1n)
      return 'sent'
    }
    assert.equal(mallory.content(bob, MODE.signed, 2n, bodyOf(2, 8)), 'repeated')
    assert.equal(mallory.content(bob, MODE.signed, 1n, bodyOf(1, 8)), 'repeated')
    assert.equal(mallory.content(bob, MODE.signed, 3n, bodyOf(3, 8)), 'repeated')
    bob.restart()
    for (let id = 1n; id <= 1_026n; id += 64n) {
      assert.equal(mallory.content(bob, MODE.signed, id, bodyOf(Number(id), 8)), 'repeated')
    }
    assert.equal(bob.shown.length, 1_025)
    assert.equal(mallory.content(bob, MODE.signed, 5_000n, bodyOf(5_000, 8)), 'message')
  })

  test('a message under an id that was used before is sent again under a new one', () => {
    const world = new World(crypto, 7)
    const [alice, bob] = [world.peer(), world.peer()]
    const first = alice.send(bob, bodyOf(1, 20))!
    world.runFor(5_000)
    assert.equal(alice.state(first), 'delivered')
    // A backup from before the message is restored: the counter starts anew.
    for (const [key] of [...alice.store.entries('')]) alice.store.kept.delete(key)
    alice.restart()
    const again = alice.send(bob, bodyOf(2, 20))!
    assert.equal(again, first)
    const long = alice.send(bob, bodyOf(3, 700))!
    world.runFor(60_000)
    assert.equal(alice.state(again), 'delivered')
    assert.equal(alice.state(long), 'delivered')
    assert.equal(bob.shown.length, 3)
  })

  test('a dropped window leaves a floor: old ids stay old, also after a restart, and an honest sender gets through', () => {
    const world = new World(crypto, 8)
    const bob = world.peer({ sendersMax: 8, senderIdleMs: 1_000 }, true)
    bob.keys = new Map()
    const early = new Mallory(world)
    assert.equal(early.content(bob, MODE.signed, 900n, bodyOf(1, 8)), 'message')
    for (let sender = 0; sender < 30; sender++) {
      world.nowMs += 2_000
      assert.equal(new Mallory(world).content(bob, MODE.signed, 1n, bodyOf(100 + sender, 8)), 'message')
    }
    assert.equal(bob.messenger.stats().senders, 8)
    for (let restart = 0; restart < 2; restart++) {
      assert.equal(early.content(bob, MODE.signed, 900n, bodyOf(1, 8)), 'repeated')
      assert.equal(early.content(bob, MODE.signed, 3n, bodyOf(1, 8)), 'repeated')
      bob.restart()
    }
    world.nowMs += 2_000
    assert.equal(early.content(bob, MODE.signed, 901n, bodyOf(2, 8)), 'message')
    assert.equal(bob.shown.length, 32)
  })

  test('a full table refuses newcomers rather than forget a busy sender or a contact', () => {
    const world = new World(crypto, 9)
    const bob = world.peer({ sendersMax: 4, senderIdleMs: 10_000 }, true)
    const contacts = Array.from({ length: 4 }, () => new Mallory(world))
    bob.keys = new Map()
    for (const contact of contacts) {
      assert.equal(contact.content(bob, MODE.signed, 1n, bodyOf(1, 8)), 'message')
      bob.keys.set(Buffer.from(contact.identity.nodeId).toString('hex'), contact.identity.publicKey)
    }
    const stranger = new Mallory(world)
    assert.equal(stranger.content(bob, MODE.signed, 1n, bodyOf(2, 8)), 'refused')
    world.nowMs += 20_000
    assert.equal(stranger.content(bob, MODE.signed, 1n, bodyOf(2, 8)), 'refused')
    bob.keys.clear()
    assert.equal(stranger.content(bob, MODE.signed, 1n, bodyOf(2, 8)), 'message')
  })

  test('an outbox message whose id fell behind is renewed while it cannot have been shown, and fails otherwise', () => {
    const world = new World(crypto, 10)
    const [alice, bob] = [world.peer(), world.peer()]
    const answerTooOld = (id: bigint) => {
      const ephemeral = crypto.ephemeralKey(world.random)
      const body = encodeReceipt({ id, digest: NO_DIGEST, status: STATUS.tooOld, bitmap: NO_BITMAP })
      const content = { mode: MODE.receipt, id: 1n, body }
      const plaintext = signContent(crypto, bob.identity, content, alice.identity.nodeId, ephemeral.publicKey)
      const { agreementKey, nodeId } = alice.identity
      const data = sealBox(crypto, ephemeral, agreementKey, nodeId, CONTEXT.SEALED, plaintext)
      return alice.messenger.receivePacket(world.nowMs, { destination: nodeId, context: CONTEXT.SEALED, data })
    }
    alice.answer = () => 'sent'
    const once = alice.send(bob, bodyOf(1, 20))!
    assert.equal(answerTooOld(once), 'receipt')
    assert.equal(alice.state(once), 'sent')
    assert.equal(answerTooOld(once), 'stale-receipt')
    const twice = alice.send(bob, bodyOf(2, 20))!
    world.runFor(30_000)
    assert.equal(answerTooOld(twice), 'receipt')
    assert.equal(alice.state(twice), 'failed:too-old')
    alice.answer = undefined
    world.runFor(600_000)
    assert.equal(alice.state(once), 'delivered')
    assert.equal(bob.shown.length, 1)
  })
})

describe('floods', () => {
  test('of fragments: what is half-received is bounded per sender, in number and in bytes', () => {
    const world = new World(crypto, 11)
    const limits = {
      reassembliesMax: 6,
      reassembliesPerSenderMax: 2,
      reassemblyBytesMax: 20_000,
      reassemblyIdleMs: 60_000,
    }
    const bob = world.peer(limits, true)
    const part = new Uint8Array(310)
    for (let sender = 0; sender < 8; sender++) {
      const mallory = new Mallory(world)
      for (let id = 1n; id <= 4n; id++) {
        for (let index = 0; index < 15; index++) {
          mallory.content(bob, MODE.signed, id, encodeFragment({ index, last: 211, part }), CONTEXT.FRAGMENT)
        }
      }
      const { reassemblies, reassemblyBytes } = bob.messenger.stats()
      assert.ok(reassemblies <= Math.min(6, 2 * (sender + 1)))
      assert.ok(reassemblyBytes <= 20_000)
    }
    assert.equal(bob.shown.length, 0)
    world.runFor(120_000)
    assert.equal(bob.messenger.stats().reassemblyBytes, 0)
    assert.equal(bob.messenger.stats().reassemblies, 0)
  })

  test('of games with index and last: the first form of a message stands, and nothing wrong is shown', () => {
    const world = new World(crypto, 12)
    const bob = world.peer({}, true)
    const mallory = new Mallory(world)
    const part = new Uint8Array(310)
    const add = (index: number, last: number, bytes = part, id = 1n) => {
      const body = Uint8Array.of(index, last, ...bytes)
      return mallory.content(bob, MODE.signed, id, body, CONTEXT.FRAGMENT)
    }
    assert.equal(add(0, 2), 'fragment')
    assert.equal(add(1, 1), 'refused')
    assert.equal(add(1, 211), 'refused')
    assert.equal(add(3, 2), 'unreadable')
    assert.equal(add(1, 0), 'unreadable')
    assert.equal(add(0, 0), 'unreadable')
    assert.equal(add(255, 255), 'unreadable')
    assert.equal(add(212, 212), 'unreadable')
    assert.equal(add(0, 212), 'unreadable')
    assert.equal(add(0, 2, part.subarray(1)), 'unreadable')
    assert.equal(add(2, 2, new Uint8Array(0)), 'unreadable')
    assert.equal(add(1, 1, new Uint8Array(2), 2n), 'unreadable')
    assert.equal(add(211, 211, new Uint8Array(127), 3n), 'unreadable')
    assert.equal(mallory.content(bob, MODE.receipt, 9n, Uint8Array.of(0, 2, ...part), CONTEXT.FRAGMENT), 'unreadable')
    assert.equal(bob.shown.length, 0)
    assert.equal(add(2, 2, new Uint8Array(5)), 'fragment')
    assert.equal(
      add(
        0,
        2,
        part.map(() => 9),
      ),
      'fragment',
    )
    assert.equal(add(1, 2), 'message')
    assert.deepEqual(bob.shown[0]?.body, new Uint8Array(625))
    assert.equal(add(1, 2), 'repeated')
  })

  test('of senders: windows, receipts and the inbox stay within their limits', () => {
    const world = new World(crypto, 13)
    const limits = {
      sendersMax: 16,
      senderIdleMs: 0,
      inboxMessagesMax: 20,
      receiptSendersMax: 10,
      receiptsPerSenderMax: 3,
    }
    const bob = world.peer(limits, true)
    bob.keys = new Map()
    bob.takes = false
    for (let sender = 0; sender < 60; sender++) {
      const mallory = new Mallory(world)
      for (let id = 1n; id <= 6n; id++) mallory.content(bob, MODE.signed, id, bodyOf(sender * 10 + Number(id), 8))
      const stats = bob.messenger.stats()
      assert.ok(stats.senders <= 16)
      assert.ok(stats.inboxMessages <= 20)
      assert.ok(stats.receiptLanes <= 10)
    }
    // Strangers leave half of the room to contacts.
    assert.equal(bob.messenger.stats().inboxMessages, 10)
    const carol = world.peer()
    bob.keys.set(carol.name, carol.identity.publicKey)
    const id = carol.send(bob, bodyOf(9_999, 8))!
    world.runFor(10_000)
    assert.equal(carol.state(id), 'delivered')
  })

  test('of bitmaps: a receiver that keeps changing its mind does not keep us sending', () => {
    const world = new World(crypto, 14)
    const [alice, bob] = [world.peer(), world.peer()]
    let sent = 0
    alice.answer = () => {
      sent++
      return 'sent'
    }
    const id = alice.send(bob, bodyOf(1, 65_536))!
    for (let round = 0; round < 500; round++) {
      const bitmap = new Uint8Array(27)
      if (round % 2 === 0) bitmap.fill(255, 0, 20)
      const ephemeral = crypto.ephemeralKey(world.random)
      const body = encodeReceipt({ id, digest: NO_DIGEST, status: STATUS.fragments, bitmap })
      const content = { mode: MODE.receipt, id: BigInt(round + 1), body }
      const plaintext = signContent(crypto, bob.identity, content, alice.identity.nodeId, ephemeral.publicKey)
      const { agreementKey, nodeId } = alice.identity
      const data = sealBox(crypto, ephemeral, agreementKey, nodeId, CONTEXT.SEALED, plaintext)
      alice.messenger.receivePacket(world.nowMs, { destination: nodeId, context: CONTEXT.SEALED, data })
    }
    assert.ok(sent < 700, `${sent} packets for 500 bitmaps`)
  })
})

test('both crypto providers read each other', () => {
  const world = new World(crypto, 15)
  const other = portable()
  const seed = world.random(32)
  const [here, there] = [createIdentity(crypto, seed), createIdentity(other, seed)]
  for (const [seals, opens] of [
    [crypto, there],
    [other, here],
  ] as const) {
    const ephemeral = seals.ephemeralKey(world.random)
    const data = sealBox(seals, ephemeral, opens.agreementKey, opens.nodeId, CONTEXT.SEALED, bodyOf(1, 417))
    const opened = openBox(seals === crypto ? other : crypto, opens, CONTEXT.SEALED, data)
    assert.deepEqual(opened, { ephemeral: ephemeral.publicKey, plaintext: bodyOf(1, 417) })
  }
})

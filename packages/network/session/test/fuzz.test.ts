import assert from 'node:assert/strict'
import { fuzzCases } from '@nexus/codec/testing'
import { nodeCrypto } from '@nexus/crypto/node'
import { CONTEXT } from '@nexus/framing'
import { MODE, sealBox, signContent } from '@nexus/session'
import { expect, test } from 'vitest'
import { bodyOf, World } from './world.ts'

const crypto = await nodeCrypto()
const FUZZ = fuzzCases(process.env)
const CONTEXTS = Object.values(CONTEXT)

test('receivePacket takes any bytes under any context without a throw or growth', () => {
  const world = new World(crypto, 'fuzz')
  const bob = world.peer({}, true)
  const before = bob.messenger.stats()
  for (let round = 0; round < FUZZ; round++) {
    const data = world.random(world.random(1)[0]! + (round % 2) * 210)
    const context = round % 5 === 0 ? world.random(1)[0]! : CONTEXTS[round % CONTEXTS.length]!
    const result = bob.messenger.receivePacket(world.nowMs, { destination: bob.identity.nodeId, context, data })
    expect(['unreadable', 'not-ours']).toContain(result)
  }
  const { received: _before, ...tablesBefore } = before
  const { received, ...tables } = bob.messenger.stats()
  assert.deepEqual(tables, tablesBefore)
  assert.equal(
    Object.values(received).reduce((sum, count) => sum + count),
    FUZZ,
  )
})

test('and any content that a peer may sign', () => {
  const world = new World(crypto, 'signed fuzz')
  const [bob, mallory] = [world.peer({ inboxMessagesMax: 40 }, true), world.peer()]
  const { agreementKey, nodeId } = bob.identity
  bob.answer = () => 'sent'
  const sent = bob.send(mallory, bodyOf(1, 700))!
  for (let round = 0; round < FUZZ / 20; round++) {
    const context = round % 2 === 0 ? CONTEXT.SEALED : CONTEXT.FRAGMENT
    const mode = round % 3 === 0 ? MODE.receipt : MODE.signed
    const body = world.random(round % 7 === 0 ? 312 : world.random(1)[0]!)
    // Often the head of something that could hold.
    if (round % 5 < 3) body.set(Uint8Array.of(round % 4, 1 + (round % 3), 0, 0).subarray(0, body.length))
    if (mode === MODE.receipt && body.length >= 25) {
      new DataView(body.buffer).setBigUint64(0, sent, true)
      body[24] = round % 5
    }
    const ephemeral = crypto.ephemeralKey(world.random)
    const id = BigInt(world.random(1)[0]!)
    const plaintext = signContent(crypto, mallory.identity, { mode, id, body }, nodeId, ephemeral.publicKey)
    const data = sealBox(crypto, ephemeral, agreementKey, nodeId, context, plaintext)
    bob.messenger.receivePacket(world.nowMs, { destination: nodeId, context, data })
    if (round % 50 === 0) world.runFor(500)
  }
  const stats = bob.messenger.stats()
  assert.ok(stats.reassemblies <= 2 && stats.senders === 1 && stats.receiptLanes <= 1)
  assert.notEqual(bob.state(sent), 'delivered')
})

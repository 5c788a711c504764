import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { vectorsOf } from '@nexus/codec/testing'
import { type Crypto, portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { packetData } from '@nexus/framing'
import { createIdentity, type Identity, nodeIdOf } from '@nexus/identity'
import {
  decodeContent,
  decodeFragment,
  decodeHandshake,
  decodeReceipt,
  decodeSegment,
  encodeContent,
  encodeFragment,
  encodeHandshake,
  encodeReceipt,
  encodeSegment,
  messageDigest,
  openBox,
  SessionError,
  StreamCrypter,
  sealBox,
  verifyContent,
} from '@nexus/session'
import { describe, test } from 'vitest'
import { conclude, initiate, respond } from '../src/handshake.ts'

const folder = new URL('../../../../conformance-vectors/session/', import.meta.url)

const ops = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const casesOf = (op: string) => vectorsOf<any, any>(readFileSync(new URL(`${op}.json`, folder), 'utf8'), op)

/** What each operation makes of `in`, and `in` again of what it decodes, so that the file is checked both ways. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const operationsOf = (crypto: Crypto): Record<string, (given: any) => object | null> => ({
  'content.decode': ({ plaintext }) => {
    const content = decodeContent(fromHex(plaintext))
    assert.equal(toHex(encodeContent(content)), plaintext)
    if (content.mode === 0) return { mode: 0, body: toHex(content.body) }
    const { mode, sender, id, body, signature } = content
    return { mode, sender: toHex(sender), id: `${id}`, body: toHex(body), signature: toHex(signature) }
  },
  'receipt.decode': ({ body }) => {
    const receipt = decodeReceipt(fromHex(body))
    assert.equal(toHex(encodeReceipt(receipt)), body)
    const { bitmap, digest, id, status } = receipt
    return { id: `${id}`, digest: toHex(digest), status, bitmap: toHex(bitmap) }
  },
  'fragment.decode': ({ body }) => {
    const fragment = decodeFragment(fromHex(body))
    assert.equal(toHex(encodeFragment(fragment)), body)
    return { ...fragment, part: toHex(fragment.part) }
  },
  'handshake.decode': ({ data }) => {
    const packet = decodeHandshake(fromHex(data))
    assert.equal(toHex(encodeHandshake(packet)), data)
    return { ...packet, noise: toHex(packet.noise) }
  },
  'segment.decode': ({ plaintext }) => {
    const segment = decodeSegment(fromHex(plaintext))
    assert.equal(toHex(encodeSegment(segment)), plaintext)
    const { ack, chunk, ping, resetCode } = segment
    return {
      ack: ack === undefined ? null : { ...ack, ranges: ack.ranges.map(({ start, end }) => [start, end - 1]) },
      resetCode: resetCode ?? null,
      ping,
      chunk: chunk === undefined ? null : { ...chunk, bytes: toHex(chunk.bytes) },
    }
  },
  'sealedBox.seal': ({ ephemeralSecret, recipient, context, plaintext }) => {
    const publicKey = fromHex(recipient)
    const ephemeral = crypto.ephemeralKey(() => fromHex(ephemeralSecret))
    const nodeId = nodeIdOf(crypto, publicKey)
    const box = sealBox(crypto, ephemeral, crypto.toX25519Public(publicKey), nodeId, context, fromHex(plaintext))
    return { box: toHex(box) }
  },
  'sealedBox.open': ({ seed, context, box }) => {
    const identity = createIdentity(crypto, fromHex(seed))
    const opened = openBox(crypto, identity, context, fromHex(box))
    if (opened === undefined) return null
    const content = decodeContent(opened.plaintext)
    const valid = content.mode === 0 ? null : verifyContent(crypto, content, identity.nodeId, opened.ephemeral)
    return { ephemeral: toHex(opened.ephemeral), plaintext: toHex(opened.plaintext), valid }
  },
  'message.digest': ({ sender, id, body }) => ({
    digest: toHex(messageDigest(crypto, fromHex(sender), BigInt(id), fromHex(body))),
  }),
  'session.handshake': (given) => handshake(crypto, given),
  'streamPacket.seal': ({ key, destination, sessionId, counter, plaintext }) => {
    const [keys, nodeId] = [{ sendKey: fromHex(key), receiveKey: fromHex(key) }, fromHex(destination)]
    const data = packetData(
      new StreamCrypter(crypto, keys, sessionId, nodeId, nodeId).seal(counter, fromHex(plaintext)),
    )
    assert.equal(toHex(new StreamCrypter(crypto, keys, sessionId, nodeId, nodeId).open(data)!), plaintext)
    return { data: toHex(data) }
  },
})

function handshake(crypto: Crypto, given: Record<string, string> & { sessionId: number }): object {
  const ann: Identity = createIdentity(crypto, fromHex(given['initiatorSeed']!))
  const ben: Identity = createIdentity(crypto, fromHex(given['responderSeed']!))
  const { sessionId } = given
  const fixed = (hex: string) => () => fromHex(hex)
  const begun = initiate(crypto, ann, fixed(given['initiatorEphemeralSecret']!), ben)!
  const answered = respond(crypto, ben, fixed(given['responderEphemeralSecret']!), begun.message, () => true)!
  assert.deepEqual(answered.peer.publicKey, ann.publicKey)
  const keys = conclude(crypto, begun.handshake, answered.answer, ben.nodeId)!
  assert.deepEqual(keys.sendKey, answered.keys.receiveKey)
  return {
    first: toHex(encodeHandshake({ sessionId, step: 1, noise: begun.message })),
    second: toHex(encodeHandshake({ sessionId, step: 2, noise: answered.answer })),
    initiatorSendKey: toHex(keys.sendKey),
    responderSendKey: toHex(keys.receiveKey),
  }
}

describe.each([portable(), await nodeCrypto()])('vectors, $name', (crypto) => {
  const operations = operationsOf(crypto)

  test('every operation has a file', () => {
    assert.deepEqual(ops.toSorted(), Object.keys(operations).sort())
  })

  for (const op of ops) {
    test(op, () => {
      for (const { error, id, in: given, out } of casesOf(op)) {
        let result: object | null | string
        try {
          result = operations[op]!(given)
        } catch (thrown) {
          if (!(thrown instanceof SessionError)) throw thrown
          result = thrown.detail.code
        }
        assert.deepEqual(result, error ?? out, id)
      }
    })
  }
})

test('a handshake whose Ed25519 key does not map to the static key is refused by both sides', async () => {
  const crypto = await nodeCrypto()
  const [ann, ben, eve] = [1, 2, 3].map((fill) => createIdentity(crypto, new Uint8Array(32).fill(fill))) as Identity[]
  const random = (length: number) => new Uint8Array(length).fill(9)
  const lying = (identity: Identity, name: Identity): Identity => ({
    ...pick(identity),
    publicKey: name.publicKey,
    nodeId: identity.nodeId,
  })
  const fromLiar = initiate(crypto, lying(ann!, eve!), random, ben!)!
  assert.equal(
    respond(crypto, ben!, random, fromLiar.message, () => true),
    undefined,
  )
  const begun = initiate(crypto, ann!, random, ben!)!
  const byLiar = respond(crypto, lying(ben!, eve!), random, begun.message, () => true)!
  assert.equal(conclude(crypto, begun.handshake, byLiar.answer, ben!.nodeId), undefined)
  const honest = respond(crypto, ben!, random, begun.message, () => true)!
  assert.notEqual(conclude(crypto, begun.handshake, honest.answer, ben!.nodeId), undefined)
  assert.equal(
    respond(crypto, ben!, random, begun.message, () => false),
    undefined,
  )
  assert.equal(
    respond(crypto, eve!, random, begun.message, () => true),
    undefined,
  )
})

/** The parts of an identity, whose getters do not survive a spread. */
function pick(identity: Identity): Identity {
  return {
    nodeId: identity.nodeId,
    publicKey: identity.publicKey,
    agreementKey: identity.agreementKey,
    agreementSecret: identity.agreementSecret,
    sign: (tag, ...parts) => identity.sign(tag, ...parts),
    prove: (alpha) => identity.prove(alpha),
    agree: (theirs) => identity.agree(theirs),
  }
}

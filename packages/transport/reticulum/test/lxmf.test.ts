import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { expect, test } from 'vitest'
import { LXMF_LOOKUPS_MAX, Lxmf } from '../src/lxmf.ts'
import { lxmfAppData, packLxmf, readLxmfAppData, unpackLxmf, verifyLxmf } from '../src/lxmf-message.ts'
import { encodeMsgPack, Float64 } from '../src/msgpack.ts'
import type { Reticulum } from '../src/reticulum.ts'
import { cryptos } from './kit.ts'
import { World } from './virtual.ts'

const crypto = cryptos[1]!
const content = { timestamp: 1_767_225_600.5, title: encodeUtf8('t'), content: encodeUtf8('c'), fields: new Map() }

function client(world: World, node: Reticulum, displayName: string) {
  const identity = world.identity()
  const options = { node, crypto, identity, displayName, unixMs: () => 1_767_225_600_000, nowMs: () => world.nowMs }
  return { lxmf: new Lxmf(options), identity }
}

test('a message says what was packed; a changed one verifies no more', () => {
  const identity = new World(1).identity()
  const source = { identity, hash: new Uint8Array(16).fill(1) }
  const packed = packLxmf(crypto, source, new Uint8Array(16).fill(2), content)
  const message = unpackLxmf(crypto, packed)
  expect(message).toMatchObject({ ...content, source: source.hash, stamp: undefined })
  expect(verifyLxmf(message, identity)).toBe(true)
  const changed = packed.slice()
  changed[changed.length - 2]! ^= 1
  expect(verifyLxmf(unpackLxmf(crypto, changed), identity)).toBe(false)
})

test('a stamp is no part of the id', () => {
  const identity = new World(1).identity()
  const packed = packLxmf(crypto, { identity, hash: new Uint8Array(16) }, new Uint8Array(16), content)
  const { timestamp, title, content: text, fields } = content
  const stamped = [
    ...packed.subarray(0, 96),
    ...encodeMsgPack([new Float64(timestamp), title, text, fields, new Uint8Array(32)]),
  ]
  const message = unpackLxmf(crypto, Uint8Array.from(stamped))
  expect([message.id, message.stamp?.length]).toEqual([unpackLxmf(crypto, packed).id, 32])
  expect(verifyLxmf(message, identity)).toBe(true)
})

test('a signature is over the bytes that came, whatever form its sender gives to numbers', () => {
  const identity = new World(1).identity()
  const head = new Uint8Array(32)
  const items = concatBytes(
    ...[new Float64(1.5), content.title, content.content].map((item) => encodeMsgPack([item]).subarray(1)),
    // {1: 2.0, 2: 3 in two bytes}: whole as a float64, and longer than it need be.
    Uint8Array.of(0x82, 1, 0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0, 2, 0xcc, 3),
  )
  const payload = concatBytes(Uint8Array.of(0x94), items)
  const id = crypto.sha256(concatBytes(head, payload))
  const signed = concatBytes(head, identity.sign(concatBytes(head, payload, id)))
  const stamped = concatBytes(Uint8Array.of(0x95), items, encodeMsgPack(new Uint8Array(32)))
  for (const sent of [payload, stamped]) {
    const message = unpackLxmf(crypto, concatBytes(signed, sent))
    expect([message.id, message.fields]).toEqual([
      id,
      new Map([
        [1, 2],
        [2, 3],
      ]),
    ])
    expect(verifyLxmf(message, identity)).toBe(true)
  }
  const longList = concatBytes(Uint8Array.of(0xdc, 0, 5), stamped.subarray(1))
  expect(() => unpackLxmf(crypto, concatBytes(signed, longList))).toThrow('payload')
})

test('names in announces, of old clients and new', () => {
  expect(readLxmfAppData(lxmfAppData('näme'))).toEqual({ displayName: 'näme', stampCost: 0 })
  expect(readLxmfAppData(encodeUtf8('old client'))).toEqual({ displayName: 'old client', stampCost: 0 })
  expect(readLxmfAppData(encodeMsgPack([encodeUtf8('dear'), 8]))).toEqual({ displayName: 'dear', stampCost: 8 })
})

test('both methods deliver, each message is shown once, and who asks for a stamp gets none', async () => {
  const world = new World(3)
  const [a, b] = [world.node(), world.node()]
  world.wire(a, b, { delayMs: 5 })
  const [alice, bob] = [client(world, a, 'alice'), client(world, b, 'bob')]
  const got: [string, string, string][] = []
  bob.lxmf.messages.subscribe(({ content: text, method, signatureState }) => {
    got.push([new TextDecoder().decode(text).slice(0, 5), method, signatureState])
  })
  await world.until(alice.lxmf.send(bob.lxmf.hash, { content: 'short' }))
  await world.until(alice.lxmf.send(bob.lxmf.hash, { content: 'small' }, { method: 'direct' }))
  await world.until(alice.lxmf.send(bob.lxmf.hash, { content: 'x'.repeat(9_000) }))
  await world.pass(5_000)
  expect(got).toEqual([
    ['short', 'opportunistic', 'valid'],
    ['small', 'direct', 'valid'],
    ['xxxxx', 'direct', 'valid'],
  ])
  const known = await world.until(a.resolve(bob.lxmf.hash))
  const packed = packLxmf(crypto, { identity: alice.identity, hash: alice.lxmf.hash }, bob.lxmf.hash, content)
  for (let n = 0; n < 2; n++) await world.until(a.send(known, packed.subarray(16)).proved)
  await world.pass(5_000)
  expect(got).toHaveLength(4)
  const forged = packLxmf(crypto, { identity: world.identity(), hash: alice.lxmf.hash }, bob.lxmf.hash, content)
  await world.until(a.send(known, forged.subarray(16)).proved)
  await world.pass(5_000)
  expect(got.at(-1)?.[2]).toBe('forged')

  bob.lxmf.close()
  const dear = b.serve(bob.identity, 'lxmf.delivery', { appData: encodeMsgPack([encodeUtf8('dear'), 8]) })
  dear.announce()
  await world.pass(2_000)
  await expect(world.until(alice.lxmf.send(dear.hash, { content: 'hi' }))).rejects.toThrow('stamp')
})

test('messages of many unknown senders make no flood of path requests, and none of them is lost', async () => {
  const world = new World(4)
  const [a, b] = [world.node(), world.node()]
  world.wire(a, b)
  const bob = client(world, b, 'bob')
  let shown = 0
  bob.lxmf.messages.subscribe(({ signatureState }) => {
    if (signatureState === 'unknown') shown++
  })
  const known = await world.until(a.resolve(bob.lxmf.hash))
  const identity = world.identity()
  const [iface] = [...b.interfaces]
  const before = iface!.counts.framesOut
  const say = (n: number, source: number) => {
    const from = { identity, hash: new Uint8Array(16).fill(source) }
    a.send(known, packLxmf(crypto, from, bob.lxmf.hash, { ...content, timestamp: n + 0.5 }).subarray(16))
  }
  for (let n = 0; n < 100; n++) say(n, 7)
  await world.pass(20_000)
  // A proof each, and one search: at once, and again every three seconds.
  const requests = 6
  expect([shown, iface!.counts.framesOut - before <= 100 + requests]).toEqual([100, true])
  for (let n = 100; n < 200; n++) say(n, n)
  await world.pass(1_000)
  expect(shown).toBe(200 - LXMF_LOOKUPS_MAX)
  await world.pass(20_000)
  expect([shown, iface!.counts.framesOut - before <= 200 + requests * (1 + LXMF_LOOKUPS_MAX)]).toEqual([200, true])
})

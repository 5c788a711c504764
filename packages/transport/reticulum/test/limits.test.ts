import { describe, expect, test } from 'vitest'
import { Agenda } from '../src/agenda.ts'
import { announcePacket, announceRandomHash } from '../src/announce.ts'
import { bz2Decompress } from '../src/bz2-decode.ts'
import { bz2Compress } from '../src/bz2-encode.ts'
import { ExpiringMap } from '../src/expiring-map.ts'
import { FEED_ITEMS_MAX, Feed } from '../src/feed.ts'
import { ANNOUNCES_WAITING_MAX, NEW_ANNOUNCES_BURST, NEW_ANNOUNCES_PER_SECOND } from '../src/interface.ts'
import { KNOWN_MAX, KnownDestinations } from '../src/known.ts'
import { HEADER_TWO_ADDRESS_BYTES, LINK_MTU_BYTES_MAX, MTU_BYTES, PLAINTEXT_BYTES_MAX } from '../src/limits.ts'
import { linkMduBytes } from '../src/link-codec.ts'
import { destinationHash, nameHash } from '../src/name.ts'
import { encodePacket } from '../src/packet.ts'
import { RECEIPTS_MAX, Receipts } from '../src/receipts.ts'
import { ANNOUNCES_PASSED_ON_MAX } from '../src/relay.ts'
import { SEEN_MAX, Seen } from '../src/seen.ts'
import { tokenBytes } from '../src/token.ts'
import { cryptos } from './kit.ts'
import { seeded, World } from './virtual.ts'

const crypto = cryptos[1]!

/** An announce of an identity that nobody has heard of. */
function newAnnounce(world: World, second = 1_767_225_600): Uint8Array {
  const identity = world.identity()
  const name = nameHash(crypto, 'flood.node')
  const fields = {
    destination: destinationHash(crypto, name, identity.hash),
    nameHash: name,
    randomHash: announceRandomHash(world.random(5), second),
  }
  return encodePacket(announcePacket(identity, fields, 0))
}

test('limits fit each other', () => {
  expect(HEADER_TWO_ADDRESS_BYTES + 32 + tokenBytes(PLAINTEXT_BYTES_MAX)).toBeLessThanOrEqual(MTU_BYTES)
  expect(HEADER_TWO_ADDRESS_BYTES + 32 + tokenBytes(PLAINTEXT_BYTES_MAX + 1)).toBeGreaterThan(MTU_BYTES)
  expect(linkMduBytes(MTU_BYTES)).toBe(431)
  expect(LINK_MTU_BYTES_MAX).toBe(0x1fffff)
})

/** The long suite floods with 10 000. */
const FLOOD = process.env['NEXUS_SLOW'] ? 10_000 : 2_400

test('an announce flood stays within the tables and the rates', async () => {
  const world = new World(6)
  const node = world.transportNode()
  const out: number[] = []
  node.attach({ name: 'slow', bitrateBps: 10_000, send: (frame) => out.push(frame.length) > 0 })
  const hostile = node.attach({ name: 'hostile', bitrateBps: 10_000_000, send: () => true })
  const seconds = 2
  const flood = FLOOD
  for (let n = 0; n < flood; n++) {
    node.receive(hostile, newAnnounce(world))
    if (n % (flood / seconds) === 0) await world.pass(1_000)
  }
  const taken = NEW_ANNOUNCES_BURST + (seconds + 1) * NEW_ANNOUNCES_PER_SECOND
  expect(node.known.size).toBeGreaterThanOrEqual(NEW_ANNOUNCES_BURST)
  expect(node.known.size).toBeLessThanOrEqual(taken)
  expect(hostile.counts.announcesDropped).toBeGreaterThanOrEqual(flood - taken)
  expect(node.relay!.waitingAnnounces).toBeLessThanOrEqual(ANNOUNCES_PASSED_ON_MAX)
  const [slow] = [...node.interfaces]
  expect(slow!.waitingAnnounces).toBeLessThanOrEqual(ANNOUNCES_WAITING_MAX)
  await world.pass(600_000)
  const bits = out.reduce((sum, bytes) => sum + 8 * bytes, 0)
  const elapsedSeconds = world.nowMs / 1_000
  // One announce may go before its time is paid for.
  expect((bits - 8 * 200) / (10_000 * elapsedSeconds)).toBeLessThanOrEqual(0.02)
  expect(out.length).toBeGreaterThan(10)
}, 120_000)

test('the table of destinations forgets what was longest unused', () => {
  const world = new World(7)
  const known = new KnownDestinations(crypto, 4)
  const node = world.node()
  const iface = node.attach({ name: 'a', bitrateBps: 1e6, send: () => true })
  const learn = (n: number) => {
    const destination = new Uint8Array(16).fill(n)
    const announce = {
      destination,
      publicKey: world.identity().publicKey,
      nameHash: new Uint8Array(10),
      randomHash: announceRandomHash(world.random(5), 1_000),
      ratchet: undefined,
      signature: new Uint8Array(64),
      appData: new Uint8Array(0),
    }
    known.learn({ announce, raw: new Uint8Array(19), iface, hops: 1, nextHop: destination, nowMs: 0 })
    return destination
  }
  const first = learn(0)
  for (let n = 1; n < 4; n++) learn(n)
  expect(known.path(first, 1)).toBeDefined()
  learn(4)
  expect([known.size, known.get(first) !== undefined, known.get(new Uint8Array(16).fill(1))]).toEqual([
    4,
    true,
    undefined,
  ])
  expect(KNOWN_MAX).toBe(16_384)
})

test('packet hashes: the last ones are known, whatever comes', () => {
  const seen = new Seen(seeded(1))
  const hashOf = (n: number) => crypto.sha256(Uint8Array.of(n >> 16, n >> 8, n))
  for (let n = 0; n < 2.5 * SEEN_MAX; n++) seen.add(hashOf(n))
  expect(seen.has(hashOf(2.5 * SEEN_MAX - 1))).toBe(true)
  expect(seen.has(hashOf(Math.ceil(1.5 * SEEN_MAX)))).toBe(true)
  expect(seen.has(hashOf(0))).toBe(false)
})

describe('small tables', () => {
  test('an expiring map keeps its size and its time', () => {
    const map = new ExpiringMap<number>(3, 100)
    for (let n = 0; n < 5; n++) map.set(String(n), n, n)
    expect([map.size, map.get('1', 5), map.get('4', 5)]).toEqual([3, undefined, 4])
    expect(map.get('4', 104)).toBeUndefined()
  })

  test('a feed drops the oldest of what nobody reads', async () => {
    const feed = new Feed<number>()
    const loop = feed[Symbol.asyncIterator]()
    for (let n = 0; n <= FEED_ITEMS_MAX; n++) feed.publish(n)
    expect([(await loop.next()).value, feed.dropped]).toEqual([1, 1])
    await loop.return?.()
    expect(feed.isHeard).toBe(false)
  })

  test('what comes before the first reader is kept, and a loop ends with its signal', async () => {
    const feed = new Feed<number>(2)
    for (const n of [1, 2, 3]) feed.publish(n)
    expect(await feed.first()).toBe(2)
    const stop = new AbortController()
    const read: number[] = []
    const reading = (async () => {
      for await (const item of feed.values({ signal: stop.signal })) read.push(item)
    })()
    feed.publish(4)
    await Promise.resolve()
    stop.abort()
    await reading
    expect(read).toEqual([4])
  })

  test('receipts give the oldest up', () => {
    const agenda = new Agenda({ nowMs: () => 0, wake: () => {} })
    const receipts = new Receipts(agenda)
    const random = seeded(1)
    let givenUp = 0
    for (let n = 0; n < RECEIPTS_MAX + 3; n++) {
      receipts.expect(random(32), { verify: () => false }, 1_000, 0, (ms) => {
        if (ms === undefined) givenUp++
      })
    }
    expect([receipts.size, givenUp, agenda.size]).toEqual([RECEIPTS_MAX, 3, RECEIPTS_MAX])
    receipts.close()
    expect([givenUp, agenda.size]).toEqual([RECEIPTS_MAX + 3, 0])
  })

  test('an agenda does things in order, and forgets what is cancelled', () => {
    let nowMs = 0
    const wakes: number[] = []
    const agenda = new Agenda({ nowMs: () => nowMs, wake: (atMs) => wakes.push(atMs) })
    const done: number[] = []
    const entries = [5, 1, 4, 2, 3].map((ms) => agenda.after(ms, () => done.push(ms)))
    entries[2]!.cancel()
    entries[2]!.cancel()
    expect(wakes).toEqual([5, 1])
    nowMs = 3
    agenda.tick()
    expect([done, agenda.size, agenda.nextMs]).toEqual([[1, 2, 3], 1, 5])
  })
})

test('a bz2 bomb makes no more than its bound', () => {
  const bomb = bz2Compress(new Uint8Array(20_000_000))
  expect(bomb.length).toBeLessThan(2_000)
  const before = process.memoryUsage().rss
  expect(() => bz2Decompress(bomb, 1_048_575)).toThrow('more than 1048575 bytes')
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
})

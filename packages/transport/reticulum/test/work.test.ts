import { describe, expect, test, vi } from 'vitest'
import { Agenda } from '../src/agenda.ts'
import { announcePacket, announceRandomHash } from '../src/announce.ts'
import { crcOfStream } from '../src/bz2-crc.ts'
import { bz2Decompress, bz2DecompressSteps } from '../src/bz2-decode.ts'
import { bz2Compress } from '../src/bz2-encode.ts'
import { RATCHET_TRIES_BURST, RATCHETS_MAX, RATCHETS_RECENT } from '../src/destination.ts'
import { Feed } from '../src/feed.ts'
import { type Identity, RemoteIdentity } from '../src/identity.ts'
import {
  FORGERIES_BURST,
  PATH_ANSWER_BYTES_PER_SECOND_MAX,
  PATH_ANSWER_SHARE,
  PATH_ANSWERS_WAITING_MAX,
} from '../src/interface.ts'
import { MTU_BYTES } from '../src/limits.ts'
import { encodeLinkRequest, LINK_MODE } from '../src/link-codec.ts'
import { destinationHash, nameHash } from '../src/name.ts'
import { CONTEXT, DESTINATION_TYPE, encodePacket, PACKET_TYPE } from '../src/packet.ts'
import { SEEN_MAX, Seen } from '../src/seen.ts'
import { Slices } from '../src/slices.ts'
import { RESOURCE_BYTES_MAX } from '../src/transfers.ts'
import { cryptos } from './kit.ts'
import { seeded, World } from './virtual.ts'

const crypto = cryptos[1]!
const EPOCH_SECONDS = 1_767_225_600
const settings = { bitrateBps: 10_000_000, send: () => true }
const requestHash = destinationHash(crypto, nameHash(crypto, 'rnstransport.path.request'))

/** An announce as a neighbour sends it. */
function announceOf(world: World, identity: Identity, second = EPOCH_SECONDS, appBytes = 0): Uint8Array {
  const name = nameHash(crypto, 'work.node')
  const destination = destinationHash(crypto, name, identity.hash)
  const randomHash = announceRandomHash(world.random(5), second)
  const appData = new Uint8Array(appBytes)
  return encodePacket(announcePacket(identity, { destination, nameHash: name, randomHash, appData }, CONTEXT.none))
}

/** A path request of someone, each with a tag of its own. */
function pathRequest(world: World, destination: Uint8Array): Uint8Array {
  const data = Uint8Array.from([...destination, ...world.random(16)])
  const { plain: destinationType } = DESTINATION_TYPE
  const fields = { destinationType, packetType: PACKET_TYPE.data, hops: 0, context: CONTEXT.none }
  return encodePacket({ ...fields, destination: requestHash, data })
}

describe('path requests without end', () => {
  test('for one destination are answered once at a time', async () => {
    const world = new World(21)
    const node = world.transportNode()
    const identity = world.identity()
    node.receive(node.attach({ ...settings, name: 'far' }), announceOf(world, identity))
    await world.pass(10_000)
    const sent: Uint8Array[] = []
    const asking = node.attach({ ...settings, name: 'asking', send: (frame) => sent.push(frame) > 0 })
    const destination = destinationHash(crypto, nameHash(crypto, 'work.node'), identity.hash)
    for (let n = 0; n < 5_000; n++) node.receive(asking, pathRequest(world, destination))
    await world.pass(1_000)
    expect(sent).toHaveLength(1)
    node.receive(asking, pathRequest(world, destination))
    await world.pass(1_000)
    expect(sent).toHaveLength(2)
  })

  test('on a slow interface are passed on to all others, however many these are', () => {
    const world = new World(25)
    const node = world.transportNode()
    const asking = node.attach({ name: 'asking', bitrateBps: 3_100, mode: 'access-point', send: () => true })
    const searched = new Map<number, number>()
    for (let n = 0; n < 20; n++) {
      const send = (): boolean => searched.set(n, (searched.get(n) ?? 0) + 1).size > 0
      node.attach({ ...settings, name: `other ${n}`, send })
    }
    node.receive(asking, pathRequest(world, world.random(16)))
    expect([...searched.values()]).toEqual(new Array(20).fill(1))
    for (let n = 0; n < 5_000; n++) node.receive(asking, pathRequest(world, world.random(16)))
    expect(searched.get(0)).toBeLessThan(20)
  })

  test.each([3_100, 10_000_000])('take no more than their share of %i bit/s', async (bitrateBps) => {
    const world = new World(22)
    const node = world.transportNode()
    const far = node.attach({ ...settings, name: 'far' })
    const mine = node.serve(world.identity(), 'work.mine')
    const known = Array.from({ length: 2 * PATH_ANSWERS_WAITING_MAX }, () => world.identity())
    for (const identity of known) node.receive(far, announceOf(world, identity))
    await world.pass(60_000)
    const sent: Uint8Array[] = []
    const asking = node.attach({ name: 'asking', bitrateBps, send: (frame) => sent.push(frame) > 0 })
    const name = nameHash(crypto, 'work.node')
    const all = [mine.hash, ...known.map((identity) => destinationHash(crypto, name, identity.hash))]
    for (let second = 0; second < 20; second++) {
      for (const hash of all) node.receive(asking, pathRequest(world, hash))
      expect(asking.waitingPathAnswers).toBeLessThanOrEqual(PATH_ANSWERS_WAITING_MAX)
      await world.pass(1_000)
    }
    const bytesPerSecond = Math.min(PATH_ANSWER_BYTES_PER_SECOND_MAX, (PATH_ANSWER_SHARE * bitrateBps) / 8)
    const bytes = sent.reduce((sum, { length }) => sum + length, 0)
    expect(bytes).toBeLessThanOrEqual(Math.max(MTU_BYTES, 10 * bytesPerSecond) + 20 * bytesPerSecond)
    expect(sent.length).toBeGreaterThan(1)
  })
})

test('what nobody can open costs few agreements of keys, and genuine packets are opened meanwhile', () => {
  const world = new World(23)
  const node = world.node()
  const hostile = node.attach({ ...settings, name: 'hostile' })
  const secrets = Array.from({ length: RATCHETS_MAX }, () => world.random(32))
  const identity = world.identity()
  const rotatedUnixMs = EPOCH_SECONDS * 1_000
  const served = node.serve(identity, 'work.ratchets', { ratchets: { secrets, rotatedUnixMs }, enforcesRatchets: true })
  const opened: number[] = []
  served.packets.subscribe(({ data }) => opened.push(data[0]!))
  const give = (data: Uint8Array) => {
    const { single: destinationType } = DESTINATION_TYPE
    const fields = { destinationType, packetType: PACKET_TYPE.data, hops: 0, context: CONTEXT.none }
    node.receive(hostile, encodePacket({ ...fields, destination: served.hash, data }))
  }
  const to = new RemoteIdentity(crypto, identity.publicKey)
  const sealed = (byte: number, ratchet: number) =>
    to.encrypt(Uint8Array.of(byte), world.random, crypto.x25519PublicKey(secrets[ratchet]!))
  give(sealed(1, RATCHETS_MAX - 1))
  expect(opened).toEqual([1])
  const agreements = vi.spyOn(crypto, 'x25519')
  try {
    for (let n = 0; n < 100; n++) give(world.random(32 + 48 + 32))
    expect(agreements.mock.calls.length).toBeLessThanOrEqual(100 * RATCHETS_RECENT + RATCHET_TRIES_BURST)
  } finally {
    agreements.mockRestore()
  }
  give(sealed(2, 0))
  give(sealed(3, RATCHETS_RECENT - 1))
  expect(opened).toEqual([1, 2, 3])
})

test('a forged announce of a known destination costs one check, changes nothing, and many are not checked at all', () => {
  const world = new World(24)
  const node = world.transportNode()
  const sent: Uint8Array[] = []
  const hostile = node.attach({ ...settings, name: 'hostile', send: (frame) => sent.push(frame) > 0 })
  const honest = node.attach({ ...settings, name: 'honest' })
  const identity = world.identity()
  const genuine = announceOf(world, identity)
  node.receive(honest, genuine)
  const [known] = [...node.known]
  const before = { ...known }
  const checks = vi.spyOn(crypto, 'verify')
  try {
    const forged = announceOf(world, identity, EPOCH_SECONDS + 1_000)
    forged[forged.length - 1]! ^= 1
    node.receive(hostile, forged)
    expect(checks).toHaveBeenCalledTimes(1)
    for (let n = 1; n < 10 * FORGERIES_BURST; n++) {
      const another = announceOf(world, identity, EPOCH_SECONDS + 1_000 + n)
      another[another.length - 1]! ^= 1
      node.receive(hostile, another)
    }
    expect(checks).toHaveBeenCalledTimes(FORGERIES_BURST)
    // An impostor's own key, under the destination's name, is not even checked.
    node.receive(honest, announceOf(world, world.identity()).fill(0x11, 2, 18))
    expect([...node.known][0]).toEqual(before)
    expect([node.known.size, sent.length]).toEqual([1, 0])
    node.receive(honest, announceOf(world, identity, EPOCH_SECONDS + 5))
    expect([...node.known][0]!.path!.emitted).toBe(EPOCH_SECONDS + 5)
  } finally {
    checks.mockRestore()
  }
})

test('an announce that not every medium carries is none', () => {
  const world = new World(25)
  const node = world.node()
  const iface = node.attach({ ...settings, name: 'wide', mtuBytes: 8_192 })
  const overhead = announceOf(world, world.identity()).length
  node.receive(iface, announceOf(world, world.identity(), EPOCH_SECONDS, MTU_BYTES + 1 - overhead))
  expect([node.known.size, iface.counts.refused]).toEqual([0, 1])
  node.receive(iface, announceOf(world, world.identity(), EPOCH_SECONDS, MTU_BYTES - overhead))
  expect(node.known.size).toBe(1)
})

test('link requests in plenty on one interface keep no link away that begins on another', async () => {
  const world = new World(26)
  const node = world.node()
  const friend = world.node()
  world.wire(node, friend, { delayMs: 50 })
  const served = node.serve(world.identity(), 'work.served')
  served.onRequest('/echo', ({ data }) => data)
  const hostile = node.attach({ ...settings, name: 'hostile' })
  const to = await world.until(friend.resolve(served.hash))
  const linked = friend.connect(to)
  await world.pass(75)
  const agreements = vi.spyOn(crypto, 'ephemeralKey')
  for (let n = 0; n < 2_000; n++) {
    const encryptionKey = world.random(32)
    const data = encodeLinkRequest({ encryptionKey, signingKey: world.random(32), mtuBytes: 500, mode: LINK_MODE })
    const { single: destinationType } = DESTINATION_TYPE
    const fields = { destinationType, packetType: PACKET_TYPE.linkRequest, hops: 0, context: CONTEXT.none }
    node.receive(hostile, encodePacket({ ...fields, destination: served.hash, data }))
  }
  expect(agreements.mock.calls.length).toBeLessThan(200)
  agreements.mockRestore()
  expect(await world.until((await world.until(linked)).request('/echo', 'here'))).toBe('here')
})

test('packets whose hashes are chosen take no longer to look up than others', () => {
  const looks = (hashOf: (n: number) => Uint8Array) => {
    const seen = new Seen(seeded(5))
    const hashes = Array.from({ length: SEEN_MAX / 2 }, (_, n) => hashOf(n))
    const began = performance.now()
    for (const hash of hashes) seen.add(hash)
    return performance.now() - began
  }
  const any = (n: number) => crypto.sha256(Uint8Array.of(n >> 16, n >> 8, n))
  /** Hashes whose first words end in the same 17 bits: each takes a sender 131 072 tries, and fewer bits fewer. */
  const chosen = (n: number) => {
    const hash = any(n)
    new DataView(hash.buffer).setUint32(0, (n << 17) >>> 0)
    return hash
  }
  looks(any)
  expect(looks(chosen)).toBeLessThan(10 * looks(any) + 20)
})

describe('what waits for readers', () => {
  test('a feed holds so many bytes, and one item of any size', async () => {
    const feed = new Feed<Uint8Array>(4, ({ length }) => length, 1_000)
    for (const length of [400, 500, 300, 200]) feed.publish(new Uint8Array(length))
    // The fourth came when 1200 bytes waited.
    expect([feed.waitingBytes, feed.dropped]).toEqual([1_000, 1])
    const loop = feed.values()
    expect((await loop.next()).value).toHaveLength(500)
    feed.publish(new Uint8Array(5_000))
    feed.publish(new Uint8Array(10))
    expect([feed.waitingBytes, feed.dropped, feed.isBusy]).toEqual([10, 4, false])
    feed.publish(new Uint8Array(490))
    expect(feed.isBusy).toBe(true)
    await loop.return()
  })

  test('messages of a channel wait at their sender while nobody reads, and none is lost', async () => {
    const world = new World(27)
    const [a, b] = [world.node(), world.node()]
    world.wire(a, b, { delayMs: 5 }, { mtuBytes: 8_192 })
    const served = b.serve(world.identity(), 'work.channel')
    const link = await world.until(world.until(a.resolve(served.hash)).then((to) => a.connect(to)))
    const count = 1_000
    const size = link.channel.mduBytes
    await world.pass(1_000)
    const theirs = [...b.links][0]!
    const slow = theirs.channel.messages.values()
    const read: number[] = []
    const sending = Promise.all(
      Array.from({ length: count }, (_, n) => link.channel.send(1, new Uint8Array(size).fill(n % 251))),
    )
    await world.pass(1_500)
    expect(theirs.channel.messages.waitingBytes).toBeLessThanOrEqual(2 * 1024 * 1024)
    while (read.length < count) {
      const next = slow.next()
      const { value } = await world.until(next)
      read.push(value!.data[0]!)
    }
    await world.until(sending)
    expect(read).toEqual(Array.from({ length: count }, (_, n) => n % 251))
    expect(theirs.channel.messages.dropped).toBe(0)
  })

  test('resources that nobody fetches take the room of the next', async () => {
    const world = new World(28)
    const [a, b] = [world.node(), world.node()]
    world.wire(a, b, { delayMs: 1 }, { mtuBytes: 8_192 })
    const served = b.serve(world.identity(), 'work.resources', { resources: 'all' })
    const link = await world.until(world.until(a.resolve(served.hash)).then((to) => a.connect(to)))
    const small = () => world.until(link.sendResource(new Uint8Array(1_000)).done)
    await small()
    const theirs = [...b.links][0]!
    expect((await theirs.resources.first()).data).toHaveLength(1_000)
    const large = { data: new Uint8Array(RESOURCE_BYTES_MAX - 999), metadata: undefined, hash: new Uint8Array(32) }
    theirs.resources.publish({ ...large, segments: 65, requestId: undefined })
    expect(theirs.resources.waitingBytes).toBe(RESOURCE_BYTES_MAX - 999)
    await expect(small()).rejects.toThrow()
    await theirs.resources.first()
    await small()
  })

  test('a sender that does not go on with the next segment is given up', async () => {
    const world = new World(29)
    const [a, b] = [world.node(), world.node()]
    world.wire(a, b, { delayMs: 1 }, { mtuBytes: 8_192 })
    const served = b.serve(world.identity(), 'work.segments', { resources: 'all' })
    const link = await world.until(world.until(a.resolve(served.hash)).then((to) => a.connect(to)))
    const all = new Uint8Array(60 * 1024 * 1024)
    const transfer = link.sendResource(all)
    await world.until(transfer.progress.first())
    transfer.stop('no more')
    await world.pass(20_000)
    const small = () => world.until(link.sendResource(new Uint8Array(8 * 1024 * 1024)).done)
    await expect(small()).rejects.toThrow()
    await world.pass(60_000)
    await small()
  }, 30_000)
})

describe('long work', () => {
  test('goes on in turns, and can be ended', () => {
    let nowMs = 0
    const agenda = new Agenda({ nowMs: () => nowMs, wake: () => {} })
    const slices = new Slices(agenda)
    const log: string[] = []
    function* work(name: string, steps: number): Generator<void, string> {
      for (let n = 1; n <= steps; n++) {
        log.push(`${name}${n}`)
        yield
      }
      return `${name} done`
    }
    const pass = () => {
      nowMs++
      agenda.tick()
    }
    slices.run(work('a', 2), (value) => log.push(value))
    const stop = slices.run(work('b', 9), (value) => log.push(value))
    expect(log).toEqual(['a1'])
    for (let n = 0; n < 4; n++) pass()
    expect(log).toEqual(['a1', 'a2', 'b1', 'a done', 'b2'])
    stop()
    for (let n = 0; n < 4; n++) pass()
    expect([log.length, slices.size, agenda.size]).toEqual([5, 0, 0])
  })

  test('a segment is decompressed in many steps', () => {
    const steps = bz2DecompressSteps(bz2Compress(seeded(1)(1_048_575)), 1_048_575)
    let count = 0
    while (steps.next().done !== true) count++
    expect(count).toBeGreaterThan(40)
  })

  test('a stream of many small blocks is refused', () => {
    expect(bz2Decompress(manyBlocks(5), 1_048_575)).toHaveLength(5)
    expect(() => bz2Decompress(manyBlocks(1_000), 1_048_575)).toThrow('more blocks than it needs')
  })
})

/** A stream of blocks of one byte each. */
function manyBlocks(count: number): Uint8Array {
  const one = bz2Compress(Uint8Array.of(7))
  const bits = [...one].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const end = (0x177245385090).toString(2).padStart(48, '0')
  const block = bits.slice(32, bits.indexOf(end))
  const crc = Number.parseInt(block.slice(48, 80), 2)
  let stream = 0
  for (let n = 0; n < count; n++) stream = crcOfStream(stream, crc)
  const all = bits.slice(0, 32) + block.repeat(count) + end + stream.toString(2).padStart(32, '0')
  return Uint8Array.from(all.match(/.{1,8}/g)!, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
}

test.each(['a word', undefined, { code: 7 }])('a search given up for any reason, %o, is refused', async (reason) => {
  const node = new World(30).node()
  const stop = new AbortController()
  const found = node.resolve(new Uint8Array(16), { signal: stop.signal }).then(
    () => 'found',
    (given: unknown) => given,
  )
  stop.abort(reason)
  expect(await found).toBe(stop.signal.reason)
})

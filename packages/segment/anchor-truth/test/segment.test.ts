import { Segment, type SegmentOptions, SequenceSource } from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { describe, expect, test } from 'vitest'
import { World, type WorldOptions } from './world.ts'

const admissions = {
  passphrase: undefined,
  open: () => ({ mode: 'open' }) as const,
  'allow-list': (keys: readonly Uint8Array[]) =>
    ({ mode: 'allow-list', egos: new Map(keys.map((key) => [toHex(key), undefined])) }) as const,
} satisfies Record<string, WorldOptions['admission'] | undefined>

function worldOf(count: number, options: Partial<WorldOptions> = {}, ego?: (index: number) => number): World {
  const world = new World({ seed: 1, ...options })
  world.make(count, ego)
  for (let index = 0; index < count; index++) world.start(index)
  return world
}

describe.each(Object.entries(admissions))('%s, with real primitives', (_, admission) => {
  const options = { crypto: portable(), ...(admission === undefined ? {} : { admission }) }

  test('starts, changes its key, and gets over a crash, within the bounds', () => {
    const world = worldOf(3, options)
    world.runUntil(8_500)
    expect(world.isAgreed()).toBe(true)
    expect(world.promotions()).toBe(1)
    world.runUntil(20_000)
    const [anchor] = world.anchors()
    const epoch = world.status(0).epoch?.number ?? 0
    world.runUntil(75_000)
    expect(world.status(0).epoch?.number).toBe(epoch + 1)
    world.crash(anchor!)
    const lostMs = world.nowMs
    world.runUntil(lostMs + 18_500)
    expect(world.isAgreed()).toBe(true)
    expect(world.promotions(lostMs)).toBe(1)
    expect(world.status(world.anchors()[0]!).members).toHaveLength(1)
  })
})

test('a latecomer holds the key 20 ms and two ways after its request', () => {
  const world = new World({ seed: 3 })
  world.make(4)
  for (const index of [0, 1, 2]) world.start(index)
  world.runUntil(20_000)
  world.start(3)
  world.runUntil(20_500)
  const key = world.seen.find(({ node, event }) => node === 3 && event.kind === 'key')
  expect(key?.event).toMatchObject({ sinceRequestMs: expect.any(Number) })
  expect(key!.atMs - 20_000).toBeLessThan(40)
})

test('a member that comes back under another address is told of, though it asks before it pulses', () => {
  const world = worldOf(3)
  world.runUntil(20_000)
  const [mover] = [0, 1, 2].filter((index) => !world.anchors().includes(index))
  const address = Uint8Array.of(0xfe, 0x80, ...new Array(13).fill(0), 0x77)
  world.crash(mover!)
  Object.assign(world.nodes[mover!]!, { source: { address, port: 19_541 } })
  world.start(mover!)
  world.runUntil(27_000)
  const { publicKey } = world.nodes[mover!]!.identity
  for (const witness of [0, 1, 2].filter((index) => index !== mover)) {
    const told = world.seen.filter(
      ({ node, atMs, event }) => node === witness && atMs >= 20_000 && event.kind === 'member',
    )
    expect(told.map(({ event }) => event)).toEqual([
      expect.objectContaining({ publicKey, source: { address, port: 19_541 } }),
    ])
  }
})

test('an equal ego never challenges, a greater one after it listened, and not within a minute of a change', () => {
  const world = new World({ seed: 4 })
  world.make(3, (index) => [10, 10, 20][index]!)
  world.start(0)
  world.start(1)
  world.runUntil(30_000)
  const [before] = world.anchors()
  world.start(2)
  world.runUntil(85_000)
  expect(world.anchors()).toEqual([before])
  world.runUntil(95_000)
  expect(world.anchors()).toEqual([2])
  expect(world.isAgreed()).toBe(true)
  world.runUntil(400_000)
  expect(world.anchors()).toEqual([2])
  expect(world.promotions()).toBe(2)
})

test('two segments that become one follow the greater claim within 10 s', () => {
  const world = new World({ seed: 5 })
  world.make(10)
  for (let index = 0; index < 10; index++) {
    world.nodes[index]!.island = index % 2
    world.start(index)
  }
  world.runUntil(30_000)
  expect([world.isAgreed(0), world.isAgreed(1)]).toEqual([true, true])
  for (const node of world.nodes) node.island = 0
  world.runUntil(40_000)
  expect(world.isAgreed()).toBe(true)
  expect(world.promotions(30_000)).toBe(0)
})

test('a node that slept asks before it acts', () => {
  const world = worldOf(4)
  world.runUntil(20_000)
  const [anchor] = world.anchors()
  world.jump(anchor!, 3_600_000)
  world.runUntil(20_100)
  expect(world.anchors()).toEqual([])
  world.runUntil(40_000)
  expect(world.isAgreed()).toBe(true)
})

test('an ego that changes enters with the next epoch, and a lesser one is challenged', () => {
  const world = worldOf(3, {}, (index) => (index === 0 ? 50 : 10))
  world.runUntil(20_000)
  expect(world.anchors()).toEqual([0])
  world.nodes[0]!.segment!.setEgo(5)
  world.runUntil(30_000)
  expect(world.status(1).anchor?.ego).toBe(50)
  world.runUntil(160_000)
  expect(world.anchors()).not.toEqual([0])
  expect(world.isAgreed()).toBe(true)
})

test('while it is down it hears and says nothing; the counter goes on', () => {
  const world = worldOf(2)
  world.runUntil(20_000)
  const { segment, source } = world.nodes[0]!
  segment!.down()
  expect(segment!.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
  segment!.receive(0, new Uint8Array(3), source)
  expect(world.status(0).drops.malformed).toBe(0)
  expect(world.status(0).phase).toBe('down')
})

test('a segment that cannot be is refused at once', () => {
  const world = new World({ seed: 1 })
  world.make(1)
  const { identity } = world.nodes[0]!
  const options: SegmentOptions = {
    crypto: portable(),
    identity,
    random: (length) => new Uint8Array(length),
    sequence: new SequenceSource((above) => above + 1),
    admission: { mode: 'open' },
    ego: 1,
    type: 'Agent',
    zone: '',
    name: '',
  }
  const ports = { transmit() {}, event() {} }
  expect(() => new Segment({ ...options, ego: 256 }, ports)).toThrow(RangeError)
  expect(() => new Segment({ ...options, name: 'ü'.repeat(13) }, ports)).toThrow(RangeError)
  expect(() => new Segment({ ...options, admission: { mode: 'passphrase', key: new Uint8Array(4) } }, ports)).toThrow(
    RangeError,
  )
  expect(() => new Segment({ ...options, admission: { mode: 'allow-list', egos: new Map() } }, ports)).toThrow(
    RangeError,
  )
})

test('a sequence at its end goes on with the next boot', () => {
  let boot = 0
  const sequence = new SequenceSource((above) => {
    boot = Math.max(above, boot) + 1
    return boot
  })
  expect(sequence.next()).toEqual({ boot: 1, sequence: 1 })
  sequence.raiseAbove(41)
  expect(sequence.next()).toEqual({ boot: 42, sequence: 1 })
})

test('a cable that is mended right after its cut made another anchor: the old anchor’s key still counts, and it is followed', () => {
  const world = new World({ seed: 8 })
  world.make(6)
  for (let index = 0; index < 6; index++) world.start(index)
  world.runUntil(20_000)
  const [anchor] = world.anchors()
  for (const [index, node] of world.nodes.entries()) node.island = index === anchor ? 0 : 1
  let mendedMs = world.nowMs
  while (world.anchors(1).length === 0) {
    mendedMs += 100
    world.runUntil(mendedMs)
  }
  // Once the new claim was said for the last time, for an anchor that hears it would say its own again.
  mendedMs += 1_000
  world.runUntil(mendedMs)
  for (const node of world.nodes) node.island = 0
  world.runUntil(mendedMs + 8_000)
  expect(world.isAgreed()).toBe(true)
})

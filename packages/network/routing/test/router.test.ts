import { decodePathCost } from '@nexus/compact-path-cost'
import { portable } from '@nexus/crypto'
import {
  announceCost,
  announceHash,
  announceLamport,
  announceMaxHops,
  decodeAnnounce,
  packetDestination,
} from '@nexus/framing'
import { EXPIRE_AFTER_MS, NO_HOP, ROUND_MS, RoutingError, STALE_AFTER_MS } from '@nexus/routing'
import { expect, test } from 'vitest'
import { signedBytes } from '../src/announce-body.ts'
import { at, LoneRouter } from './lone-router.ts'
import { announcePacket } from './mesh.ts'

const D = at(7)

test('the cheapest neighbour serves, and the second in the step that loses it', () => {
  const lone = new LoneRouter(3)
  lone.announce(1, D, 5n, { cost: 40, hops: 1 })
  lone.announce(2, D, 5n, { cost: 20, hops: 1 })
  lone.announce(3, D, 5n, { cost: 30, hops: 1 })
  expect([lone.router.nextHop(D), lone.router.secondHop(D)]).toEqual([2, 3])
  lone.router.adjacencyDown(0, 2)
  expect([lone.router.nextHop(D), lone.router.secondHop(D)]).toEqual([3, 1])
  expect(lone.changed.at(-1)).toEqual(D)
  expect(lone.router.nextHop(at(9))).toBe(NO_HOP)
})

test('a relay hands on the announce with its own cost, the slowest latency, one hop more and one max hop less', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { cost: 0, hops: 0, latencyMs: 3 }, { maxHops: 4 })
  const [frame] = lone.pull(2)
  expect(frame!.kind).toBe('packet')
  expect(decodePathCost(announceCost(frame!.bytes))).toEqual({ cost: 32, latencyMs: 10, bandwidth: 159, hops: 1 })
  expect([announceMaxHops(frame!.bytes), frame!.bytes[1], announceLamport(frame!.bytes)]).toEqual([3, 1, 5n])
  expect(lone.pull(1).filter((each) => each.kind === 'packet')).toEqual([])
})

test('a free neighbour is told a path without our own cost', () => {
  const lone = new LoneRouter(1)
  lone.up(2, { free: true })
  lone.announce(1, D, 5n, { cost: 48, hops: 1 })
  expect(decodePathCost(announceCost(lone.pull(2)[0]!.bytes)).cost).toBe(48)
})

test('a neighbour with a price of its own is told a path at that, and at once when it changes', () => {
  const lone = new LoneRouter(1)
  lone.up(2, { charge: 100 })
  lone.announce(1, D, 5n, { cost: 0, hops: 1 })
  expect(decodePathCost(announceCost(lone.pull(2)[0]!.bytes)).cost).toBe(100)
  lone.router.adjacencyChanged(1_000, 2, { charge: 40 })
  expect(lone.pullUpdates(2).map(({ path }) => path.cost)).toEqual([40])
  lone.router.adjacencyChanged(2_000, 2, { charge: undefined })
  expect(lone.pullUpdates(2).map(({ path }) => path.cost)).toEqual([32])
  expect(() => lone.router.adjacencyChanged(3_000, 2, { charge: 0.5 })).toThrow(RangeError)
})

test('an announce without max hops left is used and not handed on', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, {}, { maxHops: 0 })
  expect(lone.router.nextHop(D)).toBe(1)
  expect(lone.pull(2)).toEqual([])
})

test('feasible is what a neighbour advertised at its least below what we advertised', () => {
  const lone = new LoneRouter(3)
  lone.announce(1, D, 5n, { cost: 40, hops: 1 })
  lone.pull(3)
  lone.announce(2, D, 5n, { cost: 200, hops: 1 })
  const verdicts = (): string[] => lone.router.explain(0, D).candidates.map((each) => each.verdict)
  expect(verdicts()).toEqual(['chosen', 'infeasible'])
  // A rise on the only path does not lose it: the least that it advertised is still below.
  lone.update(1, D, 5n, { cost: 300, hops: 1 })
  expect(lone.router.nextHop(D)).toBe(1)
  expect(verdicts()).toEqual(['chosen', 'infeasible'])
  // Its withdrawal does, and a newer lamport is asked for: first those who ever advertised it.
  lone.update(1, D, 5n)
  expect(lone.router.nextHop(D)).toBe(NO_HOP)
  expect(lone.pullRequests(2)).toEqual([{ destination: D, wanted: 6n }])
  expect(lone.pullUpdates(3).map((each) => each.path.cost)).toEqual([0xffff])
  lone.announce(2, D, 6n, { cost: 200, hops: 1 })
  expect(lone.router.nextHop(D)).toBe(2)
})

test('an unanswered request is repeated after 1, 4 and 16 seconds, and then every 30, five times', () => {
  const lone = new LoneRouter(1)
  lone.router.seek(0, D)
  const times: number[] = []
  for (let second = 0; second <= 400; second++) {
    if (second > 0) lone.later(1_000)
    if (lone.pullRequests(1).length > 0) times.push(second)
  }
  expect(times).toEqual([0, 1, 5, 21, 51, 81, 111, 141, 171])
  expect(lone.router.stats().pendingRequests).toBe(0)
})

test('an advert that is not feasible is followed by a new search, also after one that was in vain', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 1n, { cost: 100 })
  lone.pull(1)
  lone.pull(2)
  lone.router.adjacencyDown(lone.nowMs, 1)
  lone.later(600_000)
  lone.pull(2)
  lone.later(60_000)
  expect(lone.pullRequests(2)).toEqual([])
  lone.announce(2, D, 1n, { cost: 300, hops: 2 })
  expect(lone.router.nextHop(D)).toBe(NO_HOP)
  expect(lone.pullRequests(2)).toEqual([{ destination: D, wanted: 2n }])
})

test('a request is answered with the announce, or passed on to all others, at most every 15 seconds', () => {
  const lone = new LoneRouter(3)
  lone.announce(1, D, 5n, { cost: 8, hops: 1 })
  for (const id of [1, 2, 3]) lone.pull(id)
  lone.request(2, D, 5n)
  expect(lone.pull(2).map((frame) => frame.kind)).toEqual(['packet'])
  lone.request(2, D, 6n)
  lone.request(2, D, 6n)
  expect([lone.pullRequests(1).length, lone.pullRequests(2).length, lone.pullRequests(3).length]).toEqual([1, 0, 1])
  lone.later(16_000)
  lone.request(2, D, 6n)
  expect(lone.pullRequests(3)).toEqual([{ destination: D, wanted: 6n }])
})

test('a request for us never sets our lamport, and takes the next one once in ten seconds', () => {
  const lone = new LoneRouter(1)
  lone.router.tick(0)
  expect(lone.selfAnnounces).toEqual([0n])
  lone.router.announceSelf(0, announcePacket(at(1), 3n))
  lone.pull(1)
  lone.request(1, at(1), 2n)
  expect(announceLamport(lone.pull(1)[0]!.bytes)).toBe(3n)
  lone.request(1, at(1), 2n ** 64n - 1n)
  expect(lone.selfAnnounces).toEqual([0n])
  lone.later(10_000)
  expect(lone.selfAnnounces).toEqual([0n, 4n])
  lone.router.announceSelf(lone.nowMs, announcePacket(at(1), 4n))
  for (let count = 0; count < 20; count++) lone.request(1, at(1), 2n ** 64n - 1n)
  lone.later(9_000)
  expect(lone.selfAnnounces.length).toBe(2)
  expect(() => lone.router.announceSelf(lone.nowMs, announcePacket(at(1), 4n))).toThrow(RangeError)
  expect(() => lone.router.announceSelf(lone.nowMs, announcePacket(at(2), 9n))).toThrow(RangeError)
})

test('our own announce of before a restart makes us continue above it', () => {
  const lone = new LoneRouter(1)
  lone.router.announceSelf(0, announcePacket(at(1), 3n))
  lone.later(11_000)
  expect(lone.announce(1, at(1), 90n)).toBe('own')
  expect(lone.selfAnnounces.at(-1)).toBe(91n)
  expect(lone.announce(1, at(1), 3n, {}, { tlvs: [{ type: 9, data: at(1) }] })).toBe('own')
  expect(lone.duplicates).toEqual([at(1)])
  expect(lone.announce(1, at(1), 2n ** 64n - 1n)).toBe('own')
})

test('an update counts only at the lamport of the verified announce, which is asked for where it is newer', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { cost: 40, hops: 1 })
  lone.update(2, D, 9n, { cost: 0 })
  lone.update(2, D, 4n, { cost: 0 })
  expect(lone.router.nextHop(D)).toBe(1)
  expect(lone.router.explain(0, D).feasibleDistance).toBeUndefined()
  expect(lone.pullRequests(2)).toEqual([{ destination: D, wanted: 0n }])
  lone.update(2, at(8), 1n, { cost: 0 })
  expect(lone.pullRequests(2)).toEqual([{ destination: at(8), wanted: 0n }])
  expect(lone.router.stats().destinations).toBe(1)
})

test('small changes wait for the round, a change above 25 % goes at once, and news is repeated in the next two rounds', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { cost: 100, hops: 1 })
  lone.pull(2)
  lone.update(1, D, 5n, { cost: 102, hops: 1 })
  expect(lone.pull(2)).toEqual([])
  lone.later(ROUND_MS)
  expect(lone.pullUpdates(2).map((each) => each.path.cost)).toEqual([103])
  lone.update(1, D, 5n, { cost: 140, hops: 1 })
  expect(lone.pullUpdates(2).map((each) => each.path.cost)).toEqual([141])
  for (const expected of [1, 1, 0]) {
    lone.later(ROUND_MS)
    expect(lone.pullUpdates(2).length).toBe(expected)
  }
})

test('a packet that cannot be forwarded is answered once a second per destination', () => {
  const lone = new LoneRouter(2)
  for (let count = 0; count < 5; count++) lone.router.unreachable(lone.nowMs, 1, D)
  expect(lone.pullUpdates(1)).toEqual([
    { destination: D, lamport: 0n, path: expect.objectContaining({ cost: 0xffff }) },
  ])
  lone.nowMs = 500
  lone.router.unreachable(lone.nowMs, 1, D)
  expect(lone.pullUpdates(1)).toEqual([])
  lone.nowMs = 1_500
  lone.router.unreachable(lone.nowMs, 1, D)
  expect(lone.pullUpdates(1).length).toBe(1)
  // Known, and routed over the very neighbour that sent the packet: it is told again that it must not use us.
  lone.announce(1, D, 5n)
  lone.nowMs = 5_000
  lone.router.unreachable(lone.nowMs, 1, D)
  expect(lone.pullUpdates(1)).toMatchObject([{ lamport: 5n, path: { cost: 0xffff } }])
})

test('a withdrawal of an older lamport is outdated; one of lamport 0 says that nothing is known', () => {
  const lone = new LoneRouter(1)
  lone.announce(1, D, 5n)
  lone.update(1, D, 4n)
  expect(lone.router.nextHop(D)).toBe(1)
  lone.update(1, D, 0n)
  expect(lone.router.nextHop(D)).toBe(NO_HOP)
})

test('a lamport lives once: stale after three refreshes, gone after four, not revived by its own copy', () => {
  const lone = new LoneRouter(1)
  lone.announce(1, D, 5n)
  lone.later(STALE_AFTER_MS)
  lone.announce(1, D, 5n)
  expect(lone.router.explain(lone.nowMs, D)).toMatchObject({ isStale: true, state: 'routed' })
  lone.later(EXPIRE_AFTER_MS - STALE_AFTER_MS + ROUND_MS)
  expect(lone.router.nextHop(D)).toBe(NO_HOP)
  expect(lone.router.stats()).toMatchObject({ destinations: 0, candidates: 0 })
})

test('what was advertised leaves a ghost that keeps the distance and refuses the old lamport', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { cost: 16, hops: 1 })
  lone.pull(2)
  lone.later(EXPIRE_AFTER_MS + ROUND_MS)
  expect(lone.router.explain(lone.nowMs, D).state).toBe('evicted')
  expect(lone.announce(1, D, 5n)).toBe('stale')
  expect(lone.announce(1, D, 6n)).toBe('new')
  expect(lone.router.explain(lone.nowMs, D).feasibleDistance!.lamport).toBe(5n)
})

test('assess spares the signature check of copies, and drops what is outdated', () => {
  const lone = new LoneRouter(2)
  const packet = announcePacket(D, 5n)
  expect(lone.router.assess(0, 1, packet)).toBe('verify')
  lone.router.receiveAnnounce(0, 1, packet)
  const copy = announcePacket(D, 5n, { maxHops: 3 })
  expect(lone.router.assess(0, 2, copy)).toBe('known')
  copy[140] = 1
  expect(lone.router.isKnown(announcePacket(D, 5n, { tlvs: [{ type: 1, data: at(0) }] }))).toBe(false)
  expect(lone.router.assess(0, 2, announcePacket(D, 4n))).toBe('drop')
  expect(lone.router.assess(0, 2, announcePacket(D, 6n))).toBe('verify')
})

test('of two announces of one lamport the smaller hash stays, whichever came first', () => {
  const tlvs = (byte: number): { tlvs: { type: number; data: Uint8Array }[] } => ({
    tlvs: [{ type: 9, data: at(byte) }],
  })
  const held = [
    [1, 2],
    [2, 1],
  ].map(([first, second]) => {
    const lone = new LoneRouter(2)
    lone.announce(1, D, 5n, {}, tlvs(first!))
    lone.announce(1, D, 5n, {}, tlvs(second!))
    expect(lone.duplicates).toEqual([D])
    return lone.pull(2)[0]!.bytes
  })
  expect(held[0]).toEqual(held[1])
})

test('the hash that decides between duplicates is that of the announce page', () => {
  const packet = announcePacket(D, 5n, { tlvs: [{ type: 9, data: at(3) }] })
  const data = packet.subarray(19)
  const crypto = portable()
  expect(crypto.blake3(signedBytes(D, data))).toEqual(announceHash(crypto, D, decodeAnnounce(data)))
})

test('more than 128 hops are unreachable, and an announce without a cost is an error', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { hops: 128 })
  expect([lone.router.nextHop(D), lone.pull(2).length]).toEqual([1, 0])
  lone.update(1, D, 5n, { cost: 0, hops: 129 })
  expect(lone.router.nextHop(D)).toBe(NO_HOP)
  expect(() => lone.announce(1, at(8), 5n, { cost: 0xffff })).toThrow(RoutingError)
})

test('deliveries make a neighbour reliable, failures the opposite', () => {
  const lone = new LoneRouter(2, {}, 'mostReliable')
  lone.announce(1, D, 5n, { cost: 10 })
  lone.announce(2, D, 5n, { cost: 12 })
  expect(lone.router.nextHop(D)).toBe(1)
  lone.router.delivered(0, D, 2)
  expect(lone.router.nextHop(D)).toBe(2)
  for (let count = 0; count < 40; count++) lone.router.failed(0, D, 2)
  lone.router.delivered(0, D, 1)
  expect(lone.router.nextHop(D)).toBe(1)
  expect(lone.router.explain(0, D).candidates.map((each) => each.reliability)).toEqual([128, 1])
})

test('greedy goes nearer or nowhere, and only for what is unknown', () => {
  const lone = new LoneRouter(0)
  for (const [id, byte] of [0x20, 0x40, 0x60].entries()) lone.up(id + 1, { nodeId: at(byte) })
  expect(lone.router.greedyHop(at(0x42))).toBe(2)
  expect(lone.router.greedyHop(at(0x42), 2)).toBe(3)
  expect(lone.router.greedyHop(at(2))).toBe(NO_HOP)
  expect(lone.router.explain(0, at(0x42))).toMatchObject({ state: 'greedy', greedy: { adjacency: 2 } })
  lone.announce(1, at(0x42), 5n)
  lone.update(1, at(0x42), 5n)
  expect(lone.router.greedyHop(at(0x42))).toBe(NO_HOP)
})

test('want is called once until all is pulled, and the order is requests, withdrawals, answers, announces, changes', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n)
  lone.announce(1, at(8), 5n)
  expect(lone.wanted).toEqual([2])
  lone.pull(2)
  lone.announce(1, at(9), 5n)
  lone.update(1, D, 5n)
  lone.request(2, at(8), 5n)
  lone.router.seek(0, at(10))
  const frames = lone.pull(2).map((frame) => (frame.kind === 'packet' ? frame.bytes[2] : `route ${frame.bytes[0]}`))
  expect(frames).toEqual(['route 2', 'route 1', 8, 9])
  expect(lone.pull(2)).toEqual([])
})

test('a neighbour that comes again learns all, the nearest first', () => {
  const lone = new LoneRouter(1)
  lone.router.announceSelf(0, announcePacket(at(1), 1n))
  for (const hops of [3, 1, 2]) lone.announce(1, at(10 + hops), 5n, { hops, cost: hops })
  lone.up(2)
  expect(lone.pull(2).map((frame) => frame.bytes[2])).toEqual([1, 11, 12, 13])
  lone.router.adjacencyDown(0, 2)
  lone.up(3, { nodeId: at(0xa2) })
  expect(lone.pull(3).length).toBe(4)
  expect(lone.pull(3, 40)).toEqual([])
})

test('a restart keeps announces, ages and distances', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 5n, { cost: 16, hops: 1 })
  lone.announce(1, at(8), 6n, { cost: 16, hops: 1 })
  lone.pull(2)
  lone.later(600_000)
  const bytes = lone.router.snapshot(lone.nowMs)
  const next = new LoneRouter(2)
  next.nowMs = 50_000_000
  next.router.restore(next.nowMs, bytes)
  expect(next.router.snapshot(next.nowMs)).toEqual(bytes)
  expect(next.router.explain(next.nowMs, D)).toMatchObject({
    state: 'lost',
    lamport: 5n,
    ageMs: 600_000,
    feasibleDistance: { lamport: 5n, hops: 2 },
  })
  expect(next.router.assess(next.nowMs, 1, announcePacket(D, 5n))).toBe('known')
  expect(() => next.router.restore(0, bytes)).toThrow(RangeError)
})

test('a neighbour does not age while its link is up and offers the path; what lies behind it does', () => {
  const lone = new LoneRouter(1)
  const [neighbour, behind] = [at(0xa1), at(9)]
  lone.announce(1, neighbour, 1n)
  lone.announce(1, behind, 1n, { hops: 1 })
  lone.later(12 * 3_600_000)
  expect([neighbour, behind].map((each) => lone.router.nextHop(each))).toEqual([1, NO_HOP])
  expect(lone.router.explain(lone.nowMs, neighbour).ageMs).toBeLessThan(60_001)
  lone.router.adjacencyDown(lone.nowMs, 1)
  lone.later(7_260_000)
  expect(lone.router.stats()).toMatchObject({ destinations: 0 })
})

test('on a link that carries less than there is to tell, what waits keeps its place however often it changes', () => {
  const lone = new LoneRouter(2)
  const destinations = [at(20), at(21), at(22)]
  const told = new Set<number>()
  for (let lamport = 1n; lamport <= 3n; lamport++) {
    for (const destination of destinations) lone.announce(1, destination, lamport, { hops: 1 })
    const frame = lone.router.pull(lone.nowMs, 2, 485)!
    expect(frame.kind).toBe('packet')
    told.add(packetDestination(frame.bytes)[0]!)
    lone.later(1_800_000)
  }
  expect(told).toEqual(new Set([20, 21, 22]))
})

test('what was told is told again after 4 s, in the next round and in a sparse one, and then rests', () => {
  const lone = new LoneRouter(2)
  lone.announce(1, D, 1n, { hops: 1 })
  expect(lone.pull(2)).toHaveLength(1)
  const repeatsS: number[] = []
  for (let second = 1; second <= 1_200; second++) {
    lone.later(1_000)
    if (lone.pullUpdates(2).length > 0) repeatsS.push(second)
  }
  expect(repeatsS).toEqual([4, 60, 480])
})

test('a request passed on goes once more after 2 s, unless its answer came', () => {
  for (const isAnswered of [false, true]) {
    const lone = new LoneRouter(3)
    lone.request(1, D, 0n)
    const passed = [2, 3].map((id) => lone.pullRequests(id).length)
    if (isAnswered) lone.announce(2, D, 1n)
    lone.later(1_999)
    expect(lone.pullRequests(3)).toEqual([])
    lone.later(1)
    expect([passed, [2, 3].map((id) => lone.pullRequests(id).length), lone.pullRequests(1)]).toEqual([
      [1, 1],
      isAnswered ? [0, 0] : [1, 1],
      [],
    ])
    lone.later(20_000)
    expect(lone.pullRequests(3)).toEqual([])
  }
})

import { portable } from '@nexus/crypto'
import { decodeRouteFrame, NO_HOP, Router, RoutingError } from '@nexus/routing'
import { expect, test } from 'vitest'
import { at, LoneRouter } from './lone-router.ts'
import { announcePacket, Dice } from './mesh.ts'

const dice = new Dice(11)
const strangers = (count: number): Uint8Array[] => Array.from({ length: count }, () => dice.bytes(16))

test('a flood of destinations displaces its own, never what serves or what others brought', () => {
  const lone = new LoneRouter(2, { destinations: 50, ghosts: 8 })
  const honest = strangers(25)
  for (const destination of honest) lone.announce(1, destination, 1n, { cost: 10, hops: 1 })
  const flood = strangers(500)
  let refused = 0
  for (const destination of flood) if (lone.announce(2, destination, 1n, { cost: 0 }) === 'refused') refused += 1
  expect(honest.every((destination) => lone.router.nextHop(destination) === 1)).toBe(true)
  expect(lone.router.stats().destinations).toBe(50)
  expect(refused).toBe(0)
  // What serves is not displaced by its own bringer either.
  lone.nowMs = 1_000
  lone.router.tick(lone.nowMs)
  const busy = flood.filter((destination) => lone.router.nextHop(destination) === 2)
  expect(busy.length).toBe(25)
  for (const destination of strangers(100)) expect(lone.announce(2, destination, 1n)).toBe('refused')
  expect(lone.router.assess(lone.nowMs, 2, announcePacket(dice.bytes(16), 1n))).toBe('drop')
  expect(busy.every((destination) => lone.router.nextHop(destination) === 2)).toBe(true)
})

test('evicted destinations keep their distance until the ghosts are full; then newcomers are refused', () => {
  const lone = new LoneRouter(2, { destinations: 10, ghosts: 4 })
  const verdicts = strangers(20).map((destination) => {
    const verdict = lone.announce(1, destination, 1n, { hops: 1 })
    lone.pull(2)
    return verdict
  })
  expect(verdicts.filter((verdict) => verdict === 'refused').length).toBe(6)
  expect(lone.router.stats()).toMatchObject({ destinations: 10, ghosts: 4 })
})

test('stale destinations go first, the longest unused before the others', () => {
  const lone = new LoneRouter(1, { destinations: 3 })
  const [old, used] = [at(20), at(21)]
  lone.announce(1, old, 1n)
  lone.announce(1, used, 1n)
  lone.later(5_000_000)
  lone.announce(1, at(22), 1n)
  lone.router.nextHop(used)
  lone.later(500_000)
  lone.announce(1, at(23), 1n)
  expect([old, used, at(22), at(23)].map((each) => lone.router.nextHop(each))).toEqual([NO_HOP, 1, 1, 1])
})

test('of more candidates than the limit the best stay, and the one that serves always', () => {
  const lone = new LoneRouter(6, { candidates: 3 })
  const D = at(7)
  for (const [id, cost] of [50, 40, 30, 20, 60, 10].entries()) lone.announce(id + 1, D, 1n, { cost, hops: 1 })
  expect(
    lone.router
      .explain(0, D)
      .candidates.map((each) => each.cost)
      .sort(),
  ).toEqual([10, 20, 30])
  expect(lone.router.nextHop(D)).toBe(6)
})

test('adjacencies end at the limit, and a dead one makes room', () => {
  const lone = new LoneRouter(3, { adjacencies: 3 })
  expect(lone.up(4)).toBe(false)
  lone.router.adjacencyDown(0, 2)
  expect(lone.up(4)).toBe(true)
  expect(() => lone.router.adjacencyChanged(0, 2, { addCost: 1 })).toThrow(RangeError)
  lone.router.adjacencyDown(0, 2)
})

test('searches, queued requests, passed requests and refusals end at their limits', () => {
  const lone = new LoneRouter(3, {
    pendingRequests: 5,
    queuedRequests: 40,
    passedRequests: 30,
    passedRequestsPerNeighbour: 20,
    refusals: 6,
    askedAnnounces: 7,
  })
  expect(strangers(9).filter((each) => lone.router.seek(0, each)).length).toBe(5)
  expect(lone.pullRequests(1).length).toBe(5)
  for (const each of strangers(100)) lone.request(2, each, 1n)
  expect(lone.pullRequests(1).length).toBe(20)
  for (const each of strangers(100)) lone.request(1, each, 1n)
  expect(lone.pullRequests(3).length).toBe(5 + 20 + 10)
  for (const each of strangers(100)) lone.router.unreachable(0, 1, each)
  expect(lone.pullUpdates(1).length).toBe(6)
  lone.pull(2)
  for (const each of strangers(100)) lone.update(2, each, 1n, { cost: 3 })
  expect(lone.pullRequests(2).length).toBe(7)
})

test('one neighbour cannot cause more signature checks than its allowance', () => {
  const lone = new LoneRouter(2, { verificationBurst: 10, verificationsPerSecond: 2 })
  const verified = (id: number): number =>
    strangers(50).filter((each) => lone.router.assess(lone.nowMs, id, announcePacket(each, 1n)) === 'verify').length
  expect([verified(1), verified(1), verified(2)]).toEqual([10, 0, 10])
  lone.nowMs = 3_000
  expect(verified(1)).toBe(6)
})

test('a hostile neighbour can throw nothing but RoutingError, and grows nothing past the limits', () => {
  const lone = new LoneRouter(2, { destinations: 20, ghosts: 20 })
  const known = strangers(20)
  for (const each of known) lone.announce(1, each, 3n, { cost: 5, hops: 1 })
  let accepted = 0
  for (let count = 0; count < 5_000; count++) {
    const body = dice.chance(0.5) ? dice.bytes(dice.below(100)) : craft(dice.pick(known))
    try {
      lone.router.receiveRouteFrame(lone.nowMs, 2, body)
      accepted += 1
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error
    }
    if (count % 50 === 0) lone.later(1_000)
    for (const id of [1, 2])
      for (const frame of lone.pull(id)) if (frame.kind === 'route') decodeRouteFrame(frame.bytes)
  }
  expect(accepted).toBeGreaterThan(1_000)
  expect(lone.router.stats().destinations).toBe(20)
  // It may attract what it lies about, at the lamport that is verified; it cannot take away what the other serves.
  lone.router.adjacencyDown(lone.nowMs, 2)
  const lost = known.filter((each) => lone.router.nextHop(each) !== 1)
  for (const each of lost) lone.announce(1, each, 4n, { cost: 5, hops: 1 })
  expect(known.every((each) => lone.router.nextHop(each) === 1)).toBe(true)
})

function craft(destination: Uint8Array): Uint8Array {
  const body = new Uint8Array(31)
  body[0] = 1
  body.set(destination, 1)
  body[17] = dice.below(6)
  if (dice.chance(0.2)) body.fill(255, 17, 25)
  body.set([dice.below(256), dice.below(3), 1, 0, 9, dice.below(140)], 25)
  return body
}

test('impossible limits are refused', () => {
  const options = { selfId: at(1), crypto: portable() }
  const ports = { want() {}, selfAnnounce() {} }
  expect(() => new Router({ ...options, limits: { destinations: 0 } }, ports)).toThrow(RangeError)
  expect(() => new Router({ ...options, limits: { adjacencies: 0xffff } }, ports)).toThrow(RangeError)
  expect(() => new Router({ ...options, selfId: new Uint8Array(3) }, ports)).toThrow(RangeError)
})

test('a route takes at most 300 bytes at 10 000 routes with a second path each', () => {
  const lone = new LoneRouter(2)
  for (const destination of strangers(10_000)) {
    lone.announce(1, destination, 1n, { cost: 10, hops: 1 })
    lone.announce(2, destination, 1n, { cost: 12, hops: 1 })
  }
  const { tableBytes, routes, candidates } = lone.router.stats()
  expect([routes, candidates]).toEqual([10_000, 20_000])
  expect(tableBytes / routes).toBeLessThanOrEqual(300)
})

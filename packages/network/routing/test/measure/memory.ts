// Table memory and lookups: node --expose-gc --conditions=nexus-source packages/network/routing/test/measure/memory.ts [candidates]
import { encodeBandwidth, encodePathCost } from '@nexus/compact-path-cost'
import { portable } from '@nexus/crypto'
import { Router } from '@nexus/routing'
import { announcePacket, Dice } from '../mesh.ts'

const ROUTES = 10_000
const crypto = portable()

// The first line is the warm-up: code and caches of the engine are not the table's.
const candidatesPerRoute = Number(process.argv[2] ?? 2)
measure(candidatesPerRoute)
measure(candidatesPerRoute)

function measure(neighbours: number): void {
  const dice = new Dice(neighbours)
  const destinations = Array.from({ length: ROUTES }, () => dice.bytes(16))
  const packets = destinations.map((destination) => announcePacket(destination, 1n))
  const before = used()
  const router = new Router({ selfId: dice.bytes(16), crypto }, { want() {}, selfAnnounce() {} })
  for (let id = 1; id <= neighbours; id++) {
    router.adjacencyUp(0, id, {
      nodeId: dice.bytes(16),
      interfaceId: 1,
      addCost: 40,
      latencyMs: 10 * id,
      bandwidth: encodeBandwidth(1e6),
    })
  }
  for (let id = 1; id <= neighbours; id++) {
    for (const packet of packets) {
      packet.set(encodePathCost({ cost: 20 * id, latencyMs: 5, bandwidth: 200, hops: id }), 126)
      router.receiveAnnounce(0, id, packet)
    }
    for (let drained = 1; drained <= id; drained++) while (router.pull(0, drained, 1200) !== undefined);
  }
  // Repeats are told in the next rounds; then nothing is pending.
  for (let round = 1; round <= 3; round++) {
    router.tick(round * 61_000)
    for (let id = 1; id <= neighbours; id++) while (router.pull(round * 61_000, id, 1200) !== undefined);
  }
  const heapBytes = (used() - before) / ROUTES
  const { tableBytes, candidates, routes } = router.stats()
  let found = 0
  const lookups = 5_000_000
  const startedMs = performance.now()
  for (let count = 0; count < lookups; count++) found += router.nextHop(destinations[count % ROUTES]!)
  const perSecond = lookups / ((performance.now() - startedMs) / 1000)
  const downMs = performance.now()
  router.adjacencyDown(200_000, 1)
  const failoverMs = performance.now() - downMs
  console.log(
    `${routes} routes, ${candidates} candidates: tables ${(tableBytes / ROUTES).toFixed(0)} B, ` +
      `process ${heapBytes.toFixed(0)} B per route; ${(perSecond / 1e6).toFixed(1)} M lookups/s; ` +
      `all routes moved off a dead neighbour in ${failoverMs.toFixed(1)} ms (${found > 0 ? router.stats().routes : 0} left)`,
  )
}

function used(): number {
  for (let count = 0; count < 4; count++) gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

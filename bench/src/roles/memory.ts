/** What a process holds: `memory.ts empty|idle|routes`. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBandwidth, encodePathCost } from '@nexus/compact-path-cost'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { encodeAnnouncePacket } from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import { createNode, type Node } from '@nexus/node'
import { Router } from '@nexus/routing'
import { tcpClient, tcpServer } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { serve } from '../child.ts'

const ROUTES = 10_000
const SETTLE_MS = 1_500
const ROUND_MS = 61_000
const ROUNDS = 3
const FRAME_BYTES_MAX = 1_200

let node: Node
serve({
  /** Every module is loaded, and nothing runs. */
  empty: () => ({}),
  idle: async ({ address }) => {
    const crypto = await nodeCrypto()
    const transports = [
      tcpServer({ host: '127.0.0.1', port: 0 }),
      udpTransport({ host: '127.0.0.1', port: 0, multicast: false }),
      tcpClient({ address: String(address) }),
    ]
    node = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto, transports })
    await node.start()
    await sleep(SETTLE_MS)
    if (node.status().links.length !== 1) throw new Error('not linked')
    return {}
  },
  routes: async () => {
    const crypto = await nodeCrypto()
    fill(new Router({ selfId: systemRandom(16), crypto }, { want() {}, selfAnnounce() {} })) // Warms the engine up.
    const packets = announcePackets()
    const before = await heldBytes()
    const router = new Router({ selfId: systemRandom(16), crypto }, { want() {}, selfAnnounce() {} })
    fill(router, packets)
    const bytes = (await heldBytes()) - before
    const { routes, tableBytes } = router.stats()
    if (routes !== ROUTES) throw new Error(`${routes} routes`)
    return { perRoute: bytes / ROUTES, tables: tableBytes / ROUTES }
  },
  rss: async () => {
    await heldBytes()
    return { rss: Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_000 }
  },
})

/** Tells a router of so many destinations by one neighbour, and lets it tell all it has to tell. */
function fill(router: Router, packets: readonly Uint8Array[] = announcePackets()): void {
  const neighbour = { interfaceId: 1, addCost: 40, latencyMs: 10, bandwidth: encodeBandwidth(1e8) }
  router.adjacencyUp(0, 1, { nodeId: systemRandom(16), ...neighbour })
  for (const packet of packets) router.receiveAnnounce(0, 1, packet)
  for (let round = 0; round <= ROUNDS; round++) {
    router.tick(round * ROUND_MS)
    while (router.pull(round * ROUND_MS, 1, FRAME_BYTES_MAX) !== undefined);
  }
}

/** The router takes announces whose signatures were checked before: nobody looks at these. */
function announcePackets(): Uint8Array[] {
  return Array.from({ length: ROUTES }, () => {
    const cost = encodePathCost({ cost: 20, latencyMs: 5, bandwidth: 200, hops: 1 })
    const extension = { version: 1, cost, tlvs: [{ type: 1, data: systemRandom(2) }] }
    const [publicKey, signature] = [systemRandom(32), systemRandom(64)]
    return encodeAnnouncePacket(systemRandom(16), { publicKey, signature, lamport: 1n, maxHops: 128, extension })
  })
}

async function heldBytes(): Promise<number> {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc!()
    await sleep(20)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

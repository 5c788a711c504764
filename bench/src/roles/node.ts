/** A node at one end of a TCP connection: `node.ts`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fromHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { createNode, type Node, type NodeStream } from '@nexus/node'
import { NO_HOP } from '@nexus/routing'
import { tcpClient, tcpServer } from '@nexus/transport-tcp'
import { serve } from '../child.ts'
import { until } from '../until.ts'

/** Messages handed to the node in one turn of the event loop. */
const BURST = 32
const CHUNK = systemRandom(65_536)

let node: Node
let received = 0
let firstMs = 0
let lastMs = 0

serve({
  open: async ({ address }) => {
    const crypto = await nodeCrypto()
    const server = tcpServer({ host: '127.0.0.1', port: 0 })
    const transport = address === undefined ? server : tcpClient({ address: String(address) })
    node = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto, transports: [transport] })
    node.on('message', ({ handle }) => {
      heard(1)
      node.take(handle)
    })
    node.on('stream', ({ kind, stream }) => {
      if (kind === 'incoming' || kind === 'readable') heard(stream.read().length)
      else if (kind === 'writable') fill(stream)
    })
    await node.start()
    return { address: server.address, nodeId: node.nodeId }
  },
  route: async ({ nodeId }) => {
    const { router } = node.core.routes
    await until('there is a route', () => (router.nextHop(fromHex(String(nodeId))) === NO_HOP ? undefined : true))
    return {}
  },
  reset: () => {
    received = 0
    return {}
  },
  stat: () => {
    const { user, system } = process.cpuUsage()
    return { received, seconds: (lastMs - firstMs) / 1_000, cpuMicros: user + system }
  },
  send: async ({ nodeId, count, bytes }) => {
    const [destination, body] = [fromHex(String(nodeId)), systemRandom(Number(bytes))]
    for (let sent = 0; sent < Number(count); sent++) {
      node.send(destination, body, { anonymous: true })
      if (sent % BURST !== 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      // More would wait for a route again, as the node says no to what has no room.
      while (isFull()) await sleep(1)
    }
    return {}
  },
  transfer: ({ nodeId, bytes }) => {
    left = Number(bytes)
    fill(node.openStream(String(nodeId)))
    return {}
  },
})

function isFull(): boolean {
  return [...node.core.interfaces.values()].some(({ egress }) => egress.queuedBytes > 0)
}

let left = 0
function fill(stream: NodeStream): void {
  while (left > 0) {
    const taken = stream.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)))
    if (taken === 0) return
    left -= taken
  }
  stream.close()
}

function heard(amount: number): void {
  lastMs = performance.now()
  if (received === 0) firstMs = lastMs
  received += amount
}

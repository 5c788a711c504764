/** The node under attack: UDP, TCP and WebSocket on loopback. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { tcpServer } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { webSocketServer } from '@nexus/transport-websocket/server'
import { createNode } from '../../src/index.ts'
import { memory, serve } from './processes.ts'

const crypto = await nodeCrypto()
const udp = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
const tcp = tcpServer({ host: '127.0.0.1', port: 0 })
const ws = webSocketServer({ listen: { host: '127.0.0.1', port: 0 } })
const identity = createIdentity(crypto, systemRandom(32))
const node = await createNode({
  identity,
  crypto,
  label: 'victim',
  transports: [udp, tcp, ws],
  allowStrangerReceipts: true,
})
let received = 0
node.on('message', ({ handle }) => {
  received++
  node.take(BigInt(handle))
})
await node.start()
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

serve({
  where: () => ({ udp: udp.address, tcp: tcp.address, ws: ws.address, nodeId: toHex(identity.nodeId) }),
  memory,
  resetDelay: () => delay.reset(),
  report: () => ({
    // The histogram counts the sampling interval itself.
    delayP99Ms: delay.percentile(99) / 1e6 - 5,
    delayMaxMs: delay.max / 1e6 - 5,
    received,
    links: node.core.links.stats().links,
    routes: node.core.routes.router.stats(),
    dropped: node.core.packets.dropped,
    authentic: [...node.core.links.links()].reduce((sum, { counters }) => sum + counters.framesIn, 0),
    announces: node.core.routes.verified,
    framesIn: [...node.core.links.stats().interfaces.values()].reduce((sum, { framesIn }) => sum + framesIn, 0),
  }),
})

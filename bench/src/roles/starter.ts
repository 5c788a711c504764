/** Starts a node from nothing, and tells when it runs and when it has a route: `starter.ts`. */
import { fromHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { createNode } from '@nexus/node'
import { NO_HOP } from '@nexus/routing'
import { tcpClient } from '@nexus/transport-tcp'
import { serve } from '../child.ts'
import { until } from '../until.ts'

serve({
  start: async ({ address, nodeId, spawnedMs }) => {
    const crypto = await nodeCrypto()
    const transports = [tcpClient({ address: String(address) })]
    const node = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto, transports })
    await node.start()
    const startedMs = Date.now() - Number(spawnedMs)
    const { router } = node.core.routes
    const wanted = fromHex(String(nodeId))
    await until('there is a route', () => (router.nextHop(wanted) === NO_HOP ? undefined : true))
    return { startedMs, routeMs: Date.now() - Number(spawnedMs) }
  },
})

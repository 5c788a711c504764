/** An honest neighbour of the victim: sends it a message now and then, and counts what was delivered. */
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { tcpClient } from '@nexus/transport-tcp'
import { createNode } from '../../src/index.ts'
import { serve, settingsOf } from './processes.ts'

const { address, nodeId, everyMs } = settingsOf<{ address: string; nodeId: string; everyMs: number }>()
const crypto = await nodeCrypto()
const identity = createIdentity(crypto, systemRandom(32))
const node = await createNode({ identity, crypto, label: 'neighbour', transports: [tcpClient({ address })] })
let sent = 0
let delivered = 0
let failed = 0
node.on('state', ({ state }) => {
  if (state === 'delivered') delivered++
  if (state === 'failed') failed++
})
await node.start()
let timer: NodeJS.Timeout | undefined

serve({
  isLinked: () => node.status().routes.some(({ destination }) => destination === nodeId),
  begin: () => {
    timer = setInterval(() => {
      node.send(nodeId, `message ${sent++}`)
    }, everyMs)
  },
  end: () => clearInterval(timer),
  counts: () => ({ sent, delivered, failed }),
})

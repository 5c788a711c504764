/** One of the nodes of the soak: keeps its state in a folder, and is killed without warning. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { udpTransport } from '@nexus/transport-udp'
import { createNode, openStore } from '../../src/index.ts'
import { memory, serve, settingsOf } from './processes.ts'

export interface SoakedSettings {
  readonly folder: string
  readonly port: number
  readonly peers: readonly string[]
}

const { folder, port, peers } = settingsOf<SoakedSettings>()
mkdirSync(folder, { recursive: true })
const seedFile = join(folder, 'seed')
if (!existsSync(seedFile)) writeFileSync(seedFile, systemRandom(32))
const crypto = await nodeCrypto()
const identity = createIdentity(crypto, new Uint8Array(readFileSync(seedFile)))
const { store } = openStore(join(folder, 'state.db'))
const node = await createNode({
  identity,
  crypto,
  store,
  allowStrangerReceipts: true,
  transports: [udpTransport({ host: '127.0.0.1', port, peers, multicast: false })],
})
/** How many ended how; and of the probes at the end, which were delivered. */
const ends: Record<string, number> = {}
const probes = new Map<string, boolean>()
// A message counts as shown when it is taken: until then it is shown again after a restart, by design.
node.on('message', ({ handle, text }) => {
  if (node.take(BigInt(handle))) appendFileSync(join(folder, 'shown'), `${text}\n`)
})
node.on('state', ({ id, state }) => {
  if (state !== 'delivered' && state !== 'failed') return
  ends[state] = (ends[state] ?? 0) + 1
  if (state === 'delivered' && probes.has(String(id))) probes.set(String(id), true)
})
await node.start()

let others: string[] = []
let timer: NodeJS.Timeout | undefined
const life = Date.now()
let count = 0

serve({
  nodeId: () => node.nodeId,
  memory,
  load: (argument: { readonly others: string[]; readonly everyMs: number }) => {
    others = argument.others
    clearInterval(timer)
    timer = setInterval(() => {
      const to = others[Math.floor(Math.random() * others.length)]!
      if (node.core.messenger.stats().outboxMessages < 200)
        node.send(to, `${node.nodeId.slice(0, 8)} ${life} ${count++}`)
    }, argument.everyMs)
  },
  quiet: () => clearInterval(timer),
  send: (to: string) => {
    const id = String(node.send(to, `${node.nodeId.slice(0, 8)} ${life} ${count++}`))
    probes.set(id, false)
    return id
  },
  isDelivered: (id: string) => probes.get(id) === true,
  tally: () => ends,
  /** All that this node knows of a message that did not arrive. */
  explain: ({ to, id }: { readonly to: string; readonly id: string }) => {
    const { messenger, routes } = node.core
    const hop = routes.router.nextHop(fromHex(to))
    const before = messenger.list(performance.now()).filter(({ destination }) => toHex(destination) === to)
    const own = messenger.status(performance.now(), BigInt(id))
    const asText = (_: string, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? toHex(value) : value
    return `${node.nodeId} to ${to}: ${JSON.stringify({ hop, own, before: before.length, ...messenger.stats() }, asText)}`
  },
})

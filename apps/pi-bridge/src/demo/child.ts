import { join } from 'node:path'
import { fromHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { createNode, openStore } from '@nexus/node'
import { ControlServer } from '@nexus/node/control'
import type { Transport } from '@nexus/transport'
import { loraSim } from '@nexus/transport-lora-sim'
import { remoteAir } from '@nexus/transport-lora-sim/node'
import { udpTransport } from '@nexus/transport-udp'
import { EXIT } from '../cli/exit-codes.ts'
import { readGenesis } from '../economy/genesis-file.ts'
import { identityIn } from './identities.ts'
import { DEMO_EXPOSURE_MICRO, DEMO_NODE, DEMO_PRICE_MICRO, DEMO_UDP_BPS, ROUND_MS } from './plan.ts'
import { Traffic } from './traffic.ts'

/** What the parent says when it starts a child. */
export interface ChildSettings {
  readonly name: string
  readonly stateDir: string
  readonly socket: string
  readonly air?: { readonly port: number; readonly token: string }
  readonly udp?: { readonly port: number; readonly peers: readonly string[] }
  /** File of the economy's genesis. */
  readonly genesis: string
  /** NodeIDs of the other nodes, which it keeps the mesh at work with. */
  readonly others: readonly string[]
}

/** What the parent says later on. */
export interface TrafficWish {
  readonly traffic: boolean
}

async function main(settings: ChildSettings): Promise<number> {
  const { name, stateDir, socket, air, udp } = settings
  const crypto = await nodeCrypto()
  const identity = identityIn(crypto, stateDir)
  const { store, setAside } = openStore(join(stateDir, 'state.db'))
  if (setAside !== undefined)
    process.stderr.write(`${name}: ${setAside.path} was damaged; it is kept as ${setAside.asidePath}\n`)
  const transports: Transport[] = []
  if (air !== undefined) transports.push(loraSim({ air: remoteAir(air), radio: name, settings: { dutyCycle: 1 } }))
  if (udp !== undefined)
    transports.push(
      udpTransport({ host: '127.0.0.1', port: udp.port, peers: udp.peers, multicast: false, bitrateBps: DEMO_UDP_BPS }),
    )
  const node = await createNode({
    identity,
    crypto,
    store,
    transports,
    label: name,
    roundMs: ROUND_MS,
    priceMicroPerMib: DEMO_PRICE_MICRO,
    economy: { genesis: readGenesis(crypto, settings.genesis), exposureLimitMicro: DEMO_EXPOSURE_MICRO },
    allowStrangerReceipts: true,
  })
  const control = new ControlServer(socket, node.api)
  await node.start()
  await control.start()
  const left = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('disconnect', () => resolve())
  })
  // The terminal sends this to the whole group; the parent decides.
  process.on('SIGINT', () => {})
  const traffic = new Traffic(node, settings.others.map(fromHex))
  process.on('message', (wish: TrafficWish) => traffic.turn(wish.traffic))
  process.send?.({ ready: node.nodeId })
  await left
  traffic.turn(false)
  await control.stop()
  await node.stop()
  store.close()
  return EXIT.ok
}

/** Runs one node of the demonstration, as told by the parent's first message, until the parent ends it or itself. */
export function runDemoNode(): Promise<number> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) reject(new Error(`${DEMO_NODE} is for nexus-node demo`))
    process.once('message', (settings: ChildSettings) => main(settings).then(resolve, reject))
  })
}

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, type Identity } from '@nexus/identity'
import { readIdentityFile, writePlainIdentityFile } from '@nexus/identity/node'
import { createNode, openStore } from '@nexus/node'
import { ControlServer } from '@nexus/node/control'
import type { Transport } from '@nexus/transport'
import { loraSim } from '@nexus/transport-lora-sim'
import { remoteAir } from '@nexus/transport-lora-sim/node'
import { udpTransport } from '@nexus/transport-udp'
import { EXIT } from '../cli/exit-codes.ts'
import { DEMO_NODE, ROUND_MS } from './plan.ts'

/** What the parent says when it starts a child. */
export interface ChildSettings {
  readonly name: string
  readonly stateDir: string
  readonly socket: string
  readonly air?: { readonly port: number; readonly token: string }
  readonly udp?: { readonly port: number; readonly peers: readonly string[] }
}

async function main(settings: ChildSettings): Promise<number> {
  const { name, stateDir, socket, air, udp } = settings
  mkdirSync(stateDir, { recursive: true })
  const crypto = await nodeCrypto()
  const { store, setAside } = openStore(join(stateDir, 'state.db'))
  if (setAside !== undefined)
    process.stderr.write(`${name}: ${setAside.path} was damaged; it is kept as ${setAside.asidePath}\n`)
  const transports: Transport[] = []
  if (air !== undefined) transports.push(loraSim({ air: remoteAir(air), radio: name, settings: { dutyCycle: 1 } }))
  if (udp !== undefined)
    transports.push(udpTransport({ host: '127.0.0.1', port: udp.port, peers: udp.peers, multicast: false }))
  const identity = identityIn(crypto, join(stateDir, 'identity'))
  const node = await createNode({
    identity,
    crypto,
    store,
    transports,
    label: name,
    roundMs: ROUND_MS,
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
  process.send?.({ ready: node.nodeId })
  await left
  await control.stop()
  await node.stop()
  store.close()
  return EXIT.ok
}

/** The identity of before, or a new one; without a passphrase, since it guards nothing. */
function identityIn(crypto: Crypto, path: string): Identity {
  if (!existsSync(path)) writePlainIdentityFile(crypto, path, systemRandom(32))
  return createIdentity(crypto, readIdentityFile(crypto, path, { plainAllowed: true }))
}

/** Runs one node of the demonstration, as told by the parent's first message, until the parent ends it or itself. */
export function runDemoNode(): Promise<number> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) reject(new Error(`${DEMO_NODE} is for nexus-node demo`))
    process.once('message', (settings: ChildSettings) => main(settings).then(resolve, reject))
  })
}

import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { createNode, type Node } from '@nexus/node'
import { nexusReticulumIdentity } from '@nexus/reticulum'
import { nexusTransportOn, startReticulum, tcpClientMedium } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  await rnsPython()
}, 300_000)
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop()
})

/** A NEXUS node whose one medium is the Reticulum network behind `address`. */
async function nexusNode(address: string, label: string): Promise<Node> {
  const crypto = await nodeCrypto()
  const seed = systemRandom(32)
  const identity = createIdentity(crypto, seed)
  const reticulum = await startReticulum({ crypto, media: [tcpClientMedium(address)] })
  running.push(reticulum)
  await reticulum.node.online()
  const transport = nexusTransportOn(reticulum, {
    identity: nexusReticulumIdentity(crypto, reticulum.crypto, seed),
    extension: () => Uint8Array.of(0x4e, 1, 0, 0, 0, 0, 0, 0),
    announceMs: 5_000,
  })
  const node = await createNode({ identity, transports: [transport], label, roundMs: 2_000 })
  await node.start()
  running.push(node)
  return node
}

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('NEXUS over Reticulum, time %i', () => {
  test('two NEXUS nodes, joined by two stock transport nodes alone, exchange a message and its receipt', async () => {
    const west = await Peer.start('transport', '--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0')
    running.push(west)
    const east = await Peer.start('transport', '--listen', '127.0.0.1:0', '--connect', west.address(1))
    running.push(east)
    const alice = await nexusNode(west.address(0), 'alice')
    const bob = await nexusNode(east.address(0), 'bob')
    const arrived = new Promise<string>((resolve) => bob.on('message', ({ text }) => resolve(text ?? '')))
    const delivered = new Promise<string>((resolve) => {
      alice.on('state', ({ state }) => {
        if (state === 'delivered' || state === 'failed') resolve(state)
      })
    })
    alice.send(bob.nodeId, 'across Reticulum')
    expect(await arrived).toBe('across Reticulum')
    expect(await delivered).toBe('delivered')
    const [medium] = alice.status().interfaces
    expect(medium).toMatchObject({ kind: 'reticulum' })
  }, 90_000)
})

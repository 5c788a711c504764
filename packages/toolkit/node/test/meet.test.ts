import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { udpTransport } from '@nexus/transport-udp'
import { afterEach, expect, test } from 'vitest'
import { MET_MAX } from '../src/core/limits.ts'
import { createNode, MemoryStore, type Node, type NodeOptions } from '../src/index.ts'

const crypto = await nodeCrypto()
const running: Node[] = []
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop()
})

async function node(seed: number, options: Partial<NodeOptions> = {}) {
  const udp = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
  const identity = createIdentity(crypto, new Uint8Array(32).fill(seed))
  const made = await createNode({ identity, crypto, transports: [udp], ...options })
  running.push(made)
  await made.start()
  return { node: made, nodeId: identity.nodeId, udp }
}

test('a node that was found is linked with, and trusted no more for it', async () => {
  const [a, b] = [await node(1), await node(2)]
  a.node.meet(b.nodeId, a.udp.name, b.udp.address!)
  await expect.poll(() => a.node.status().links, { timeout: 10_000 }).toMatchObject([{ trusted: false }])
  expect(await a.node.api.call('peer-list', {})).toEqual({ peers: [] })
})

test('whoever links with trusted peers alone does not link with one that was found', async () => {
  const [a, b] = [await node(1), await node(2, { admission: 'trusted' })]
  a.node.meet(b.nodeId, a.udp.name, b.udp.address!)
  await expect.poll(() => Object.keys(b.node.status().interfaces[0]!.refused), { timeout: 10_000 }).not.toEqual([])
  expect(b.node.status().links).toEqual([])
})

test('an address that cannot be dialled is refused, and one that was noted earlier is left alone', async () => {
  const store = new MemoryStore()
  const peer = 'ab'.repeat(16)
  store.put(`peer/${peer}`, new TextEncoder().encode(JSON.stringify({ address: 'udp:127.0.0.1:0 nohost' })))
  const { node: a, udp } = await node(1, { store })
  const refused = a.api.call('peer-add', { nodeId: 'cd'.repeat(16), address: `${udp.name} nohost` })
  await expect(refused).rejects.toMatchObject({ detail: { code: 'bad-request' } })
  expect((await a.api.call('peer-list', {})).peers.map(({ nodeId }) => nodeId)).toEqual([peer])
  expect(a.core.links.stats().dials).toBe(0)
})

test('another address takes the place of the one before, and of too many the one found first is let go', async () => {
  const { node: a, udp } = await node(1)
  const idOf = (at: number) => Uint8Array.from({ length: 16 }, (_, byte) => (byte === 0 ? at : byte))
  for (let time = 0; time < 3; time++) a.meet(idOf(0), udp.name, `127.0.0.1:${40_000 + time}`)
  expect(a.core.links.stats().dials).toBe(1)
  for (let at = 0; at < 2 * MET_MAX; at++) a.meet(idOf(at), udp.name, '127.0.0.1:40009')
  expect(a.core.links.stats().dials).toBe(MET_MAX)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex } from '@nexus/codec'
import { genesisSnapshot } from '@nexus/crdt-ledger'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { udpTransport } from '@nexus/transport-udp'
import { afterEach, expect, test } from 'vitest'
import { statusSchema } from '../src/api.ts'
import { createNode, type Node, openStore } from '../src/index.ts'

const crypto = await nodeCrypto()
const identities = Array.from({ length: 3 }, () => createIdentity(crypto, systemRandom(32)))
const genesis = genesisSnapshot(
  (bytes) => crypto.blake3(bytes),
  identities.map(({ nodeId }) => [nodeId, 1_000_000_000n] as const),
)
const CONTEXT = 0x90
/** Below 1 Mbit/s windows are of 256 frames. */
const SLOW = { host: '127.0.0.1', port: 0, multicast: false, bitrateBps: 900_000 } as const

const running: Node[] = []
const folders: string[] = []
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function until(what: string, isSo: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function options(at: number, label: string) {
  const economy = { genesis, exposureLimitMicro: 50_000_000n }
  return { identity: identities[at]!, crypto, label, priceMicroPerMib: 10_000_000, economy }
}

test('on real sockets and a disk: a relay is paid for packets, and still knows it after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-economy-'))
  folders.push(folder)
  const path = join(folder, 'state.db')
  const middle = udpTransport(SLOW)
  const opened = openStore(path)
  const b = await createNode({ ...options(1, 'b'), store: opened.store, transports: [middle] })
  running.push(b)
  await b.start()
  const a = await createNode({ ...options(0, 'a'), transports: [udpTransport({ ...SLOW, peers: [middle.address!] })] })
  const c = await createNode({ ...options(2, 'c'), transports: [udpTransport({ ...SLOW, peers: [middle.address!] })] })
  running.push(a, c)
  await a.start()
  await c.start()
  await until('a knows c', () => a.status().routes.some(({ destination }) => destination === c.nodeId))
  let arrived = 0
  c.core.register(CONTEXT, () => arrived++)
  const send = (): void => {
    for (let packet = 0; packet < 16; packet++) {
      a.core.sendData(performance.now(), fromHex(c.nodeId), CONTEXT, systemRandom(200))
    }
  }
  await until('a win is paid', () => {
    send()
    return BigInt(b.status().economy!.lottery.find(({ peer }) => peer === a.nodeId)?.paidMicro ?? '0') > 0n
  })
  expect(arrived).toBeGreaterThan(250)
  const { economy } = statusSchema.parse(b.status())
  const channel = economy!.channels.find(({ peer }) => peer === a.nodeId)
  expect(channel).toMatchObject({ phase: 'ready' })
  const owed = BigInt(channel!.owedMicro)
  expect(owed).toBeGreaterThan(0n)
  await until('a has the countersigned state', () => a.status().economy!.channels[0]!.owedMicro === `${-owed}`)
  await b.stop()
  await a.stop()
  opened.store.close()
  const again = openStore(path)
  const restarted = await createNode({ ...options(1, 'b'), store: again.store, transports: [] })
  expect(restarted.status().economy!.channels.find(({ peer }) => peer === a.nodeId)).toMatchObject({
    phase: 'offline',
    owedMicro: `${owed}`,
  })
  again.store.close()
}, 60_000)

test('channels are opened, settled and disputed by methods, and told of as events', async () => {
  const medium = udpTransport(SLOW)
  const b = await createNode({ ...options(1, 'b'), transports: [medium] })
  running.push(b)
  await b.start()
  const a = await createNode({ ...options(0, 'a'), transports: [udpTransport({ ...SLOW, peers: [medium.address!] })] })
  const free = await createNode({ identity: identities[2]!, crypto })
  running.push(a, free)
  await a.start()
  await expect(a.api.call('channel-settle', { to: b.nodeId })).rejects.toThrow('there is no channel')
  await until('a and b are linked', () => a.status().links.length > 0)
  expect(await a.api.call('channel-open', { to: b.nodeId })).toMatchObject({ peer: b.nodeId, owedMicro: '0' })
  await until('the channel is open at both', () =>
    [a, b].every((node) => node.status().economy!.channels[0]?.phase === 'ready'),
  )
  for (const [node, peer] of [
    [a, b],
    [b, a],
  ] as const) {
    for await (const { kind, facts } of node.api.stream('events', { after: 0 }, AbortSignal.timeout(5_000))) {
      if (kind !== 'channel') continue
      expect(facts).toEqual({ peer: peer.nodeId, state: 'open' })
      break
    }
  }
  expect(await a.api.call('channel-settle', { to: b.nodeId })).toMatchObject({ asked: false })
  expect(await a.api.call('channel-dispute', { to: b.nodeId })).toMatchObject({ outcome: 'nothing' })
  await expect(free.api.call('channel-open', { to: b.nodeId })).rejects.toThrow('takes part in no economy')
}, 60_000)

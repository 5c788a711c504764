import { type ChannelPorts, Channels, type Store } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { openStore } from '@nexus/node'
import { MemoryStore } from '@nexus/node/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { channelsSchema, drillSchema } from '../src/channel/schema.ts'
import { EXIT } from '../src/cli/exit-codes.ts'
import { Bench } from './harness.ts'

const bench = new Bench()
afterAll(() => bench.end())

const crypto = await nodeCrypto()
const state = bench.path('state.db')
const peer = createIdentity(crypto, systemRandom(32))

/** A node that earned 500 μNXS from a peer, and its state file. */
beforeAll(() => {
  const { store } = openStore(state)
  const own = createIdentity(crypto, systemRandom(32))
  const wire: (() => void)[] = []
  const sides = new Map<string, Channels>()
  const make = (identity: typeof own, kept: Store) => {
    const ports: ChannelPorts = {
      send: (to, bytes) => wire.push(() => sides.get(toHex(to))!.receive(0, identity.nodeId, bytes)),
      publish: () => undefined,
      judge: () => ({ payMicro: 500n }),
      paid: () => undefined,
      earned: () => undefined,
      claimRefused: () => undefined,
      wouldApply: () => false,
      payerSeqSeen: () => 0n,
      settledSequence: () => 0n,
      finalSequence: () => 0n,
      balanceInSnapshotMicro: () => 1_000_000n,
      creditLineMicro: () => 0n,
    }
    const options = { crypto, identity, random: systemRandom, store: kept, networkId: new Uint8Array(16), epoch: 0n }
    const channels = new Channels({ ...options, exposureLimitMicro: 1_000_000n }, ports)
    sides.set(toHex(identity.nodeId), channels)
    return channels
  }
  const [node, other] = [make(own, store), make(peer, new MemoryStore())]
  node.linkUp(0, peer.publicKey, 1_000)
  other.linkUp(0, own.publicKey, 1_000)
  node.open(0, peer.nodeId)
  const deliver = () => {
    for (let next = wire.shift(); next !== undefined; next = wire.shift()) next()
  }
  deliver()
  node.claim(0, peer.nodeId, Uint8Array.of(1), 500n, 1n)
  deliver()
  store.close()
})

describe('nexus-channel', () => {
  test('lists the channels in a state file', async () => {
    const [listed] = await bench.json('a', 'nexus-channel', ['list', '--state', state])
    const { channels } = channelsSchema.parse(listed)
    expect(channels).toMatchObject([{ peer: toHex(peer.nodeId), phase: 'open', owedMicro: '500', pendingMicro: '0' }])
    const people = await bench.run('a', 'nexus-channel', ['list', '--state', state])
    expect(people.out).toContain('500')
  })

  test('drills a restore: nothing old is signed, in a drill of its own and on a copy of the state', async () => {
    const [drilled] = await bench.json('a', 'nexus-channel', ['drill-restore', '--backups', '5', '--state', state])
    const { ok, backups, own } = drillSchema.parse(drilled)
    expect(ok).toBe(true)
    expect(backups).toHaveLength(5)
    for (const row of backups) {
      expect(row.signedWhileSilent).toBe(0)
      expect(row.balanceRegained).toBe(true)
      expect(BigInt(row.lowestSigned!)).toBeGreaterThan(BigInt(row.newestSequence))
    }
    expect(own).toMatchObject([{ peer: toHex(peer.nodeId), signed: 0, closed: false }])
  })

  test('without a state file drills alone, and lists nothing', async () => {
    const none = bench.path('none.db')
    const listed = await bench.run('a', 'nexus-channel', ['list', '--state', none])
    expect(listed.code).toBe(EXIT.notFound)
    const wrong = await bench.run('a', 'nexus-channel', ['drill-restore', '--backups', '0'])
    expect(wrong.code).toBe(EXIT.usage)
  })
})

import { portable } from '@nexus/crypto'
import type { Interface, TransportHost } from '@nexus/transport'
import { expect, test } from 'vitest'
import { nexusReticulumIdentity, nexusTransport } from '../src/nexus-transport.ts'
import type { Reticulum } from '../src/reticulum.ts'
import { cryptos } from './kit.ts'
import { World } from './virtual.ts'

const provider = portable()
const crypto = cryptos[0]!

function nexusOver(world: World, node: Reticulum, seed: number) {
  const up: Interface[] = []
  const frames: number[][] = []
  const host: TransportHost = {
    up: (iface) => up.push(iface),
    down: (iface) => up.splice(up.indexOf(iface), 1),
    frame: (_, frame) => frames.push([...frame]),
  }
  const transport = nexusTransport({
    node,
    identity: nexusReticulumIdentity(provider, crypto, new Uint8Array(32).fill(seed)),
    extension: () => Uint8Array.of(0x4e, 1),
    announceMs: 60_000,
    nowMs: () => world.nowMs,
    after(ms, act) {
      let isOff = false
      world.after(ms, () => {
        if (!isOff) act()
      })
      return {
        cancel: () => {
          isOff = true
        },
      }
    },
  })
  return { up, frames, transport, start: () => transport.start(host) }
}

test('two NEXUS nodes behind a transport node link once, carry frames, and find each other again', async () => {
  const world = new World(11)
  const [west, relay, east] = [world.node(), world.transportNode(), world.node()]
  world.wire(west, relay, { delayMs: 4 })
  const cable = world.wire(relay, east, { delayMs: 4 })
  const [a, b] = [nexusOver(world, west, 1), nexusOver(world, east, 2)]
  await a.start()
  await b.start()
  await world.pass(20_000)
  expect([a.up.length, b.up.length]).toEqual([1, 1])
  const [iface] = a.up as [Interface]
  expect(iface.facts).toMatchObject({ kind: 'reticulum', mtuBytes: 431, reach: 'point' })
  expect(iface.send(Uint8Array.of(1, 2, 3))).toBe(true)
  expect(iface.send(new Uint8Array(432))).toBe(false)
  b.up[0]!.send(Uint8Array.of(4))
  await world.pass(1_000)
  expect([a.frames, b.frames]).toEqual([[[4]], [[1, 2, 3]]])

  cable.cut()
  await world.pass(60_000)
  expect([a.up.length, b.up.length]).toEqual([0, 0])
  expect(iface.send(Uint8Array.of(1))).toBe(false)
  world.wire(relay, east, { delayMs: 4 })
  await world.pass(150_000)
  expect([a.up.length, b.up.length]).toEqual([1, 1])
  await a.transport.stop()
  await world.pass(1_000)
  expect([a.up.length, b.up.length]).toEqual([0, 0])
})

test.each([
  [1, 2],
  [2, 1],
])(
  'nodes that come one after the other find each other without waiting for the next announce (%i, %i)',
  async (first, second) => {
    const world = new World(12)
    const [west, relay, east] = [world.node(), world.transportNode(), world.node()]
    const [a, b] = [nexusOver(world, west, first), nexusOver(world, east, second)]
    await a.start()
    await b.start()
    // Neither announce was heard by anyone: what is connected later announces itself once more, as on Node.
    world.wire(west, relay, { delayMs: 4 })
    a.transport.kick?.()
    await world.pass(4_000)
    world.wire(relay, east, { delayMs: 4 })
    b.transport.kick?.()
    await world.pass(25_000)
    expect([a.up.length, b.up.length]).toEqual([1, 1])
  },
)

test('a peer that does not answer is asked a few times, and stopping ends that', async () => {
  const world = new World(13)
  const [west, east] = [world.node(), world.node()]
  const cable = world.wire(west, east, { delayMs: 4 })
  const [a, b] = [nexusOver(world, west, 1), nexusOver(world, east, 2)]
  await a.start()
  await b.start()
  await world.pass(15_000)
  expect([a.up.length, b.up.length]).toEqual([1, 1])
  await b.transport.stop()
  cable.cut()
  world.wire(west, east, { delayMs: 4 })
  const [iface] = [...west.interfaces]
  await world.pass(30_000)
  const before = iface!.counts.framesOut
  await world.pass(700_000)
  const asked = iface!.counts.framesOut - before
  // Announces of its own each minute are the rest.
  expect(asked).toBeLessThanOrEqual(12 + 6)
  await a.transport.stop()
  const after = iface!.counts.framesOut
  await world.pass(200_000)
  expect(iface!.counts.framesOut).toBe(after)
})

test('the identity follows from the seed, and its keys are not those of the node', () => {
  const seed = new Uint8Array(32).fill(7)
  const identity = nexusReticulumIdentity(provider, crypto, seed)
  expect(identity.hash).toEqual(nexusReticulumIdentity(provider, crypto, seed).hash)
  expect(identity.signingKey).not.toEqual(provider.publicKey(seed))
})

import { compareBytes } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import type { InterfaceFacts } from '@nexus/transport'
import { describe, expect, test } from 'vitest'
import { decodeHello, encodeHello, FRAME, LinkLayer } from '../src/index.ts'
import { HELLO_ANSWERS_PER_SECOND } from '../src/limits.ts'

const crypto = portable()
const UDP: InterfaceFacts = {
  id: 'udp',
  kind: 'udp',
  mtuBytes: 1_232,
  bitrateBps: 100_000_000,
  duplex: 'full',
  dutyCycle: 1,
  reach: 'shared',
  addressed: true,
}
const RADIO: InterfaceFacts = { ...UDP, id: 'radio', kind: 'lora', bitrateBps: 5_470, mtuBytes: 508, addressed: false }

const [lower, higher] = [1, 2]
  .map((seed) => createIdentity(crypto, seededRandom(seed)(32)))
  .toSorted((a, b) => compareBytes(a.nodeId, b.nodeId))

/** The layer of the higher NodeID, and the HELLOs that it sends. */
function listener(
  facts: InterfaceFacts,
  random = seededRandom(3),
): { layer: LinkLayer; hellos: { atMs: number; to?: string }[]; at(ms: number): void } {
  const hellos: { atMs: number; to?: string }[] = []
  let nowMs = 0
  const layer = new LinkLayer(
    { crypto, identity: higher!, random },
    {
      transmit: (_id, frame, to) => {
        if (frame[0] === FRAME.hello) hellos.push({ atMs: nowMs, ...(to === undefined ? {} : { to }) })
        return true
      },
      linkUp: () => {},
      linkDown: () => {},
      message: () => {},
      refused: () => {},
    },
  )
  layer.interfaceUp(0, facts)
  return {
    layer,
    hellos,
    at: (ms) => {
      nowMs = ms
      layer.tick(ms)
    },
  }
}

const helloOf = (nodeId: Uint8Array): Uint8Array => encodeHello({ nodeId, capabilities: 0, costTier: 0, load: 0 })

describe('beacons', () => {
  test('the higher NodeID answers at the address of who asked, also right after a beacon that nobody there heard', () => {
    const { layer, hellos } = listener(UDP)
    expect(hellos).toHaveLength(1)
    layer.receive(5, UDP.id, helloOf(lower!.nodeId), '192.0.2.1:4242')
    expect(hellos[1]).toMatchObject({ to: '192.0.2.1:4242' })
  })

  test('a flood of beacons is answered within bounds, and honest ones again in the next second', () => {
    const { layer, hellos } = listener(UDP)
    const before = hellos.length
    for (let n = 0; n < 500; n++) {
      const nodeId = lower!.nodeId.slice()
      nodeId[15] = n & 0xff
      nodeId[14] = n >> 8
      layer.receive(10, UDP.id, helloOf(nodeId), `192.0.2.9:${n}`)
    }
    expect(hellos.length - before).toBe(HELLO_ANSWERS_PER_SECOND)
    layer.receive(1_011, UDP.id, helloOf(lower!.nodeId), '192.0.2.1:4242')
    expect(hellos.at(-1)).toMatchObject({ to: '192.0.2.1:4242' })
  })

  test('a medium that reaches others than before is greeted at once and soon again', () => {
    const { layer, hellos, at } = listener(UDP)
    for (let ms = 0; ms <= 60_000; ms += 100) at(ms)
    const before = hellos.length
    layer.greet(60_000, UDP.id)
    for (let ms = 60_000; ms <= 68_000; ms += 100) at(ms)
    expect(hellos.length - before).toBeGreaterThanOrEqual(4)
  })

  test('radios that were switched on together do not speak together', () => {
    const firsts = Array.from({ length: 20 }, (_, seed) => {
      const { hellos, at } = listener(RADIO, seededRandom(100 + seed))
      for (let ms = 0; hellos.length === 0; ms += 10) at(ms)
      return hellos[0]!.atMs
    })
    expect(new Set(firsts).size).toBeGreaterThan(10)
    expect(Math.max(...firsts)).toBeLessThan(4_000)
    expect(decodeHello(helloOf(higher!.nodeId)).nodeId).toEqual(higher!.nodeId)
  })
})

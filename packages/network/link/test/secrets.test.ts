import { countingEphemeralKeys } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import { HANDSHAKE_TRIES_MAX } from '../src/limits.ts'
import { LinkPump } from '../src/testing.ts'
import { areLinked, crypto, identityOf, optionsOf, pair, RADIO, TCP, UDP } from './kit.ts'

describe('no ephemeral key outlives its handshake', () => {
  test.each([UDP, TCP, RADIO])('that became a link on $id, nor its rekeying', (facts) => {
    const keys = countingEphemeralKeys(crypto)
    const nodes = pair(facts, 1, {}, { a: { crypto: keys }, b: { crypto: keys } })
    expect(nodes.pump.run(600_000, () => areLinked(nodes))).toBe(true)
    nodes.pump.run(7_500_000)
    expect(nodes.a.links[0]!.counters.rekeys).toBeGreaterThan(0)
    expect(keys.made()).toBeGreaterThanOrEqual(4)
    expect(keys.live()).toBe(0)
  })

  test('that lost to another one of the same pair', () => {
    const keys = countingEphemeralKeys(crypto)
    const nodes = pair(UDP, 1, { delayMsMin: 100, delayMsMax: 100 }, { a: { crypto: keys }, b: { crypto: keys } })
    nodes.a.layer.dial(nodes.pump.nowMs, 'udp', { nodeId: identityOf('b').nodeId, address: 'b' })
    nodes.b.layer.dial(nodes.pump.nowMs, 'udp', { nodeId: identityOf('a').nodeId, address: 'a' })
    expect(nodes.pump.run(60_000, () => areLinked(nodes))).toBe(true)
    expect(keys.made()).toBeGreaterThanOrEqual(4)
    nodes.pump.run(60_000)
    expect(keys.live()).toBe(0)
  })

  test.each(['a', 'b'] as const)('that %s refused, once its time is over', (side) => {
    const keys = countingEphemeralKeys(crypto)
    const nodes = pair(
      UDP,
      1,
      {},
      { a: { crypto: keys }, b: { crypto: keys }, [side]: { crypto: keys, admit: () => false } },
    )
    nodes.pump.run(60_000)
    expect(keys.made()).toBeGreaterThanOrEqual(2)
    expect(nodes[side].refusals.length).toBeGreaterThan(0)
    for (const node of [nodes.a, nodes.b]) node.layer.interfaceDown(nodes.pump.nowMs, 'udp')
    expect(keys.live()).toBe(0)
  })

  test('that nobody answered', () => {
    const keys = countingEphemeralKeys(crypto)
    const pump = new LinkPump(optionsOf('pump', 1).random)
    pump.addMedium(UDP)
    const node = pump.addNode('a', optionsOf('a', 1, { crypto: keys }))
    pump.attach(node, UDP.id)
    node.layer.dial(pump.nowMs, UDP.id, { nodeId: identityOf('b').nodeId, address: 'b' })
    pump.run(600_000, () => keys.made() > HANDSHAKE_TRIES_MAX)
    expect(keys.live()).toBeLessThanOrEqual(1)
    node.layer.forget(UDP.id, { nodeId: identityOf('b').nodeId, address: 'b' })
    pump.run(60_000)
    expect(keys.live()).toBe(0)
  })

  test('that was half-open when its medium went', () => {
    const keys = countingEphemeralKeys(crypto)
    const nodes = pair(UDP, 1, { delayMsMin: 500, delayMsMax: 500 }, { a: { crypto: keys }, b: { crypto: keys } })
    nodes.pump.run(12_000, () => nodes.a.layer.stats().halfOpen + nodes.b.layer.stats().halfOpen > 0)
    expect(keys.live()).toBe(2)
    for (const node of [nodes.a, nodes.b]) node.layer.interfaceDown(nodes.pump.nowMs, 'udp')
    expect(keys.live()).toBe(0)
  })
})

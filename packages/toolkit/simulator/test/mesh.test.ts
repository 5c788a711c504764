import { nodeCrypto } from '@nexus/crypto/node'
import { expect, test } from 'vitest'
import { Simulation } from '../src/index.ts'

const crypto = await nodeCrypto()

test('a line of four nodes links up, finds all routes, and carries a message to its receipt', () => {
  const sim = new Simulation({ seed: 1, crypto })
  const nodes = Array.from({ length: 4 }, () => sim.addNode())
  for (let at = 1; at < 4; at++) sim.wire(nodes[at - 1]!, nodes[at]!)
  sim.start()
  const convergedMs = sim.runUntil(() => nodes.every((node) => node.live.routes.router.stats().routes === 3), 180_000)
  console.log('converged', convergedMs)
  expect(convergedMs).toBeLessThan(60_000)
  const handle = nodes[0]!.send(nodes[3]!, new TextEncoder().encode('hello'))
  const deliveredMs = sim.runUntil(() => nodes[0]!.states.get(handle)?.state === 'delivered', 60_000)
  console.log('delivered', deliveredMs)
  expect(nodes[3]!.inbox).toHaveLength(1)
  expect(deliveredMs).toBeDefined()
})

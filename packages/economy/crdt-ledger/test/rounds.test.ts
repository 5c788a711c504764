import { describe, expect, test } from 'vitest'
import { measureRounds, smallWorld } from './mesh.ts'

const line = (nodes: number) => Array.from({ length: nodes - 1 }, (_, n) => [n, n + 1] as const)

describe('settlements reach every replica', () => {
  test.each([3, 10, 16])('of %i in a line, within diameter + 2 rounds of one hop', (nodes) => {
    const { rounds, diameter } = measureRounds(nodes, line(nodes), nodes, 0)
    expect(rounds).toBeLessThanOrEqual(diameter + 2)
  })

  test.each([3, 10, 30])('of %i in a small world, within diameter + 2 and log₂ N + 2', (nodes) => {
    const links = smallWorld(nodes, Math.ceil(Math.log2(nodes)), nodes)
    const { rounds, diameter } = measureRounds(nodes, links, nodes, 0)
    expect(rounds).toBeLessThanOrEqual(diameter + 2)
    expect(rounds).toBeLessThanOrEqual(Math.log2(nodes) + 2)
  })

  test('also where a tenth of all frames is lost', () => {
    const { rounds, diameter } = measureRounds(30, smallWorld(30, 5, 30), 30, 10)
    expect(rounds).toBeLessThanOrEqual(diameter + 8)
  })
})

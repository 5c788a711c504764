import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lineOf, pointAt, shortened } from '../src/page/model/geometry.ts'
import { Layout, ringOrder, towards } from '../src/page/model/layout.ts'
import { mergeTopology } from '../src/page/model/topology.ts'
import { idOf, shown, statusOf } from './helpers.ts'

const NO_KEYS = new Map<string, string>()
const NAMES = ['ada', 'ben', 'bridge', 'cleo', 'dan']
const RING: Record<string, string[]> = {
  ada: ['bridge', 'ben'],
  ben: ['ada', 'dan'],
  bridge: ['ada', 'cleo'],
  cleo: ['bridge', 'dan'],
  dan: ['cleo', 'ben'],
}
const mesh = (off?: string) =>
  mergeTopology(
    NAMES.map((name) =>
      shown(
        name,
        statusOf(
          name,
          RING[name]!.map((to) => ({ to })),
        ),
        name !== off,
      ),
    ),
    NO_KEYS,
  )

describe('several nodes', () => {
  test('stand so that each is beside its neighbours', () => {
    const places = new Layout().place(mesh())
    const order = [...places].map(([key]) => key)
    for (const [at, key] of order.entries()) {
      const next = order[(at + 1) % order.length]!
      expect(RING[NAMES.find((name) => idOf(name) === key)!]!.map(idOf)).toContain(next)
    }
  })

  test('stay where they are when one goes and comes back', () => {
    const layout = new Layout()
    const before = layout.place(mesh())
    for (const off of NAMES) {
      expect(layout.place(mesh(off))).toEqual(before)
      expect(layout.place(mesh())).toEqual(before)
    }
  })

  test('fill the picture', () => {
    const places = [...new Layout().place(mesh()).values()]
    for (const axis of ['x', 'y'] as const) {
      const values = places.map((place) => place[axis])
      expect([Math.min(...values), Math.max(...values)]).toEqual([-1, 1])
    }
  })

  test('are in a good order when there are many, too', () => {
    const keys = Array.from({ length: 12 }, (_, at) => `n${(at * 5) % 12}`)
    const pairs = Array.from({ length: 12 }, (_, at) => [`n${at}`, `n${(at + 1) % 12}`] as const)
    const length = (order: readonly string[]) =>
      pairs.reduce((sum, [a, b]) => {
        const apart = Math.abs(order.indexOf(a) - order.indexOf(b))
        return sum + Math.min(apart, 12 - apart)
      }, 0)
    expect(length(ringOrder(keys, pairs))).toBeLessThan(length(keys) / 2)
  })
})

test('one node stands in the middle, its neighbours around it, farther ones behind theirs', () => {
  const routes = { ben: ['ben', 0], cleo: ['cleo', 0], dan: ['ben', 1], eva: ['cleo', 3] } as const
  const topology = mergeTopology([shown('ada', statusOf('ada', [{ to: 'ben' }, { to: 'cleo' }], routes))], NO_KEYS)
  const places = new Layout().place(topology)
  const place = (name: string) => places.get(idOf(name))!
  const away = (name: string) => Math.hypot(place(name).x, place(name).y)
  expect(place('ada')).toEqual({ x: 0, y: 0 })
  expect(away('ben')).toBeCloseTo(away('cleo'))
  expect(away('dan')).toBeGreaterThan(away('ben'))
  expect(away('eva')).toBeGreaterThan(away('dan'))
  const nearer = (name: string, to: string) => Math.hypot(place(name).x - place(to).x, place(name).y - place(to).y)
  expect(nearer('dan', 'ben')).toBeLessThan(nearer('dan', 'cleo'))
})

test('whatever the mesh, each vertex has a place within the picture', () => {
  const name = fc.constantFrom(...'abcdefghijkl')
  const node = fc.record({
    name,
    links: fc.uniqueArray(name, { maxLength: 5 }),
    routes: fc.dictionary(name, fc.tuple(name, fc.nat(6)), { maxKeys: 8 }),
    running: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.uniqueArray(node, { selector: (each) => each.name, maxLength: 10 }), (nodes) => {
      const topology = mergeTopology(
        nodes.map((each) =>
          shown(
            each.name,
            statusOf(
              each.name,
              each.links.filter((to) => to !== each.name).map((to) => ({ to })),
              each.routes,
            ),
            each.running,
          ),
        ),
        NO_KEYS,
      )
      const places = new Layout().place(topology)
      expect([...places.keys()].sort()).toEqual([...topology.vertices.keys()].sort())
      for (const { x, y } of places.values()) {
        expect(Math.abs(x)).toBeLessThanOrEqual(1 + 1e-9)
        expect(Math.abs(y)).toBeLessThanOrEqual(1 + 1e-9)
      }
    }),
  )
})

test('arrow keys lead to the nearest node in their direction, and every node can be reached', () => {
  const places = new Layout().place(mesh())
  const reached = new Set([idOf('ada')])
  for (const from of reached) {
    for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
      const next = towards(places, from, key)
      if (next !== undefined) reached.add(next)
    }
  }
  expect(reached.size).toBe(5)
  expect(towards(places, idOf('ada'), 'ArrowUp')).toBeUndefined()
  expect(towards(places, idOf('ada'), 'a')).toBeUndefined()
})

test('links between the same two nodes lie side by side', () => {
  const ada = statusOf('ada', [{ to: 'ben' }, { to: 'ben', over: 'udp' }])
  const topology = mergeTopology([shown('ada', ada), shown('ben')], new Map([['ben', idOf('ben')]]))
  const size = { width: 600, height: 400 }
  const points = new Map([...new Layout().place(topology)].map(([key, place]) => [key, pointAt(place, size)]))
  const [first, second] = [...topology.edges.values()].map((edge) => lineOf(edge, topology, points)!)
  expect(Math.hypot(first!.from.x - second!.from.x, first!.from.y - second!.from.y)).toBeCloseTo(26)
})

test('a way is shortened at both ends, and some of it is always left', () => {
  const from = { x: 10, y: 10 }
  expect(shortened(from, { x: 110, y: 10 }, 30)).toEqual([
    { x: 40, y: 10 },
    { x: 80, y: 10 },
  ])
  expect(shortened(from, { x: 10, y: 40 }, 30)).toEqual([
    { x: 10, y: 20 },
    { x: 10, y: 30 },
  ])
  expect(shortened(from, from, 30)).toEqual([from, from])
})

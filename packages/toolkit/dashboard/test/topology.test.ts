import { describe, expect, test } from 'vitest'
import { Rates } from '../src/page/model/rates.ts'
import { filterRoutes, sortRoutes } from '../src/page/model/route-table.ts'
import { FAR_VERTICES_MAX, mergeTopology, routeBetween } from '../src/page/model/topology.ts'
import { idOf, shown, statusOf } from './helpers.ts'

const NO_KEYS = new Map<string, string>()
const names = ({ vertices }: ReturnType<typeof mergeTopology>) => [...vertices.values()].map(({ name }) => name)

describe('a graph from what nodes say', () => {
  test('both ends of a link make one edge, with the facts of both', () => {
    const ada = statusOf('ada', [{ to: 'ben', rttMs: null, sent: 500, received: 90 }])
    const ben = statusOf('ben', [{ to: 'ada', rttMs: 12, sent: 100, received: 400 }])
    const { edges } = mergeTopology([shown('ada', ada), shown('ben', ben)], NO_KEYS)
    expect([...edges.values()]).toEqual([
      expect.objectContaining({
        ends: [idOf('ada'), idOf('ben')],
        medium: 'lora',
        rttMs: 12,
        bytes: [500, 100],
        addedCost: [1_000, 1_000],
      }),
    ])
  })

  test('two media between the same nodes are two edges', () => {
    const ada = statusOf('ada', [{ to: 'ben' }, { to: 'ben', over: 'udp' }])
    expect(mergeTopology([shown('ada', ada), shown('ben')], NO_KEYS).edges.size).toBe(2)
  })

  test('the links of a node that is off vanish, while it keeps its place', () => {
    const ada = statusOf('ada', [{ to: 'ben' }])
    const ben = statusOf('ben', [{ to: 'ada' }])
    const topology = mergeTopology([shown('ada', ada), shown('ben', ben, false)], NO_KEYS)
    expect(topology.edges.size).toBe(0)
    expect(topology.vertices.get(idOf('ben'))).toMatchObject({ name: 'ben', running: false, shown: true })
    const later = mergeTopology([shown('ada', ada), shown('ben', undefined, false)], new Map([['ben', idOf('ben')]]))
    expect(later.edges.size).toBe(0)
    expect(later.vertices.has(idOf('ben'))).toBe(true)
  })

  test('one node sees its neighbours, and beyond them what its routes tell', () => {
    const ada = statusOf('ada', [{ to: 'ben' }], { ben: ['ben', 0], cleo: ['ben', 1], dan: ['ben', 2] })
    const topology = mergeTopology([shown('ada', ada)], NO_KEYS)
    expect(names(topology)).toEqual(['ada', 'ben', 'cleo', 'dan'])
    expect(topology.vertices.get(idOf('dan'))).toMatchObject({ hops: 2, via: idOf('ben'), shown: false })
    expect(topology.beyond).toBe(0)
  })

  test('the graph is bounded: the nearest stay, the others are counted', () => {
    const routes = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`n${at}`, ['ben', 1 + at] as const]))
    const ada = { ...statusOf('ada', [{ to: 'ben' }], routes), routesTotal: 1_200 }
    const topology = mergeTopology([shown('ada', ada)], NO_KEYS)
    expect(topology.vertices.size).toBe(2 + FAR_VERTICES_MAX)
    expect(topology.vertices.has(idOf('n0'))).toBe(true)
    expect(topology.beyond).toBe(1_200 - FAR_VERTICES_MAX)
  })

  test('the way of a message follows the next hops, as far as they are told', () => {
    const nodes = [
      shown('ada', statusOf('ada', [], { dan: ['ben', 2] })),
      shown('ben', statusOf('ben', [], { dan: ['cleo', 1] })),
      shown('cleo', statusOf('cleo', [], { dan: ['ben', 0] })),
    ]
    expect(routeBetween(nodes, idOf('ada'), idOf('dan'))).toEqual(['ada', 'ben', 'cleo'].map(idOf))
    expect(routeBetween(nodes, idOf('dan'), idOf('ada'))).toEqual([idOf('dan')])
  })
})

describe('the table of routes', () => {
  const { routes } = statusOf('ada', [], { dan: ['ben', 2], ben: ['ben', 0], cleo: ['ben', 1] })
  const destinations = (list: typeof routes) => list.map(({ label }) => label)

  test('is in the order that was asked for, equal ones by name', () => {
    expect(destinations(sortRoutes(routes, { column: 'hops', descending: false }, NO_KEYS))).toEqual([
      'ben',
      'cleo',
      'dan',
    ])
    expect(destinations(sortRoutes(routes, { column: 'cost', descending: true }, NO_KEYS))).toEqual([
      'dan',
      'cleo',
      'ben',
    ])
    expect(destinations(sortRoutes(routes, { column: 'bandwidthBps', descending: true }, NO_KEYS))).toEqual([
      'ben',
      'cleo',
      'dan',
    ])
    expect(destinations(sortRoutes(routes, { column: 'destination', descending: true }, NO_KEYS))).toEqual([
      'dan',
      'cleo',
      'ben',
    ])
  })

  test('is filtered by names and NodeIDs of both ends', () => {
    expect(destinations(filterRoutes(routes, ' CLE ', NO_KEYS))).toEqual(['cleo'])
    expect(destinations(filterRoutes(routes, idOf('dan').slice(0, 6), NO_KEYS))).toEqual(['dan'])
    expect(filterRoutes(routes, 'benny', new Map([[idOf('ben'), 'benny']]))).toHaveLength(3)
    expect(filterRoutes(routes, '', NO_KEYS)).toHaveLength(3)
  })
})

describe('rates', () => {
  test('are those of the last ten samples', () => {
    const rates = new Rates()
    expect(rates.perSecond('a')).toBeUndefined()
    for (let at = 0; at < 30; at++) rates.note('a', at * 1_000, at < 20 ? 0 : (at - 19) * 50)
    expect(rates.perSecond('a')).toBe(50)
    expect(rates.lastStep('a')).toBe(50)
  })

  test('begin anew when a counter does', () => {
    const rates = new Rates()
    rates.note('a', 0, 1_000)
    rates.note('a', 1_000, 10)
    expect(rates.perSecond('a')).toBeUndefined()
    expect(rates.lastStep('a')).toBe(0)
  })

  test('forget the counters that were not noted for longest', () => {
    const rates = new Rates()
    for (let at = 0; at < 2_000; at++) {
      rates.note('kept', at, at)
      rates.note(`k${at}`, at, 1)
    }
    expect(rates.perSecond('kept')).toBe(1_000)
    rates.note('k0', 3_000, 5)
    expect(rates.lastStep('k0')).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import type { Destination } from '../src/destination.ts'
import type { Link } from '../src/link.ts'
import type { Reticulum } from '../src/reticulum.ts'
import { type Weather, World } from './virtual.ts'

const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 3)

/** Leaf – transport nodes – leaf, all joined in a row. */
function chain(world: World, relays: number, weather: Weather) {
  const nodes = [world.node(), ...Array.from({ length: relays }, () => world.transportNode()), world.node()]
  const wires = nodes.slice(1).map((node, at) => world.wire(nodes[at] as Reticulum, node, weather))
  return { nodes, wires, first: nodes[0] as Reticulum, last: nodes.at(-1) as Reticulum }
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * at + (at >> 8)) % 251)
}

/** A destination that gives everything back. */
function serveEcho(world: World, node: Reticulum) {
  const echo = node.serve(world.identity(), 'test.echo', { resources: 'all' })
  echo.onRequest('/echo', ({ data }) => data)
  echo.links.subscribe((link) => {
    link.packets.subscribe((data) => link.send(data))
    link.channel.messages.subscribe(
      ({ messageType, data }) => void link.channel.send(messageType, data).catch(() => {}),
    )
    link.resources.subscribe(({ data }) => link.sendResource(data))
  })
  return echo
}

/** Transport nodes look for no path that they were not told of: the destination announces, and the announce may be lost. */
async function connect(world: World, node: Reticulum, echo: Destination): Promise<Link> {
  for (let attempt = 1; ; attempt++) {
    echo.announce()
    await world.pass(3_000)
    try {
      const to = await world.until(node.resolve(echo.hash, { timeoutMs: 10_000 }))
      return await world.until(node.connect(to, { resources: 'all', timeoutMs: 4_000 }))
    } catch (error) {
      if (attempt === 8) throw error
    }
  }
}

async function exercise(world: World, link: Link): Promise<void> {
  const messages = Array.from({ length: 20 }, (_, n) => bytes(40 + n))
  const answers = (async () => {
    const got: Uint8Array[] = []
    for await (const { data } of link.channel.messages) if (got.push(data) === messages.length) break
    return got
  })()
  await world.until(Promise.all(messages.map((data) => link.channel.send(7, data))))
  expect(await world.until(answers)).toEqual(messages)
  const back = link.resources.first()
  await world.until(link.sendResource(bytes(40_000), { compress: false }).done)
  expect((await world.until(back)).data).toEqual(bytes(40_000))
  expect(await world.until(link.request('/echo', bytes(2_000), { timeoutMs: 60_000 }))).toEqual(bytes(2_000))
}

describe.each([
  ['a clear day', 1, {}],
  ['three relays', 3, { delayMs: 20 }],
  ['loss and reordering', 1, { delayMs: 10, lossRatio: 0.05, reorderRatio: 0.1 }],
  ['loss and reordering over three relays', 3, { delayMs: 10, lossRatio: 0.02, reorderRatio: 0.1 }],
] as const)('%s', (name, relays, weather: Weather) => {
  const seeds = Array.from({ length: name === 'a clear day' ? 2 : SEEDS }, (_, at) => at + 1)
  test.each(seeds)('everything arrives, whole and in order: seed %i', async (seed) => {
    const world = new World(seed)
    const { first, last } = chain(world, relays, weather)
    const echo = serveEcho(world, last)
    const link = await connect(world, first, echo)
    expect(first.hopsTo(echo.hash)).toBe(relays + 1)
    await exercise(world, link)
    link.close()
    expect(await link.closed).toBe('closed here')
  })
})

test('packets are proved over relays, and announces cross them', async () => {
  const world = new World(5)
  const { first, last } = chain(world, 2, {})
  const heard = first.announces.first()
  const sink = last.serve(world.identity(), 'test.sink', { appData: Uint8Array.of(1, 2) })
  sink.announce()
  const announce = await world.until(heard)
  expect([announce.hash, announce.hops, announce.appData]).toEqual([sink.hash, 3, Uint8Array.of(1, 2)])
  const received = sink.packets.first()
  const { proved } = first.send(await first.resolve(sink.hash), bytes(383))
  expect(await world.until(proved)).toBeGreaterThan(5)
  expect((await received).data).toEqual(bytes(383))
})

test('a path request for a destination of this node is answered at once, with its announce', async () => {
  const world = new World(2)
  const { first, last } = chain(world, 0, {})
  const mine = last.serve(world.identity(), 'test.mine')
  const heard = first.announces.first()
  expect((await world.until(first.resolve(mine.hash))).hash).toEqual(mine.hash)
  expect((await heard).isPathResponse).toBe(true)
})

test('what waits when a node stops is told so', async () => {
  const world = new World(3)
  const { first, last } = chain(world, 0, {})
  const echo = last.serve(world.identity(), 'test.echo')
  const to = await world.until(first.resolve(echo.hash))
  const link = await world.until(first.connect(to))
  const waiting = [
    first.resolve(new Uint8Array(16)),
    first.connect(to),
    link.request('/none'),
    link.channel.send(1, bytes(9)),
  ]
  const { proved } = first.send(to, bytes(9))
  first.close()
  for (const outcome of await Promise.allSettled(waiting)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { detail: { code: 'reticulum/closed' } } })
  }
  expect(await proved).toBeUndefined()
  expect(first.nextWakeMs).toBe(Number.POSITIVE_INFINITY)
})

test('many links at once', async () => {
  const world = new World(9)
  const hub = world.transportNode()
  const echoes = Array.from({ length: 4 }, () => {
    const node = world.node()
    world.wire(hub, node, { delayMs: 3, reorderRatio: 0.05 })
    return { node, echo: serveEcho(world, node) }
  })
  const links: Link[] = []
  for (const { node } of echoes) {
    for (const { node: other, echo } of echoes) if (other !== node) links.push(await connect(world, node, echo))
  }
  expect(links).toHaveLength(12)
  await Promise.all(links.map((link) => exercise(world, link)))
  expect(hub.relay?.carriedLinks).toBe(12)
})

test('a relay that restarts in the middle of a transfer costs the link, and the next one works', async () => {
  const world = new World(4)
  const [a, b] = [world.node(), world.node()]
  const joined = () => {
    const relay = world.transportNode()
    return [world.wire(a, relay, { delayMs: 5 }), world.wire(relay, b, { delayMs: 5 })]
  }
  const wires = joined()
  const echo = serveEcho(world, b)
  const link = await connect(world, a, echo)
  const transfer = link.sendResource(bytes(200_000), { compress: false })
  await world.pass(60)
  for (const wire of wires) wire.cut()
  joined()
  await expect(world.until(transfer.done)).rejects.toMatchObject({ detail: { code: 'reticulum/closed' } })
  expect(await link.closed).toBe('the interface is gone')
  const next = await connect(world, a, echo)
  await exercise(world, next)
})

test('a link that nobody answers ends with silence, one that is kept alive does not', async () => {
  const world = new World(8)
  const { first, last, wires } = chain(world, 1, {})
  const echo = serveEcho(world, last)
  const link = await connect(world, first, echo)
  await world.pass(3_600_000)
  expect(link.isOpen).toBe(true)
  wires[1]!.cut()
  await world.pass(60_000)
  expect(await link.closed).toBe('silence')
})

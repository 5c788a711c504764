import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Remote } from './processes.ts'
import type { SoakedSettings } from './soaked.ts'

/** Seconds under load; the whole run of docs/results/soak.md has 1 200. */
const SECONDS = Number(process.env['NEXUS_SOAK_SECONDS'] ?? 60)
const NODES = 5
/** These two are never killed: in them a leak would show. */
const OBSERVERS = 2
/**
 * Half a message a second for each pair. A receiver answers a sender once a second (docs/spec/session.md): with more, what waits for its
 * receipt grows to the bound of the load, and a message at the end has minutes of others before it, however good the ways are.
 */
const LOAD_EVERY_MS = 500
const REROUTE_MS = 180_000
const HEAP_GROWTH_MAX = 0.05

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

test(`five processes under load and kills for ${SECONDS} s`, { timeout: (SECONDS + 600) * 1_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-soak-'))
  const ports = await Promise.all(Array.from({ length: NODES }, freePort))
  const settings = ports.map((port, at): SoakedSettings => {
    const near = [ports[(at + 1) % NODES], ports[(at + NODES - 1) % NODES]]
    return { folder: join(folder, `n${at}`), port, peers: near.map((other) => `127.0.0.1:${other}`) }
  })
  const start = (at: number): Remote => new Remote('./soaked.ts', settings[at])
  const nodes = settings.map((_, at) => start(at))
  try {
    const ids = await Promise.all(nodes.map((node) => node.call<string>('nodeId')))
    const load = (at: number): Promise<void> =>
      nodes[at]!.call('load', { others: ids.filter((id) => id !== ids[at]), everyMs: LOAD_EVERY_MS })
    await Promise.all(nodes.map((_, at) => load(at)))

    let kills = 0
    const heaps: number[][] = []
    const endMs = performance.now() + SECONDS * 1_000
    // Caches and code settle in the first third; from then on the heap has to stay.
    const marksMs = [endMs - (SECONDS * 1_000 * 2) / 3, endMs]
    while (heaps.length < marksMs.length) {
      await sleep(1_000 + Math.random() * 3_000)
      const at = OBSERVERS + Math.floor(Math.random() * (NODES - OBSERVERS))
      await nodes[at]!.kill()
      kills++
      await sleep(500 + Math.random() * 2_000)
      nodes[at] = start(at)
      await nodes[at]!.call('nodeId')
      await load(at)
      if (performance.now() < marksMs[heaps.length]!) continue
      await Promise.all(nodes.map((node) => node.call('quiet')))
      await sleep(3_000)
      heaps.push(
        await Promise.all(
          nodes.slice(0, OBSERVERS).map(async (node) => (await node.call<{ heapBytes: number }>('memory')).heapBytes),
        ),
      )
      if (heaps.length < marksMs.length) await Promise.all(nodes.map((_, each) => load(each)))
    }

    const fromMs = performance.now()
    const pairs = ids.flatMap((_, from) =>
      ids.map((to, other) => ({ from, to, other })).filter(({ other }) => other !== from),
    )
    const sent = await Promise.all(
      pairs.map(async ({ from, to }) => ({ from, to, id: await nodes[from]!.call<string>('send', to) })),
    )
    for (let left = sent; left.length > 0; await sleep(250)) {
      const states = await Promise.all(left.map(({ from, id }) => nodes[from]!.call<boolean>('isDelivered', id)))
      left = left.filter((_, at) => !states[at])
      if (performance.now() - fromMs <= REROUTE_MS) continue
      const whys = await Promise.all(left.map(({ from, to, id }) => nodes[from]!.call<string>('explain', { to, id })))
      expect.fail([`${left.length} of ${sent.length} pairs cannot talk`, ...whys].join('\n'))
    }
    const talkMs = performance.now() - fromMs

    const shown = settings.map(({ folder: own }) => linesOf(join(own, 'shown')))
    const tallies = await Promise.all(
      nodes.slice(0, OBSERVERS).map((node) => node.call<Record<string, number>>('tally')),
    )
    console.table({
      seconds: SECONDS,
      kills,
      'messages shown': shown.flat().length,
      'shown twice': shown.flat().length - new Set(shown.flat()).size,
      'messages of the two that were never killed': JSON.stringify(tallies),
      'all 20 pairs talked after (s)': (talkMs / 1_000).toFixed(1),
      'heap at a third and at the end (MB)': heaps
        .map((mark) => mark.map((bytes) => (bytes / 1e6).toFixed(1)).join(' '))
        .join(' | '),
    })
    expect(kills).toBeGreaterThan(SECONDS / 12)
    expect(shown.flat().length).toBeGreaterThan(SECONDS)
    for (const lines of shown) expect(new Set(lines).size).toBe(lines.length)
    for (const tally of tallies) expect(tally['failed'] ?? 0).toBe(0)
    for (let at = 0; at < OBSERVERS; at++)
      expect(heaps[1]![at]! / heaps[0]![at]! - 1).toBeLessThanOrEqual(HEAP_GROWTH_MAX)
  } finally {
    await Promise.all(nodes.map((node) => node.kill()))
    rmSync(folder, { recursive: true, force: true })
  }
})

const linesOf = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [])

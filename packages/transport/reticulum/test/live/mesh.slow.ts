import { randomBytes } from 'node:crypto'
import {
  type RunningReticulum,
  startReticulum,
  tcpClientMedium,
  tcpServerMedium,
  udpMedium,
} from '@nexus/reticulum/node'
import { beforeAll, describe, expect, test } from 'vitest'
import { connectAtLast, exerciseLink, noise, serveEcho } from './exercise.ts'
import { freeUdpPort, type LossyWay, lossyWay } from './lossy.ts'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const FIRST = Number(process.env['NEXUS_FIRST'] ?? 1)
const onAnyPort = ['--listen', '127.0.0.1:0']
const asEcho = ['--identity', 'seed:echo', '--echo-resources', '--interval', '1', '--first-after', '0.2']

beforeAll(async () => {
  await rnsPython()
}, 300_000)

type Media = NonNullable<NonNullable<Parameters<typeof startReticulum>[0]>['media']>

/** What one test starts, and what ends with it: tests run side by side. */
class Stage {
  readonly #finished: (stop: () => Promise<void>) => void

  constructor(onTestFinished: (stop: () => Promise<void>) => void) {
    this.#finished = onTestFinished
  }

  #until<T extends { stop(): Promise<void> }>(one: T): T {
    this.#finished(() => one.stop())
    return one
  }

  async ours(...media: Media): Promise<RunningReticulum> {
    return this.#until(await startReticulum({ media }))
  }

  async peer(...args: string[]): Promise<Peer> {
    return this.#until(await Peer.start(...args))
  }

  async transportNode(...media: Media): Promise<RunningReticulum> {
    const starter = await startReticulum()
    const transport = starter.newIdentity()
    await starter.stop()
    return this.#until(await startReticulum({ media, transport }))
  }

  /** Two ports that reach each other through ways which lose and reorder. */
  async badCable(seed: number): Promise<{ a: number; b: number; toA: LossyWay; toB: LossyWay }> {
    const [a, b] = [await freeUdpPort(), await freeUdpPort()]
    const options = { lossRatio: 0.03, reorderRatio: 0.1 }
    const toA = this.#until(await lossyWay(a, { ...options, seed: 2 * seed }))
    const toB = this.#until(await lossyWay(b, { ...options, seed: 2 * seed + 1 }))
    return { a, b, toA, toB }
  }

  /** Two that ask, the destinations of a stock node and of one of ours, and one node in the middle. */
  async star(isStock: boolean): Promise<[RunningReticulum[], Uint8Array[]]> {
    const [a, b] = isStock ? await this.#stockHub() : await this.#ourHub()
    const stock = await this.peer('echo', ...asEcho, '--connect', a)
    const serving = await this.ours(tcpClientMedium(b))
    const askers = [await this.ours(tcpClientMedium(a)), await this.ours(tcpClientMedium(b))]
    await serving.node.online()
    const mine = serveEcho(serving)
    mine.links.subscribe((link) => link.resources.subscribe(({ data }) => void link.sendResource(data)))
    mine.announce()
    return [askers, [stock.destination, mine.hash]]
  }

  /** A transport node, or the next one where the last one was. */
  async middle(isStock: boolean, port: number): Promise<{ readonly port: number; stop(): Promise<void> }> {
    const portOf = (address: string) => Number(address.split(':')[1])
    if (isStock) {
      const node = await this.peer('transport', '--listen', `127.0.0.1:${port}`, ...onAnyPort)
      return { port: portOf(node.address(0)), stop: () => node.stop() }
    }
    const server = tcpServerMedium({ host: '127.0.0.1', port })
    const node = await this.transportNode(server)
    return { port: portOf(server.address as string), stop: () => node.stop() }
  }

  async #stockHub(): Promise<[string, string]> {
    const hub = await this.peer('transport', ...onAnyPort, ...onAnyPort)
    return [hub.address(0), hub.address(1)]
  }

  async #ourHub(): Promise<[string, string]> {
    const servers = [0, 1].map(() => tcpServerMedium({ host: '127.0.0.1', port: 0 }))
    await this.transportNode(...servers)
    return servers.map(({ address }) => address as string) as [string, string]
  }
}

const resolve = (here: RunningReticulum, hash: Uint8Array) => here.node.resolve(hash, { timeoutMs: 40_000 })

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + FIRST))(
  'a mesh of ours and stock ones, time %i',
  (time) => {
    test.concurrent('five nodes in a row, ours and stock in turn, under loss and reordering at both ends', async ({
      onTestFinished,
    }) => {
      const stage = new Stage(onTestFinished)
      const west = await stage.badCable(time)
      const east = await stage.badCable(time + 1_000)
      const first = await stage.peer('transport', ...onAnyPort, '--udp', `127.0.0.1:${west.b}:${west.toA.address}`)
      const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
      const middle = await stage.transportNode(server, tcpClientMedium(first.address()))
      const last = ['--connect', server.address as string, '--udp', `127.0.0.1:${east.a}:${east.toB.address}`]
      await stage.peer('transport', ...last)
      const echo = await stage.peer('echo', ...asEcho, '--udp', `127.0.0.1:${east.b}:${east.toA.address}`)
      const here = await stage.ours(udpMedium({ host: '127.0.0.1', port: west.a, peers: [west.toB.address] }))
      const to = await resolve(here, echo.destination)
      expect(here.node.hopsTo(echo.destination)).toBe(4)
      const proofs = Array.from({ length: 5 }, (_, n) => here.node.send(to, noise(100, `${time} ${n}`)).proved)
      expect((await Promise.all(proofs)).filter((ms) => ms !== undefined).length).toBeGreaterThan(0)
      const link = await connectAtLast(here, to)
      await exerciseLink(link, `time ${time}`, 30_000)
      expect(middle.node.relay?.counts.links).toBeGreaterThan(0)
      const ways = [west.toA, west.toB, east.toA, east.toB]
      expect(ways.reduce((sum, { lost, reordered }) => sum + lost + reordered, 0)).toBeGreaterThan(0)
    }, 180_000)

    test.concurrent('many links at once through one node in the middle: 12 of ours, to a stock node and to ours', async ({
      onTestFinished,
    }) => {
      const stage = new Stage(onTestFinished)
      const [askers, echoes] = await stage.star(time % 2 === 0)
      const all = askers.flatMap((here) => echoes.map((hash) => ({ here, hash })))
      const links = await Promise.all(
        all.flatMap(({ here, hash }) =>
          Array.from({ length: 3 }, async () => connectAtLast(here, await resolve(here, hash), 10_000)),
        ),
      )
      expect(links).toHaveLength(12)
      await Promise.all(links.map((link, n) => exerciseLink(link, `time ${time}, link ${n}`, 10_000)))
      for (const link of links) link.close()
    }, 120_000)

    test.concurrent('the node in the middle restarts during a transfer, and the next link works', async ({
      onTestFinished,
    }) => {
      const stage = new Stage(onTestFinished)
      const isStock = time % 2 === 0
      const middle = await stage.middle(isStock, 0)
      const { port } = middle
      const echo = await stage.peer('echo', ...asEcho, '--connect', `127.0.0.1:${port}`)
      const here = await stage.ours(tcpClientMedium(`127.0.0.1:${port}`))
      const link = await connectAtLast(here, await resolve(here, echo.destination))
      const transfer = link.sendResource(randomBytes(20_000_000), { compress: false })
      const done = transfer.done.then(
        () => 'done',
        ({ detail }) => detail.code,
      )
      await transfer.progress.first()
      await middle.stop()
      expect(await done).toBe('reticulum/closed')
      expect(await link.closed).toBe('the interface is gone')
      await stage.middle(isStock, port)
      const next = await connectAtLast(here, await resolve(here, echo.destination))
      await exerciseLink(next, `time ${time}, again`, 30_000)
    }, 120_000)
  },
)

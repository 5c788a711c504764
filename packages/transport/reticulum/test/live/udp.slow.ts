import { createSocket } from 'node:dgram'
import { type RunningReticulum, startReticulum, tcpServerMedium, udpMedium } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { askPeer, linkArguments, noise, serveEcho } from './exercise.ts'
import { lossyWay } from './lossy.ts'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const LOSS_RATIO = 0.05
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  await rnsPython()
}, 300_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
})

async function ours(options: Parameters<typeof startReticulum>[0]): Promise<RunningReticulum> {
  const here = await startReticulum(options)
  running.push(here)
  return here
}

async function peer(...args: string[]): Promise<Peer> {
  const started = await Peer.start(...args)
  running.push(started)
  return started
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('Reticulum over UDP, time %i', () => {
  test('a peer of ours asks a stock one, and is asked', async () => {
    const [mine, theirs] = [await freePort(), await freePort()]
    const here = await ours({ media: [udpMedium({ host: '127.0.0.1', port: mine, peers: [`127.0.0.1:${theirs}`] })] })
    const echo = await peer(
      'echo',
      '--udp',
      `127.0.0.1:${theirs}:127.0.0.1:${mine}`,
      '--echo-resources',
      '--interval',
      '2',
    )
    await askPeer(here, echo)
    await echo.stop()
    const serving = serveEcho(here)
    const asker = await peer(...linkArguments(serving, '--udp', `127.0.0.1:${theirs}:127.0.0.1:${mine}`))
    expect((await asker.done())['ok']).toBe(true)
  }, 90_000)

  test('a link lives through the loss of every twentieth packet, both ways', async () => {
    const [mine, theirs] = [await freePort(), await freePort()]
    const forth = await lossyWay(theirs, LOSS_RATIO, 1)
    const back = await lossyWay(mine, LOSS_RATIO, 2)
    running.push(forth, back)
    const here = await ours({ media: [udpMedium({ host: '127.0.0.1', port: mine, peers: [forth.address] })] })
    const toUs = back.address
    const echo = await peer('echo', '--udp', `127.0.0.1:${theirs}:${toUs}`, '--echo-resources', '--interval', '1')
    const to = await here.node.resolve(echo.destination, { timeoutMs: 20_000 })
    const link = await connectAtLast(here, to)
    const answers = (async () => {
      const got: Uint8Array[] = []
      for await (const { data } of link.channel.messages) if (got.push(data) === 40) break
      return got
    })()
    const sent = Array.from({ length: 40 }, (_, n) => noise(60, `message ${n}`))
    await Promise.all(sent.map((data) => link.channel.send(0x0101, data)))
    expect(await answers).toEqual(sent)
    const returned = link.resources.first()
    await link.sendResource(noise(200_000)).done
    expect(Buffer.compare((await returned).data, noise(200_000))).toBe(0)
    expect(link.isOpen).toBe(true)
    expect(forth.lost + back.lost).toBeGreaterThan(20)
  }, 120_000)

  test('UDP on one side, TCP on the other, and our transport node between', async () => {
    const [mine, theirs] = [await freePort(), await freePort()]
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    const udp = udpMedium({ host: '127.0.0.1', port: mine, peers: [`127.0.0.1:${theirs}`] })
    const starter = await startReticulum()
    const transport = starter.newIdentity()
    await starter.stop()
    await ours({ media: [server, udp], transport })
    const echo = await peer('echo', '--udp', `127.0.0.1:${theirs}:127.0.0.1:${mine}`, '--interval', '2')
    const hash = Buffer.from(echo.destination).toString('hex')
    const asker = await peer(
      'link',
      '--connect',
      server.address as string,
      '--destination',
      hash,
      '--channel',
      '--no-compress',
    )
    expect((await asker.done())['ok']).toBe(true)
  }, 90_000)
})

/** A link request or its proof may be lost: then one asks again. */
async function connectAtLast(here: RunningReticulum, to: Parameters<RunningReticulum['node']['connect']>[0]) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await here.node.connect(to, { resources: 'all', timeoutMs: 3_000 })
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

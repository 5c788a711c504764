import { type RunningReticulum, startReticulum, tcpServerMedium, udpMedium } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { askPeer, connectAtLast, linkArguments, noise, serveEcho } from './exercise.ts'
import { freeUdpPort, lossyWay } from './lossy.ts'
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

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('Reticulum over UDP, time %i', () => {
  test('a peer of ours asks a stock one, and is asked', async () => {
    const [mine, theirs] = [await freeUdpPort(), await freeUdpPort()]
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
    const [mine, theirs] = [await freeUdpPort(), await freeUdpPort()]
    const forth = await lossyWay(theirs, { lossRatio: LOSS_RATIO, seed: 1 })
    const back = await lossyWay(mine, { lossRatio: LOSS_RATIO, seed: 2 })
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
    const [mine, theirs] = [await freeUdpPort(), await freeUdpPort()]
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

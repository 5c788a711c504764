import { type RunningReticulum, startReticulum, tcpClientMedium, tcpServerMedium } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { APP, askPeer, linkArguments, noise, sendArguments, serveEcho } from './exercise.ts'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
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

const echoPeer = (...network: string[]) =>
  peer('echo', ...network, '--identity', 'seed:echo', '--echo-resources', '--interval', '2')
const onAnyPort = ['--listen', '127.0.0.1:0']

/** A node of ours that passes on between its listening interfaces. */
async function transportNode(count: number, options: Parameters<typeof tcpServerMedium>[1] = {}) {
  const servers = Array.from({ length: count }, () => tcpServerMedium({ host: '127.0.0.1', port: 0 }, options))
  const starter = await startReticulum()
  const transport = starter.newIdentity()
  await starter.stop()
  const node = await ours({ media: servers, transport })
  return { node, addresses: servers.map((server) => server.address as string) }
}

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('Reticulum over TCP, time %i', () => {
  test('a peer of ours asks a stock one: announce, packet, link, request, channel, resource', async () => {
    const echo = await echoPeer(...onAnyPort, '--app-data', 'stock')
    const here = await ours({ media: [tcpClientMedium(echo.address())] })
    const heard = here.node.announces.first()
    await askPeer(here, echo)
    expect((await heard).hash).toEqual(echo.destination)
  }, 60_000)

  test('a stock peer asks one of ours', async () => {
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    const here = await ours({ media: [server] })
    const echo = serveEcho(here)
    const network = ['--connect', server.address as string]
    const listener = await peer('listen', ...network)
    await here.node.online()
    echo.announce()
    const heard = await listener.event('announce')
    expect(heard['destination']).toBe(Buffer.from(echo.hash).toString('hex'))
    expect(heard['app_data']).toBe(Buffer.from('ours').toString('hex'))
    const sender = await peer(...sendArguments(echo, ...network))
    const asker = await peer(...linkArguments(echo, ...network))
    expect((await sender.done())['ok']).toBe(true)
    expect((await asker.done())['ok']).toBe(true)
  }, 60_000)

  test('a stock transport node stands between ours and a stock peer', async () => {
    const middle = await peer('transport', ...onAnyPort, ...onAnyPort)
    const echo = await echoPeer('--connect', middle.address(0))
    const here = await ours({ media: [tcpClientMedium(middle.address(1))] })
    const link = await askPeer(here, echo)
    expect(here.node.hopsTo(link.destination)).toBe(2)
    const mine = serveEcho(here)
    mine.announce()
    const asker = await peer(...linkArguments(mine, '--connect', middle.address(0)))
    expect((await asker.done())['ok']).toBe(true)
  }, 90_000)

  test('a transport node of ours stands between two stock peers, and between ours and a stock one', async () => {
    const { node, addresses } = await transportNode(3)
    const [a, b, c] = addresses as [string, string, string]
    const echo = await echoPeer('--connect', a)
    const hash = Buffer.from(echo.destination).toString('hex')
    const sender = await peer('send', '--connect', b, '--destination', hash, '--count', '3')
    expect((await sender.done())['ok']).toBe(true)
    const asker = await peer(
      ...['link', '--connect', b, '--destination', hash, '--identify', '--identity', 'seed:asks', '--channel'],
      ...['--resource-size', '1048576', '--no-compress'],
    )
    expect((await asker.done())['ok']).toBe(true)
    const here = await ours({ media: [tcpClientMedium(c)] })
    await askPeer(here, echo)
    expect(node.node.relay?.counts.links).toBeGreaterThan(1)
  }, 90_000)

  test('access codes, and links of 500 bytes', async () => {
    const accessCode = { networkName: 'mesh', passphrase: 'secret' }
    const codes = ['--ifac-name', 'mesh', '--ifac-pass', 'secret']
    const echo = await echoPeer(...onAnyPort, ...codes)
    const here = await ours({ media: [tcpClientMedium(echo.address(), { accessCode })] })
    await askPeer(here, echo, 100_000)
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 }, { accessCode })
    const serving = await ours({ media: [server] })
    const mine = serveEcho(serving)
    const asker = await peer(
      ...linkArguments(mine, '--connect', server.address as string, '--fixed-mtu', '500', ...codes),
    )
    expect((await asker.done())['ok']).toBe(true)
    const stranger = await ours({ media: [tcpClientMedium(echo.address())] })
    await stranger.node.online()
    await expect(stranger.node.resolve(echo.destination, { timeoutMs: 3_000 })).rejects.toThrow('no path')
  }, 90_000)

  test('a stock peer comes by KISS over TCP, and so do two of ours', async () => {
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 }, { framing: 'kiss' })
    const here = await ours({ media: [server] })
    const echo = serveEcho(here)
    const asker = await peer(...linkArguments(echo, '--connect', server.address as string, '--kiss'))
    expect((await asker.done())['ok']).toBe(true)
    const other = await ours({ media: [tcpClientMedium(server.address as string, { framing: 'kiss' })] })
    await other.node.online()
    const to = await other.node.resolve(echo.hash)
    expect(await other.node.send(to, noise(300)).proved).toBeTypeOf('number')
  }, 60_000)

  test('programs beside a shared instance of Reticulum: ours is one of them', async () => {
    const port = 20_000 + 2 * Math.floor(Math.random() * 10_000)
    const echo = await echoPeer(...onAnyPort, '--share', String(port))
    const here = await ours({ media: [tcpClientMedium(`127.0.0.1:${port}`)] })
    await here.node.online()
    await askPeer(here, echo, 100_000)
    const outside = await ours({ media: [tcpClientMedium(echo.address())] })
    await outside.node.online()
    const mine = serveEcho(here)
    mine.announce()
    const link = await outside.node.connect(await outside.node.resolve(mine.hash, { timeoutMs: 15_000 }))
    expect(await link.request('/echo', noise(1_000))).toEqual(noise(1_000))
  }, 60_000)

  test('ratchets and explicit proofs', async () => {
    const echo = await echoPeer(...onAnyPort, '--ratchets', '--explicit-proofs')
    const here = await ours({ media: [tcpClientMedium(echo.address())] })
    await here.node.announces.first()
    const to = await here.node.resolve(echo.destination)
    expect(await here.node.send(to, noise(100)).proved).toBeTypeOf('number')
    expect((await echo.event('packet'))['ratchet_id']).toMatch(/^[0-9a-f]{20}$/)

    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    const serving = await ours({ media: [server], explicitProofs: true })
    const mine = serving.node.serve(serving.newIdentity(), APP, { ratchets: true, enforcesRatchets: true })
    const received = mine.packets.first()
    const sender = await peer(...sendArguments(mine, '--connect', server.address as string))
    expect((await sender.done())['ok']).toBe(true)
    expect((await received).ratchetId).toHaveLength(10)
  }, 60_000)
})

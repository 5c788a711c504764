import { toHex } from '@nexus/codec'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { AUTO_LINK_MTU_BYTES } from '../../src/auto-discovery.ts'
import { canMakeNamespaces, Lan } from './namespaces.ts'
import type { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const STOCK_AUTO = ['--interface', 'type = AutoInterface']
const running: { stop(): Promise<void> }[] = []
const lans: Lan[] = []

beforeAll(async () => {
  await rnsPython()
}, 300_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
  for (const lan of lans.splice(0)) lan.end()
})

async function network(count: number): Promise<Lan> {
  const lan = new Lan(`n${lans.length}`, count)
  lans.push(lan)
  await lan.ready()
  return lan
}

async function keep(starting: Promise<Peer>): Promise<Peer> {
  const peer = await starting
  running.push(peer)
  return peer
}

async function asked(ours: Peer, of: Peer): Promise<object> {
  const before = ours.events.length
  ours.tell({ hash: toHex(of.destination) })
  return ours.event('asked', (event) => ours.events.indexOf(event) >= before, 60_000)
}

const linkFlags = ['--identify', '--channel', '--metadata', '--resource-size', '200000', '--no-compress']

describe.skipIf(!canMakeNamespaces())('discovery on a network, between machines', () => {
  describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('time %i', () => {
    test('a stock node finds ours and ours finds it; packets, links and resources go both ways', async () => {
      const lan = await network(2)
      // Offers more than the stock node takes, whose own bound is thus seen.
      const ours = await keep(lan.ours(0, JSON.stringify({ mtuBytes: 4_000 })))
      const stock = await keep(lan.stock(1, 'echo', ...STOCK_AUTO, '--echo-resources', '--interval', '2'))
      expect(await asked(ours, stock)).toMatchObject({ mtuBytes: AUTO_LINK_MTU_BYTES })
      await stock.stop()
      const client = await keep(
        lan.stock(1, 'link', ...STOCK_AUTO, '--destination', toHex(ours.destination), ...linkFlags),
      )
      expect(await client.done()).toMatchObject({ ok: true })
    }, 120_000)

    test('two of ours, and a third with a group and ports of its own that both do not hear', async () => {
      const lan = await network(3)
      const [a, b] = [await keep(lan.ours(0)), await keep(lan.ours(1))]
      const apart = await keep(lan.ours(2, JSON.stringify({ groupId: 'others' })))
      await asked(a, b)
      await asked(b, a)
      const heard = (by: Peer) =>
        new Set(by.events.filter(({ event }) => event === 'announce').map((e) => e['destination']))
      expect(heard(a)).toEqual(new Set([toHex(b.destination)]))
      expect(heard(apart)).toEqual(new Set())
    }, 120_000)

    test('settings of a stock node hold for ours: group, scope, ports, access code', async () => {
      const lan = await network(2)
      const settings = { groupId: 'my group', discoveryScope: 'site', multicastAddressType: 'permanent' }
      const ports = { discoveryPort: 30_000, dataPort: 30_100 }
      const accessCode = { networkName: 'a network', passphrase: 'secret' }
      const ours = await keep(lan.ours(0, JSON.stringify({ ...settings, ...ports, accessCode })))
      const rows = ['type = AutoInterface', 'group_id = my group', 'discovery_scope = site', 'discovery_port = 30000']
      const row = [...rows, 'data_port = 30100', 'multicast_address_type = permanent'].join('; ')
      const code = ['--ifac-name', 'a network', '--ifac-pass', 'secret']
      const stock = await keep(lan.stock(1, 'echo', '--interface', row, ...code, '--echo-resources', '--interval', '2'))
      await asked(ours, stock)
    }, 120_000)
  })

  test('a cable that is pulled for half a minute, and a node that starts anew, are found again', async () => {
    const lan = await network(2)
    const ours = await keep(lan.ours(0))
    const stock = await keep(lan.stock(1, 'echo', ...STOCK_AUTO, '--echo-resources', '--interval', '2'))
    await asked(ours, stock)
    lan.cable(1, 'down')
    await new Promise((resolve) => setTimeout(resolve, 30_000))
    lan.cable(1, 'up')
    await lan.ready()
    await asked(ours, stock)
    await stock.stop()
    const again = await keep(lan.stock(1, 'echo', ...STOCK_AUTO, '--echo-resources', '--interval', '2'))
    await asked(ours, again)
  }, 180_000)
})

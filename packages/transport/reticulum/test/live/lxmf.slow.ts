import { toHex } from '@nexus/codec'
import { type LxmfMethod, readLxmfAppData } from '@nexus/reticulum'
import { lxmfOn, startReticulum, tcpServerMedium } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
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

describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('LXMF, time %i', () => {
  test('messages both ways with a stock client, in one packet, over a link, and as a resource', async () => {
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    const here = await startReticulum({ media: [server] })
    running.push(here)
    const lxmf = lxmfOn(here, { identity: here.newIdentity(), displayName: 'ours' })
    const heard = here.node.announces.first()
    const client = await Peer.run('lxmf_peer.py', '--connect', server.address as string)
    running.push(client)
    const announce = await heard
    expect(announce.hash).toEqual(client.destination)
    expect(readLxmfAppData(announce.appData as Uint8Array).displayName).toBe('stock client')
    lxmf.announce()
    await client.event('heard', ({ destination }) => destination === toHex(lxmf.hash))

    const long = 'a long message, '.repeat(2_000)
    for (const [content, method] of [
      ['héllo in a packet', 'opportunistic'],
      ['hello over a link', 'direct'],
      [long, 'direct'],
    ] as [string, LxmfMethod][]) {
      const id = await lxmf.send(client.destination, { title: 'a title', content }, { method })
      const came = await client.event('message', (event) => event['id'] === toHex(id))
      expect(came).toMatchObject({ source: toHex(lxmf.hash), title: 'a title', content, validated: true })

      const received = lxmf.messages.first()
      client.tell({ to: toHex(lxmf.hash), method, title: 'back', content })
      const message = await received
      expect(new TextDecoder().decode(message.content)).toBe(content)
      expect(message).toMatchObject({ signatureState: 'valid', source: client.destination, method })
      await client.event('delivered', (event) => event['id'] === toHex(message.id))
    }
    expect(client.events.filter(({ event }) => event === 'failed')).toEqual([])
  }, 120_000)
})

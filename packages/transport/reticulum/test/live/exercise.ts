import { createHash } from 'node:crypto'
import type { Destination, Link } from '@nexus/reticulum'
import type { RunningReticulum } from '@nexus/reticulum/node'
import { expect } from 'vitest'
import type { Peer } from './peer.ts'

/** What the peer program answers channel messages of. */
const ECHO_TYPE = 0x0101
export const APP = 'interop.echo'
export const RESOURCE_BYTES = 1_048_576

/** The same incompressible bytes every time. */
export function noise(length: number, label = 'noise'): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0, n = 0; at < length; at += 32, n++) {
    const block = createHash('sha256').update(`${label}/${n}`).digest()
    bytes.set(block.subarray(0, Math.min(32, length - at)), at)
  }
  return bytes
}

/** Does with an echo peer all that a node of ours can ask of it. */
export async function askPeer(here: RunningReticulum, echo: Peer, resourceBytes = RESOURCE_BYTES): Promise<Link> {
  const to = await here.node.resolve(echo.destination, { timeoutMs: 15_000 })
  const data = noise(200, `packet ${Math.random()}`)
  expect(await here.node.send(to, data).proved, 'the proof of a packet').toBeTypeOf('number')
  expect(
    (await echo.event('packet', (event) => event['data'] === Buffer.from(data).toString('hex')))['hops'],
  ).toBeGreaterThanOrEqual(0)

  const link = await here.node.connect(to, { resources: 'all', timeoutMs: 15_000 })
  const identity = here.newIdentity()
  link.identify(identity)
  for (const size of [1, 200, link.mduBytes]) {
    const back = link.packets.first()
    expect(await link.send(noise(size)).proved, `the proof of ${size} bytes over a link`).toBeTypeOf('number')
    expect(await back).toEqual(noise(size))
  }
  expect(await link.request('/echo', noise(100))).toEqual(noise(100))
  expect(await link.request('/echo', noise(20_000), { timeoutMs: 20_000 })).toEqual(noise(20_000))
  expect(await link.request('/whoami')).toEqual(identity.hash)

  const answers = collect(link, 8)
  await Promise.all(Array.from({ length: 8 }, (_, n) => link.channel.send(ECHO_TYPE, noise(50 + n, `message ${n}`))))
  expect(await answers).toEqual(Array.from({ length: 8 }, (_, n) => noise(50 + n, `message ${n}`)))

  const back = link.resources.first()
  await link.sendResource(noise(resourceBytes), { metadata: { name: 'noise' } }).done
  expect((await echo.event('resource', ({ size }) => size === resourceBytes))['ok']).toBe(true)
  expect(Buffer.compare((await back).data, noise(resourceBytes)), 'a resource came back').toBe(0)
  return link
}

async function collect(link: Link, count: number): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = []
  for await (const { data } of link.channel.messages) if (messages.push(data) === count) return messages
  throw new Error(`${messages.length} of ${count} messages came, then the link ended: ${await link.closed}`)
}

/** A destination of ours that answers as the peer program's does. */
export function serveEcho(here: RunningReticulum): Destination {
  const echo = here.node.serve(here.newIdentity(), APP, { resources: 'all', appData: new TextEncoder().encode('ours') })
  echo.onRequest('/echo', ({ data }) => data)
  echo.onRequest('/whoami', ({ link }) => link.remoteIdentity?.hash ?? new Uint8Array(0))
  echo.links.subscribe((link) => {
    link.packets.subscribe((data) => link.send(data))
    link.channel.messages.subscribe(
      ({ messageType, data }) => void link.channel.send(messageType, data).catch(() => {}),
    )
  })
  return echo
}

/** Lets a peer program ask all that of a destination of ours. @param network where it finds us */
export function linkArguments(echo: Destination, ...network: readonly string[]): string[] {
  const hash = Buffer.from(echo.hash).toString('hex')
  return [
    'link',
    ...network,
    '--destination',
    hash,
    '--identify',
    '--identity',
    'seed:asks',
    '--channel',
    '--metadata',
    '--resource-size',
    String(RESOURCE_BYTES),
    '--no-compress',
  ] // prettier-ignore
}

export function sendArguments(echo: Destination, ...network: readonly string[]): string[] {
  return ['send', ...network, '--destination', Buffer.from(echo.hash).toString('hex'), '--count', '3']
}

/** A link to a destination, where requests or their proofs may be lost: then one asks again. */
export async function connectAtLast(
  here: RunningReticulum,
  to: Parameters<RunningReticulum['node']['connect']>[0],
  timeoutMs = 3_000,
): Promise<Link> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await here.node.connect(to, { resources: 'all', timeoutMs })
    } catch (error) {
      if (attempt === 8) throw error
    }
  }
}

/** Messages in order, a resource and a request over one link, all of them there and back. */
export async function exerciseLink(link: Link, label: string, resourceBytes: number): Promise<void> {
  const answers = collect(link, 10)
  const messages = Array.from({ length: 10 }, (_, n) => noise(40 + n, `${label} ${n}`))
  await Promise.all(messages.map((data) => link.channel.send(ECHO_TYPE, data)))
  expect(await answers, `messages of ${label}`).toEqual(messages)
  const back = link.resources.first()
  await link.sendResource(noise(resourceBytes, label)).done
  expect(Buffer.compare((await back).data, noise(resourceBytes, label)), `a resource of ${label} came back`).toBe(0)
  const asked = noise(150, label)
  expect(await requestAtLast(link, asked), `a request of ${label}`).toEqual(asked)
}

/** A request in one packet, or its answer, may be lost as well. */
async function requestAtLast(link: Link, data: Uint8Array): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await link.request('/echo', data, { timeoutMs: 3_000 })
    } catch (error) {
      if (attempt === 8) throw error
    }
  }
}

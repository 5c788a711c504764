import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { SentryError } from '@nexus/sentry'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Streams } from '../src/http/streams.ts'
import { STREAM_BEAT_MS, STREAM_STALL_MS } from '../src/limits.ts'
import { ORIGIN, testGateway } from './harness.ts'

type VaultOfStreams = ConstructorParameters<typeof Streams>[0]

const emptyVault: VaultOfStreams = {
  entries: async () => [],
  head: async () => undefined,
  onGrowth: () => () => {},
}

const allowed = async (): Promise<boolean> => true

/** A request of a client whose socket the test holds. */
async function asked(): Promise<{ request: IncomingMessage; response: ServerResponse; client: Socket }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const coming = new Promise<[IncomingMessage, ServerResponse]>((resolve) =>
    server.once('request', (request, response) => resolve([request, response])),
  )
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const [request, response] = await coming
  return { request, response, client }
}

function gateOf(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

function streamsOf(vault = emptyVault): Streams {
  const streams = new Streams(vault)
  onTestFinished(() => streams.close())
  return streams
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a stream', () => {
  test('is none for a reader that left before it began', async () => {
    const { response, client } = await asked()
    const closed = new Promise((resolve) => response.once('close', resolve))
    client.destroy()
    await closed
    const streams = streamsOf()
    streams.open(response, { from: 0, isAllowed: allowed })
    expect(streams.count).toBe(0)
  })

  test('is none for a reader that left while its ticket was redeemed', async () => {
    const { ask, url, gateway } = await testGateway()
    const { sentry, streams } = gateway.services
    const { json } = await ask('auditor', 'POST', '/v1/tickets')
    const admit = sentry.admitTicket.bind(sentry)
    const redeemed = gateOf()
    const left = gateOf()
    vi.spyOn(sentry, 'admitTicket').mockImplementation(async (...args) => {
      const verdict = await admit(...args)
      redeemed.open()
      await left.opened
      return verdict
    })
    const opened = vi.spyOn(streams, 'open')
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    client.write(`GET /v1/events?after=0&ticket=${json.ticket} HTTP/1.1\r\nhost: ${new URL(ORIGIN).host}\r\n\r\n`)
    await redeemed.opened
    client.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    left.open()
    await vi.waitFor(() => expect(opened).toHaveBeenCalledOnce())
    expect(streams.count).toBe(0)
  })

  test('is cut off if its reader takes no signs of life in', async () => {
    const { response } = await asked()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const streams = streamsOf()
    streams.open(response, { from: 0, isAllowed: allowed })
    vi.spyOn(response, 'write').mockReturnValue(false)
    await vi.advanceTimersByTimeAsync(STREAM_BEAT_MS)
    expect(response.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(STREAM_STALL_MS)
    expect(response.destroyed).toBe(true)
  })

  test('ends at the next sign of life once its reader may not read, and stays where that cannot be told', async () => {
    const { response } = await asked()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const streams = streamsOf()
    let isAllowed = async (): Promise<boolean> => {
      throw new SentryError({ code: 'sentry/store', reason: 'away' })
    }
    streams.open(response, { from: 0, isAllowed: () => isAllowed() })
    const write = vi.spyOn(response, 'write')
    await vi.advanceTimersByTimeAsync(STREAM_BEAT_MS)
    expect([write.mock.calls.length, response.writableEnded]).toEqual([0, false])
    isAllowed = allowed
    await vi.advanceTimersByTimeAsync(STREAM_BEAT_MS)
    expect([write.mock.calls.length, response.writableEnded]).toEqual([1, false])
    isAllowed = async () => false
    await vi.advanceTimersByTimeAsync(STREAM_BEAT_MS)
    expect([write.mock.calls.length, response.writableEnded]).toEqual([1, true])
  })
})

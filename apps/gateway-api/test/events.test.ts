import { fromHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { signRequest } from '@nexus/sentry/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Asking, crypto, ORIGIN, read, sessionSigner, signerOf, testGateway } from './harness.ts'

interface Event {
  readonly id: number
  readonly entry: { readonly index: number; readonly amount: string }
}

/** Reads a stream of events until it has `count`. */
async function events(answer: Response, count: number): Promise<Event[]> {
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const found: Event[] = []
  let text = ''
  for await (const bytes of answer.body!) {
    text += Buffer.from(bytes).toString('utf8')
    const whole = text.split('\n\n')
    text = whole.pop()!
    for (const block of whole) {
      const id = /^id: (\d+)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (id !== undefined && data !== undefined) found.push({ id: Number(id), entry: JSON.parse(data) })
    }
    if (found.length >= count) break
  }
  return found
}

/** Opens a stream as somebody; it ends with its test. */
async function open(
  url: string,
  who: string,
  path = '/v1/events',
  headers: Record<string, string> = {},
): Promise<Response> {
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const { init } = signRequest(
    crypto,
    signerOf(who),
    { method: 'GET', url: ORIGIN + path, headers },
    { nowMs: Date.now(), random: systemRandom },
  )
  return fetch(url + path, { ...init, signal: ended.signal })
}

type Ask = (who: string, method: string, path: string, asking?: Asking) => Promise<unknown>

async function write(ask: Ask, from: number, to: number): Promise<void> {
  const one = (at: number) =>
    ask('app', 'POST', '/v1/entries', { json: { account: 'did:example:ann', amount: `${100 + at}` } })
  for (let at = from; at < to; at++) await one(at)
}

describe('events', () => {
  test('come after the commit, in order, at once', async () => {
    const { ask, url } = await testGateway()
    await write(ask, 0, 3)
    const stream = await open(url, 'auditor')
    const got = events(stream, 1)
    const before = performance.now()
    await write(ask, 3, 4)
    const [event] = await got
    expect(performance.now() - before).toBeLessThan(1_000)
    expect(event).toMatchObject({ id: 3, entry: { index: 3, amount: '103' } })
  })

  test('go on after the last id that was seen, without loss', async () => {
    const { ask, url } = await testGateway()
    await write(ask, 0, 5)
    const first = await events(await open(url, 'auditor', '/v1/events', { 'last-event-id': '1' }), 3)
    expect(first.map(({ id }) => id)).toEqual([2, 3, 4])
    const stream = await open(url, 'auditor', '/v1/events?after=0')
    const writing = write(ask, 5, 9)
    expect((await events(stream, 8)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    await writing
  })

  test('a long log comes whole, to a reader that is slow too', async () => {
    const { ask, url, gateway } = await testGateway()
    await Promise.all(
      Array.from({ length: 3_000 }, (_, at) =>
        gateway.services.vault.append({
          actor: 'did:example:app',
          account: `did:example:${at % 7}`,
          amount: 100n,
          policy: 1,
          route: 'test',
          idempotencyKey: `k${at}`,
          requestHash: new Uint8Array(32),
        }),
      ),
    )
    await write(ask, 3_000, 3_001)
    const got = await events(await open(url, 'auditor', '/v1/events?after=0'), 3_000)
    expect(got.map(({ id }) => id)).toEqual(Array.from({ length: 3_000 }, (_, at) => at + 1))
  })

  test('a ticket opens one stream, once, in its time, without a signature', async () => {
    const { ask, url } = await testGateway()
    await write(ask, 0, 2)
    expect((await ask('app', 'POST', '/v1/tickets')).status).toBe(403)
    const { json } = await ask('auditor', 'POST', '/v1/tickets')
    const ended = new AbortController()
    onTestFinished(() => ended.abort())
    const at = `${url}/v1/events?after=0&ticket=`
    const stream = await fetch(at + json.ticket, { signal: ended.signal })
    expect((await events(stream, 1)).map(({ id }) => id)).toEqual([1])
    expect((await read(await fetch(at + json.ticket))).status).toBe(401)
    const bent = json.ticket.slice(0, -2) + (json.ticket.endsWith('AA') ? 'BB' : 'AA')
    for (const ticket of [bent, '', 'x', 'A'.repeat(100), 'ä'.repeat(30)]) {
      expect([ticket, (await fetch(at + encodeURIComponent(ticket))).status]).toEqual([ticket, 401])
    }
  })

  test('false tickets are refused by the perimeter, counted, and meet the rate', async () => {
    const { url, gateway } = await testGateway(undefined, {
      rates: { address: { perSecond: 0.01, burst: 3 } },
    })
    const answers = []
    for (let at = 0; at < 4; at++) answers.push((await read(await fetch(`${url}/v1/events?ticket=x`))).json.code)
    expect(answers).toEqual(['sentry/ticket', 'sentry/ticket', 'sentry/ticket', 'sentry/rate'])
    expect(gateway.services.rejections.list()).toHaveLength(4)
  })

  test('end when the session that they were opened with does, as its tickets do', async () => {
    const { ask, url, gateway } = await testGateway()
    const { json: session } = await ask('auditor', 'POST', '/v1/sessions')
    const signer = sessionSigner(crypto, { id: fromHex(session.keyid.slice(8)), secret: fromHex(session.secret) })
    const [{ json: first }, { json: second }] = await Promise.all([
      ask(signer, 'POST', '/v1/tickets'),
      ask(signer, 'POST', '/v1/tickets'),
    ])
    await write(ask, 0, 2)
    const stream = await fetch(`${url}/v1/events?after=0&ticket=${first.ticket}`)
    const reader = stream.body!.getReader()
    await reader.read()
    await vi.waitFor(() => expect(gateway.services.streams.count).toBe(1))
    expect((await ask(signer, 'DELETE', '/v1/sessions/current')).json).toEqual({ ended: true })
    await write(ask, 2, 3)
    let rest = ''
    for (let got = await reader.read(); !got.done; got = await reader.read()) rest += Buffer.from(got.value).toString()
    expect(rest).not.toContain('id: 2')
    const late = await read(await fetch(`${url}/v1/events?after=0&ticket=${second.ticket}`))
    expect([late.status, late.json.code]).toEqual([401, 'sentry/session'])
  })

  test('are for auditors, and end when the grant does', async () => {
    const { ask, url, grant, gateway } = await testGateway()
    expect((await open(url, 'app')).status).toBe(403)
    expect((await fetch(`${url}/v1/events`)).status).toBe(401)
    const id = await grant('passing', 'auditor')
    await write(ask, 0, 1)
    const stream = await open(url, 'passing', '/v1/events?after=0')
    const reader = stream.body!.getReader()
    await reader.read()
    const { nodeIdOf } = await import('@nexus/identity')
    const { signGrant } = await import('@nexus/sentry')
    const { seedOf } = await import('./harness.ts')
    await gateway.services.sentry.appendGrant(
      signGrant(crypto, seedOf('admin'), {
        what: { kind: 'revocation', id },
        gateway: nodeIdOf(crypto, crypto.publicKey(seedOf('gateway'))),
        timeMs: Date.now(),
      }),
    )
    await write(ask, 1, 2)
    expect(await reader.read()).toEqual({ done: true, value: undefined })
  })

  test('of what stands nowhere in the log are refused', async () => {
    const { url } = await testGateway()
    for (const after of ['-1', 'x', '1e3', '9'.repeat(20)]) {
      expect((await open(url, 'auditor', `/v1/events?after=${after}`)).status).toBe(400)
    }
  })
})

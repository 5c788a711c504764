import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fromHex, toHex } from '@nexus/codec'
import { nodeIdOf } from '@nexus/identity'
import { signGrant } from '@nexus/sentry'
import { describe, expect, test } from 'vitest'
import { openApiDocument } from '../src/http/openapi.ts'
import { ROUTES } from '../src/http/server.ts'
import { ProofError, verifyProof } from '../src/verify.ts'
import {
  crypto,
  didOf,
  ORIGIN,
  openTestGateway,
  read,
  seedOf,
  sessionSigner,
  statementOf,
  systemRandom,
  testGateway,
} from './harness.ts'

const ann = 'did:example:ann'
const entry = { account: ann, amount: '1005' }

/** A path of a route with something for each parameter. */
const pathOf = (path: string): string =>
  path
    .replace('{index}', '0')
    .replace('{account}', encodeURIComponent(ann))
    .replace('{identity}', encodeURIComponent(ann))

describe('entries', () => {
  test('an entry is answered with its split and head, and its repeat with the same', async () => {
    const { ask } = await testGateway()
    const first = await ask('app', 'POST', '/v1/entries', { json: entry, key: 'order-1' })
    expect(first.status).toBe(201)
    expect(first.json.entry).toMatchObject({
      index: 0,
      amount: '1005',
      creator: '604',
      pool: '301',
      fee: '100',
      policy: 1,
    })
    expect(first.json.head.size).toBe(1)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    // The same amount in another form is the same request.
    const again = await ask('app', 'POST', '/v1/entries', {
      json: { ...entry, amount: 1_005, policy: 1 },
      key: 'order-1',
    })
    expect([again.status, again.json, again.headers.get('idempotency-replayed')]).toEqual([201, first.json, 'true'])
    const other = await ask('app', 'POST', '/v1/entries', { json: { ...entry, amount: '1006' }, key: 'order-1' })
    expect([other.status, other.json.code]).toEqual([409, 'vault/idempotency-conflict'])
  })

  const refused: readonly (readonly [what: string, body: string, status: number])[] = [
    ['0', '{"account":"a","amount":"0"}', 400],
    ['0 as a number', '{"account":"a","amount":0}', 400],
    ['a negative', '{"account":"a","amount":"-5"}', 400],
    ['a fraction', '{"account":"a","amount":100.5}', 422],
    ['a whole fraction', '{"account":"a","amount":100.0}', 422],
    ['an exponent', '{"account":"a","amount":1e3}', 422],
    ['NaN', '{"account":"a","amount":NaN}', 400],
    ['2^63', '{"account":"a","amount":"9223372036854775808"}', 422],
    ['a number above 2^53', '{"account":"a","amount":9007199254740993}', 422],
    ['words', '{"account":"a","amount":"much"}', 400],
    ['a leading zero', '{"account":"a","amount":"0100"}', 400],
    ['twenty digits', '{"account":"a","amount":"10000000000000000000"}', 400],
    ['nothing', '{"account":"a","amount":null}', 400],
    ['a list', '{"account":"a","amount":["100"]}', 400],
    ['no amount', '{"account":"a"}', 400],
    ['an unknown name', '{"account":"a","amount":"100","fee":"0"}', 400],
    ['a name twice', '{"account":"a","amount":"100","amount":"200"}', 400],
    ['deep JSON', `{"account":${'['.repeat(100)}${']'.repeat(100)},"amount":"100"}`, 400],
    ['half a character', '{"account":"\\ud800","amount":"100"}', 422],
    ['a long account', `{"account":"${'ä'.repeat(200)}","amount":"100"}`, 422],
    ['an empty account', '{"account":"","amount":"100"}', 400],
    ['an unknown policy', '{"account":"a","amount":"100","policy":9}', 400],
    ['less than the minimum', '{"account":"a","amount":"99"}', 422],
    ['a huge body', `{"account":"${'a'.repeat(20_000)}","amount":"100"}`, 413],
    ['no JSON', 'account=a&amount=100', 400],
    ['another JSON', '"100"', 400],
  ]

  test('what is no amount, no account or no JSON is refused before anything is written', async () => {
    const { ask, gateway } = await testGateway()
    for (const [what, body, status] of refused) {
      const answered = await ask('app', 'POST', '/v1/entries', { body })
      expect([what, answered.status]).toEqual([what, status])
      expect(answered.headers.get('content-type')).toBe('application/problem+json')
      expect(answered.json).toMatchObject({ type: 'about:blank', status, code: expect.any(String) })
    }
    expect(await gateway.services.vault.head()).toBeUndefined()
  })

  test('another charset or type is refused', async () => {
    const { ask } = await testGateway()
    for (const type of [
      'application/json; charset=utf-16',
      'application/json; charset=latin1',
      'text/plain',
      'application/xml',
    ]) {
      const refused = await ask('app', 'POST', '/v1/entries', { json: entry, headers: { 'content-type': type } })
      expect([type, refused.status]).toEqual([type, 415])
    }
    const taken = await ask('app', 'POST', '/v1/entries', {
      json: entry,
      headers: { 'content-type': 'application/json; charset=UTF-8' },
    })
    expect(taken.status).toBe(201)
  })

  test('history pages stay while the log grows; accounts have their own', async () => {
    const { ask } = await testGateway()
    for (let at = 0; at < 7; at++) {
      await ask('app', 'POST', '/v1/entries', {
        json: { account: at % 2 === 0 ? ann : 'did:example:ben', amount: '100' },
      })
    }
    const first = await ask('auditor', 'GET', '/v1/entries?count=3')
    await ask('app', 'POST', '/v1/entries', { json: entry })
    const second = await ask('auditor', 'GET', `/v1/entries?count=4&cursor=${first.json.next}`)
    const indices = [...first.json.entries, ...second.json.entries].map(({ index }) => index)
    expect([indices, second.json.next]).toEqual([[6, 5, 4, 3, 2, 1, 0], undefined])
    const own = await ask('app', 'GET', `/v1/accounts/${encodeURIComponent(ann)}/entries`)
    expect(own.json.entries.map(({ index }: { index: number }) => index)).toEqual([7, 6, 4, 2, 0])
    const totals = await ask('app', 'GET', `/v1/accounts/${encodeURIComponent(ann)}`)
    expect(totals.json).toEqual({ amount: '1405', creator: '844', pool: '421', fee: '140', entries: 5 })
    expect((await ask('auditor', 'GET', '/v1/totals')).json).toMatchObject({ entries: 8 })
    expect((await ask('auditor', 'GET', '/v1/entries?cursor=1-2')).status).toBe(422)
    for (const query of ['count=0', 'count=1001', 'count=-1', 'count=x', 'cursor=1', 'page=2', 'count=1&count=2']) {
      expect([query, (await ask('auditor', 'GET', `/v1/entries?${query}`)).status]).toEqual([query, 400])
    }
  })

  test('a proof holds without the gateway, and a bent one does not', async () => {
    const { ask } = await testGateway()
    for (let at = 0; at < 5; at++)
      await ask('app', 'POST', '/v1/entries', { json: { account: ann, amount: `${100 + at}` } })
    const { json } = await ask('auditor', 'GET', '/v1/entries/3/proof')
    const publicKey = crypto.publicKey(seedOf('gateway'))
    expect(verifyProof(crypto, JSON.stringify(json), publicKey)).toMatchObject({
      holds: true,
      index: 3,
      size: 5,
      isKnownKey: true,
    })
    expect(verifyProof(crypto, JSON.stringify(json))).toMatchObject({ holds: true, isKnownKey: false })
    const bent = [
      { ...json, entry: { ...json.entry, amount: '104', creator: '64' } },
      { ...json, entry: { ...json.entry, creator: '62', pool: '31' } },
      { ...json, entry: { ...json.entry, index: 2 } },
      { ...json, head: { ...json.head, size: 4 } },
      { ...json, inclusion: json.inclusion.slice(1) },
      { ...json, publicKey: toHex(crypto.publicKey(seedOf('app'))) },
    ]
    bent.push({ ...json, entry: { ...json.entry, policy: 999 } }, { ...json, entry: { ...json.entry, amount: '0' } })
    for (const proof of bent) expect(verifyProof(crypto, JSON.stringify(proof), publicKey).holds).toBe(false)
    for (const text of ['', '{}', '[1]', 'null', JSON.stringify({ ...json, more: 1 })]) {
      expect(() => verifyProof(crypto, text)).toThrow(ProofError)
    }
    const step = await ask('ann', 'GET', '/v1/consistency?first=2&size=5')
    expect(step.json.consistency.length).toBeGreaterThan(0)
    expect((await ask('ann', 'GET', '/v1/consistency?first=2&size=6')).status).toBe(404)
    expect((await ask('auditor', 'GET', '/v1/entries/5/proof')).status).toBe(404)
  })
})

describe('people', () => {
  test('see, take along and erase what is theirs, and nothing of others', async () => {
    const { ask, gateway } = await testGateway()
    const me = didOf('ann')
    const mine = `/v1/accounts/${encodeURIComponent(me)}`
    await ask('app', 'POST', '/v1/entries', { json: { account: me, amount: '500' } })
    await ask('app', 'POST', '/v1/entries', { json: { account: didOf('ben'), amount: '700' } })
    expect((await ask('ann', 'GET', mine)).json).toMatchObject({ amount: '500' })
    expect((await ask('ben', 'GET', mine)).status).toBe(403)
    const proof = `/v1/entries/0/proof?account=${encodeURIComponent(me)}`
    expect((await ask('ann', 'GET', proof)).status).toBe(200)
    expect((await ask('ann', 'GET', '/v1/entries/0/proof')).status).toBe(403)
    // Her own name does not open what is another's.
    expect((await ask('ann', 'GET', proof.replace('/0/', '/1/'))).status).toBe(404)
    const data = await ask('ann', 'GET', `${mine}/export`)
    expect(data.json).toMatchObject({ identity: me, asked: [], totals: { amount: '500' } })
    expect(data.json.credited).toHaveLength(1)
    expect((await ask('ben', 'DELETE', mine)).status).toBe(403)
    expect((await ask('ann', 'DELETE', mine)).json).toEqual({ erased: true })
    expect((await ask('ann', 'GET', mine)).status).toBe(404)
    expect((await ask('ann', 'GET', `${mine}/export`)).status).toBe(404)
    expect((await ask('auditor', 'GET', '/v1/entries/0/proof')).status).toBe(200)
    expect((await gateway.services.vault.totals()).entries).toBe(2)
  })
})

describe('the perimeter', () => {
  test('every route refuses who does not sign, and who is not granted; nothing changes', async () => {
    const { ask, url, gateway } = await testGateway()
    await ask('app', 'POST', '/v1/entries', { json: entry })
    const before = await gateway.services.vault.head()
    for (const route of ROUTES) {
      const path = pathOf(route.path)
      const unsigned = await read(await fetch(url + path, { method: route.method }))
      expect([route.operationId, unsigned.status]).toEqual([route.operationId, 401])
      expect(unsigned.headers.get('www-authenticate')).toMatch(/^Signature/)
      if (route.action === 'own') continue
      const body =
        route.operationId === 'submitGrant'
          ? { statement: toHex(statementOf('stranger', 'auditor', undefined)) }
          : entry
      const denied = await ask('stranger', route.method, path, route.body === undefined ? {} : { json: body })
      expect([route.operationId, denied.status]).toEqual([route.operationId, 403])
    }
    expect(await gateway.services.vault.head()).toEqual(before)
    const { json } = await ask('auditor', 'GET', '/v1/rejections')
    expect(json.newest.length).toBeGreaterThanOrEqual(ROUTES.length)
    expect(json.counts.map(({ reason }: { reason: string }) => reason)).toContain('sentry/unsigned')
    expect(JSON.stringify(json)).not.toContain('did:')
  })

  test('a request is taken once, for this origin, as it was signed', async () => {
    const { url, gateway } = await testGateway()
    const { signRequest, ed25519Signer } = await import('@nexus/sentry/client')
    const signed = (origin: string) => {
      const asked = {
        method: 'POST',
        url: `${origin}/v1/entries`,
        body: Buffer.from(JSON.stringify(entry)),
        idempotencyKey: 'k1',
        headers: { 'content-type': 'application/json' },
      }
      return signRequest(crypto, ed25519Signer(crypto, seedOf('app')), asked, {
        nowMs: Date.now(),
        random: systemRandom,
      }).init
    }
    const init = signed(ORIGIN)
    const send = async (given: RequestInit) => (await fetch(`${url}/v1/entries`, given)).status
    expect([await send(init), await send(init)]).toEqual([201, 401])
    expect(await send(signed('https://elsewhere.test'))).toBe(401)
    const bent = signed(ORIGIN)
    expect(await send({ ...bent, body: JSON.stringify({ ...entry, amount: '9999' }) })).toBe(401)
    const key = signed(ORIGIN)
    expect(await send({ ...key, headers: { ...key.headers, 'idempotency-key': 'k2' } })).toBe(401)
    expect((await gateway.services.vault.head())!.size).toBe(1)
  })

  test('a session signs for who opened it, until it is ended', async () => {
    const { ask } = await testGateway()
    const { json } = await ask('app', 'POST', '/v1/sessions')
    expect(json.identity).toBe(didOf('app'))
    const signer = sessionSigner(crypto, {
      id: fromHex(json.keyid.slice('session:'.length)),
      secret: fromHex(json.secret),
    })
    expect((await ask(signer, 'POST', '/v1/entries', { json: entry })).status).toBe(201)
    expect((await ask(signer, 'POST', '/v1/sessions')).status).toBe(401)
    expect((await ask(signer, 'DELETE', '/v1/sessions/current')).json).toEqual({ ended: true })
    expect((await ask(signer, 'POST', '/v1/entries', { json: entry })).status).toBe(401)
  })

  test('grants are given and taken back by administrators, and hold at once', async () => {
    const { ask } = await testGateway()
    const id = systemRandom(16)
    const given = toHex(statementOf('new', 'auditor', undefined, id))
    expect((await ask('new', 'GET', '/v1/totals')).status).toBe(403)
    expect((await ask('new', 'POST', '/v1/grants', { json: { statement: given } })).status).toBe(403)
    expect((await ask('admin', 'POST', '/v1/grants', { json: { statement: given } })).json).toEqual({
      id: toHex(id),
      kind: 'grant',
    })
    expect((await ask('new', 'GET', '/v1/totals')).status).toBe(200)
    const listed = await ask('admin', 'GET', `/v1/grants/${encodeURIComponent(didOf('new'))}`)
    expect(listed.json.grants).toMatchObject([{ id: toHex(id), role: 'auditor' }])
    const gateway = nodeIdOf(crypto, crypto.publicKey(seedOf('gateway')))
    const revoked = toHex(
      signGrant(crypto, seedOf('admin'), { what: { kind: 'revocation', id }, gateway, timeMs: Date.now() }),
    )
    expect((await ask('admin', 'POST', '/v1/grants', { json: { statement: revoked } })).status).toBe(201)
    expect((await ask('new', 'GET', '/v1/totals')).status).toBe(403)
    expect((await ask('admin', 'POST', '/v1/grants', { json: { statement: '00' } })).status).toBe(422)
  })

  test('logins that are not configured, and challenges for them, are refused', async () => {
    const { url } = await testGateway()
    const post = async (path: string, body?: string) =>
      (
        await fetch(url + path, {
          method: 'POST',
          ...(body && { body, headers: { 'content-type': 'application/json' } }),
        })
      ).status
    expect(await post('/v1/challenges/ethereum')).toBe(401)
    expect(await post('/v1/logins', '{"adapter":"ethereum","proof":{}}')).toBe(401)
  })
})

describe('the server', () => {
  test('unknown paths, methods and broken requests have their answers', async () => {
    const { url, gateway } = await testGateway()
    expect(await read(await fetch(`${url}/v2/entries`))).toMatchObject({
      status: 404,
      json: { code: 'http/not-found' },
    })
    const put = await read(await fetch(`${url}/v1/entries`, { method: 'PUT' }))
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const raw = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = ''
        const socket = connect(gateway.address.port, '127.0.0.1', () => socket.write(text))
        socket.on('data', (bytes) => {
          got += bytes
        })
        socket.on('close', () => resolve(got))
      })
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*problem\+json/)
    expect(await raw(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/)
  })

  test('operators read health, readiness, metrics and status on loopback, by its own name only', async () => {
    const { ask, ops } = await testGateway()
    await ask('app', 'POST', '/v1/entries', { json: entry })
    await ask('stranger', 'GET', '/v1/totals')
    expect(await (await fetch(`${ops}/readyz`)).json()).toEqual({ status: 'ready' })
    const metrics = await (await fetch(`${ops}/metrics`)).text()
    expect(metrics).toContain('nexus_gateway_log_size 1')
    expect(metrics).toMatch(/nexus_gateway_answers_total\{method="POST",route="\/v1\/entries",status="201"\} 1/)
    expect(metrics).toMatch(/nexus_gateway_rejections_total\{adapter="ed25519",reason="sentry\/denied"\} 1/)
    expect(metrics).toMatch(/answer_seconds_bucket\{route="\/v1\/entries",le="\+Inf"\} 1/)
    expect(await (await fetch(`${ops}/status`)).json()).toMatchObject({ pid: process.pid, totals: { entries: 1 } })
    expect((await fetch(`${ops}/other`)).status).toBe(404)
    const { request } = await import('node:http')
    const status = await new Promise((resolve) => {
      request(`${ops}/metrics`, { headers: { host: 'evil.example' } }, (answer) => resolve(answer.statusCode)).end()
    })
    expect(status).toBe(403)
  })

  test('ends after it has answered what is under way, and holds it all when it is opened again', async () => {
    const { ask, gateway, stateDir } = await testGateway()
    const asked = Array.from({ length: 40 }, (_, at) =>
      ask('app', 'POST', '/v1/entries', { json: entry, key: `k${at}` }),
    )
    await asked[0]
    const closed = gateway.close()
    const answers = await Promise.allSettled(asked)
    await closed
    const made = answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value.status === 201 ? [answer.value] : [],
    )
    const again = await openTestGateway(stateDir)
    const totals = await again.services.vault.totals()
    await again.close()
    expect(made.length).toBeGreaterThan(0)
    expect(totals.entries).toBeGreaterThanOrEqual(made.length)
  })

  test('its description is the one beside the README, and names every route', () => {
    const written = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))
    expect(written).toEqual(JSON.parse(JSON.stringify(openApiDocument('http://127.0.0.1:8460'))))
    for (const { path, method } of ROUTES) expect(written.paths[path][method.toLowerCase()]).toBeDefined()
  })
})

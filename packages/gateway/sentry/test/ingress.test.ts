import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { cloudflareIngress, directIngress, type Ingress, ngrokIngress, proxyIngress } from '../src/index.ts'
import { canonicalAddress, rateName } from '../src/ingress/address.ts'
import { readHeaders } from '../src/request.ts'
import { openGate, signed, signerOf } from './gate.ts'

const nowMs = 1_764_000_000_000
const admit = async (ingress: Ingress, remoteAddress: string, headers: Record<string, string> = {}, atMs = nowMs) =>
  ingress.admit({ remoteAddress, headers: readHeaders(Object.entries(headers)) }, atMs)
const refused = (code: string) => expect.objectContaining({ detail: expect.objectContaining({ code }) })

test('addresses have one form, and a customer of IPv6 one rate', () => {
  expect(canonicalAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(canonicalAddress('2001:DB8:0:0::1')).toBe('2001:db8::1')
  for (const bad of ['', 'localhost', '1', '192.0.2', '192.0.2.256', 'fe80::1%eth0', '0x7f.1', '192.0.2.1:80', '::g']) {
    expect(() => canonicalAddress(bad), bad).toThrow(refused('sentry/malformed'))
  }
  expect(rateName('192.0.2.1')).toBe('192.0.2.1')
  expect(rateName('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
})

test('without an ingress no header counts', async () => {
  const lies = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'cf-connecting-ip': '203.0.113.9' }
  expect(await admit(directIngress(), '192.0.2.7', lies)).toEqual({ ingress: 'none', address: '192.0.2.7' })
})

describe('proxies', () => {
  const proxies = proxyIngress({ trusted: ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'] })
  test.each([
    ['192.0.2.7', '203.0.113.9', '192.0.2.7'],
    ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:10.0.0.1', '203.0.113.9, 10.2.3.4', '203.0.113.9'],
    ['10.0.0.1', '6.6.6.6, 203.0.113.9, 10.2.3.4, fd00::7', '203.0.113.9'],
    ['10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.2', '10.0.0.2'],
  ])('%s with %s is %s', async (remote, forwardedFor, address) => {
    expect(await admit(proxies, remote, { 'x-forwarded-for': forwardedFor })).toEqual({ ingress: 'proxy', address })
  })

  test('a client that writes the header itself gains nothing', async () => {
    expect(await admit(proxies, '10.0.0.1', { 'x-forwarded-for': '127.0.0.1, 192.0.2.7' })).toMatchObject({
      address: '192.0.2.7',
    })
  })

  test.each(['unknown', '', '203.0.113.9;x', Array.from({ length: 20 }, () => '10.0.0.1').join(',')])(
    '%s is refused',
    async (value) => {
      await expect(admit(proxies, '10.0.0.1', { 'x-forwarded-for': value })).rejects.toEqual(
        refused('sentry/malformed'),
      )
    },
  )

  test('Forwarded, as RFC 7239 has it', async () => {
    const standard = proxyIngress({ trusted: ['10.0.0.0/8'], header: 'forwarded' })
    const of = async (forwarded: string) => (await admit(standard, '10.0.0.1', { forwarded })).address
    expect(await of('for=192.0.2.43, for=10.1.1.1;by=10.0.0.1')).toBe('192.0.2.43')
    expect(await of('proto=https;For="[2001:db8:cafe::17]:4711"')).toBe('2001:db8:cafe::17')
    for (const bad of ['for=_hidden', 'for=unknown', 'proto=https', 'for="', 'for=192.0.2.43 x']) {
      await expect(of(bad), bad).rejects.toEqual(refused('sentry/malformed'))
    }
  })

  test('ranges that are none are the operator’s mistake', () => {
    expect(() => proxyIngress({ trusted: ['10.0.0.0/33'] })).toThrow(TypeError)
    expect(() => proxyIngress({ trusted: ['proxy.example'] })).toThrow(TypeError)
  })
})

test('ngrok: its agent alone, and the address that it saw', async () => {
  const header = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9' }
  expect(await admit(ngrokIngress(), '127.0.0.1', header)).toEqual({ ingress: 'ngrok', address: '203.0.113.9' })
  await expect(admit(ngrokIngress(), '192.0.2.7', header)).rejects.toEqual(refused('sentry/ingress'))
  await expect(admit(ngrokIngress(), '::1')).rejects.toEqual(refused('sentry/ingress'))
})

describe('cloudflare', async () => {
  const issuer = 'https://team.cloudflareaccess.com'
  const audience = 'a'.repeat(64)
  const pairs = await Promise.all([1, 2].map(() => generateKeyPair('RS256')))
  const jwks = await Promise.all(
    pairs.map(async ({ publicKey }, at) => ({ ...(await exportJWK(publicKey)), kid: `k${at}`, alg: 'RS256' })),
  )
  const client = { 'cf-connecting-ip': '203.0.113.9' }

  const token = (
    claims: JWTPayload = {},
    { kid = 'k0', alg = 'RS256', key = pairs[0]!.privateKey as Parameters<SignJWT['sign']>[0] } = {},
  ) =>
    new SignJWT({ iss: issuer, aud: [audience], sub: 'user-1', exp: nowMs / 1_000 + 60, ...claims })
      .setProtectedHeader({ alg, kid })
      .sign(key)

  function access(keys = { keys: jwks.slice(0, 1) }) {
    const counts = { fetched: 0 }
    const fetchKeys = async () => {
      counts.fetched += 1
      return keys
    }
    return { counts, keys, ingress: cloudflareIngress({ access: { issuer, audience, fetchKeys } }) }
  }
  const through = (ingress: Ingress, jwt: string, atMs = nowMs) =>
    admit(ingress, '127.0.0.1', { ...client, 'cf-access-jwt-assertion': jwt }, atMs)

  test('the tunnel alone, and the client that it names', async () => {
    expect(await admit(cloudflareIngress(), '::1', client)).toEqual({ ingress: 'cloudflare', address: '203.0.113.9' })
    await expect(admit(cloudflareIngress(), '192.0.2.7', client)).rejects.toEqual(refused('sentry/ingress'))
    await expect(admit(cloudflareIngress(), '127.0.0.1')).rejects.toEqual(refused('sentry/ingress'))
  })

  test('a token of Access, from the tunnel alone, by keys that are read once', async () => {
    const { ingress, counts } = access()
    for (let turn = 0; turn < 3; turn++) {
      expect(await through(ingress, await token())).toEqual({
        ingress: 'cloudflare',
        address: '203.0.113.9',
        accessSubject: 'user-1',
      })
    }
    expect(counts.fetched).toBe(1)
    await through(ingress, await token({ exp: nowMs / 1_000 + 9_999 }), nowMs + 3_600_000)
    expect(counts.fetched).toBe(2)
    const outside = { ...client, 'cf-access-jwt-assertion': await token() }
    await expect(admit(ingress, '192.0.2.7', outside)).rejects.toEqual(refused('sentry/ingress'))
    await expect(admit(ingress, '127.0.0.1', client)).rejects.toEqual(refused('sentry/ingress'))
  })

  test('a token that is anything else is refused', async () => {
    const { ingress } = access()
    const unsigned = `${btoa('{"alg":"none","kid":"k0"}').replaceAll('=', '')}.${(await token()).split('.')[1]}.`
    const tokens = [
      token({ iss: 'https://other.cloudflareaccess.com' }),
      token({ aud: ['b'.repeat(64)] }),
      token({ exp: nowMs / 1_000 - 1 }),
      token({ exp: undefined as never }),
      token({ sub: undefined as never }),
      token({ nbf: nowMs / 1_000 + 60 }),
      token({}, { key: pairs[1]!.privateKey }),
      token({}, { alg: 'HS256', key: new Uint8Array(32) }),
      token({}, { kid: 'k9' }),
      Promise.resolve(unsigned),
      Promise.resolve('no token'),
      Promise.resolve('x'.repeat(9_000)),
    ]
    for (const [at, jwt] of tokens.entries()) {
      await expect(through(ingress, await jwt), `token ${at}`).rejects.toEqual(refused('sentry/ingress'))
    }
  })

  test('a key that is new is found, at most once a minute', async () => {
    const { ingress, counts, keys } = access()
    await through(ingress, await token())
    keys.keys.push(jwks[1]!)
    const rotated = await token({}, { kid: 'k1', key: pairs[1]!.privateKey })
    await expect(through(ingress, rotated, nowMs + 1_000)).rejects.toEqual(refused('sentry/ingress'))
    expect(counts.fetched).toBe(1)
    await expect(through(ingress, rotated, nowMs + 59_000)).rejects.toEqual(refused('sentry/ingress'))
    const later = await token({ exp: nowMs / 1_000 + 999 }, { kid: 'k1', key: pairs[1]!.privateKey })
    expect(await through(ingress, later, nowMs + 60_000)).toMatchObject({ accessSubject: 'user-1' })
    expect(counts.fetched).toBe(2)
  })

  test('with its keys out of reach nobody comes in, and later all is well again', async () => {
    let answer: () => Promise<{ keys: typeof jwks }> = () => Promise.reject(new TypeError('fetch failed'))
    const ingress = cloudflareIngress({ access: { issuer, audience, fetchKeys: () => answer() } })
    const gate = await openGate({ ingress })
    const request = async () => {
      const made = signed(gate, signerOf('ann'))
      const jwt = await token({ exp: gate.nowMs / 1_000 + 60 })
      return {
        ...made,
        remoteAddress: '127.0.0.1',
        headers: [...made.headers, ...Object.entries({ ...client, 'cf-access-jwt-assertion': jwt })],
      }
    }
    expect(await gate.sentry.admit(await request())).toMatchObject({
      status: 503,
      error: { detail: { code: 'sentry/verifier-down' } },
    })
    answer = () => new Promise(() => {})
    const silent = gate.sentry.admit(await request())
    await new Promise((resolve) => setTimeout(resolve, 20))
    gate.runDelays()
    expect(await silent).toMatchObject({ status: 503, error: { detail: { code: 'sentry/verifier-timeout' } } })
    answer = async () => ({ keys: jwks })
    gate.nowMs += 5_000
    expect(await gate.sentry.admit(await request())).toMatchObject({
      kind: 'admitted',
      envelope: { origin: { accessSubject: 'user-1' } },
    })
  })
})

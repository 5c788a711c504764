import { toHex } from '@nexus/codec'
import fc from 'fast-check'
import { type InnerList, parseDictionary, serializeInnerList } from 'structured-headers'
import { describe, expect, test } from 'vitest'
import { ed25519Signer, type SignableRequest, sessionSigner, signRequest } from '../src/client.ts'
import { didKey, publicKeyOfDidKey, SentryError } from '../src/index.ts'
import { readHeaders } from '../src/request.ts'
import { type Covered, signatureBase } from '../src/signature/base.ts'
import { readInput, readPlainInput, readSignature } from '../src/signature/fields.ts'
import { checkProfile } from '../src/signature/profile.ts'
import { crypto, random, seed } from './kit.ts'

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
const fromBase64Url = (text: string) => fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'))

/** RFC 9421 appendix B: the keys of B.1.4 and B.1.5, the request of B.2, the transformations of B.4. */
const rfc = {
  ed25519: {
    seed: fromBase64Url('n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU'),
    publicKey: fromBase64Url('JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs'),
  },
  secret: fromBase64('uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=='),
  request: {
    method: 'POST',
    targetUri: 'https://example.com/foo?param=Value&Pet=dog',
    headers: readHeaders([
      ['Host', 'example.com'],
      ['Date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['Content-Type', 'application/json'],
      [
        'Content-Digest',
        'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
      ],
      ['Content-Length', '18'],
    ]),
  },
}

/** The member of a `Signature-Input` of the RFC, read as such: its parameters are not those that a gateway asks for. */
function paramsOf(input: string): Covered {
  const [, member] = [...parseDictionary(input)][0]! as [string, InnerList]
  const components = member[0].map(([name, parameters]) => ({
    name: String(name),
    ...(parameters.size > 0 && { parameters }),
  }))
  return { components, paramsText: serializeInnerList(member) }
}

describe('RFC 9421 appendix B', () => {
  test('B.2.5, hmac-sha256', () => {
    const params = paramsOf(
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    )
    const base = signatureBase(rfc.request, params)
    expect(new TextDecoder().decode(base)).toBe(`"date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`)
    expect(crypto.hmacSha256(rfc.secret, base)).toEqual(fromBase64('pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8='))
  })

  test('B.2.6, ed25519', () => {
    const params = paramsOf(
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    )
    const base = signatureBase(rfc.request, params)
    const signature = fromBase64(
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
    )
    expect(crypto.signHttp(rfc.ed25519.seed, base)).toEqual(signature)
    expect(crypto.verifyHttp(rfc.ed25519.publicKey, signature, base)).toBe(true)
  })

  describe('B.4, transformations', () => {
    const params = paramsOf(
      'transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    )
    const signature = fromBase64(
      'ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==',
    )
    const holds = (method: string, targetUri: string, accept: readonly string[]) => {
      const headers = readHeaders(accept.map((value) => ['Accept', value] as const))
      const base = signatureBase({ method, targetUri, headers }, params)
      return crypto.verifyHttp(rfc.ed25519.publicKey, signature, base)
    }
    test.each([
      ['as it was signed', 'GET', 'https://example.org/demo?name1=Value1&Name2=value2', ['application/json', '*/*']],
      [
        'another query',
        'GET',
        'https://example.org/demo?name1=Value1&Name2=value2&param=added',
        ['application/json', '*/*'],
      ],
      ['lines joined', 'GET', 'https://example.org/demo?x', ['application/json, */*']],
      ['space around', 'GET', 'https://example.org/demo', ['  application/json ', ' */*  ']],
      [
        'a port that says nothing, a host in capitals',
        'GET',
        'https://EXAMPLE.org:443/demo',
        ['application/json', '*/*'],
      ],
    ])('holds with %s', (_, method, uri, accept) => expect(holds(method, uri, accept)).toBe(true))
    test.each([
      ['another method', 'POST', 'https://example.org/demo', ['application/json', '*/*']],
      ['another authority', 'GET', 'https://example.com/demo', ['application/json', '*/*']],
      ['lines in another order', 'GET', 'https://example.org/demo', ['*/*', 'application/json']],
    ])('does not with %s', (_, method, uri, accept) => expect(holds(method, uri, accept)).toBe(false))
  })

  test('section 2.2: each derived component of a request', () => {
    const message = { ...rfc.request, targetUri: 'https://www.example.com/path?param=value&foo=bar&baz=batman&qux=' }
    const line = (component: string, of = message) =>
      new TextDecoder().decode(signatureBase(of, paramsOf(`a=(${component})`))).split('\n')[0]
    expect(line('"@method"')).toBe('"@method": POST')
    expect(line('"@target-uri"')).toBe(`"@target-uri": ${message.targetUri}`)
    expect(line('"@authority"')).toBe('"@authority": www.example.com')
    expect(line('"@scheme"')).toBe('"@scheme": https')
    expect(line('"@request-target"')).toBe('"@request-target": /path?param=value&foo=bar&baz=batman&qux=')
    expect(line('"@path"')).toBe('"@path": /path')
    expect(line('"@query"')).toBe('"@query": ?param=value&foo=bar&baz=batman&qux=')
    expect(line('"@query"', { ...message, targetUri: 'https://a/b' })).toBe('"@query": ?')
    expect(line('"@query-param";name="baz"')).toBe('"@query-param";name="baz": batman')
    expect(line('"@query-param";name="qux"')).toBe('"@query-param";name="qux": ')
    const multi =
      'https://a/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something'
    const encoded = { ...message, targetUri: multi }
    expect(line('"@query-param";name="var"', encoded)).toBe(
      '"@query-param";name="var": this%20is%20a%20big%0Amultiline%20value',
    )
    expect(line('"@query-param";name="bar"', encoded)).toBe('"@query-param";name="bar": with%20plus%20whitespace')
    expect(line('"@query-param";name="fa%C3%A7ade%22%3A%20"', encoded)).toBe(
      '"@query-param";name="fa%C3%A7ade%22%3A%20": something',
    )
  })
})

test.each([
  ['an unknown one', '("@status")'],
  ['one twice', '("@method" "@method")'],
  ['an absent field', '("x-none")'],
  ['parameters that are not taken', '("content-type";sf)'],
  ['parameters of a derived one', '("@method";req)'],
  ['a field in capitals', '("Date")'],
  ['a query parameter that is not there', '("@query-param";name="none")'],
  ['too many', `(${Array.from({ length: 17 }, () => '"date"').join(' ')})`],
])('components that are refused: %s', (_, input) => {
  expect(() => signatureBase(rfc.request, paramsOf(`a=${input}`))).toThrow(
    expect.objectContaining({ detail: expect.objectContaining({ code: 'sentry/components' }) }),
  )
})

test('a request has its form, or is refused before anything is computed', () => {
  expect(() => readHeaders([['a', 'b\r\nsignature: c']])).toThrow(SentryError)
  expect(() => readHeaders([['a b', 'c']])).toThrow(SentryError)
  expect(() => readHeaders(Array.from({ length: 129 }, (_, at) => [`h${at}`, '']))).toThrow(SentryError)
  expect(() => readHeaders([['a', 'x'.repeat(40_000)]])).toThrow(SentryError)
})

describe('what the client signs passes the profile', () => {
  const nowMs = 1_764_000_000_123
  const signers = [ed25519Signer(crypto, seed), sessionSigner(crypto, { id: random(16), secret: random(32) })]

  test('whatever the request', () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'),
      path: fc.webPath(),
      query: fc.webQueryParameters(),
      body: fc.uint8Array({ maxLength: 200 }),
      key: fc.stringMatching(/^[!-~]{1,64}$/),
      signer: fc.constantFrom(...signers),
      ageMs: fc.integer({ min: -59_000, max: 119_000 }),
    })
    fc.assert(
      fc.property(request, ({ method, path, query, body, key, signer, ageMs }) => {
        const url = `https://gateway.example${path === '' ? '/' : path}?${query}`
        const safe = method === 'GET' || method === 'HEAD'
        const asked: SignableRequest = { method, url, ...(!safe && { body, idempotencyKey: key }) }
        const { init } = signRequest(crypto, signer, asked, { nowMs, random })
        const message = { method, targetUri: url, headers: readHeaders(Object.entries(init.headers)) }
        const sent = init.body ?? new Uint8Array(0)
        const { claim, base, idempotencyKey, nonceUntilMs } = checkProfile(crypto, message, sent, nowMs + ageMs)
        expect(claim).toMatchObject({ keyid: signer.keyid, alg: signer.alg })
        expect(claim.signature).toEqual(signer.sign(base))
        expect(idempotencyKey).toBe(safe ? undefined : key)
        expect(nonceUntilMs).toBe(1_764_000_120_000)
      }),
      { numRuns: 300 },
    )
  })

  test('misuse is the caller’s', () => {
    const moment = { nowMs, random }
    const [signer] = signers
    const sign = (request: SignableRequest, more = {}) => signRequest(crypto, signer!, request, { ...moment, ...more })
    expect(() => sign({ method: 'POST', url: 'https://a/' })).toThrow(TypeError)
    expect(() => sign({ method: 'GET', url: 'https://a/', body: Uint8Array.of(1) })).toThrow(TypeError)
    expect(() => sign({ method: 'GET', url: 'https://a/' }, { lifeMs: 61_000 })).toThrow(RangeError)
    expect(() => sign({ method: 'GET', url: 'https://a/#x' })).toThrow(SentryError)
    expect(() => sessionSigner(crypto, { id: random(15), secret: random(32) })).toThrow(RangeError)
  })
})

test('did:key, both ways', () => {
  // The example of the did:key specification for Ed25519.
  const did = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
  expect(didKey(publicKeyOfDidKey(did))).toBe(did)
  expect(toHex(publicKeyOfDidKey(did))).toBe('2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6')
  expect(() => publicKeyOfDidKey('did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme')).toThrow(SentryError)
  for (const bad of ['did:key:z', 'did:key:z0', `did:key:z${'1'.repeat(50)}`, 'did:web:a']) {
    expect(() => publicKeyOfDidKey(bad)).toThrow(SentryError)
  }
})

test('a signature with another tag is for somebody else, and two for here are one too many', () => {
  const read = (input: string, signature: string) =>
    readSignature(
      readHeaders([
        ['signature-input', input],
        ['signature', signature],
      ]),
    )
  const ours = '("@method");created=1;expires=2;nonce="n";keyid="k";tag="nexus-gateway/1"'
  const code = (code: string) => expect.objectContaining({ detail: expect.objectContaining({ code }) })
  expect(read(`x=("@path");tag="other", a=${ours}`, 'x=:AA==:, a=:AQ==:').signature).toEqual(Uint8Array.of(1))
  expect(() => read('x=("@path");tag="other"', 'x=:AA==:')).toThrow(code('sentry/unsigned'))
  expect(() => read(`a=${ours}, b=${ours}`, 'a=:AA==:, b=:AA==:')).toThrow(code('sentry/malformed'))
  expect(() => read(`a=${ours}`, 'b=:AA==:')).toThrow(code('sentry/malformed'))
  expect(() => read(`a=${ours};alg="rsa-pss-sha512"`, 'a=:AA==:')).toThrow(code('sentry/algorithm'))
  expect(() => read(`a=${ours};more=1`, 'a=:AA==:')).toThrow(code('sentry/malformed'))
})

test('the fast way says what the library says, or nothing', () => {
  const text = fc.stringMatching(/^[ -~]{0,20}$/)
  const quoted = text.map((value) => `"${value.replace(/["\\\\]/g, (char) => `\\${char}`)}"`)
  const number = fc.oneof(
    { weight: 5, arbitrary: fc.nat().map(String) },
    fc.constantFrom('01', '1.0', '-1', '', '999999999999999', '1e3'),
  )
  const other = fc.constantFrom(
    '',
    '',
    '',
    ' ',
    ';x',
    ';tag="other"',
    ', b=("@method");tag="other"',
    '\t',
    ';created=5',
  )
  const names = fc.array(fc.oneof(quoted, fc.constantFrom('"@method"', '"@target-uri"', 'token', '1')), {
    maxLength: 4,
  })
  const inputs = fc
    .tuple(
      names,
      number,
      number,
      quoted,
      quoted,
      fc.constantFrom('', ';alg="ed25519"', ';alg="rsa"', ';alg=ed25519'),
      other,
    )
    .map(
      ([list, created, expires, nonce, keyid, alg, end]) =>
        `sig=(${list.join(' ')});created=${created};expires=${expires};nonce=${nonce};keyid=${keyid}${alg};tag="nexus-gateway/1"${end}`,
    )
  let fast = 0
  fc.assert(
    fc.property(inputs, (input) => {
      const plain = readPlainInput(input)
      if (plain === undefined) return
      fast += 1
      expect(plain).toEqual(readInput(input))
    }),
    { numRuns: 3_000 },
  )
  expect(fast).toBeGreaterThan(100)
})

import { describe, expect, test } from 'vitest'
import {
  checksumAddress,
  type DidRecord,
  decodeDidDocument,
  didKey,
  didPkh,
  encodeDidDocument,
  readDidPkh,
} from '../src/index.ts'
import { DOCUMENT_LINKS_MAX } from '../src/limits.ts'
import { crypto, seed } from './kit.ts'

const refused = expect.objectContaining({ detail: expect.objectContaining({ code: 'sentry/did' }) })
const key = didKey(crypto.publicKey(seed))
const bare = (did: string): DidRecord => ({ did, alsoKnownAs: [], services: [] })

describe('documents', () => {
  test('of a did:key name its key, of a did:pkh its account', () => {
    const id = `${key}#${key.slice('did:key:'.length)}`
    expect(JSON.parse(encodeDidDocument(bare(key)))).toEqual({
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
      id: key,
      verificationMethod: [{ id, controller: key, type: 'Multikey', publicKeyMultibase: key.slice('did:key:'.length) }],
      authentication: [id],
      assertionMethod: [id],
    })
    const account = 'did:pkh:tvm:-239:0%3Aab'
    const [method] = JSON.parse(encodeDidDocument(bare(account))).verificationMethod
    expect(method).toMatchObject({ blockchainAccountId: 'tvm:-239:0%3Aab', type: 'BlockchainVerificationMethod2021' })
  })

  test('read back as they were written, in any order of members', () => {
    const record: DidRecord = {
      did: key,
      alsoKnownAs: ['telegram:7', 'did:io:0xab'],
      services: [{ name: 'shop', type: 'LinkedDomains', endpoint: 'https://shop.example' }],
    }
    const json = encodeDidDocument(record)
    expect(decodeDidDocument(json)).toEqual(record)
    const turned = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json)).reverse()), null, 2)
    expect(decodeDidDocument(turned)).toEqual(record)
    expect(encodeDidDocument(decodeDidDocument(turned))).toBe(json)
  })

  const change = (name: string, value: unknown): string =>
    JSON.stringify({ ...JSON.parse(encodeDidDocument(bare(key))), [name]: value })
  const other = didKey(crypto.publicKey(crypto.sha256(seed)))
  test.each([
    ['another key', change('verificationMethod', JSON.parse(encodeDidDocument(bare(other))).verificationMethod)],
    ['a key more', change('authentication', [`${key}#x`])],
    ['another id', change('id', other)],
    ['a member of no document', change('controller', other)],
    ['no context', change('@context', undefined)],
    ['a service of another', change('service', [{ id: `${other}#a`, type: 'a', serviceEndpoint: 'https://a' }])],
    ['a service with more', change('service', [{ id: `${key}#a`, type: 'a', serviceEndpoint: 'https://a', x: 1 }])],
    ['a name that is no URI', change('alsoKnownAs', ['ann'])],
    ['too many names', change('alsoKnownAs', Array(DOCUMENT_LINKS_MAX + 1).fill('a:b'))],
    ['a method that is not taken', change('id', 'did:web:a')],
    ['no object', '[]'],
    ['no JSON', '{'],
    ['too much', `${' '.repeat(9_000)}{}`],
  ])('with %s are refused', (_, json) => expect(() => decodeDidDocument(json)).toThrow(refused))

  test('a service twice is refused', () => {
    const service = { name: 'a', type: 'b', endpoint: 'c:d' }
    expect(() => encodeDidDocument({ ...bare(key), services: [service, service] })).toThrow(refused)
  })
})

describe('accounts', () => {
  // The examples of EIP-55.
  test.each([
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('%s has its checksum', (address) => {
    const bytes = Uint8Array.from({ length: 20 }, (_, at) => Number.parseInt(address.slice(2 + 2 * at, 4 + 2 * at), 16))
    expect(checksumAddress(bytes)).toBe(address)
    const parts = { namespace: 'eip155', reference: '1', address }
    expect(readDidPkh(didPkh(parts))).toEqual(parts)
    expect(() => readDidPkh(didPkh(parts).toLowerCase())).toThrow(refused)
  })

  test.each(['did:pkh:a:b:c', 'did:pkh:eip155:1:', 'did:pkh:eip155::0x', 'did:pkh:eip155:1:a:b', 'did:key:z'])(
    '%s is none',
    (did) => expect(() => readDidPkh(did)).toThrow(refused),
  )
})

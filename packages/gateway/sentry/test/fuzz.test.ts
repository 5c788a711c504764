import { encodeUtf8 } from '@nexus/codec'
import { seededRandom } from '@nexus/crypto/testing'
import { beginCell, storeStateInit } from '@ton/core'
import { WalletContractV5R1 } from '@ton/ton'
import { expect, test } from 'vitest'
import { createChallenges } from '../src/challenge.ts'
import { publicKeyOfDidKey, readDidPkh } from '../src/did.ts'
import { decodeDidDocument, encodeDidDocument } from '../src/did-document.ts'
import { decodeGrant, encodeGrant, SentryError, signGrant } from '../src/index.ts'
import { canonicalAddress } from '../src/ingress/address.ts'
import { proxyIngress } from '../src/ingress/proxy.ts'
import { readCells } from '../src/login/cells.ts'
import { readIoAddress } from '../src/login/iotex.ts'
import { readSs58 } from '../src/login/peaq.ts'
import { readLogin } from '../src/login/request.ts'
import { readSignInText } from '../src/login/sign-in-text.ts'
import { readInitData } from '../src/login/telegram.ts'
import { checkTarget, readHeaders } from '../src/request.ts'
import { readContentDigest, readSignature } from '../src/signature/fields.ts'
import { checkProfile } from '../src/signature/profile.ts'
import { crypto, seed } from './kit.ts'
import { adapters, signInText, telegramInitData, wallets } from './wallets.ts'

const INPUTS = Number(process.env['NEXUS_FUZZ'] ?? 2_000)
const nowMs = 1_764_000_000_000
const nonce = '0123456789abcdef'.repeat(4)
const domain = { nonce, nowMs }

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const input = `nexus=("@method" "@target-uri" "content-digest";x "@query-param";name="a");created=1;expires=61;nonce="${nonce}";keyid="did:key:z6Mk";alg="ed25519";tag="nexus-gateway/1", b=?1;c=%"d", e=@1, f=1.5`
const grantBytes = signGrant(crypto, seed, {
  what: { kind: 'grant', id: new Uint8Array(16), subject: 'did:key:ann', role: 'app', account: '*' },
  gateway: new Uint8Array(16),
  timeMs: nowMs,
})
const wallet = WalletContractV5R1.create({ publicKey: Buffer.alloc(32, 7) })
const did = 'did:pkh:eip155:1:0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2'
const document = encodeDidDocument({
  did,
  alsoKnownAs: ['telegram:7'],
  services: [{ name: 'a', type: 'b', endpoint: 'c:d' }],
})
const challenges = createChallenges(crypto, seed, seededRandom('challenges'))
const form = { account: 'Ethereum', address: /^0x[0-9a-fA-F]{40}$/, chainId: /^[0-9]+$/ }
const proofs = await Promise.all(wallets.map(async (each) => [each.adapter, await each.prove(domain)] as const))

/** What reads bytes of strangers, with something sound to begin from. */
const parsers: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
  'header lines': [encodeUtf8('a: b'), (bytes) => readHeaders([[latin1(bytes.subarray(0, 3)), latin1(bytes)]])],
  target: [encodeUtf8('https://gateway.example/a?b=c'), (bytes) => checkTarget(latin1(bytes))],
  'Signature-Input': [
    encodeUtf8(input),
    (bytes) =>
      readSignature(
        new Map([
          ['signature-input', [latin1(bytes)]],
          ['signature', ['nexus=:AAAA:']],
        ]),
      ),
  ],
  Signature: [
    encodeUtf8('a=:AAAA:, nexus=:AAAA:'),
    (bytes) =>
      readSignature(
        new Map([
          ['signature-input', [input]],
          ['signature', [latin1(bytes)]],
        ]),
      ),
  ],
  'Content-Digest': [
    encodeUtf8('sha-256=:AAAA:, sha-512=:AAAA:;x=("y")'),
    (bytes) => readContentDigest(new Map([['content-digest', [latin1(bytes)]]])),
  ],
  profile: [
    encodeUtf8(input),
    (bytes) => {
      const headers = new Map([
        ['signature-input', [latin1(bytes)]],
        ['signature', ['nexus=:AAAA:']],
      ])
      return checkProfile(crypto, { method: 'GET', targetUri: 'https://a/?a=b', headers }, new Uint8Array(0), 30_000)
    },
  ],
  grant: [grantBytes, (bytes) => expect(encodeGrant(decodeGrant(bytes))).toEqual(bytes)],
  challenge: [
    encodeUtf8(challenges.issue('ton', nowMs).nonce),
    (bytes) => challenges.check('ton', latin1(bytes), nowMs),
  ],
  cells: [
    new Uint8Array(beginCell().store(storeStateInit(wallet.init)).endCell().toBoc()),
    (bytes) => readCells(crypto, bytes),
  ],
  'init data': [
    encodeUtf8(telegramInitData({ user: '{"id":1}', auth_date: '1764000000' })),
    (bytes) => readInitData(crypto, seed, latin1(bytes)),
  ],
  'sign-in text': [
    encodeUtf8(`${signInText('Ethereum', `0x${'a'.repeat(40)}`, '1', domain)}\nResources:\n- a:b`),
    (bytes) => readSignInText(latin1(bytes), form),
  ],
  login: [encodeUtf8('{"adapter":"ton","proof":{}}'), readLogin],
  'did:key': [
    encodeUtf8('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'),
    (bytes) => publicKeyOfDidKey(latin1(bytes)),
  ],
  'did:pkh': [encodeUtf8(did), (bytes) => readDidPkh(latin1(bytes))],
  document: [
    encodeUtf8(document),
    (bytes) => {
      const json = encodeDidDocument(decodeDidDocument(latin1(bytes)))
      expect(encodeDidDocument(decodeDidDocument(json))).toBe(json)
    },
  ],
  'io address': [encodeUtf8('io1qyqszqgpqyqszqgpqyqszqgpqyqszqgpvz2uxt'), (bytes) => readIoAddress(latin1(bytes))],
  'SS58 address': [
    encodeUtf8('5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY'),
    (bytes) => readSs58(crypto, latin1(bytes), 42),
  ],
  address: [encodeUtf8('2001:db8::192.0.2.1'), (bytes) => canonicalAddress(latin1(bytes))],
  Forwarded: [
    encodeUtf8('for="[2001:db8::1]:80";proto=https, for=192.0.2.1'),
    (bytes) =>
      proxyIngress({ trusted: ['::/0', '0.0.0.0/0'], header: 'forwarded' }).admit(
        { remoteAddress: '127.0.0.1', headers: new Map([['forwarded', [latin1(bytes)]]]) },
        nowMs,
      ),
  ],
}

test.each(Object.entries(parsers))('%s: a value or the typed error', (name, [sound, parse]) => {
  const dice = seededRandom(`fuzz ${name}`)
  for (let run = 0; run < INPUTS; run++) judge(parse, mutated(sound, dice))
})

test('proofs of every kind: a value or the typed error', async () => {
  const dice = seededRandom('fuzz proofs')
  for (let run = 0; run < INPUTS / 4; run++) {
    const [name, proof] = proofs[run % proofs.length]!
    const { verify } = adapters.find((adapter) => adapter.name === name)!
    const bytes = mutated(encodeUtf8(JSON.stringify(proof)), dice)
    let given: unknown
    try {
      given = JSON.parse(new TextDecoder().decode(bytes))
    } catch {
      continue
    }
    judge(() => verify(given, nowMs), bytes)
  }
})

function judge(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    parse(bytes)
  } catch (error) {
    if (!(error instanceof SentryError)) throw new Error(`on ${JSON.stringify(latin1(bytes))}`, { cause: error })
  }
}

/** Flips, cuts, repeats or inserts a few bytes. */
function mutated(sound: Uint8Array, dice: (length: number) => Uint8Array): Uint8Array {
  let bytes = sound.slice()
  const [changes, ...rest] = dice(1 + 4 * 4)
  for (let change = 0; change <= changes! % 4; change++) {
    const [kind, high, low, value] = rest.slice(4 * change) as [number, number, number, number]
    const at = (high * 256 + low) % (bytes.length + 1)
    const head = bytes.subarray(0, at)
    const tail = bytes.subarray(at)
    if (kind % 5 === 0) bytes = head.slice()
    else if (kind % 5 === 1) bytes = Uint8Array.of(...head, value, ...tail)
    else if (kind % 5 === 2) bytes = Uint8Array.of(...head, ...tail.subarray(1 + (value % 8)))
    else if (kind % 5 === 3) bytes = Uint8Array.of(...head, ...tail.subarray(0, value % 32), ...tail)
    else if (at < bytes.length) bytes[at] = value
  }
  return bytes
}

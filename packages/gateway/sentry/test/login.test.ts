import { encodeUtf8, fromHex } from '@nexus/codec'
import { sr25519Verify } from '@polkadot/util-crypto'
import { verify as verifySr25519 } from '@scure/sr25519'
import { beginCell, type Cell, contractAddress } from '@ton/core'
import { keyPairFromSeed } from '@ton/crypto'
import {
  WalletContractV1R1,
  WalletContractV1R2,
  WalletContractV1R3,
  WalletContractV2R1,
  WalletContractV2R2,
  WalletContractV3R1,
  WalletContractV3R2,
  WalletContractV4,
  WalletContractV5Beta,
  WalletContractV5R1,
} from '@ton/ton'
import { describe, expect, test } from 'vitest'
import sr25519Vectors from '../../../../conformance-vectors/standards/sr25519.json' with { type: 'json' }
import telegramVectors from '../../../../conformance-vectors/standards/telegram-initdata.json' with { type: 'json' }
import type { LoginFault } from '../src/index.ts'
import { readSignInText } from '../src/login/sign-in-text.ts'
import { readInitData } from '../src/login/telegram.ts'
import { crypto } from './kit.ts'
import {
  type Asked,
  adapters,
  DOMAIN,
  signInText,
  type TonGiven,
  telegramInitData,
  tonProof,
  type Wallet,
  wallets,
} from './wallets.ts'

const nowMs = Date.parse('2026-11-24T12:00:00.500Z')
const nonce = '0123456789abcdef'.repeat(4)
const fault = (name: LoginFault) => expect.objectContaining({ detail: { code: 'sentry/login', fault: name } })
const judge = async ({ adapter }: Pick<Wallet, 'adapter'>, proof: unknown, atMs = nowMs) =>
  adapters.find(({ name }) => name === adapter)!.verify(proof, atMs)

describe.each(wallets.map((wallet) => [wallet.name, wallet] as const))('%s', (_, wallet) => {
  const asked: Asked = { nonce, nowMs }

  test('what its own library signs is who signed it', async () => {
    for (const who of ['ann', 'bob', 'carol']) {
      const { identity, once } = await judge(wallet, await wallet.prove({ ...asked, who }))
      expect(identity).toBe(wallet.identity(who))
      if (wallet.adapter !== 'telegram') expect(once).toEqual({ kind: 'challenge', nonce })
    }
  })

  test('nobody else is', async () => {
    const proof = await wallet.prove(asked)
    await expect(judge(wallet, wallet.steal(proof as never, 'bob'))).rejects.toMatchObject({
      detail: { code: 'sentry/login' },
    })
  })

  test('it is too old at last, and not yet of the future', async () => {
    const proof = await wallet.prove(asked)
    await expect(judge(wallet, proof, nowMs + 299_000)).resolves.toBeDefined()
    await expect(judge(wallet, proof, nowMs + 361_000)).rejects.toEqual(fault('expired'))
    await expect(judge(wallet, proof, nowMs - 59_000)).resolves.toBeDefined()
    await expect(judge(wallet, proof, nowMs - 62_000)).rejects.toEqual(fault('early'))
  })

  test('every character matters', async () => {
    const proof = (await wallet.prove(asked)) as Record<string, unknown>
    for (const [name, value] of Object.entries(proof)) {
      if (typeof value !== 'string') continue
      for (let at = 0; at < value.length; at += Math.ceil(value.length / 40)) {
        const other = value[at] === 'a' ? 'b' : 'a'
        const tampered = { ...proof, [name]: value.slice(0, at) + other + value.slice(at + 1) }
        await expect(judge(wallet, tampered), `${name} at ${at}`).rejects.toMatchObject({
          detail: { code: 'sentry/login' },
        })
      }
    }
  })

  test.each([[undefined], [null], [1], ['x'], [[]], [{}], [{ message: 1, signature: 2, kind: 3 }]])(
    'what is no proof is malformed: %j',
    async (proof) => {
      await expect(judge(wallet, proof)).rejects.toEqual(fault('malformed'))
    },
  )

  test('members that no proof has are refused', async () => {
    const proof = (await wallet.prove(asked)) as Record<string, unknown>
    await expect(judge(wallet, { ...proof, more: 'x' })).rejects.toEqual(fault('malformed'))
  })

  test('another page’s login is not for here', async () => {
    if (wallet.adapter === 'telegram') return
    const proof = await wallet.prove({ ...asked, domain: 'phish.example' })
    await expect(judge(wallet, proof)).rejects.toEqual(fault('domain'))
  })
})

describe('telegram', () => {
  test.each(telegramVectors.tests.map((vector) => [vector.id, vector] as const))('vector %s', (_, vector) => {
    const key = crypto.hmacSha256(encodeUtf8('WebAppData'), encodeUtf8(vector.bot_token))
    const read = () => readInitData(crypto, key, vector.init_data)
    if (!vector.hash_matches) return expect(read).toThrow(fault('signature'))
    const { authMs, userId } = read()
    expect(userId).toBe('7100000001')
    expect(vector.now - authMs / 1_000 <= vector.max_age_seconds).toBe(vector.valid)
  })

  test('its 300 seconds are to the millisecond, and it is remembered as long', async () => {
    const proof = await wallets[0]!.prove({ nonce, nowMs })
    const authMs = Math.floor(nowMs / 1_000) * 1_000
    const { once } = await judge(wallets[0]!, proof, authMs + 300_000)
    expect(once).toMatchObject({ kind: 'itself', untilMs: authMs + 300_001 })
    await expect(judge(wallets[0]!, proof, authMs + 300_001)).rejects.toEqual(fault('expired'))
  })

  test('the signature for others is part of what the hash covers', async () => {
    const fields = { user: '{"id":5}', auth_date: String(Math.floor(nowMs / 1_000)), signature: 'abc' }
    const initData = telegramInitData(fields)
    await expect(judge(wallets[0]!, { initData })).resolves.toMatchObject({ identity: 'telegram:5' })
    await expect(judge(wallets[0]!, { initData: initData.replace('abc', 'abd') })).rejects.toEqual(fault('signature'))
  })

  test.each([
    ['no user', { auth_date: '1764000000' }],
    ['a user without id', { auth_date: '1764000000', user: '{"id":"7"}' }],
    ['a negative id', { auth_date: '1764000000', user: '{"id":-7}' }],
    ['a time with a sign', { auth_date: '+1764000000', user: '{"id":7}' }],
    ['a value of two lines', { auth_date: '1764000000', user: '{"id":7}', x: 'a\nuser={"id":8}' }],
  ])('%s is refused although its hash holds', async (_, fields) => {
    await expect(judge(wallets[0]!, { initData: telegramInitData(fields) })).rejects.toEqual(fault('malformed'))
  })

  test('a name twice, too many names, another bot', async () => {
    const good = telegramInitData({ user: '{"id":7}', auth_date: String(Math.floor(nowMs / 1_000)) })
    await expect(judge(wallets[0]!, { initData: `${good}&user=%7B%22id%22%3A8%7D` })).rejects.toEqual(
      fault('malformed'),
    )
    await expect(judge(wallets[0]!, { initData: `${good}${'&a=b'.repeat(40)}` })).rejects.toEqual(fault('malformed'))
    const other = telegramInitData({ user: '{"id":7}', auth_date: '1764000000' }, '1:another')
    await expect(judge(wallets[0]!, { initData: other })).rejects.toEqual(fault('signature'))
  })
})

describe('sr25519', () => {
  test.each(sr25519Vectors.tests.map((vector) => [vector.id, vector] as const))('vector %s', (_, vector) => {
    const message = fromHex(vector.message)
    const signature = fromHex(vector.signature)
    const publicKey = fromHex(vector.public_key)
    const held = (verify: () => boolean) => {
      try {
        return verify()
      } catch {
        return false
      }
    }
    expect(held(() => verifySr25519(message, signature, publicKey))).toBe(vector.valid)
    expect(held(() => sr25519Verify(message, signature, publicKey))).toBe(vector.valid)
  })

  test('a signature over the bare text, as over a transaction, is no login', async () => {
    const { sr25519PairFromSeed, sr25519Sign, encodeAddress } = await import('@polkadot/util-crypto')
    const pair = sr25519PairFromSeed(crypto.sha256(encodeUtf8('peaq ann')))
    const message = signInText('peaq', encodeAddress(pair.publicKey, 42), 'd2a5d385932d1f650dae03ef8e274898', {
      nonce,
      nowMs,
    })
    const signature = `0x${Buffer.from(sr25519Sign(message, pair)).toString('hex')}`
    await expect(judge({ adapter: 'peaq' }, { message, signature })).rejects.toEqual(fault('signature'))
    const polkadot = message.replace(encodeAddress(pair.publicKey, 42), encodeAddress(pair.publicKey, 0))
    await expect(judge({ adapter: 'peaq' }, { message: polkadot, signature })).rejects.toEqual(fault('address'))
  })
})

describe('ton', () => {
  const keys = keyPairFromSeed(Buffer.alloc(32, 7))
  const contracts = {
    WalletContractV1R1,
    WalletContractV1R2,
    WalletContractV1R3,
    WalletContractV2R1,
    WalletContractV2R2,
    WalletContractV3R1,
    WalletContractV3R2,
    WalletContractV4,
    WalletContractV5Beta,
    WalletContractV5R1,
  }

  test.each(Object.entries(contracts))('%s is known', async (_, Contract) => {
    for (const workchain of [0, -1]) {
      const wallet = Contract.create({ workchain, publicKey: keys.publicKey })
      const proof = tonProof(wallet, keys.secretKey, { nonce, nowMs })
      await expect(judge({ adapter: 'ton' }, proof)).resolves.toMatchObject({
        identity: `did:pkh:tvm:-239:${wallet.address.workChain}%3A${wallet.address.hash.toString('hex')}`,
      })
    }
  })

  const wallet = WalletContractV4.create({ workchain: 0, publicKey: keys.publicKey })
  const withState = (code: Cell, data: Cell) => {
    const init = { code, data }
    return tonProof({ address: contractAddress(0, init), init }, keys.secretKey, { nonce, nowMs })
  }

  test('unknown code is refused, with whatever key in its data', async () => {
    const code = beginCell().storeUint(1, 8).endCell()
    await expect(judge({ adapter: 'ton' }, withState(code, wallet.init.data))).rejects.toEqual(fault('wallet-code'))
  })

  test('known code with data of another shape is refused', async () => {
    const data = beginCell().storeUint(0, 64).storeBuffer(keys.publicKey).endCell()
    await expect(judge({ adapter: 'ton' }, withState(wallet.init.code, data))).rejects.toEqual(fault('state'))
  })

  test('the state must be the address’s own', async () => {
    const proof = tonProof(wallet, keys.secretKey, { nonce, nowMs })
    const other = WalletContractV4.create({ workchain: 0, publicKey: Buffer.alloc(32, 9) })
    const stolen: TonGiven = { ...proof, address: other.address.toRawString() }
    await expect(judge({ adapter: 'ton' }, stolen)).rejects.toEqual(fault('address'))
    await expect(judge({ adapter: 'ton' }, { ...proof, network: '-3' })).rejects.toEqual(fault('chain'))
    await expect(judge({ adapter: 'ton' }, { ...proof, stateInit: 'AAAA' })).rejects.toEqual(fault('state'))
    await expect(judge({ adapter: 'ton' }, { ...proof, stateInit: 'A'.repeat(20_000) })).rejects.toEqual(
      fault('malformed'),
    )
  })
})

describe('the text of a login', () => {
  const FORM = { account: 'Ethereum', address: /^0x[0-9a-fA-F]{40}$/, chainId: /^[0-9]+$/ }
  const address = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2'
  const text = signInText('Ethereum', address, '1', { nonce, nowMs })

  test('is read whole', () => {
    const full = `https://${text}
Expiration Time: 2026-11-24T12:05:00+01:00
Not Before: 2026-11-24T11:00:00.000Z
Request ID: a-1
Resources:
- ipfs://bafy
- https://shop.example/terms`
    expect(readSignInText(full, FORM)).toEqual({
      scheme: 'https',
      domain: DOMAIN,
      address,
      statement: 'Sign in to the gateway.',
      uri: `https://${DOMAIN}/login`,
      chainId: '1',
      nonce,
      issuedMs: nowMs,
      expiresMs: Date.parse('2026-11-24T11:05:00Z'),
      notBeforeMs: Date.parse('2026-11-24T11:00:00Z'),
      requestId: 'a-1',
      resources: ['ipfs://bafy', 'https://shop.example/terms'],
    })
  })

  test.each([
    ['a line too many', `${text}\n`],
    ['a line too few', text.split('\n').slice(0, -1).join('\n')],
    ['another version', text.replace('Version: 1', 'Version: 2')],
    ['another word', text.replace('wants you to', 'wants you  to')],
    ['a domain with a path', text.replace(DOMAIN, `${DOMAIN}/x`)],
    ['a domain with a user', text.replace(DOMAIN, `${DOMAIN}@phish.example`)],
    ['a time that is none', text.replace('2026-11-24T', '2026-13-24T')],
    ['a date alone', text.replace(/Issued At: .*/, 'Issued At: 2026-11-24')],
    ['a short nonce', text.replace(nonce, 'abc')],
    ['members in another order', text.replace(/(Version: 1)\n(Chain ID: 1)/, '$2\n$1')],
    ['carriage returns', text.replaceAll('\n', '\r\n')],
    ['a statement of two lines', text.replace('gateway.', 'gateway.\nAnd give all.')],
    ['a resource without its dash', `${text}\nResources:\nhttps://a/`],
    ['too much of it', text.replace('gateway.', 'x'.repeat(3_000))],
  ])('is refused with %s', (_, bad) => expect(() => readSignInText(bad, FORM)).toThrow(fault('malformed')))
})

describe('ethereum', () => {
  const [wallet] = wallets.filter(({ adapter }) => adapter === 'ethereum')
  const signed = async () => (await wallet!.prove({ nonce, nowMs })) as { message: string; signature: string }

  test('a contract wallet cannot be judged here', async () => {
    const { message, signature } = await signed()
    await expect(judge(wallet!, { message, signature: `${signature}00` })).rejects.toEqual(fault('contract-wallet'))
  })

  test('an address without its checksum, a chain that is not taken', async () => {
    const { message, signature } = await signed()
    const lower = message.replace(/0x[0-9a-fA-F]{40}/, (address) => address.toLowerCase())
    await expect(judge(wallet!, { message: lower, signature })).rejects.toEqual(fault('address'))
    await expect(judge(wallet!, { message: message.replace('Chain ID: 1', 'Chain ID: 5'), signature })).rejects.toEqual(
      fault('chain'),
    )
  })

  test('an end that the text sets itself', async () => {
    const { message, signature } = await signed()
    const ended = `${message}\nExpiration Time: ${new Date(nowMs - 60_000).toISOString()}`
    await expect(judge(wallet!, { message: ended, signature })).rejects.toEqual(fault('expired'))
    const later = `${message}\nNot Before: ${new Date(nowMs + 60_001).toISOString()}`
    await expect(judge(wallet!, { message: later, signature })).rejects.toEqual(fault('early'))
  })
})

import { createHash } from 'node:crypto'
import { concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { rawEd25519 } from '@nexus/crypto/raw'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { encodeAddress, sr25519PairFromSeed, sr25519Sign } from '@polkadot/util-crypto'
import { bech32 } from '@scure/base'
import { beginCell, storeStateInit } from '@ton/core'
import { keyPairFromSeed, sign as tonSign } from '@ton/crypto'
import { WalletContractV4 } from '@ton/ton'
import { privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage } from 'viem/siwe'
import {
  didKey,
  ethereumAdapter,
  type IdentityAdapter,
  iotexAdapter,
  peaqAdapter,
  telegramAdapter,
  tonAdapter,
} from '../src/index.ts'
import { crypto } from './keys.ts'

export const DOMAIN = 'shop.example'
export const BOT_TOKEN = '7000000001:a-token-of-no-bot'
/** The first 32 digits of the hash of peaq's genesis block. */
export const PEAQ_CHAIN = 'd2a5d385932d1f650dae03ef8e274898'

const domains = [DOMAIN]
const hash = (label: string): Uint8Array => crypto.sha256(encodeUtf8(label))
const hex = (bytes: Uint8Array): `0x${string}` => `0x${toHex(bytes)}`

export const adapters: readonly IdentityAdapter[] = [
  telegramAdapter(crypto, BOT_TOKEN),
  tonAdapter(crypto, { network: -239, domains }),
  ethereumAdapter({ domains, chainIds: [1, 137] }),
  peaqAdapter(crypto, { domains, chainId: PEAQ_CHAIN }),
  iotexAdapter(crypto, { domains, chainId: 4689 }),
]

/** What a wallet is asked, and by whom. */
export interface Asked {
  readonly nonce: string
  readonly nowMs: number
  /** Another one gives another wallet. */
  readonly who?: string
  readonly domain?: string
}

/** A wallet or platform that makes login proofs with its own library. */
export interface Wallet {
  readonly name: string
  readonly adapter: string
  identity(who?: string): string
  prove(asked: Asked): Promise<unknown>
  /** The proof of one, claimed by another. */
  readonly steal: (proof: never, who: string) => unknown
}

/** The text of CAIP-122. */
export function signInText(
  account: string,
  address: string,
  chainId: string,
  { nonce, nowMs, domain = DOMAIN }: Asked,
) {
  return `${domain} wants you to sign in with your ${account} account:
${address}

Sign in to the gateway.

URI: https://${domain}/login
Version: 1
Chain ID: ${chainId}
Nonce: ${nonce}
Issued At: ${new Date(nowMs).toISOString()}`
}

const ethereum = (who = 'ann') => privateKeyToAccount(hex(hash(`ethereum ${who}`)))

const ethereumWallet: Wallet = {
  name: 'ethereum (viem)',
  adapter: 'ethereum',
  identity: (who) => `did:pkh:eip155:1:${ethereum(who).address}`,
  async prove({ nonce, nowMs, who, domain = DOMAIN }) {
    const account = ethereum(who)
    const message = createSiweMessage({
      address: account.address,
      chainId: 1,
      domain,
      nonce,
      uri: `https://${domain}/login`,
      version: '1',
      issuedAt: new Date(nowMs),
    })
    return { message, signature: await account.signMessage({ message }) }
  },
  steal: ({ message, signature }: { message: string; signature: string }, who) => ({
    message: message.replace(/0x[0-9a-fA-F]{40}/, ethereum(who).address),
    signature,
  }),
}

const substrate = (who = 'ann') => sr25519PairFromSeed(hash(`peaq ${who}`))
const ss58 = (who?: string) => encodeAddress(substrate(who).publicKey, 42)

const peaqWallet: Wallet = {
  name: 'peaq (polkadot)',
  adapter: 'peaq',
  identity: (who) => `did:pkh:polkadot:${PEAQ_CHAIN}:${ss58(who)}`,
  async prove(asked) {
    const message = signInText('peaq', ss58(asked.who), PEAQ_CHAIN, asked)
    return { message, signature: hex(sr25519Sign(`<Bytes>${message}</Bytes>`, substrate(asked.who))) }
  },
  steal: ({ message, signature }: { message: string; signature: string }, who) => ({
    message: message.replace(ss58(), ss58(who)),
    signature,
  }),
}

const iotexKey = (who = 'ann') => hash(`iotex ${who}`)
const iotexAccount = (who?: string) => keccak_256(secp256k1.getPublicKey(iotexKey(who), false).subarray(1)).slice(-20)
const ioAddress = (who?: string) => bech32.encodeFromBytes('io', iotexAccount(who))

/** As IoTeX's wallets sign a message: their own prefix, Keccak, r, s and the bare recovery bit. */
export function iotexSign(message: string, key: Uint8Array): string {
  const bytes = encodeUtf8(message)
  const digest = keccak_256(concatBytes(encodeUtf8(`\x16IoTeX Signed Message:\n${bytes.length}`), bytes))
  const signature = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
  return hex(concatBytes(signature.subarray(1), signature.subarray(0, 1)))
}

const replaceAddress = (from: string, to: (who: string) => string) => (proof: never, who: string) => {
  const { message, ...rest } = proof as { message: string }
  return { ...rest, message: message.replace(from, to(who)) }
}

const iotexWallet: Wallet = {
  name: 'iotex account',
  adapter: 'iotex',
  identity: (who) => {
    const { address } = privateKeyToAccount(hex(iotexKey(who)))
    return `did:pkh:eip155:4689:${address}`
  },
  async prove(asked) {
    const message = signInText('IoTeX', ioAddress(asked.who), '4689', asked)
    return { kind: 'account', message, signature: iotexSign(message, iotexKey(asked.who)) }
  },
  steal: replaceAddress(ioAddress(), ioAddress),
}

const ioidDid = (who?: string) => `did:io:${hex(iotexAccount(who))}`

const deviceWallet: Wallet = {
  name: 'ioID device, secp256k1',
  adapter: 'iotex',
  identity: ioidDid,
  async prove(asked) {
    const message = signInText('ioID', ioidDid(asked.who), '4689', asked)
    return { kind: 'device', message, signature: iotexSign(message, iotexKey(asked.who)) }
  },
  steal: replaceAddress(ioidDid(), ioidDid),
}

const deviceSeed = (who = 'ann') => hash(`ioid ${who}`)
const deviceDid = (who?: string) => didKey(crypto.publicKey(deviceSeed(who)))

const ed25519Wallet: Wallet = {
  name: 'ioID device, Ed25519',
  adapter: 'iotex',
  identity: deviceDid,
  async prove(asked) {
    const message = signInText('ioID', deviceDid(asked.who), '4689', asked)
    const signature = rawEd25519(crypto).sign(deviceSeed(asked.who), encodeUtf8(message))
    return { kind: 'device', message, signature: hex(signature) }
  },
  steal: replaceAddress(deviceDid(), deviceDid),
}

const tonKeys = (who = 'ann') => keyPairFromSeed(Buffer.from(hash(`ton ${who}`)))
const tonWalletOf = (who?: string) => WalletContractV4.create({ workchain: 0, publicKey: tonKeys(who).publicKey })

export interface TonGiven {
  readonly address: string
  readonly network: string
  readonly stateInit: string
  readonly proof: {
    readonly timestamp: number
    readonly domain: { readonly lengthBytes: number; readonly value: string }
    readonly signature: string
    readonly payload: string
  }
}

/** TON Connect's item as a wallet makes it, for any contract and key. */
export function tonProof(
  wallet: Pick<ReturnType<typeof tonWalletOf>, 'address' | 'init'>,
  secretKey: Buffer,
  { nonce, nowMs, domain = DOMAIN }: Asked,
): TonGiven {
  const timestamp = Math.floor(nowMs / 1_000)
  const workchain = Buffer.alloc(4)
  workchain.writeInt32BE(wallet.address.workChain)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(Buffer.byteLength(domain))
  const time = Buffer.alloc(8)
  time.writeBigUInt64LE(BigInt(timestamp))
  const item = [
    Buffer.from('ton-proof-item-v2/'),
    workchain,
    wallet.address.hash,
    length,
    Buffer.from(domain),
    time,
    Buffer.from(nonce),
  ]
  const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const signed = sha256(Buffer.from([0xff, 0xff]), Buffer.from('ton-connect'), sha256(...item))
  return {
    address: wallet.address.toRawString(),
    network: '-239',
    stateInit: beginCell().store(storeStateInit(wallet.init)).endCell().toBoc().toString('base64'),
    proof: {
      timestamp,
      domain: { lengthBytes: Buffer.byteLength(domain), value: domain },
      signature: tonSign(signed, secretKey).toString('base64'),
      payload: nonce,
    },
  }
}

const tonWallet: Wallet = {
  name: 'ton (v4)',
  adapter: 'ton',
  identity: (who) => `did:pkh:tvm:-239:${tonWalletOf(who).address.toRawString().replace(':', '%3A')}`,
  prove: async (asked) => tonProof(tonWalletOf(asked.who), tonKeys(asked.who).secretKey, asked),
  steal: (proof: TonGiven, who) => ({
    ...proof,
    address: tonWalletOf(who).address.toRawString(),
    stateInit: tonProof(tonWalletOf(who), tonKeys(who).secretKey, { nonce: 'n', nowMs: 0 }).stateInit,
  }),
}

const telegramId = (who = 'ann') => 7_100_000_000 + (hash(who)[0]! % 100)

/** Init data as Telegram's servers make it. */
export function telegramInitData(fields: Readonly<Record<string, string>>, token = BOT_TOKEN): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
  const key = crypto.hmacSha256(encodeUtf8('WebAppData'), encodeUtf8(token))
  const mac = toHex(crypto.hmacSha256(key, encodeUtf8(lines.sort().join('\n'))))
  return new URLSearchParams({ ...fields, hash: mac }).toString()
}

const telegram: Wallet = {
  name: 'telegram',
  adapter: 'telegram',
  identity: (who) => `telegram:${telegramId(who)}`,
  prove: async ({ nonce, nowMs, who }) => ({
    initData: telegramInitData({
      query_id: nonce,
      user: JSON.stringify({ id: telegramId(who), first_name: 'Ann & Co' }),
      auth_date: String(Math.floor(nowMs / 1_000)),
    }),
  }),
  steal: ({ initData }: { initData: string }, who) => ({
    initData: initData.replace(String(telegramId()), String(telegramId(who))),
  }),
}

export const wallets: readonly Wallet[] = [
  telegram,
  tonWallet,
  ethereumWallet,
  peaqWallet,
  iotexWallet,
  deviceWallet,
  ed25519Wallet,
]

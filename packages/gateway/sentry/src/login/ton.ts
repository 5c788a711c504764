import { ByteWriter, concatBytes, encodeUtf8, equalBytes, fromHex, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { rawEd25519 } from '@nexus/crypto/raw'
import { base64 } from '@scure/base'
import { didPkh } from '../did.ts'
import {
  CHALLENGE_LIFE_MS,
  HASH_BYTES,
  KEY_BYTES,
  SECOND_MS,
  SIGNATURE_BYTES,
  SKEW_MS,
  STATE_BYTES_MAX,
} from '../limits.ts'
import { type IdentityAdapter, loginFault, objectFields, stringFields, utf8 } from './adapter.ts'
import { cellBits, readCells } from './cells.ts'
import type { SignInPolicy } from './sign-in-policy.ts'

export interface TonPolicy extends SignInPolicy {
  /** Global id of the network: -239 is the main one, -3 the test one. */
  readonly network: number
}

interface TonProof {
  readonly workchain: number
  /** 32 bytes of the account's address. */
  readonly account: Uint8Array
  readonly state: Uint8Array
  readonly domain: string
  /** Unix seconds. */
  readonly timestamp: number
  readonly payload: string
  readonly signature: Uint8Array
}

/** A wallet whose code is known: where its data has the public key, in bits, and how long that data is. */
interface WalletCode {
  readonly keyAtBits: number
  readonly dataBits: number
}

/** By hash of the code cell: the wallets v1r1 … v5r1 that TON's own library makes. */
const WALLETS: ReadonlyMap<string, WalletCode> = new Map([
  ['a0cfc2c48aee16a271f2cfc0b7382d81756cecb1017d077faaab3bb602f6868c', { keyAtBits: 32, dataBits: 288 }],
  ['d4902fcc9fad74698fa8e353220a68da0dcf72e32bcb2eb9ee04217c17d3062c', { keyAtBits: 32, dataBits: 288 }],
  ['587cc789eff1c84f46ec3797e45fc809a14ff5ae24f1e0c7a6a99cc9dc9061ff', { keyAtBits: 32, dataBits: 288 }],
  ['5c9a5e68c108e18721a07c42f9956bfb39ad77ec6d624b60c576ec88eee65329', { keyAtBits: 32, dataBits: 288 }],
  ['fe9530d3243853083ef2ef0b4c2908c0abf6fa1c31ea243aacaa5bf8c7d753f1', { keyAtBits: 32, dataBits: 288 }],
  ['b61041a58a7980b946e8fb9e198e3c904d24799ffa36574ea4251c41a566f581', { keyAtBits: 64, dataBits: 320 }],
  ['84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599', { keyAtBits: 64, dataBits: 320 }],
  ['feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0', { keyAtBits: 64, dataBits: 321 }],
  ['f3d7ca53493deedac28b381986a849403cbac3d2c584779af081065af0ac4b93', { keyAtBits: 113, dataBits: 370 }],
  ['20834b7b72b112147e1b2fb457b84e74d1a30f04f737d4f62a668e9552d2b72f', { keyAtBits: 65, dataBits: 322 }],
])

const ADDRESS = /^(0|-1):([0-9a-f]{64})$/
const ITEM: Uint8Array = encodeUtf8('ton-proof-item-v2/')
const ENVELOPE: Uint8Array = concatBytes(Uint8Array.of(0xff, 0xff), encodeUtf8('ton-connect'))
/** A state of code and data alone: no depth of splitting, no tick or tock, no libraries; then the mark of the end. */
const CODE_AND_DATA = 0b00110_100
const CODE_AND_DATA_BITS = 5

/**
 * Takes `{ address, network, stateInit, proof }` as TON Connect gives them: the raw address, the network's id, the
 * wallet's state in base64, and `{ timestamp, domain: { lengthBytes, value }, signature, payload }`. The key is read from
 * the state, whose hash the address is, and only where the code is a known wallet's: what others do with a signature
 * cannot be told here. The identity is `did:pkh:tvm:<network>:<workchain>%3A<hash>`.
 */
export function tonAdapter(crypto: Crypto, { network, domains }: TonPolicy): IdentityAdapter {
  const raw = rawEd25519(crypto)
  return {
    name: 'ton',
    verify(given, nowMs) {
      const proof = readProof(given, network)
      if (!domains.includes(proof.domain)) throw loginFault('domain')
      const signedMs = proof.timestamp * SECOND_MS
      if (signedMs > nowMs + SKEW_MS) throw loginFault('early')
      if (signedMs + CHALLENGE_LIFE_MS + SKEW_MS <= nowMs) throw loginFault('expired')
      const publicKey = walletKey(crypto, proof.state, proof.account)
      if (!raw.verify(publicKey, proof.signature, signedHash(crypto, proof))) throw loginFault('signature')
      const address = `${proof.workchain}%3A${toHex(proof.account)}`
      const identity = didPkh({ namespace: 'tvm', reference: String(network), address })
      return { identity, once: { kind: 'challenge', nonce: proof.payload } }
    },
  }
}

function readProof(given: unknown, network: number): TonProof {
  const outer = objectFields(given, 'address', 'network', 'stateInit', 'proof')
  const inner = objectFields(outer.proof, 'timestamp', 'domain', 'signature', 'payload')
  const domain = objectFields(inner.domain, 'lengthBytes', 'value')
  const {
    address,
    network: id,
    stateInit,
  } = stringFields(
    { address: outer.address, network: outer.network, stateInit: outer.stateInit },
    'address',
    'network',
    'stateInit',
  )
  const { value, signature, payload } = stringFields(
    { value: domain.value, signature: inner.signature, payload: inner.payload },
    'value',
    'signature',
    'payload',
  )
  const [, workchain, account] = ADDRESS.exec(address) ?? []
  if (workchain === undefined || account === undefined) throw loginFault('address')
  if (id !== String(network)) throw loginFault('chain')
  const { timestamp } = inner
  if (!Number.isSafeInteger(timestamp) || (timestamp as number) < 0) throw loginFault('malformed')
  if (domain.lengthBytes !== utf8(value).length) throw loginFault('malformed')
  return {
    workchain: Number(workchain),
    account: fromHex(account),
    state: base64Bytes(stateInit, STATE_BYTES_MAX),
    domain: value,
    timestamp: timestamp as number,
    payload,
    signature: base64Bytes(signature, SIGNATURE_BYTES),
  }
}

/** What the wallet signed: SHA-256 of an envelope around SHA-256 of the item. */
function signedHash(crypto: Crypto, { workchain, account, domain, timestamp, payload }: TonProof): Uint8Array {
  const domainBytes = utf8(domain)
  const bigEndian = new Uint8Array(4)
  new DataView(bigEndian.buffer).setInt32(0, workchain)
  const payloadBytes = utf8(payload)
  const item = new ByteWriter(ITEM.length + 4 + HASH_BYTES + 4 + domainBytes.length + 8 + payloadBytes.length)
    .bytes(ITEM)
    .bytes(bigEndian)
    .bytes(account)
    .u32(domainBytes.length)
    .bytes(domainBytes)
    .u64(BigInt(timestamp))
    .bytes(payloadBytes)
    .finish()
  return crypto.sha256(concatBytes(ENVELOPE, crypto.sha256(item)))
}

/** The public key in the state of a known wallet that has this address. @throws {SentryError} `sentry/login` */
function walletKey(crypto: Crypto, state: Uint8Array, account: Uint8Array): Uint8Array {
  const root = readCells(crypto, state)
  if (!equalBytes(root.hash, account)) throw loginFault('address')
  const [code, data] = root.refs
  const plain = root.bits === CODE_AND_DATA_BITS && root.refs.length === 2 && root.data[0] === CODE_AND_DATA
  if (!plain || code === undefined || data === undefined) throw loginFault('state')
  const wallet = WALLETS.get(toHex(code.hash))
  if (wallet === undefined) throw loginFault('wallet-code')
  if (data.bits !== wallet.dataBits || data.refs.length > 0) throw loginFault('state')
  return cellBits(data, wallet.keyAtBits, 8 * KEY_BYTES)
}

function base64Bytes(text: string, bytesMax: number): Uint8Array {
  if (text.length > Math.ceil(bytesMax / 3) * 4) throw loginFault('malformed')
  try {
    return base64.decode(text)
  } catch (cause) {
    throw loginFault('malformed', { cause })
  }
}

import { concatBytes, encodeUtf8, equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { base58 } from '@scure/base'
import { verify } from '@scure/sr25519'
import { didPkh } from '../did.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from '../limits.ts'
import { hexBytes, type IdentityAdapter, loginFault, stringFields, utf8 } from './adapter.ts'
import { checkSignIn, type SignInPolicy } from './sign-in-policy.ts'
import { readSignInText, type SignInForm } from './sign-in-text.ts'

export interface PeaqPolicy extends SignInPolicy {
  /** CAIP-2 reference of the chain: the first 32 hexadecimal digits of its genesis block's hash. */
  readonly chainId: string
  /** SS58 prefix that the chain's addresses are written with; peaq has 42. */
  readonly ss58Prefix?: number
}

const CHAIN_ID = /^[0-9a-f]{32}$/
const FORM: SignInForm = { account: 'peaq', address: /^[1-9A-HJ-NP-Za-km-z]{46,48}$/, chainId: CHAIN_ID }
const PEAQ_PREFIX = 42
const CHECKSUM_BYTES = 2

/** Wallets put what they sign as text between these, so that it cannot be a transaction. */
const OPEN: Uint8Array = encodeUtf8('<Bytes>')
const CLOSE: Uint8Array = encodeUtf8('</Bytes>')

/**
 * Takes `{ message, signature }`: a CAIP-122 text for a "peaq account", and 64 bytes of Sr25519 over `<Bytes>`, the text
 * and `</Bytes>`. The identity is `did:pkh:polkadot:<chain>:<address>`.
 */
export function peaqAdapter(crypto: Crypto, policy: PeaqPolicy): IdentityAdapter {
  const { chainId, ss58Prefix = PEAQ_PREFIX } = policy
  if (!CHAIN_ID.test(chainId)) throw new TypeError(`${chainId} is not 32 hexadecimal digits`)
  return {
    name: 'peaq',
    verify(proof, nowMs) {
      const { message, signature } = stringFields(proof, 'message', 'signature')
      const text = readSignInText(message, FORM)
      if (text.chainId !== chainId) throw loginFault('chain')
      const publicKey = readSs58(crypto, text.address, ss58Prefix)
      const once = checkSignIn(text, policy, nowMs)
      const signed = concatBytes(OPEN, utf8(message), CLOSE)
      if (!verifies(signed, hexBytes(signature, SIGNATURE_BYTES), publicKey)) throw loginFault('signature')
      return { identity: didPkh({ namespace: 'polkadot', reference: chainId, address: text.address }), once }
    },
  }
}

/**
 * The 32-byte key of an SS58 address with a one-byte prefix and a two-byte checksum.
 * @throws {SentryError} `sentry/login`
 */
export function readSs58(crypto: Crypto, address: string, prefix: number): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = base58.decode(address)
  } catch (cause) {
    throw loginFault('address', { cause })
  }
  const checked = bytes.subarray(0, 1 + KEY_BYTES)
  if (bytes.length !== 1 + KEY_BYTES + CHECKSUM_BYTES || bytes[0] !== prefix) throw loginFault('address')
  const hash = crypto.blake2b(concatBytes(encodeUtf8('SS58PRE'), checked), { length: 64 })
  if (!equalBytes(hash.subarray(0, CHECKSUM_BYTES), bytes.subarray(1 + KEY_BYTES))) throw loginFault('address')
  return checked.slice(1)
}

/** The library throws for keys and signatures that are no points or scalars. */
function verifies(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return verify(message, signature, publicKey)
  } catch {
    return false
  }
}

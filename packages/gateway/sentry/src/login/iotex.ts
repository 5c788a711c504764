import { toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { rawEd25519 } from '@nexus/crypto/raw'
import { bech32 } from '@scure/base'
import { checksumAddress, didPkh, publicKeyOfDidKey } from '../did.ts'
import { SentryError } from '../errors.ts'
import { SIGNATURE_BYTES } from '../limits.ts'
import { hexBytes, type IdentityAdapter, loginFault, stringFields, utf8 } from './adapter.ts'
import { IOTEX_PREFIX, recoverAddress } from './secp256k1.ts'
import { checkSignIn, type SignInPolicy } from './sign-in-policy.ts'
import { readSignInText, type SignInForm } from './sign-in-text.ts'

export interface IotexPolicy extends SignInPolicy {
  /** EIP-155 id of the network: 4689 is the main one, 4690 the test one. */
  readonly chainId: number
}

const CHAIN_ID = /^[1-9][0-9]{0,9}$/
const ACCOUNT: SignInForm = { account: 'IoTeX', address: /^io1[02-9ac-hj-np-z]{38}$/, chainId: CHAIN_ID }
const DEVICE: SignInForm = {
  account: 'ioID',
  address: /^did:(io:0x[0-9a-f]{40}|key:z[1-9A-HJ-NP-Za-km-z]{40,60})$/,
  chainId: CHAIN_ID,
}

/**
 * Takes `{ kind, message, signature }`. Kind `account`: a CAIP-122 text for an "IoTeX account" `io1…`, signed as IoTeX
 * wallets do (secp256k1 over Keccak-256); the identity is the same account's `did:pkh:eip155:<chain>:0x…`. Kind `device`:
 * a text for an "ioID account", which is the device's DID, signed by its key: `did:io:0x…` secp256k1 in the same way,
 * `did:key:z6Mk…` Ed25519 over the text; the identity is that DID.
 */
export function iotexAdapter(crypto: Crypto, policy: IotexPolicy): IdentityAdapter {
  const raw = rawEd25519(crypto)
  return {
    name: 'iotex',
    verify(proof, nowMs) {
      const { kind, message, signature } = stringFields(proof, 'kind', 'message', 'signature')
      if (kind !== 'account' && kind !== 'device') throw loginFault('malformed')
      const text = readSignInText(message, kind === 'account' ? ACCOUNT : DEVICE)
      if (Number(text.chainId) !== policy.chainId) throw loginFault('chain')
      const once = checkSignIn(text, policy, nowMs)
      const signed = utf8(message)
      if (text.address.startsWith('did:key:')) {
        const held = raw.verify(deviceKey(text.address), hexBytes(signature, SIGNATURE_BYTES), signed)
        if (!held) throw loginFault('signature')
        return { identity: text.address, once }
      }
      const account =
        kind === 'account' ? readIoAddress(text.address) : hexBytes(text.address.slice('did:io:'.length), 20)
      const signer = recoverAddress(IOTEX_PREFIX, signed, signature)
      if (toHex(signer) !== toHex(account)) throw loginFault('signature')
      if (kind === 'device') return { identity: text.address, once }
      const address = checksumAddress(account)
      return { identity: didPkh({ namespace: 'eip155', reference: text.chainId, address }), once }
    },
  }
}

/** The 20 bytes of an `io1…` address. @throws {SentryError} `sentry/login` */
export function readIoAddress(address: string): Uint8Array {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(address)
    if (prefix === 'io' && bytes.length === 20) return bytes
  } catch (cause) {
    throw loginFault('address', { cause })
  }
  throw loginFault('address')
}

function deviceKey(did: string): Uint8Array {
  try {
    return publicKeyOfDidKey(did)
  } catch (cause) {
    if (cause instanceof SentryError) throw loginFault('key', { cause })
    throw cause
  }
}

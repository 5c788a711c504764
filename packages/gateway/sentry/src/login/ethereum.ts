import { checksumAddress, didPkh, isChecksummed } from '../did.ts'
import { type IdentityAdapter, loginFault, stringFields, utf8 } from './adapter.ts'
import { ETHEREUM_PREFIX, recoverAddress } from './secp256k1.ts'
import { checkSignIn, type SignInPolicy } from './sign-in-policy.ts'
import { readSignInText, type SignInForm } from './sign-in-text.ts'

export interface EthereumPolicy extends SignInPolicy {
  /** EIP-155 chain ids whose accounts may log in. */
  readonly chainIds: readonly number[]
}

const FORM: SignInForm = { account: 'Ethereum', address: /^0x[0-9a-fA-F]{40}$/, chainId: /^(0|[1-9][0-9]{0,15})$/ }

/**
 * Takes `{ message, signature }`: an EIP-4361 text and its EIP-191 signature. The identity is
 * `did:pkh:eip155:<chain>:<address>`. A contract wallet cannot be judged without its chain and is refused.
 */
export function ethereumAdapter({ chainIds, ...policy }: EthereumPolicy): IdentityAdapter {
  return {
    name: 'ethereum',
    verify(proof, nowMs) {
      const { message, signature } = stringFields(proof, 'message', 'signature')
      const text = readSignInText(message, FORM)
      if (!isChecksummed(text.address)) throw loginFault('address')
      if (!chainIds.includes(Number(text.chainId))) throw loginFault('chain')
      const once = checkSignIn(text, policy, nowMs)
      const signer = checksumAddress(recoverAddress(ETHEREUM_PREFIX, utf8(message), signature))
      if (signer !== text.address) throw loginFault('signature')
      return { identity: didPkh({ namespace: 'eip155', reference: text.chainId, address: text.address }), once }
    },
  }
}

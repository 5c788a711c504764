import type { Crypto } from '../provider.ts'
import { checkAead } from './aead.ts'
import { checkAgreement } from './agreement.ts'
import { checkHashes } from './hashes.ts'
import type { CryptoTestKit } from './kit.ts'
import { checkSignatures } from './signatures.ts'
import { checkVrf } from './vrf.ts'

/**
 * Declares the tests that every provider passes: the published vectors of each primitive, and the rules of
 * docs/spec/crypto.md. The runner and the vectors are handed in, so that the suite runs wherever a provider does.
 */
export function checkCrypto(name: string, make: () => Crypto | Promise<Crypto>, kit: CryptoTestKit): void {
  let made: Promise<Crypto> | undefined
  const once = (): Promise<Crypto> => {
    made ??= Promise.resolve(make())
    return made
  }
  kit.describe(name, () => {
    for (const check of [checkHashes, checkAead, checkAgreement, checkSignatures, checkVrf]) check(once, kit)
  })
}

import type { Crypto } from '../provider.ts'

/** A provider that knows how many of its ephemeral keys have not been given up. */
export interface CountedCrypto extends Crypto {
  readonly made: () => number
  readonly live: () => number
}

/** The provider given, with its ephemeral keys counted: for tests that none outlives what it was made for. */
export function countingEphemeralKeys(crypto: Crypto): CountedCrypto {
  let made = 0
  const live = new Set<number>()
  return {
    ...crypto,
    made: () => made,
    live: () => live.size,
    ephemeralKey(random) {
      const key = crypto.ephemeralKey(random)
      const number = made++
      live.add(number)
      return {
        publicKey: key.publicKey,
        agree: (publicKey) => key.agree(publicKey),
        wipe() {
          live.delete(number)
          key.wipe()
        },
      }
    },
  }
}

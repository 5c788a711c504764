/** For tests: randomness that repeats, the suite that every crypto provider passes, and a count of its ephemeral keys. */
export type { CryptoTestKit } from './testing/kit.ts'
export { type CountedCrypto, countingEphemeralKeys } from './testing/live-keys.ts'
export { seededRandom } from './testing/random.ts'
export { checkCrypto } from './testing/suite.ts'

/** For tests: randomness that repeats, and the suite that every crypto provider passes. */
export type { CryptoTestKit } from './testing/kit.ts'
export { seededRandom } from './testing/random.ts'
export { checkCrypto } from './testing/suite.ts'

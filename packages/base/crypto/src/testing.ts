/** For tests: randomness that repeats, and the suite that every crypto provider passes. */
export { seededRandom } from './testing/random.ts'

import type { Crypto } from '../provider.ts'

/** What the suite needs of the place it runs in; vitest, node:test and Deno's BDD module all have the first two. */
export interface CryptoTestKit {
  describe(name: string, body: () => void): unknown
  test(name: string, body: () => void | Promise<void>): unknown
  /** The parsed JSON of a file of conformance-vectors/standards, such as `wycheproof/x25519.json`. */
  vectors(file: string): unknown
  /** Also runs the million iterations of RFC 7748 §5.2: minutes to a quarter of an hour. */
  readonly slow?: boolean
}

/** One part of the suite. */
export type CryptoChecks = (make: () => Promise<Crypto>, kit: CryptoTestKit) => void

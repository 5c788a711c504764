import { AnchoringError, decodeBundle, encodeBundle, type ProofBundle } from '@nexus/anchoring'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const bytes = (count: number) => fc.uint8Array({ minLength: count, maxLength: count })
const node = fc.uint8Array({ minLength: 1, maxLength: 600 })
const count = fc.maxSafeNat()
const u64 = fc.bigInt(0n, 2n ** 64n - 1n)
const address = fc
  .tuple(fc.constantFrom('0', '-1'), bytes(32))
  .map(([chain, hash]) => `${chain}:${Buffer.from(hash).toString('hex')}`)

const receipt = fc.oneof(
  fc.record(
    {
      kind: fc.constant('evm' as const),
      chain: fc.integer({ min: 1 }).map((id) => `eip155:${id}`),
      contract: bytes(20),
      anchorer: bytes(20),
      transaction: bytes(32),
      block: fc.record({ number: count, hash: bytes(32), timeMs: count }),
      proof: fc.record({
        header: node,
        account: fc.array(node, { minLength: 1, maxLength: 9 }),
        storage: fc.array(node, { minLength: 1, maxLength: 9 }),
      }),
    },
    { requiredKeys: ['kind', 'chain', 'contract', 'anchorer', 'transaction', 'block'] },
  ),
  fc.record({
    kind: fc.constant('ton' as const),
    chain: fc.constantFrom('tvm:-239', 'tvm:-3'),
    contract: address,
    anchorer: address,
    transaction: fc.record({ hash: bytes(32), lt: u64 }),
    timeMs: count,
  }),
)
const bundles: fc.Arbitrary<ProofBundle> = fc.record({
  entry: fc.record({
    index: count,
    id: bytes(16),
    actor: bytes(32),
    account: bytes(32),
    amount: u64,
    creator: u64,
    pool: u64,
    fee: u64,
    policy: fc.nat(65_535),
    timeMs: count,
    idempotency: bytes(32),
  }),
  inclusion: fc.array(bytes(32), { maxLength: 53 }),
  head: fc.record({ logId: bytes(16), size: count, root: bytes(32), timeMs: count, signature: bytes(64) }),
  publicKey: bytes(32),
  receipts: fc.array(receipt, { maxLength: 4 }),
})

describe('a bundle', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(bundles, (bundle) => {
        expect(decodeBundle(encodeBundle(bundle))).toEqual(bundle)
      }),
    )
  })

  test('has one form: other words for the same are refused', () => {
    const [sample] = fc.sample(bundles, { numRuns: 1, seed: 7 })
    const text = encodeBundle(sample!)
    const others = [
      text.trimEnd(),
      `${text} `,
      JSON.stringify(JSON.parse(text)),
      text.replace('"format"', '"format": "nexus-proof/1",\n  "format"'),
      text.replace(/[a-f](?=[0-9a-f]{20})/, (digit) => digit.toUpperCase()),
      text.replace('"receipts"', '"more": 1,\n  "receipts"'),
      text.replace(/"size": "/, '"size": "0'),
      '',
      'null',
      '[]',
      '{}',
      ' '.repeat(2 ** 20 + 1),
    ]
    for (const other of others) {
      expect(() => decodeBundle(other), other.slice(0, 60)).toThrow(AnchoringError)
    }
  })

  test('fuzz: any text is a bundle that is written alike, or our error', () => {
    const samples = fc.sample(bundles, { numRuns: 20, seed: 11 }).map(encodeBundle)
    const mutated = fc
      .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat(40), fc.string({ maxLength: 3 }))
      .map(([text, at, cut, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string(), fc.json()), (text) => {
        try {
          expect(encodeBundle(decodeBundle(text))).toBe(text)
        } catch (error) {
          if (!(error instanceof AnchoringError)) throw error
          expect(error.detail.code).toBe('anchoring/bundle')
        }
      }),
      { numRuns: Number(process.env['NEXUS_FUZZ'] ?? 20_000) },
    )
  })
})

/** Writes the vectors of trust statements: `node --conditions=nexus-source conformance-vectors/trust/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { concatBytes, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import { encodeTrust, signTrust, type TrustStatement } from '@nexus/trust'

const crypto = portable()
const random = seededRandom('trust vectors')
const [ann, ben] = [createIdentity(crypto, random(32)), createIdentity(crypto, random(32))]
const network = random(16)
const statements: readonly [string, TrustStatement][] = [
  ['trusted', signTrust(ann, network, { trustee: ben.nodeId, sequence: 1n, trusted: true })],
  ['revoked', signTrust(ann, network, { trustee: ben.nodeId, sequence: 2n, trusted: false })],
  ['last-sequence', signTrust(ben, network, { trustee: ann.nodeId, sequence: 2n ** 64n - 1n, trusted: true })],
]

export function trustVectors(): Record<string, unknown> {
  return {
    'trust.decode.json': vectors('trust.decode', decodeCases()),
    'trust.verify.json': vectors('trust.verify', verifyCases()),
  }
}

function vectors(op: string, cases: unknown[]): unknown {
  return { schema: 'nexus-vectors/1', op, cases }
}

function decodeCases(): unknown[] {
  const bytes = encodeTrust(statements[0]![1])
  const withFlags = (flags: number): Uint8Array => {
    const changed = bytes.slice()
    changed[56] = flags
    return changed
  }
  const refused: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(0), 'trust/malformed'],
    ['short', bytes.subarray(0, 120), 'trust/malformed'],
    ['long', concatBytes(bytes, Uint8Array.of(0)), 'trust/malformed'],
    ['flag-1', withFlags(2), 'trust/flags'],
    ['flag-7', withFlags(0x81), 'trust/flags'],
  ]
  return [
    ...statements.map(([id, statement]) => ({
      id,
      in: { bytes: toHex(encodeTrust(statement)) },
      out: {
        truster: toHex(statement.truster),
        trustee: toHex(statement.trustee),
        sequence: `${statement.sequence}`,
        trusted: statement.trusted,
        signature: toHex(statement.signature),
      },
    })),
    ...refused.map(([id, body, error]) => ({ id, in: { bytes: toHex(body) }, error })),
  ]
}

function verifyCases(): unknown[] {
  const [[, trusted], [, revoked]] = [statements[0]!, statements[1]!]
  const cases: [string, Uint8Array, TrustStatement, boolean][] = [
    ...statements.map(([id, statement]): [string, Uint8Array, TrustStatement, boolean] => [
      id,
      network,
      statement,
      true,
    ]),
    ['another-network', new Uint8Array(16), trusted, false],
    ['flag-turned', network, { ...trusted, trusted: false }, false],
    ['another-truster', network, { ...trusted, truster: ben.publicKey }, false],
    ['another-trustee', network, { ...trusted, trustee: ann.nodeId }, false],
    ['another-sequence', network, { ...trusted, sequence: 3n }, false],
    ['signature-of-another', network, { ...trusted, signature: revoked.signature }, false],
  ]
  return cases.map(([id, networkId, statement, valid]) => ({
    id,
    in: { networkId: toHex(networkId), bytes: toHex(encodeTrust(statement)) },
    out: { valid },
  }))
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(trustVectors())) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
    console.log(name)
  }
}

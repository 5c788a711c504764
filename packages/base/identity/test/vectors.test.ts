import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { vectorsOf } from '@nexus/codec/testing'
import { type Crypto, portable, type Random } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import {
  type Advisory,
  type AdvisoryStanding,
  addAdvisory,
  advisoryVerdict,
  combineShares,
  createIdentity,
  decodeAdvisory,
  decodeShare,
  encodeAdvisory,
  encodeShare,
  evidenceOf,
  IdentityError,
  type IdentityErrorDetail,
  nodeIdOf,
  openIdentityFile,
  sealIdentityFile,
  shareFromText,
  splitSeed,
  verifyAdvisory,
} from '../src/index.ts'

const folder = new URL('../../../../conformance-vectors/identity/', import.meta.url)

const nullable = (hex: string | null) => (hex === null ? undefined : fromHex(hex))
const orNull = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : toHex(bytes))

/** A random source that hands out `stream` in order. */
function replay(stream: Uint8Array): Random {
  let at = 0
  return (length) => {
    at += length
    return stream.slice(at - length, at)
  }
}

const advisoryOut = (advisory: Advisory) => ({
  compromisedKey: toHex(advisory.compromisedKey),
  newKey: orNull(advisory.newKey),
  sequence: `${advisory.sequence}`,
  evidence: evidenceOf(advisory),
  oldSignature: toHex(advisory.oldSignature),
  newSignature: orNull(advisory.newSignature),
})

function rank(advisories: readonly string[]) {
  const standing = advisories
    .map((bytes) => decodeAdvisory(fromHex(bytes)))
    .reduce<AdvisoryStanding | undefined>(addAdvisory, undefined)!
  const verdict = advisoryVerdict(standing)
  const newKeys = verdict.kind === 'candidate' ? [verdict.newKey] : verdict.kind === 'flagged' ? verdict.newKeys : []
  const kept = standing.advisories.map((advisory) => toHex(encodeAdvisory(advisory)))
  return { kind: verdict.kind, newKeys: newKeys.map(toHex), kept }
}

/** What each operation does with the fields of a case. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const operationsOf = (crypto: Crypto): Record<string, (given: any) => object> => ({
  'identity.nodeId': ({ publicKey }) => ({ nodeId: toHex(nodeIdOf(crypto, fromHex(publicKey))) }),
  'identity.derive': ({ seed }) => {
    const { publicKey, nodeId, agreementKey, agreementSecret } = createIdentity(crypto, fromHex(seed))
    return {
      publicKey: toHex(publicKey),
      nodeId: toHex(nodeId),
      agreementKey: toHex(agreementKey),
      agreementSecret: toHex(agreementSecret),
    }
  },
  'shamir.split': ({ seed, random, ...splitting }) => ({
    shares: splitSeed(crypto, replay(fromHex(random)), fromHex(seed), splitting).map((share) =>
      toHex(encodeShare(crypto, share)),
    ),
  }),
  'shamir.combine': ({ shares }: { shares: string[] }) => ({
    seed: toHex(
      combineShares(
        crypto,
        shares.map((share) => decodeShare(crypto, fromHex(share))),
      ),
    ),
  }),
  'shamir.shareFromText': ({ text }) => ({ share: toHex(encodeShare(crypto, shareFromText(crypto, text))) }),
  'advisory.encode': ({ compromisedKey, newKey, sequence, oldSignature, newSignature }) => {
    const optional = { newKey: nullable(newKey), newSignature: nullable(newSignature) }
    const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
    const fixed = { compromisedKey: fromHex(compromisedKey), oldSignature: fromHex(oldSignature) }
    return { bytes: toHex(encodeAdvisory({ ...fixed, ...given, sequence: BigInt(sequence) })) }
  },
  'advisory.decode': ({ bytes }) => advisoryOut(decodeAdvisory(fromHex(bytes))),
  'advisory.verify': ({ bytes }) => ({ valid: verifyAdvisory(crypto, decodeAdvisory(fromHex(bytes))) }),
  'advisory.rank': ({ advisories }) => rank(advisories),
  'identityFile.seal': ({ seed, passphrase, salt, ...cost }) => ({
    file: toHex(sealIdentityFile(crypto, replay(fromHex(salt)), fromHex(seed), { passphrase, cost })),
  }),
  'identityFile.open': ({ file, passphrase, plainAllowed }) => {
    const opening = passphrase === null ? { plainAllowed } : { plainAllowed, passphrase }
    return { seed: toHex(openIdentityFile(crypto, fromHex(file), opening)) }
  },
})

const providers = [portable(), await nodeCrypto()]
const ops = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const casesOf = (op: string) => vectorsOf<any, any>(readFileSync(new URL(`${op}.json`, folder), 'utf8'), op)

test('there is a file for each operation, and a case for each error', () => {
  expect(ops.toSorted()).toEqual(Object.keys(operationsOf(portable())).sort())
  const codes = {
    'identity/length': true,
    'identity/evidence': true,
    'identity/advisory-keys': true,
    'identity/share-text': true,
    'identity/share-checksum': true,
    'identity/share-version': true,
    'identity/share-threshold': true,
    'identity/share-x': true,
    'identity/shares-mixed': true,
    'identity/shares-repeated': true,
    'identity/shares-missing': true,
    'identity/shares-seed': true,
    'identity/file-format': true,
    'identity/file-cost': true,
    'identity/file-plain': true,
    'identity/file-locked': true,
    'identity/unlock': true,
    // Of the disk, not of bytes.
    'identity/file-exists': false,
  } satisfies Record<IdentityErrorDetail['code'], boolean>
  const seen = new Set(ops.flatMap((op) => casesOf(op).map((each) => each.error)))
  for (const [code, expected] of Object.entries(codes)) expect([code, seen.has(code)]).toEqual([code, expected])
})

describe.each(ops)('%s', (op) => {
  test.each(providers)('every case holds with $name', (crypto) => {
    for (const each of casesOf(op)) expect({ id: each.id, in: each.in, ...run(crypto, op, each.in) }).toEqual(each)
  })
})

test('some advisories are valid and some are not', () => {
  const verdicts = casesOf('advisory.verify').map(({ out }) => out.valid)
  expect([verdicts.filter(Boolean).length, verdicts.filter((valid) => !valid).length]).toEqual([4, 6])
})

function run(crypto: Crypto, op: string, given: unknown): object {
  try {
    return { out: operationsOf(crypto)[op]!(given) }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { error: error.detail.code }
  }
}

// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/identity/generate.ts
import { writeFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { vectorsText } from '@nexus/codec/testing'
import { portable, type Random } from '@nexus/crypto'
import {
  type Advisory,
  type AdvisoryStanding,
  addAdvisory,
  advisoryVerdict,
  combineShares,
  createIdentity,
  encodeAdvisory,
  encodeShare,
  evidenceOf,
  type Identity,
  nodeIdOf,
  openIdentityFile,
  plainIdentityFile,
  type Share,
  sealIdentityFile,
  shareToText,
  signAdvisory,
  splitSeed,
  verifyAdvisory,
} from '@nexus/identity'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  writeFileSync(new URL(`${op}.json`, import.meta.url), vectorsText(op, cases))
}

const crypto = portable()

/** Bytes that repeat: BLAKE3 of the label and a number. */
function bytesOf(label: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    bytes.set(crypto.blake3(new TextEncoder().encode(`${label} ${at}`)).subarray(0, length - at), at)
  }
  return bytes
}

/** A random source that hands out `stream` in order. */
function replay(stream: Uint8Array): Random {
  let at = 0
  return (length) => {
    at += length
    return stream.slice(at - length, at)
  }
}

// Keys

const seeds: Record<string, Uint8Array> = {
  zeros: new Uint8Array(32),
  ones: new Uint8Array(32).fill(0xff),
  'RFC 8032, test 1': fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
  'RFC 8032, test 2': fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  ...Object.fromEntries(['a', 'b', 'c', 'd'].map((label) => [`seed ${label}`, bytesOf(label, 32)])),
}
const identities = Object.entries(seeds).map(([id, seed]) => ({ id, seed, identity: createIdentity(crypto, seed) }))

write(
  'identity.nodeId',
  identities.map(({ id, identity }) => ({
    id,
    in: { publicKey: toHex(identity.publicKey) },
    out: { nodeId: toHex(nodeIdOf(crypto, identity.publicKey)) },
  })),
)
write(
  'identity.derive',
  identities.map(({ id, seed, identity }) => ({
    id,
    in: { seed: toHex(seed) },
    out: {
      publicKey: toHex(identity.publicKey),
      nodeId: toHex(identity.nodeId),
      agreementKey: toHex(identity.agreementKey),
      agreementSecret: toHex(identity.agreementSecret),
    },
  })),
)

// Shares

const seed = seeds['seed a']!
const splittings: [number, number][] = [
  [2, 2],
  [2, 3],
  [3, 5],
  [16, 16],
]
const split = splittings.map(([threshold, shares]) => {
  const random = bytesOf(`split ${threshold} of ${shares}`, 4 + 32 * (threshold - 1))
  return { threshold, shares, random, made: splitSeed(crypto, replay(random), seed, { threshold, shares }) }
})
const hexOf = (shares: readonly Share[]) => shares.map((share) => toHex(encodeShare(crypto, share)))

write(
  'shamir.split',
  split.map(({ threshold, shares, random, made }) => ({
    id: `${threshold} of ${shares}`,
    in: { seed: toHex(seed), threshold, shares, random: toHex(random) },
    out: { shares: hexOf(made) },
  })),
)

const [a, b, c, d, e] = split[2]!.made as [Share, Share, Share, Share, Share]
const points = [a, b, c]
const combined = [
  { id: '2 of 2', shares: split[0]!.made },
  { id: '3 of 5, the first', shares: [a, b, c] },
  { id: '3 of 5, the last', shares: [c, d, e] },
  { id: '3 of 5, another order', shares: [e, a, d] },
  { id: '3 of 5, all', shares: [d, e, a, b, c] },
  { id: '3 of 5, one more than needed is forged', shares: [a, b, c, { ...d, y: e.y }] },
  { id: '16 of 16', shares: split[3]!.made },
  { id: '3 of 5, continued to x = 7, 200 and 255', shares: sharesAt([7, 200, 255]) },
]
const shareBytes = encodeShare(crypto, a)
const rechecked = (at: number, value: number) => {
  const changed = shareBytes.with(at, value)
  changed.set(crypto.blake2b(changed.subarray(0, 55)).subarray(0, 4), 55)
  return toHex(changed)
}
const others = splitSeed(crypto, replay(bytesOf('another split', 68)), seed, { threshold: 3, shares: 5 })
write('shamir.combine', [
  ...combined.map(({ id, shares }) => ({
    id,
    in: { shares: hexOf(shares) },
    out: { seed: toHex(combineShares(crypto, shares)) },
  })),
  { id: 'none', in: { shares: [] }, error: 'identity/shares-missing' },
  { id: 'one too few', in: { shares: hexOf([a, b]) }, error: 'identity/shares-missing' },
  { id: 'one twice', in: { shares: hexOf([a, b, b]) }, error: 'identity/shares-repeated' },
  { id: 'of two splittings', in: { shares: hexOf([a, b, others[2]!]) }, error: 'identity/shares-mixed' },
  { id: 'of two thresholds', in: { shares: hexOf([a, b, { ...c, threshold: 4 }]) }, error: 'identity/shares-mixed' },
  {
    id: 'of two nodes',
    in: { shares: hexOf([a, b, { ...c, nodeId: new Uint8Array(16) }]) },
    error: 'identity/shares-mixed',
  },
  { id: 'a forged value', in: { shares: hexOf([a, b, { ...c, y: d.y }]) }, error: 'identity/shares-seed' },
  {
    id: 'a flipped bit',
    in: { shares: [toHex(shareBytes.with(40, shareBytes[40]! ^ 1))] },
    error: 'identity/share-checksum',
  },
  { id: '58 bytes', in: { shares: [toHex(shareBytes.subarray(0, 58))] }, error: 'identity/length' },
  { id: 'version 2', in: { shares: [rechecked(0, 2)] }, error: 'identity/share-version' },
  { id: 'threshold 1', in: { shares: [rechecked(1, 1)] }, error: 'identity/share-threshold' },
  { id: 'threshold 17', in: { shares: [rechecked(1, 17)] }, error: 'identity/share-threshold' },
  { id: 'x 0', in: { shares: [rechecked(2, 0)] }, error: 'identity/share-x' },
])

const text = shareToText(crypto, a)
write('shamir.shareFromText', [
  { id: 'as it is printed', in: { text }, out: { share: toHex(shareBytes) } },
  {
    id: 'upper case in groups',
    in: { text: text.toUpperCase().replace(/(.{5})(?=.)/g, '$1 ') },
    out: { share: toHex(shareBytes) },
  },
  {
    id: 'hyphens and line ends',
    in: { text: text.replace(/(.{19})(?=.)/g, '$1-\n') },
    out: { share: toHex(shareBytes) },
  },
  { id: 'a 1 for a letter', in: { text: `1${text.slice(1)}` }, error: 'identity/share-text' },
  { id: 'a letter too few', in: { text: text.slice(1) }, error: 'identity/length' },
  { id: 'a letter too many', in: { text: `${text}a` }, error: 'identity/length' },
  { id: 'two letters swapped', in: { text: `${text[1]}${text[0]}${text.slice(2)}` }, error: 'identity/share-checksum' },
])

/** Shares of the splitting 3 of 5 at other places, by Lagrange's formula through three of its points. */
function sharesAt(places: readonly number[]): Share[] {
  return places.map((x) => ({ ...a, x, y: a.y.map((_, at) => valueAt(x, at)) }))
}

function valueAt(x: number, at: number): number {
  let value = 0
  for (const share of points) {
    let weight = 1
    for (const other of points) {
      if (other !== share) weight = times(weight, times(x ^ other.x, inverse(share.x ^ other.x)))
    }
    value ^= times(share.y[at]!, weight)
  }
  return value
}

function times(left: number, right: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) if (right & (1 << bit)) product ^= left << bit
  for (let bit = 14; bit >= 8; bit--) if (product & (1 << bit)) product ^= 0x11b << (bit - 8)
  return product
}

function inverse(value: number): number {
  for (let other = 1; other < 256; other++) if (times(value, other) === 1) return other
  throw new RangeError('0 has no inverse')
}

// Advisories

const [old, first, second] = ['seed a', 'seed b', 'seed c'].map((id) => createIdentity(crypto, seeds[id]!)) as [
  Identity,
  Identity,
  Identity,
]
const none = signAdvisory(old, { sequence: 1n })
const oldOnly = signAdvisory(old, { sequence: 1n, replacement: first.publicKey })
const both = signAdvisory(old, { sequence: 1n, replacement: first })
const last = signAdvisory(old, { sequence: 2n ** 64n - 1n, replacement: first })
const advisories: [string, Advisory][] = [
  ['no replacement', none],
  ['signed by the old key', oldOnly],
  ['signed by both', both],
  ['the last sequence', last],
]
const fieldsOf = (advisory: Advisory) => ({
  compromisedKey: toHex(advisory.compromisedKey),
  newKey: advisory.newKey === undefined ? null : toHex(advisory.newKey),
  sequence: `${advisory.sequence}`,
  evidence: evidenceOf(advisory),
  oldSignature: toHex(advisory.oldSignature),
  newSignature: advisory.newSignature === undefined ? null : toHex(advisory.newSignature),
})
const bytesIn = (advisory: Advisory) => toHex(encodeAdvisory(advisory))

write(
  'advisory.encode',
  advisories.map(([id, advisory]) => ({ id, in: fieldsOf(advisory), out: { bytes: bytesIn(advisory) } })),
)
const bothBytes = encodeAdvisory(both)
const withNewKey = (key: Uint8Array) => {
  const changed = bothBytes.slice()
  changed.set(key, 32)
  return toHex(changed)
}
write('advisory.decode', [
  ...advisories.map(([id, advisory]) => ({ id, in: { bytes: bytesIn(advisory) }, out: fieldsOf(advisory) })),
  { id: 'no bytes', in: { bytes: '' }, error: 'identity/length' },
  {
    id: 'evidence 1 without its second signature',
    in: { bytes: toHex(bothBytes.subarray(0, 137)) },
    error: 'identity/length',
  },
  { id: 'evidence 2 with a second signature', in: { bytes: toHex(bothBytes.with(72, 2)) }, error: 'identity/length' },
  { id: 'evidence 0', in: { bytes: toHex(bothBytes.with(72, 0)) }, error: 'identity/evidence' },
  { id: 'evidence 3', in: { bytes: toHex(bothBytes.with(72, 3)) }, error: 'identity/evidence' },
  {
    id: 'evidence 1 without a new key',
    in: { bytes: withNewKey(new Uint8Array(32)) },
    error: 'identity/advisory-keys',
  },
  {
    id: 'the compromised key as its own successor',
    in: { bytes: withNewKey(old.publicKey) },
    error: 'identity/advisory-keys',
  },
])

const { newSignature: _, ...demoted } = both
const verdicts: [string, Advisory][] = [
  ...advisories,
  ['sequence changed', { ...both, sequence: 2n }],
  ['new key changed', { ...oldOnly, newKey: second.publicKey }],
  ['about another key', { ...none, compromisedKey: second.publicKey }],
  ['both signatures by the old key', { ...both, newSignature: both.oldSignature }],
  ['evidence lowered', demoted],
  ['evidence raised', { ...oldOnly, newSignature: both.newSignature! }],
]
write(
  'advisory.verify',
  verdicts.map(([id, advisory]) => ({
    id,
    in: { bytes: bytesIn(advisory) },
    out: { valid: verifyAdvisory(crypto, advisory) },
  })),
)

const rival = signAdvisory(old, { sequence: 9n, replacement: second })
const rivalOldOnly = signAdvisory(old, { sequence: 9n, replacement: second.publicKey })
const third = signAdvisory(old, { sequence: 5n, replacement: createIdentity(crypto, seeds['seed d']!) })
const sets: [string, Advisory[]][] = [
  ['no replacement', [none]],
  ['one replacement', [oldOnly]],
  ['a named replacement outweighs none', [none, oldOnly]],
  ['better evidence outweighs', [rivalOldOnly, oldOnly, both]],
  ['the old key names two', [oldOnly, rivalOldOnly]],
  ['both keys, twice', [both, rival]],
  ['the two smallest new keys are kept', [both, rival, third, rivalOldOnly, none]],
  ['the highest sequence of a repeat', [both, last, both]],
]
write(
  'advisory.rank',
  sets.flatMap(([id, set]) =>
    [set, [...set].reverse()].map((order, way) => ranking(`${id}${way ? ', reversed' : ''}`, order)),
  ),
)

function ranking(id: string, set: readonly Advisory[]): Case {
  const standing = set.reduce<AdvisoryStanding | undefined>(addAdvisory, undefined)!
  const verdict = advisoryVerdict(standing)
  const newKeys = verdict.kind === 'candidate' ? [verdict.newKey] : verdict.kind === 'flagged' ? verdict.newKeys : []
  const out = { kind: verdict.kind, newKeys: newKeys.map(toHex), kept: standing.advisories.map(bytesIn) }
  return { id, in: { advisories: set.map(bytesIn) }, out }
}

// Identity files

const passphrase = 'correct horse battery staple'
const salt = bytesOf('salt', 16)
const sealings = [
  { id: 'log2 N 10, r 8, p 1', passphrase, cost: { log2N: 10, r: 8, p: 1 } },
  { id: 'log2 N 11, r 1, p 3', passphrase, cost: { log2N: 11, r: 1, p: 3 } },
  { id: 'a composed letter', passphrase: 'Schl\u00fcssel', cost: { log2N: 10, r: 1, p: 1 } },
  { id: 'the same letter, decomposed', passphrase: 'Schlu\u0308ssel', cost: { log2N: 10, r: 1, p: 1 } },
]
const files = sealings.map((sealing) => ({ ...sealing, file: sealIdentityFile(crypto, replay(salt), seed, sealing) }))
write(
  'identityFile.seal',
  files.map(({ id, file, ...sealing }) => ({
    id,
    in: { seed: toHex(seed), passphrase: sealing.passphrase, salt: toHex(salt), ...sealing.cost },
    out: { file: toHex(file) },
  })),
)
const sealed = files[0]!.file
const plain = plainIdentityFile(crypto, seed)
const opened = (file: Uint8Array, given: { passphrase?: string; plainAllowed?: boolean }) => ({
  in: { file: toHex(file), passphrase: given.passphrase ?? null, plainAllowed: given.plainAllowed ?? false },
})
const seedOut = { out: { seed: toHex(openIdentityFile(crypto, plain, { plainAllowed: true })) } }
write('identityFile.open', [
  ...files.map(({ id, file, passphrase }) => ({ id, ...opened(file, { passphrase }), ...seedOut })),
  { id: 'unencrypted', ...opened(plain, { plainAllowed: true }), ...seedOut },
  { id: 'a wrong passphrase', ...opened(sealed, { passphrase: `${passphrase}.` }), error: 'identity/unlock' },
  { id: 'a damaged salt', ...opened(sealed.with(13, sealed[13]! ^ 1), { passphrase }), error: 'identity/unlock' },
  { id: 'a damaged tag', ...opened(sealed.with(76, sealed[76]! ^ 1), { passphrase }), error: 'identity/unlock' },
  {
    id: 'a damaged unencrypted seed',
    ...opened(plain.with(10, plain[10]! ^ 1), { plainAllowed: true }),
    error: 'identity/unlock',
  },
  { id: 'unencrypted, not allowed', ...opened(plain, { passphrase }), error: 'identity/file-plain' },
  { id: 'no passphrase', ...opened(sealed, {}), error: 'identity/file-locked' },
  { id: '512 MiB', ...opened(sealed.with(10, 19), { passphrase }), error: 'identity/file-cost' },
  { id: 'log2 N 255', ...opened(sealed.with(10, 255), { passphrase }), error: 'identity/file-cost' },
  { id: 'log2 N 9', ...opened(sealed.with(10, 9), { passphrase }), error: 'identity/file-cost' },
  { id: 'r 0', ...opened(sealed.with(11, 0), { passphrase }), error: 'identity/file-cost' },
  { id: 'another magic', ...opened(sealed.with(0, 0), { passphrase }), error: 'identity/file-format' },
  { id: 'version 2', ...opened(sealed.with(8, 2), { passphrase }), error: 'identity/file-format' },
  { id: 'kind 2', ...opened(sealed.with(9, 2), { passphrase }), error: 'identity/file-format' },
  { id: 'a byte too few', ...opened(sealed.subarray(0, 76), { passphrase }), error: 'identity/file-format' },
])

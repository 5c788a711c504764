/** Writes the vectors of gossip: `node --conditions=nexus-source conformance-vectors/gossip/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { encodeGossipFrame, type GossipFrame, IdFilter, recordId } from '@nexus/gossip'

const crypto = portable()
const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, n) => recordId(crypto, 200, Uint8Array.of(n & 255, n >> 8)))

export function gossipVectors(): Record<string, unknown> {
  return {
    'filter.json': vectors('gossip.filter', filterCases()),
    'decode.json': vectors('gossip.decode', decodeCases()),
    'record-id.json': vectors('gossip.recordId', idCases()),
  }
}

function vectors(op: string, cases: unknown[]): unknown {
  return { schema: 'nexus-vectors/1', op, cases }
}

function idCases(): unknown[] {
  return [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(480).fill(0xa5)].map((named, n) => ({
    id: `id-${n}`,
    in: { type: 200, namedPart: toHex(named) },
    out: { id: toHex(recordId(crypto, 200, named)) },
  }))
}

function filterCases(): unknown[] {
  return [0, 1, 2, 20, 165, 289].map((count) => {
    const ids = numbered(count)
    const salt = 0x01020304 + count
    return {
      id: `of-${count}-ids`,
      in: { salt, ids: ids.map(toHex) },
      out: { bits: toHex(IdFilter.of(crypto, salt, ids).bits) },
    }
  })
}

function decodeCases(): unknown[] {
  const frames: [string, GossipFrame, unknown][] = [
    [
      'summary',
      {
        kind: 'summary',
        tiers: [
          { tier: 2, count: 7, sum: 2n ** 64n - 1n },
          { tier: 4, count: 0, sum: 0n },
        ],
      },
      {
        kind: 'summary',
        tiers: [
          { tier: 2, count: 7, sum: '18446744073709551615' },
          { tier: 4, count: 0, sum: '0' },
        ],
      },
    ],
    [
      'filter',
      { kind: 'filter', tier: 3, salt: 0xdeadbeef, prefixBits: 12, prefix: 0xabc, bits: Uint8Array.of(1, 2) },
      { kind: 'filter', tier: 3, salt: 0xdeadbeef, prefixBits: 12, prefix: 0xabc, bits: '0102' },
    ],
    [
      'records',
      {
        kind: 'records',
        records: [
          { type: 1, body: Uint8Array.of(9) },
          { type: 200, body: new Uint8Array(0) },
        ],
      },
      {
        kind: 'records',
        records: [
          { type: 1, body: '09' },
          { type: 200, body: '' },
        ],
      },
    ],
    ['want', { kind: 'want', nodeIds: [new Uint8Array(16).fill(0x11)] }, { kind: 'want', nodeIds: ['11'.repeat(16)] }],
  ]
  const good = frames.map(([id, frame, out]) => ({ id, in: { frame: toHex(encodeGossipFrame(frame)) }, out }))
  const bad: [string, string, string][] = [
    ['empty', '', 'gossip/malformed'],
    ['unknown-kind', '05', 'gossip/kind'],
    ['summary-without-tiers', '01', 'gossip/count'],
    ['summary-of-routing', `0101${'00'.repeat(12)}`, 'gossip/tier'],
    ['summary-tiers-falling', `0103${'00'.repeat(12)}02${'00'.repeat(12)}`, 'gossip/tier'],
    ['filter-prefix-too-wide', '02020000000011000000', 'gossip/prefix'],
    ['filter-prefix-beyond-bits', '020200000000010200', 'gossip/prefix'],
    ['filter-too-long', `020200000000000000${'00'.repeat(449)}`, 'gossip/filter-length'],
    ['record-too-long', `0301e101${'00'.repeat(200)}`, 'gossip/record-length'],
    ['record-cut', '03010500aabb', 'gossip/malformed'],
    ['want-cut', `04${'11'.repeat(15)}`, 'gossip/malformed'],
    ['want-too-many', `04${'11'.repeat(16 * 29)}`, 'gossip/count'],
  ]
  return [...good, ...bad.map(([id, frame, error]) => ({ id, in: { frame }, error }))]
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(gossipVectors())) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
  }
}

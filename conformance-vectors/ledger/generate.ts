/** Writes the vectors of the ledger: `node --conditions=nexus-source conformance-vectors/ledger/generate.ts`. */
import { writeFileSync } from 'node:fs'
import {
  CLOSE_TAG,
  closeSignedBytes,
  encodeClose,
  encodeSettlement,
  NO_SIGNATURE,
  OPENING_BALANCE_MICRO,
  SETTLEMENT_TAG,
  STATE_TAG,
  type StateTail,
  settlementSignedBytes,
  stateSignedBytes,
} from '@nexus/channels'
import { compareBytes, fromHex, toHex } from '@nexus/codec'
import {
  encodeBalanceProof,
  encodeSnapshot,
  genesisSnapshot,
  Ledger,
  type LedgerRecord,
  networkIdOf,
  proveBalance,
  type Snapshot,
} from '@nexus/crdt-ledger'
import { portable } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'

const crypto = portable()
const hash = (bytes: Uint8Array): Uint8Array => crypto.blake3(bytes)
/** Seeds are 32 bytes of one number: 1 ada, 2 bob, 3 cyd, 4 dan. */
const [ada, bob, cyd, dan] = [1, 2, 3, 4].map((n) => createIdentity(crypto, new Uint8Array(32).fill(n))) as [
  Identity,
  Identity,
  Identity,
  Identity,
]
const genesis = genesisSnapshot(hash, [
  [ada.nodeId, 100_000n],
  [bob.nodeId, 20_000n],
])
const networkId = networkIdOf(genesis)

export function ledgerVectors(): Record<string, unknown> {
  const folded = ledgerOf(genesis, mixed()).fold([[dan.nodeId, 7n]])
  return {
    'state.json': vectors('ledger.state', stateCases()),
    'fold.json': vectors('ledger.fold', foldCases()),
    'snapshot.json': vectors('ledger.snapshot', snapshotCases(folded)),
    'balance-proof.json': vectors('ledger.balanceProof', proofCases(folded)),
  }
}

function vectors(op: string, cases: unknown[]): unknown {
  return { schema: 'nexus-vectors/1', op, cases }
}

/** A replica that was offered the records until nothing changed. */
function ledgerOf(snapshot: Snapshot, records: readonly LedgerRecord[]): Ledger {
  const ledger = new Ledger({ crypto, snapshot })
  for (let pass = 0; pass <= records.length; pass++) for (const record of records) ledger.insert(record)
  return ledger
}

function stateCases(): unknown[] {
  const rival = (to: Identity, final: bigint): LedgerRecord => paid(ada, to, 50_000n, 1n, final)
  const families: readonly (readonly [string, readonly LedgerRecord[]])[] = [
    ['nothing', []],
    ['one-payment', [paid(ada, bob, 5_000n, 1n)]],
    ['chain-backwards', [3n, 2n, 1n].map((seq) => paid(ada, cyd, 10_000n, seq))],
    ['waits-for-money', [paid(cyd, dan, 30_000n, 1n), paid(ada, cyd, 10_000n, 1n)]],
    ['no-money-is-not-kept', [paid(dan, ada, 5_000n, 1n)]],
    ['beyond-the-window', [paid(ada, bob, 5_000n, 17n)]],
    ['last-of-the-window', [paid(ada, bob, 5_000n, 16n)]],
    ['gap', [paid(ada, bob, 5_000n, 1n), paid(ada, bob, 5_000n, 3n)]],
    ['conflict', [rival(bob, 3n), rival(cyd, 3n), paid(ada, dan, 1_000n, 2n)]],
    ['three-rivals', [rival(bob, 3n), rival(cyd, 3n), rival(dan, 3n)]],
    ['conflict-takes-back', [rival(cyd, 3n), paid(cyd, dan, 40_000n, 1n), rival(bob, 3n)]],
    ['later-conflict', [paid(ada, bob, 5_000n, 1n), paid(ada, bob, 5_000n, 2n), paid(ada, cyd, 5_000n, 2n)]],
    ['circle', [rival(cyd, 3n), paid(cyd, dan, 50_000n, 1n), paid(dan, cyd, 50_000n, 1n), rival(bob, 3n)]],
    ['reused-channel-id', [paid(ada, cyd, 5_000n, 1n), paid(bob, dan, 5_000n, 1n)]],
    ['mixed', mixed()],
  ]
  return families.map(([id, records]) => {
    const ledger = ledgerOf(genesis, records)
    return {
      id,
      in: { snapshot: toHex(encodeSnapshot(genesis)), records: records.map(({ body }) => toHex(body)) },
      out: { ...standing(ledger), stateHash: toHex(ledger.stateHash()) },
    }
  })
}

function standing(ledger: Ledger): Record<string, unknown> {
  const accounts = [...ledger.accountIds()].map((nodeId) => ledger.account(nodeId))
  const kept = [...ledger.records()].map(({ body }) => toHex(hash(body))).sort()
  return {
    accounts: accounts
      .filter(({ earned, nextSeq }) => earned > 0n || nextSeq > 1n)
      .sort((one, other) => compareBytes(one.nodeId, other.nodeId))
      .map(({ nodeId, balance, earned, spent, nextSeq }) => ({
        nodeId: toHex(nodeId),
        balance: `${balance}`,
        earned: `${earned}`,
        spent: `${spent}`,
        nextSeq: `${nextSeq}`,
      })),
    kept,
  }
}

function mixed(): LedgerRecord[] {
  return [
    paid(ada, bob, 30_000n, 1n, 4n),
    paid(bob, cyd, 45_000n, 1n, 2n),
    paid(cyd, dan, 10_000n, 1n, 1n),
    paid(cyd, ada, 90_000n, 2n, 9n),
    closed(ada, cyd, { owed: 12_000n, base: 0n, last: 3n, closer: cyd }),
  ]
}

/** Folds one after another; each case goes on from the snapshot and what was kept of the one before. */
function foldCases(): unknown[] {
  const cases: unknown[] = []
  const ledger = ledgerOf(genesis, mixed())
  const later: readonly (readonly [string, readonly LedgerRecord[], readonly (readonly [Uint8Array, bigint])[]])[] = [
    ['first', [], [[dan.nodeId, 7n]]],
    ['close-waits', [paid(ada, dan, 1_000n, 2n), paid(ada, bob, 2_000n, 2n)], []],
    ['close-executes-frozen-pays-nothing', [], []],
    ['nothing-more', [], []],
  ]
  for (const [id, records, mints] of later) {
    for (const record of records) ledger.insert(record)
    const before = ledger.snapshot
    const bodies = [...ledger.records()].map(({ body }) => toHex(body))
    const after = ledger.fold(mints)
    cases.push(foldCase(id, before, bodies, mints, after))
    ledger.advance(after)
  }
  const honest = ledgerOf(genesis, [
    paid(ada, bob, 4_000n, 1n, 4n),
    closed(ada, bob, { owed: 9_000n, base: 4n, last: 8n, closer: bob, paidBefore: 4_000n }),
    closed(ada, bob, { owed: 20_000n, base: 0n, last: 8n, closer: ada }),
    closed(bob, cyd, { owed: 90_000n, base: 0n, last: 2n, closer: cyd }),
  ])
  for (const id of ['two-closes-pending', 'two-closes-wait', 'right-base-pays-and-what-is-left']) {
    const [before, bodies] = [honest.snapshot, [...honest.records()].map(({ body }) => toHex(body))]
    const after = honest.fold()
    cases.push(foldCase(id, before, bodies, [], after))
    honest.advance(after)
  }
  return cases
}

function foldCase(
  id: string,
  before: Snapshot,
  records: readonly string[],
  mints: readonly (readonly [Uint8Array, bigint])[],
  after: Snapshot,
): unknown {
  return {
    id,
    in: {
      snapshot: toHex(encodeSnapshot(before)),
      records,
      mints: mints.map(([nodeId, amount]) => ({ nodeId: toHex(nodeId), amount: `${amount}` })),
    },
    out: { snapshot: toHex(encodeSnapshot(after)) },
  }
}

function snapshotCases(folded: Snapshot): unknown[] {
  const empty = genesisSnapshot(hash, [])
  const good = [
    ['empty', empty] as const,
    ['genesis', genesis] as const,
    ['with-channels-and-pending', folded] as const,
  ].map(([id, snapshot]) => ({ id, in: { bytes: toHex(encodeSnapshot(snapshot)) }, out: plain(snapshot) }))
  const bytes = encodeSnapshot(folded)
  const changed = (at: number): string => {
    const copy = bytes.slice()
    copy[at]! ^= 1
    return toHex(copy)
  }
  const bad: readonly (readonly [string, string, string])[] = [
    ['cut', toHex(bytes.subarray(0, bytes.length - 1)), 'ledger/malformed'],
    ['trailing', `${toHex(bytes)}00`, 'ledger/malformed'],
    ['no-bytes', '', 'ledger/malformed'],
    ['other-magic', changed(0), 'ledger/version'],
    ['other-version', changed(8), 'ledger/version'],
    ['more-money-than-minted', changed(37 + 16), 'ledger/supply'],
    ['other-epoch', changed(9), 'ledger/root'],
    ['other-root', changed(bytes.length - 1), 'ledger/root'],
    ['count-without-entries', toHex(withCount(encodeSnapshot(empty), 0xffff_ffff)), 'ledger/malformed'],
  ]
  return [...good, ...bad.map(([id, hex, error]) => ({ id, in: { bytes: hex }, error }))]
}

function withCount(bytes: Uint8Array, count: number): Uint8Array {
  new DataView(bytes.buffer).setUint32(25, count, true)
  return bytes
}

function plain(snapshot: Snapshot): unknown {
  const rows = (run: Snapshot['accounts'], names: readonly string[]): unknown[] =>
    Array.from({ length: run.count }, (_, index) => ({
      key: toHex(run.key(index)),
      ...Object.fromEntries(names.map((name, column) => [name, `${run.value(column, index)}`])),
    }))
  return {
    epoch: `${snapshot.epoch}`,
    minted: `${snapshot.minted}`,
    accounts: rows(snapshot.accounts, ['balance', 'nextSeq']),
    channels: rows(snapshot.channels, ['settled', 'executed']),
    pending: rows(snapshot.pending, ['since']),
    root: toHex(snapshot.root),
  }
}

function proofCases(folded: Snapshot): unknown[] {
  const root = toHex(folded.root)
  const cases: unknown[] = []
  const many = genesisSnapshot(
    hash,
    Array.from({ length: 11 }, (_, n) => [hash(Uint8Array.of(n)).slice(0, 16), BigInt(n + 1)] as const),
  )
  for (const [of, snapshot] of [['folded', folded] as const, ['eleven', many] as const]) {
    for (let index = 0; index < snapshot.accounts.count; index++) {
      const proof = proveBalance(hash, snapshot, snapshot.accounts.key(index))!
      cases.push({
        id: `${of}-${index}`,
        in: { proof: toHex(encodeBalanceProof(proof)), root: toHex(snapshot.root) },
        out: { holds: true, nodeId: toHex(proof.nodeId), balance: `${proof.balance}`, nextSeq: `${proof.nextSeq}` },
      })
    }
  }
  const proof = proveBalance(hash, folded, folded.accounts.key(0))!
  const bytes = toHex(encodeBalanceProof(proof))
  const richer = toHex(encodeBalanceProof({ ...proof, balance: proof.balance + 1n }))
  const facts = { nodeId: toHex(proof.nodeId), nextSeq: `${proof.nextSeq}` }
  cases.push(
    { id: 'richer', in: { proof: richer, root }, out: { holds: false, ...facts, balance: `${proof.balance + 1n}` } },
    {
      id: 'other-root',
      in: { proof: bytes, root: toHex(genesis.root) },
      out: { holds: false, ...facts, balance: `${proof.balance}` },
    },
    { id: 'a-sibling-too-few', in: { proof: bytes.slice(0, -64), root }, error: 'ledger/proof-shape' },
    { id: 'cut', in: { proof: bytes.slice(0, 100), root }, error: 'ledger/malformed' },
    {
      id: 'index-beyond-count',
      in: { proof: toHex(fromHex(bytes).fill(0xff, 32, 36)), root },
      error: 'ledger/proof-shape',
    },
  )
  return cases
}

function ordered(one: Identity, other: Identity): [Identity, Identity] {
  return compareBytes(one.nodeId, other.nodeId) < 0 ? [one, other] : [other, one]
}

function paid(from: Identity, to: Identity, amount: bigint, payerSeq: bigint, final = payerSeq): LedgerRecord {
  const [a, b] = ordered(from, to)
  const unsigned = {
    channelId: new Uint8Array(16).fill(5),
    keyA: a.publicKey,
    keyB: b.publicKey,
    amountAToBMicro: a === from ? amount : -amount,
    prevSequence: 0n,
    finalSequence: final,
    payerSeq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  const bytes = settlementSignedBytes(unsigned)
  const [signatureA, signatureB] = [a, b].map((party) => party.sign(SETTLEMENT_TAG, networkId, bytes)) as [
    Uint8Array,
    Uint8Array,
  ]
  return { kind: 'settlement', body: encodeSettlement({ ...unsigned, signatureA, signatureB }) }
}

interface Claim {
  readonly owed: bigint
  readonly base: bigint
  readonly last: bigint
  readonly closer: Identity
  readonly paidBefore?: bigint
}

function closed(from: Identity, to: Identity, { owed, base, last, closer, paidBefore = 0n }: Claim): LedgerRecord {
  const [a, b] = ordered(from, to)
  const channelId = new Uint8Array(16).fill(5)
  const tail = (sequence: bigint, total: bigint): StateTail => {
    const numbers = {
      balanceAMicro: OPENING_BALANCE_MICRO - (a === from ? total : -total),
      balanceBMicro: OPENING_BALANCE_MICRO + (a === from ? total : -total),
      sequence,
    }
    const parties = { channelId, partyA: a.nodeId, partyB: b.nodeId }
    const bytes = stateSignedBytes({ ...parties, ...numbers, signatureA: NO_SIGNATURE, signatureB: NO_SIGNATURE })
    const [signatureA, signatureB] = [a, b].map((party) => party.sign(STATE_TAG, networkId, bytes)) as [
      Uint8Array,
      Uint8Array,
    ]
    return { ...numbers, signatureA, signatureB }
  }
  const draft = {
    channelId,
    keyA: a.publicKey,
    keyB: b.publicKey,
    base: tail(base, paidBefore),
    last: tail(last, paidBefore + owed),
    closer: closer === a ? ('a' as const) : ('b' as const),
    epoch: 1n,
  }
  const signature = closer.sign(CLOSE_TAG, networkId, closeSignedBytes(draft))
  return { kind: 'close', body: encodeClose({ ...draft, signature }) }
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(ledgerVectors())) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
  }
}

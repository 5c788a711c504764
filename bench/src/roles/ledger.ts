/** Validates settlements and merges ledgers, and does the bare work that neither can do without. */
import {
  encodeSettlement,
  NO_SIGNATURE,
  SETTLEMENT_BYTES,
  SETTLEMENT_TAG,
  type Settlement,
  settlementSignedBytes,
  settlementVerifyJobs,
} from '@nexus/channels'
import { compareBytes } from '@nexus/codec'
import { genesisSnapshot, Ledger, type LedgerRecord, Validator } from '@nexus/crdt-ledger'
import type { Crypto, VerifyJob } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, type Identity, nodeIdOf } from '@nexus/identity'
import { serve, type Values } from '../child.ts'

const PAYERS = 100
const RECORDS_PER_PAYER = 10
/** Of a merge: so many accounts, each of two ledgers with the debits of two thirds of them, of one third the same. */
const ACCOUNTS = 15_000
const PAYING = 10_000
const OFFSET = 5_000
const KEY_BYTES = 32

const crypto = await nodeCrypto()
const networkId = new Uint8Array(16).fill(1)
const numbered = (n: number): Uint8Array => crypto.blake3(Uint8Array.of(n, n >> 8, n >> 16, n >> 24))

/** The same verdicts, one after another in this thread. */
const oneThread: Crypto = {
  ...crypto,
  verifyBatch: async (jobs) =>
    jobs.map((job) => 'tag' in job && crypto.verify(job.publicKey, job.signature, job.tag, ...job.parts)),
}

serve({
  validate: async ({ threads }) => {
    const provider = threads === 1 ? oneThread : crypto
    const ledger = new Ledger({ crypto: provider, snapshot: genesis })
    const failed = (error: unknown): never => {
      throw error
    }
    const validator = new Validator({ crypto: provider, networkId, ledger }, { failed })
    const startMs = performance.now()
    await Promise.all(
      records.map(
        (record) =>
          new Promise<void>((resolve, reject) => {
            validator.offer(record, (verdict) =>
              verdict === 'valid' ? resolve() : reject(new Error(`a good settlement was ${verdict}`)),
            )
          }),
      ),
    )
    return perSecond(records.length, startMs)
  },
  bare: async ({ threads }) => {
    const startMs = performance.now()
    const verdicts = await (threads === 1 ? oneThread : crypto).verifyBatch(jobs)
    if (verdicts.includes(false)) throw new Error('a good signature was refused')
    return perSecond(records.length, startMs)
  },
  memory: ({ count }) => {
    globalThis.gc?.()
    const before = memoryBytes()
    const ledger = filled(0, Number(count) / PAYING)
    globalThis.gc?.()
    return { value: (memoryBytes() - before) / ledger.settlementCount }
  },
  merge: ({ count }) => {
    const [ours, theirs] = [filled(0, Number(count) / PAYING), filled(OFFSET, Number(count) / PAYING)]
    const startMs = performance.now()
    ours.merge(theirs)
    const value = ((performance.now() - startMs) * 1e6) / (2 * Number(count))
    if (ours.settlementCount !== 1.5 * Number(count)) throw new Error(`the merge has ${ours.settlementCount}`)
    return { value }
  },
  linear: ({ count }) => {
    const [ours, theirs] = [sorted(0, Number(count) / PAYING), sorted(OFFSET, Number(count) / PAYING)]
    const startMs = performance.now()
    const merged = linearMerge(ours, theirs)
    const value = ((performance.now() - startMs) * 1e6) / (2 * Number(count))
    if (merged !== 1.5 * Number(count)) throw new Error(`the merge has ${merged}`)
    return { value }
  },
})

const people = Array.from({ length: PAYERS }, (_, n) => createIdentity(crypto, numbered(n)))
const genesis = genesisSnapshot(
  (bytes) => crypto.blake3(bytes),
  people.map(({ nodeId }) => [nodeId, 1_000_000n]),
)
const settlements = people.flatMap((payer, n) =>
  Array.from({ length: RECORDS_PER_PAYER }, (_, seq) => signed(payer, people[(n + 1) % PAYERS]!, BigInt(seq + 1))),
)
const records = settlements.map(
  (settlement): LedgerRecord => ({ kind: 'settlement', body: encodeSettlement(settlement) }),
)
const jobs: VerifyJob[] = settlements.flatMap((settlement) => settlementVerifyJobs(networkId, settlement))

function signed(payer: Identity, payee: Identity, payerSeq: bigint): Settlement {
  const [a, b] = compareBytes(payer.nodeId, payee.nodeId) < 0 ? [payer, payee] : [payee, payer]
  const unsigned = unsignedSettlement(a.publicKey, b.publicKey, a === payer ? 1_000n : -1_000n, payerSeq)
  const bytes = settlementSignedBytes(unsigned)
  return {
    ...unsigned,
    signatureA: a.sign(SETTLEMENT_TAG, networkId, bytes),
    signatureB: b.sign(SETTLEMENT_TAG, networkId, bytes),
  }
}

function unsignedSettlement(keyA: Uint8Array, keyB: Uint8Array, amountAToBMicro: bigint, payerSeq: bigint): Settlement {
  return {
    channelId: new Uint8Array(16),
    keyA,
    keyB,
    amountAToBMicro,
    prevSequence: payerSeq - 1n,
    finalSequence: payerSeq,
    payerSeq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
}

/** Debits of the accounts from `from` on; a ledger asks for no signature, a validator does. */
function* paid(from: number, rounds: number): IterableIterator<Uint8Array> {
  const keys = Array.from({ length: ACCOUNTS }, (_, n) => numbered(n))
  for (let round = 0; round < rounds; round++) {
    for (let payer = from; payer < from + PAYING; payer++) {
      const payee = (payer + 1 + (round % 97)) % ACCOUNTS
      yield encodeSettlement(unsignedSettlement(keys[payer]!, keys[payee]!, 1_000n + BigInt(round), BigInt(round + 1)))
    }
  }
}

function filled(from: number, rounds: number): Ledger {
  const balances = Array.from({ length: ACCOUNTS }, (_, n): readonly [Uint8Array, bigint] => [
    nodeIdOf(crypto, numbered(n)),
    1_000_000_000n,
  ])
  const ledger = new Ledger({ crypto, snapshot: genesisSnapshot((bytes) => crypto.blake3(bytes), balances) })
  ledger.load(recordsOf(from, rounds))
  return ledger
}

function* recordsOf(from: number, rounds: number): IterableIterator<LedgerRecord> {
  for (const body of paid(from, rounds)) yield { kind: 'settlement', body }
}

interface Run {
  readonly count: number
  readonly keys: Uint8Array
  /** The first four bytes of each key, big-endian: what nearly every comparison needs. */
  readonly heads: Uint32Array
  readonly bodies: Uint8Array
}

function sorted(firstPayer: number, rounds: number): Run {
  const bodies = [...paid(firstPayer, rounds)]
  const hashes = bodies.map((body) => crypto.blake3(body))
  const order = Uint32Array.from(hashes.keys()).sort((a, b) => compareBytes(hashes[a]!, hashes[b]!))
  const run = emptyRun(bodies.length)
  for (const [at, from] of order.entries()) put(run, at, hashes[from]!, bodies[from]!)
  return run
}

function emptyRun(count: number): Run {
  return {
    count,
    keys: new Uint8Array(count * KEY_BYTES),
    heads: new Uint32Array(count),
    bodies: new Uint8Array(count * SETTLEMENT_BYTES),
  }
}

function put(run: Run, at: number, key: Uint8Array, body: Uint8Array): void {
  run.keys.set(key, at * KEY_BYTES)
  run.heads[at] = new DataView(key.buffer, key.byteOffset).getUint32(0)
  run.bodies.set(body, at * SETTLEMENT_BYTES)
}

/** Two sorted runs into one: keys are compared, records copied. Returns how many there are. */
function linearMerge(a: Run, b: Run): number {
  const out = emptyRun(a.count + b.count)
  let [i, j, n] = [0, 0, 0]
  while (i < a.count || j < b.count) {
    const order = i === a.count ? 1 : j === b.count ? -1 : a.heads[i]! - b.heads[j]! || compareKeys(a, i, b, j)
    const [run, at] = order <= 0 ? [a, i] : [b, j]
    out.heads[n] = run.heads[at]!
    out.keys.set(run.keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES), n * KEY_BYTES)
    out.bodies.set(run.bodies.subarray(at * SETTLEMENT_BYTES, (at + 1) * SETTLEMENT_BYTES), n * SETTLEMENT_BYTES)
    n++
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return n
}

function compareKeys(a: Run, i: number, b: Run, j: number): number {
  return compareBytes(
    a.keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES),
    b.keys.subarray(j * KEY_BYTES, (j + 1) * KEY_BYTES),
  )
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function perSecond(count: number, startMs: number): Values {
  return { perSecond: (count * 1_000) / (performance.now() - startMs) }
}

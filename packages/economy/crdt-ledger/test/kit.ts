import { encodeClose, encodeSettlement, NO_SIGNATURE, OPENING_BALANCE_MICRO, type Settlement } from '@nexus/channels'
import { compareBytes, toHex } from '@nexus/codec'
import { genesisSnapshot, Ledger, type LedgerPorts, type LedgerRecord, type Snapshot } from '@nexus/crdt-ledger'
import { nodeCrypto } from '@nexus/crypto/node'
import { nodeIdOf } from '@nexus/identity'

export const crypto = await nodeCrypto()
export const hash = (bytes: Uint8Array): Uint8Array => crypto.blake3(bytes)

export interface Player {
  readonly name: string
  readonly key: Uint8Array
  readonly id: Uint8Array
}

const players = new Map<string, Player>()

/** Someone with a key of no use: the core asks for no signature. */
export function player(name: string): Player {
  const known = players.get(name)
  if (known !== undefined) return known
  const key = hash(new TextEncoder().encode(name))
  const made = { name, key, id: nodeIdOf(crypto, key) }
  players.set(name, made)
  return made
}

export interface Transfer {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly seq: bigint
  /** Tells rivals apart. */
  readonly mark?: number
  readonly channel?: number
  readonly final?: bigint
}

function ordered(from: Player, to: Player): [Player, Player] {
  return compareBytes(from.id, to.id) < 0 ? [from, to] : [to, from]
}

export function settlement({ from, to, amount, seq, mark = 0, channel = 0, final = seq }: Transfer): Uint8Array {
  const [payer, payee] = [player(from), player(to)]
  const [a, b] = ordered(payer, payee)
  const fields: Settlement = {
    channelId: new Uint8Array(16).fill(channel),
    keyA: a.key,
    keyB: b.key,
    amountAToBMicro: a === payer ? amount : -amount,
    prevSequence: 0n,
    finalSequence: final + BigInt(mark) * 1_000_000n,
    payerSeq: seq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  return encodeSettlement(fields)
}

export const pay = (transfer: Transfer): LedgerRecord => ({ kind: 'settlement', body: settlement(transfer) })

export interface Claim {
  /** Who owes, and whom. */
  readonly from: string
  readonly to: string
  readonly owed: bigint
  readonly base: bigint
  readonly last: bigint
  readonly closer: string
  readonly channel?: number
  readonly epoch?: bigint
  /** What `from` had paid at base. */
  readonly paidBefore?: bigint
}

export function close({
  from,
  to,
  owed,
  base,
  last,
  closer,
  channel = 0,
  epoch = 1n,
  paidBefore = 0n,
}: Claim): LedgerRecord {
  const [payer, payee] = [player(from), player(to)]
  const [a, b] = ordered(payer, payee)
  const sign = a === payer ? 1n : -1n
  const tail = (sequence: bigint, paid: bigint) => ({
    balanceAMicro: OPENING_BALANCE_MICRO - sign * paid,
    balanceBMicro: OPENING_BALANCE_MICRO + sign * paid,
    sequence,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  })
  const body = encodeClose({
    channelId: new Uint8Array(16).fill(channel),
    keyA: a.key,
    keyB: b.key,
    base: tail(base, paidBefore),
    last: tail(last, paidBefore + owed),
    closer: player(closer) === a ? 'a' : 'b',
    epoch,
    signature: NO_SIGNATURE,
  })
  return { kind: 'close', body }
}

export function genesis(balances: Readonly<Record<string, bigint>>): Snapshot {
  return genesisSnapshot(
    hash,
    Object.entries(balances).map(([name, balance]) => [player(name).id, balance]),
  )
}

export function replica(snapshot: Snapshot, ports: LedgerPorts = {}): Ledger {
  return new Ledger({ crypto, snapshot }, ports)
}

export function balance(ledger: Ledger, name: string): bigint {
  return ledger.account(player(name).id).balance
}

export function total(ledger: Ledger): bigint {
  let sum = 0n
  for (const id of ledger.accountIds()) sum += ledger.account(id).balance
  return sum
}

export const stateOf = (ledger: Ledger): string => toHex(ledger.stateHash())

/** What a replica keeps, comparably. */
export function kept(ledger: Ledger): string[] {
  return [...ledger.records()].map(({ body }) => toHex(hash(body))).sort()
}

/** Offers all records, over and over, until a whole pass adds nothing. */
export function offerUntilQuiet(ledger: Ledger, records: readonly LedgerRecord[]): void {
  for (let pass = 0; pass <= records.length; pass++) {
    const added = records.filter((record) => ledger.insert(record) === 'kept')
    if (added.length === 0) return
  }
  throw new Error('offering does not come to rest')
}

import { fromHex, toHex } from '@nexus/codec'
import { NONE } from './accounts.ts'
import { type Close, type CloseSet, channelKeyOf, order } from './close-set.ts'
import { LedgerError } from './errors.ts'
import { CLOSE_DELAY_FOLDS, SUPPLY_MAX } from './limits.ts'
import type { Hash } from './merkle.ts'
import { debit } from './rows.ts'
import type { SettlementSet } from './settlement-set.ts'
import { CHANNEL_KEY_BYTES, Snapshot } from './snapshot.ts'
import { type RunEntry, SortedRun } from './sorted-run.ts'
import { Standings } from './standings.ts'

/** New money of an epoch: NodeID and amount in μNXS. */
export type Mint = readonly [nodeId: Uint8Array, amount: bigint]

interface ChannelStanding {
  settled: bigint
  executed: bigint
}

/**
 * The snapshot that follows: settlements as they stand applied, then the closes that are due in the order of their
 * channels, then new money (docs/spec/crdt-ledger.md). A function of the snapshot before, the records kept and the mints.
 * @throws {LedgerError} `ledger/supply` where more would be minted than 2^64 − 1
 */
export function foldRecords(
  hash: Hash,
  before: Snapshot,
  settlements: SettlementSet,
  closes: CloseSet,
  mints: Iterable<Mint>,
): Snapshot {
  const epoch = before.epoch + 1n
  const accounts = new Standings(settlements.accounts)
  const channels = settledChannels(hash, before, settlements)
  const pending = new Map<string, bigint>()
  for (const { key, closes: published } of closes.byChannel()) {
    const channel = channels.get(toHex(key)) ?? { settled: 0n, executed: 0n }
    const heard = published.filter((close) => close.epoch <= epoch && close.lastSequence > channel.settled)
    if (heard.length === 0) continue
    const index = before.pending.find(key)
    const since = index < 0 ? epoch : before.pending.value(0, index)
    const due = epoch >= since + CLOSE_DELAY_FOLDS
    const [judged] = heard.filter((close) => close.baseSequence === channel.settled).sort(order)
    if (!due || judged === undefined) {
      // Begun anew, a claim from the right base that comes later cannot execute at once.
      pending.set(toHex(key), due ? epoch : since)
      continue
    }
    channels.set(toHex(key), { settled: judged.lastSequence, executed: judged.lastSequence })
    execute(judged, accounts, promised(hash, settlements, channels, judged.payerId))
  }
  return new Snapshot(hash, {
    epoch,
    minted: mint(before.minted, accounts, mints),
    accounts: accounts.toRun(),
    channels: runOf(CHANNEL_KEY_BYTES, 2, channels, ({ settled, executed }) => [settled, executed]),
    pending: runOf(CHANNEL_KEY_BYTES, 1, pending, (since) => [since]),
  })
}

/** Channels of the snapshot before, with the greatest sequence that an applied settlement reached in each. */
function settledChannels(hash: Hash, before: Snapshot, { rows }: SettlementSet): Map<string, ChannelStanding> {
  const channels = new Map<string, ChannelStanding>()
  for (let index = 0; index < before.channels.count; index++) {
    const [settled, executed] = [before.channels.value(0, index), before.channels.value(1, index)]
    channels.set(toHex(before.channels.key(index)), { settled, executed })
  }
  for (let row = 0; row < rows.end; row++) {
    if (rows.payer(row) === NONE || rows.appliedAt(row) === 0) continue
    const body = rows.body(row)
    const key = toHex(channelKeyOf(hash, body))
    const channel = channels.get(key) ?? { settled: 0n, executed: 0n }
    const { finalSequence } = debit(body)
    if (finalSequence > channel.settled) channel.settled = finalSequence
    channels.set(key, channel)
  }
  return channels
}

/**
 * Sum of the debits of an account that wait to apply, those of channels closed beyond them left out. They go before its
 * closes: else it could uncover a debit by having a small payment to it taken back, and carry off the rest by a close.
 */
function promised(
  hash: Hash,
  settlements: SettlementSet,
  channels: ReadonlyMap<string, ChannelStanding>,
  nodeId: Uint8Array,
): bigint {
  const { accounts, rows } = settlements
  const slot = accounts.find(nodeId)
  let sum = 0n
  if (slot === NONE) return sum
  for (let seq = accounts.next[slot]!; seq < Math.min(accounts.top[slot]!, accounts.conflict[slot]!); seq++) {
    const row = settlements.rowAt(slot, seq)
    if (row === NONE) continue
    const body = rows.body(row)
    const executed = channels.get(toHex(channelKeyOf(hash, body)))?.executed ?? 0n
    if (debit(body).finalSequence > executed) sum += rows.amount(row)
  }
  return sum
}

/** Pays what is owed, or what is left; nothing from one who signed two debits of a number. */
function execute(close: Close, accounts: Standings, promisedMicro: bigint): void {
  const free = accounts.balance(close.payerId) - promisedMicro
  if (free <= 0n || accounts.isFrozen(close.payerId)) return
  const isCovered = close.amount <= free
  const paid = isCovered ? close.amount : free
  accounts.add(close.payerId, -paid)
  accounts.add(close.payeeId, paid)
}

function mint(minted: bigint, accounts: Standings, mints: Iterable<Mint>): bigint {
  let total = minted
  for (const [nodeId, amount] of mints) {
    if (amount < 0n) throw new RangeError(`a mint of ${amount}`)
    total += amount
    if (total > SUPPLY_MAX) throw new LedgerError({ code: 'ledger/supply' })
    accounts.add(nodeId, amount)
  }
  return total
}

function runOf<Value>(
  keyBytes: number,
  width: number,
  map: ReadonlyMap<string, Value>,
  values: (value: Value) => readonly bigint[],
): SortedRun {
  const entries: RunEntry[] = Array.from(map, ([key, value]) => ({ key: fromHex(key), values: values(value) }))
  return SortedRun.of(keyBytes, width, entries)
}

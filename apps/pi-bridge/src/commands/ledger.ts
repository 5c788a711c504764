import { decodeSettlement } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { type Account, FROZEN_SEQ, type HistoryEntry, networkIdOf, verifyJobsOf } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { nodeIdOf } from '@nexus/identity'
import { Command } from 'commander'
import type { z } from 'zod'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'
import type { StateFlags } from '../cli/state-file.ts'
import { table } from '../cli/table.ts'
import { plural } from '../cli/units.ts'
import { balanceFrom, genesisOf, writeGenesis } from '../economy/genesis-file.ts'
import type { balanceSchema, genesisSchema, historySchema, verifySchema } from '../ledger/schema.ts'
import { nodeIdFrom, type OpenedLedger, openLedger } from '../ledger/stored.ts'

type LedgerContext = Context<StateFlags>
/** Records whose signatures are checked in one call. */
const BATCH = 512

/** `nexus-ledger`: what the ledger in a node's state says, read without a change to it. */
export function ledgerCommand(): Command {
  const command = new Command('nexus-ledger').description(
    'Look at the ledger that a node keeps: balances, settlements, and whether all of it holds.',
  )
  const state = ['--state <file>', 'state file of a node; that of the configuration, if not given'] as const
  command
    .command('balance')
    .description('Show what accounts have, in the state that the records at hand give.')
    .argument('[node-ids...]', 'accounts; all of them, if not given')
    .option(...state)
    .action(action<StateFlags>((context, ...nodeIds) => showBalances(context, nodeIds)))
  command
    .command('history')
    .description('Show the settlements of an account since the last snapshot.')
    .argument('<node-id>', 'account')
    .option(...state)
    .action(action<StateFlags>((context, nodeId) => showHistory(context, nodeId!)))
  command
    .command('verify')
    .description('Check snapshot, sums, form and every signature again; exit code 1 where something does not hold.')
    .option(...state)
    .action(action<StateFlags>((context) => verify(context)))
  command
    .command('genesis')
    .description('Write the file that an economy begins with: who starts with how much. Every node of it gets a copy.')
    .argument('<file>', 'file to write; one that exists is not overwritten')
    .argument('<balances...>', 'NodeID=amount in µNXS, for each account that does not begin with nothing')
    .action(action<StateFlags>((context, file, ...balances) => makeGenesis(context, file!, balances)))
  return command
}

async function makeGenesis({ out }: LedgerContext, file: string, texts: readonly string[]): Promise<undefined> {
  const crypto = await nodeCrypto()
  const genesis = genesisOf(crypto, texts.map(balanceFrom))
  writeGenesis(file, genesis)
  const networkId = toHex(networkIdOf(genesis))
  out.json({
    schema: 'nexus-ledger-genesis/1',
    file,
    networkId,
    root: toHex(genesis.root),
    accounts: genesis.accounts.count,
    mintedMicro: `${genesis.minted}`,
  } satisfies z.infer<typeof genesisSchema>)
  const accounts = plural(genesis.accounts.count, 'account')
  out.print(`${file}: ${accounts} with ${amountText(genesis.minted)} µNXS in all; the economy is ${networkId}.`)
  return undefined
}

async function showBalances({ global, flags, out }: LedgerContext, nodeIds: readonly string[]): Promise<undefined> {
  const { ledger } = openLedger(await nodeCrypto(), global, flags)
  const wanted = nodeIds.length > 0 ? nodeIds.map(nodeIdFrom) : [...ledger.accountIds()]
  const accounts = wanted.map((nodeId) => ledger.account(nodeId)).sort(byBalance)
  out.json({
    schema: 'nexus-ledger-balance/1',
    epoch: `${ledger.snapshot.epoch}`,
    accounts: accounts.map((account) => ({
      nodeId: toHex(account.nodeId),
      balanceMicro: `${account.balance}`,
      earnedMicro: `${account.earned}`,
      spentMicro: `${account.spent}`,
      waitingMicro: `${account.waiting}`,
      nextPayerSeq: `${account.nextSeq}`,
      frozen: account.nextSeq === FROZEN_SEQ,
    })),
  } satisfies z.infer<typeof balanceSchema>)
  const rows = accounts.map(({ nodeId, balance, earned, spent, waiting, nextSeq }) => [
    toHex(nodeId),
    ...[balance, earned, spent, waiting].map(amountText),
    nextSeq === FROZEN_SEQ ? 'frozen' : `${nextSeq}`,
  ])
  const right = ['balance, µNXS', 'earned', 'spent', 'waiting', 'next'].map(
    (title) => ({ title, align: 'right' }) as const,
  )
  out.print(table([{ title: 'account' }, ...right], rows, out.colors))
  return undefined
}

async function showHistory({ global, flags, out }: LedgerContext, text: string): Promise<undefined> {
  const crypto = await nodeCrypto()
  const nodeId = nodeIdFrom(text)
  const { ledger } = openLedger(crypto, global, flags)
  const entries = [...ledger.history(nodeId)].map((entry) => plainEntry(crypto, nodeId, entry))
  out.json({ schema: 'nexus-ledger-history/1', nodeId: toHex(nodeId), entries } satisfies z.infer<typeof historySchema>)
  const rows = entries.map((entry) => [
    entry.role === 'payer' ? 'to' : 'from',
    entry.with,
    amountText(BigInt(entry.amountMicro)),
    entry.payerSeq,
    entry.applied ? 'applied' : 'waits',
  ])
  const columns = [
    { title: '' },
    { title: 'account' },
    { title: 'µNXS', align: 'right' },
    { title: 'number', align: 'right' },
    { title: 'state' },
  ] as const
  out.print(table(columns, rows, out.colors))
  return undefined
}

function plainEntry(
  crypto: Crypto,
  nodeId: Uint8Array,
  { settlement, role, applied }: HistoryEntry,
): z.infer<typeof historySchema>['entries'][number] {
  const { keyA, keyB, amountAToBMicro, payerSeq, channelId, finalSequence } = decodeSettlement(settlement)
  const [a, b] = [nodeIdOf(crypto, keyA), nodeIdOf(crypto, keyB)].map(toHex) as [string, string]
  return {
    role,
    with: a === toHex(nodeId) ? b : a,
    amountMicro: `${amountAToBMicro < 0n ? -amountAToBMicro : amountAToBMicro}`,
    payerSeq: `${payerSeq}`,
    channelId: toHex(channelId),
    finalSequence: `${finalSequence}`,
    applied,
  }
}

async function verify({ global, flags, out }: LedgerContext): Promise<number> {
  const crypto = await nodeCrypto()
  const opened = openLedger(crypto, global, flags)
  const problems = await problemsOf(crypto, opened)
  const { ledger, stored, path } = opened
  const facts = {
    schema: 'nexus-ledger-verify/1',
    ok: problems.length === 0,
    networkId: stored.networkId === undefined ? null : toHex(stored.networkId),
    epoch: `${ledger.snapshot.epoch}`,
    snapshotRoot: toHex(ledger.snapshot.root),
    stateHash: toHex(ledger.stateHash()),
    mintedMicro: `${ledger.snapshot.minted}`,
    accounts: [...ledger.accountIds()].length,
    settlements: { kept: ledger.settlementCount, applied: ledger.appliedCount },
    closes: ledger.closeCount,
    conflicts: [...ledger.conflicts()].map(({ payerId, payerSeq }) => ({
      payer: toHex(payerId),
      payerSeq: `${payerSeq}`,
    })),
    problems,
  } satisfies z.infer<typeof verifySchema>
  out.json(facts)
  out.print(verdictText(path, facts))
  return facts.ok ? EXIT.ok : EXIT.failed
}

function verdictText(path: string, facts: z.infer<typeof verifySchema>): string {
  const { settlements, conflicts, problems } = facts
  const sum = `${plural(facts.accounts, 'account')} hold ${amountText(BigInt(facts.mintedMicro))} µNXS, all that was minted`
  return [
    `${path}: epoch ${facts.epoch}, state ${facts.stateHash.slice(0, 16)}`,
    sum,
    `${plural(settlements.kept, 'settlement')} since the snapshot, ${settlements.applied} applied; ${plural(facts.closes, 'close')}`,
    ...conflicts.map(({ payer, payerSeq }) => `${payer} signed two settlements of number ${payerSeq}: it is frozen`),
    ...problems.map((problem) => `does not hold: ${problem}`),
    problems.length === 0 ? 'Everything holds.' : `${plural(problems.length, 'problem')} found.`,
  ].join('\n')
}

/** What does not hold: damaged entries, records of wrong form or signature, money that came from nowhere. */
async function problemsOf(crypto: Crypto, { stored, ledger }: OpenedLedger): Promise<string[]> {
  const problems = stored.damaged.map(({ key, why }) => `${key}: ${why}`)
  if (stored.networkId === undefined) return [...problems, 'the state names no network, so no signature can be checked']
  for (let at = 0; at < stored.records.length; at += BATCH) {
    const batch = stored.records.slice(at, at + BATCH)
    const jobs = batch.map((record) => verifyJobsOf(crypto, stored.networkId!, record))
    const verdicts = await crypto.verifyBatch(jobs.flatMap((some) => some ?? []))
    let next = 0
    for (const [index, { kind, body }] of batch.entries()) {
      const count = jobs[index]?.length ?? 0
      const holds = count > 0 && verdicts.slice(next, next + count).every((verdict) => verdict)
      next += count
      if (!holds) problems.push(`${kind} ${toHex(crypto.blake3(body)).slice(0, 16)}: form or signatures`)
    }
  }
  let sum = 0n
  for (const nodeId of ledger.accountIds()) sum += ledger.account(nodeId).balance
  if (sum !== ledger.snapshot.minted) problems.push(`the balances sum to ${sum}, not to ${ledger.snapshot.minted}`)
  return problems
}

const byBalance = (a: Account, b: Account): number => (a.balance === b.balance ? 0 : a.balance > b.balance ? -1 : 1)

/** Digits in groups of three. */
const amountText = (amount: bigint): string => `${amount}`.replace(/\B(?=(\d{3})+$)/g, '\u202f')

import { join } from 'node:path'
import { toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { type ExportPage, type Recount, recount, type Vault } from '@nexus/vault'
import {
  backupPostgresLedger,
  openPostgresVault,
  readPostgresLedger,
  restorePostgresLedger,
} from '@nexus/vault/postgres'
import { backupSqliteLedger, openSqliteVault, readSqliteLedger, restoreSqliteLedger } from '@nexus/vault/sqlite'
import { Command } from 'commander'
import { CommandFailure } from '../cli/failure.ts'
import { action, type GlobalFlags } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import type { Loaded } from '../config/load.ts'
import { entryJson, totalsJson } from '../http/schemas.ts'
import { LEDGER_FILE } from '../run/gateway.ts'
import { readSeed } from '../run/keys.ts'
import { exportPages, exportPerson } from './ledger.ts'
import { addClientOptions, addSettings, type ClientFlags, clientOf, configOf } from './options.ts'

export function backupCommand(): Command {
  return addSettings(new Command('backup'))
    .description('one moment of the ledger as one file, counted again; the gateway may go on')
    .argument('<file>', 'which must not be there yet')
    .action(
      action(async ({ out, global, flags }, file) => {
        const config = configOf(global, flags as object)
        const options = { to: file!, crypto: await nodeCrypto(), progress: progressOf(out) }
        const found = isPostgres(config)
          ? await backupPostgresLedger({ url: config.database, ...options })
          : await backupSqliteLedger({ path: ledgerOf(config), ...options })
        out.data({ file, ...countJson(found) }, `${found.entries} entries of ${found.accounts} accounts are in ${file}`)
      }),
    )
}

interface RestoreFlags {
  readonly replace?: boolean
}

export function restoreCommand(): Command {
  return addSettings(new Command('restore'))
    .description('put a backup in place after a full recount; the gateway must be down')
    .argument('<file>', 'a backup, or the ledger file of SQLite that moves to PostgreSQL')
    .option('--replace', 'in place of the ledger that stands there, which is kept beside it')
    .action(
      action<RestoreFlags>(async ({ out, global, flags }, file) => {
        const config = configOf(global, flags)
        const crypto = await nodeCrypto()
        const publicKey = crypto.publicKey(readSeed(crypto, config.identity))
        const options = { from: file!, publicKey, crypto, progress: progressOf(out) }
        const found = isPostgres(config)
          ? await restorePostgresLedger({ url: config.database, ...options })
          : await restoreSqliteLedger({ path: ledgerOf(config), replace: flags.replace === true, ...options })
        out.data(countJson(found), `${found.entries} entries of ${found.accounts} accounts are in place`)
      }),
    )
}

export function recountCommand(): Command {
  return addSettings(new Command('recount'))
    .description('compute every split, total, root and signature again; the gateway may go on')
    .action(
      action(async ({ out, global, flags }) => {
        const config = configOf(global, flags as object)
        const ledger = isPostgres(config)
          ? await readPostgresLedger({ url: config.database })
          : readSqliteLedger(ledgerOf(config))
        const found = await recount(await nodeCrypto(), ledger, progressOf(out)).finally(() => ledger.close())
        if (found.faults.length > 0) {
          const message = `the ledger contradicts itself:\n  ${found.faults.join('\n  ')}`
          throw new CommandFailure({ exit: 'failed', code: 'vault/corrupt', message })
        }
        const { entries, accounts, heads } = found
        out.data(countJson(found), `${entries} entries, ${accounts} accounts, ${heads} heads: no fault`)
      }),
    )
}

interface PersonFlags extends Partial<ClientFlags> {
  readonly out?: string
}

export function eraseCommand(): Command {
  return personOptions(new Command('erase'))
    .description('forget who is behind an account: with --key as the person, else in the ledger itself')
    .action(
      action<PersonFlags>(async ({ out, global, flags }, account) => {
        const erased = await person(global, flags, account!, {
          through: (client) => client.delete<{ erased: boolean }>(`/v1/accounts/${encodeURIComponent(account!)}`),
          within: async (vault) => ({ erased: await vault.erase(account!) }),
        })
        out.data(
          erased,
          erased.erased ? 'forgotten; the entries and their proofs stay' : 'nobody of this name was known',
        )
      }),
    )
}

export function exportCommand(): Command {
  return personOptions(new Command('export'))
    .description(
      'everything that the ledger holds of a person, as JSON lines: with --key as the person, else from the ledger',
    )
    .option('-o, --out <file>', 'write it to a file')
    .action(
      action<PersonFlags>(async ({ out, global, flags }, account) => {
        const pages = await person(global, flags, account!, {
          through: (client) => exportPerson(flags, exportPages(client, account!)),
          within: (vault) => exportPerson(flags, ledgerPages(vault, account!)),
        })
        if (pages === 0)
          throw new CommandFailure({ exit: 'notFound', code: 'unknown', message: 'nothing is known of this identity' })
        if (flags.out !== undefined) out.data({ file: flags.out, pages }, `the export is in ${flags.out}`)
      }),
    )
}

export function anchorCommand(): Command {
  return addClientOptions(new Command('anchor'))
    .description('let the newest head wait for every chain that does not have it')
    .action(
      action<ClientFlags>(async ({ out, global, flags }) => {
        const { client } = await clientOf(global, flags)
        const { chains } = await client.post<{ chains: string[] }>('/v1/anchors', undefined)
        out.data({ chains }, chains.length === 0 ? 'every chain has it' : `waits for ${chains.join(', ')}`)
      }),
    )
}

function personOptions(command: Command): Command {
  return addSettings(command)
    .argument('<account>', 'DID or alike')
    .option('--key <file>', 'identity file of the person: asks the gateway')
    .option('--key-passphrase-file <file>', 'file with its passphrase')
    .option('--gateway <origin>', 'the gateway')
}

interface TwoWays<T> {
  readonly through: (client: Awaited<ReturnType<typeof clientOf>>['client']) => Promise<T>
  readonly within: (vault: Vault) => Promise<T>
}

/** As the person through the gateway; without a key in the ledger, which in SQLite no gateway may hold meanwhile. */
async function person<T>(global: GlobalFlags, flags: PersonFlags, _: string, ways: TwoWays<T>): Promise<T> {
  if (flags.key !== undefined) return ways.through((await clientOf(global, flags as ClientFlags)).client)
  const config = configOf(global, flags)
  const crypto = await nodeCrypto()
  const vault = await openLedger(config, crypto)
  return ways.within(vault).finally(() => vault.close())
}

function openLedger(config: Loaded, crypto: Crypto): Promise<Vault> {
  const seed = readSeed(crypto, config.identity)
  if (isPostgres(config)) return openPostgresVault({ url: config.database, seed, crypto })
  return openSqliteVault({ path: ledgerOf(config), seed, crypto })
}

async function* ledgerPages(vault: Vault, account: string): AsyncGenerator<unknown> {
  let page: ExportPage | undefined = await vault.export(account)
  while (page !== undefined) {
    const { identity, salt, pseudonym, totals, credited, asked, next } = page
    yield {
      identity,
      salt: toHex(salt),
      pseudonym: toHex(pseudonym),
      ...(totals && { totals: totalsJson(totals) }),
      credited: credited.map(entryJson),
      asked: asked.map(entryJson),
    }
    page = next === undefined ? undefined : await vault.export(account, next)
  }
}

function isPostgres({ database }: Loaded): boolean {
  return database !== ''
}

function ledgerOf({ stateDir }: Loaded): string {
  return join(stateDir, LEDGER_FILE)
}

function countJson({ entries, accounts, heads, totals }: Recount) {
  return { schema: 'nexus-gateway-recount/1', entries, accounts, heads, totals: totalsJson(totals) }
}

/** Says now and then how far a count is. */
function progressOf(out: Output): (entries: number) => void {
  let said = 0
  return (entries) => {
    if (entries - said < 100_000) return
    said = entries
    out.say(`${entries} entries counted`)
  }
}

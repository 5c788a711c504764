import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fromHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { Command } from 'commander'
import type { z } from 'zod'
import { CommandFailure } from '../cli/failure.ts'
import { action } from '../cli/frame.ts'
import type { entry, page, personalData, receipt } from '../http/schemas.ts'
import { type Verdict, verifyProof } from '../verify.ts'
import { addClientOptions, type ClientFlags, clientOf } from './options.ts'

type Entry = z.infer<typeof entry>

interface EntryFlags extends ClientFlags {
  readonly idempotencyKey?: string
}

export function entryCommand(): Command {
  return addClientOptions(new Command('entry'))
    .description('allocate an amount to an account')
    .argument('<account>', 'DID or alike of whose account it is')
    .argument('<amount>', 'smallest units')
    .option('--idempotency-key <key>', 'the same again to repeat a request; random if not given')
    .action(
      action<EntryFlags>(async ({ out, global, flags }, account, amount) => {
        const { client } = await clientOf(global, flags)
        const made = await client.post<z.infer<typeof receipt>>(
          '/v1/entries',
          { account, amount },
          flags.idempotencyKey,
        )
        out.data(made, `${entryLine(made.entry)}\nroot of ${made.head.size} entries: ${made.head.root}`)
      }),
    )
}

interface HistoryFlags extends ClientFlags {
  readonly count: string
  readonly cursor?: string
}

export function historyCommand(): Command {
  return addClientOptions(new Command('history'))
    .description('entries of the log, or of one account, newest first')
    .argument('[account]')
    .option('-n, --count <count>', 'entries of the page', '20')
    .option('--cursor <cursor>', 'goes on where a page ended')
    .action(
      action<HistoryFlags>(async ({ out, global, flags }, account) => {
        const { client } = await clientOf(global, flags)
        const query = new URLSearchParams({ count: flags.count, ...(flags.cursor && { cursor: flags.cursor }) })
        const of = account === undefined ? '/v1/entries' : `/v1/accounts/${encodeURIComponent(account)}/entries`
        const found = await client.get<z.infer<typeof page>>(`${of}?${query}`)
        const more = found.next === undefined ? [] : [`more: --cursor ${found.next}`]
        out.data(found, [...found.entries.map(entryLine), ...more].join('\n') || 'no entries')
      }),
    )
}

interface ProveFlags extends ClientFlags {
  readonly account?: string
  readonly bundle?: boolean
  readonly out?: string
}

export function proveCommand(): Command {
  return addClientOptions(new Command('prove'))
    .description('fetch the proof of an entry, for anyone to verify')
    .argument('<index>', 'of the entry')
    .option('--account <did>', 'whose entry it is: needed without the role of an auditor')
    .option('--bundle', 'with the receipts of chains, for nexus-verify')
    .option('-o, --out <file>', 'write it to a file')
    .action(
      action<ProveFlags>(async ({ out, global, flags }, index) => {
        const { client } = await clientOf(global, flags)
        const query = flags.account === undefined ? '' : `?${new URLSearchParams({ account: flags.account })}`
        const path = `/v1/entries/${encodeURIComponent(index!)}/${flags.bundle ? 'bundle' : 'proof'}${query}`
        const text = `${JSON.stringify(await client.get(path), null, 2)}\n`
        if (flags.out === undefined) return out.data(JSON.parse(text), text.trimEnd())
        writeFileSync(flags.out, text)
        out.data({ file: flags.out }, `the proof is in ${flags.out}`)
      }),
    )
}

interface VerifyFlags {
  readonly publicKey?: string
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check a proof without asking the gateway')
    .argument('<file>', 'as prove wrote it')
    .option('--public-key <hex>', 'key of the gateway, known from elsewhere')
    .action(
      action<VerifyFlags>(async ({ out, flags }, file) => {
        const crypto = await nodeCrypto()
        const verdict = verifyProof(crypto, readFileSync(file!, 'utf8'), flags.publicKey && fromHex(flags.publicKey))
        if (!verdict.holds)
          throw new CommandFailure({
            exit: 'refused',
            code: 'proof',
            message: `the proof does not hold: ${verdict.why}`,
          })
        out.data({ schema: 'nexus-gateway-verdict/1', ...verdict }, verdictText(verdict))
      }),
    )
}

/**
 * Writes pages as JSON lines to stdout or to a file that only its owner reads; returns how many there were. The file is
 * put in place when all are there: before, and where there are none, what stood under its name stays.
 */
export async function exportPerson({ out }: { readonly out?: string }, pages: AsyncIterable<unknown>): Promise<number> {
  const lines: string[] = []
  for await (const one of pages) lines.push(`${JSON.stringify(one)}\n`)
  if (lines.length === 0) return 0
  if (out === undefined) process.stdout.write(lines.join(''))
  else replaceFile(out, lines.join(''))
  return lines.length
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(temporary, { force: true })
    throw error
  }
}

/** Pages of an export through the gateway. */
export async function* exportPages(
  client: { get<T>(path: string): Promise<T> },
  account: string,
): AsyncGenerator<z.infer<typeof personalData>> {
  let cursor: string | undefined
  do {
    const query = cursor === undefined ? '' : `?${new URLSearchParams({ cursor })}`
    const found = await client.get<z.infer<typeof personalData>>(
      `/v1/accounts/${encodeURIComponent(account)}/export${query}`,
    )
    yield found
    cursor = found.next
  } while (cursor !== undefined)
}

function entryLine({ index, amount, creator, pool, fee, timeMs }: Entry): string {
  return `#${index}  ${new Date(timeMs).toISOString()}  ${amount} = creator ${creator} + pool ${pool} + fee ${fee}`
}

function verdictText({ index, size, publicKey, isKnownKey }: Verdict): string {
  const key = isKnownKey
    ? 'the key that you named'
    : `the key ${publicKey}: compare it with what the gateway says elsewhere`
  return `entry ${index} is one of ${size}, in the log of ${key}`
}

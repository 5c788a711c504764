import { readFileSync } from 'node:fs'
import { fromHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { http } from 'viem'
import { decodeBundle, type ProofBundle } from '../../bundle.ts'
import type { ChainReader } from '../../chain.ts'
import type { Level } from '../../check.ts'
import { AnchoringError } from '../../errors.ts'
import { openEvmReader } from '../../evm/reader.ts'
import { BUNDLE_CHARS_MAX } from '../../limits.ts'
import { type Verification, verifyBundle } from '../../verify.ts'
import { openTonReader } from '../ton/reader.ts'
import { type Output, STREAMS } from './output.ts'
import { printVerification, verificationJson } from './report.ts'

/** What the exit code says. */
export const VERIFY_EXIT = { ok: 0, refuted: 1, usage: 2, unanswered: 3 } as const

const LEVELS: readonly Level[] = ['gateway-signed', 'read-from-chain', 'proved']
const SERVER_MS = 10_000

const HELP = `
Levels, each on top of the one before:
  gateway-signed   the entry stands under a head that the log's key signed; name that key with --key,
                   or the proof says only that somebody's key did
  read-from-chain  a chain holds that head, on the word of the servers named with --rpc or --ton
  proved           the state after a block holds that head; you trust the hash given with --block,
                   and no server: take it from a source of your own; for EVM chains alone

Exit codes:
  0  the proof holds, at the level asked for
  1  it does not, or a chain contradicts it
  2  the command line was wrong, or the file is no proof
  3  what was asked for could not be found out: a server did not answer

Examples:
  nexus-verify entry-7.json --key 3b6a27…
  nexus-verify entry-7.json --key 3b6a27… --rpc https://polygon.example
  nexus-verify entry-7.json --key 3b6a27… --block 0x8f12… --level proved --json`

interface Flags {
  readonly key?: Uint8Array
  readonly rpc?: readonly string[]
  readonly ton?: readonly string[]
  readonly block?: readonly Uint8Array[]
  readonly level?: Level
  readonly json?: boolean
}

/** Runs `nexus-verify`; resolves to its exit code. */
export async function runVerify(args: readonly string[], output: Output = STREAMS): Promise<number> {
  let exit: number = VERIFY_EXIT.ok
  const program = verifyCommand(output, async (file, flags) => {
    exit = await verify(file, flags, output)
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? VERIFY_EXIT.ok : VERIFY_EXIT.usage
    output.err(`${(error as Error).message}\n`)
    const isBundle = error instanceof AnchoringError && error.detail.code === 'anchoring/bundle'
    const isFile = (error as NodeJS.ErrnoException).code !== undefined
    return isBundle || isFile ? VERIFY_EXIT.usage : VERIFY_EXIT.unanswered
  }
}

function verifyCommand(output: Output, act: (file: string, flags: Flags) => Promise<void>): Command {
  const several =
    <T>(parse: (text: string) => T) =>
    (text: string, before: readonly T[] = []) => [...before, parse(text)]
  return new Command('nexus-verify')
    .description('Checks the proof of a ledger entry, and says on whose word it holds.')
    .argument('<file>', 'the proof bundle, or - for standard input')
    .option('--key <hex>', "the gateway's log key, 32 bytes", bytes32)
    .option('--rpc <url>', 'a server of an EVM chain to read from; may be given again', several(String))
    .option(
      '--ton <url>',
      "a TON chain's server to read from (TON Center's jsonRPC); may be given again",
      several(String),
    )
    .option('--block <hash>', 'hash of a block that you trust; may be given again', several(bytes32))
    .addOption(
      new Option('--level <level>', 'the level to reach; the highest that was asked for if not given').choices(LEVELS),
    )
    .option('--json', 'print one JSON value')
    .addHelpText('after', HELP)
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .exitOverride()
    .action(act)
}

async function verify(file: string, flags: Flags, output: Output): Promise<number> {
  const bundle = readBundle(file)
  const readers: ChainReader[] = []
  for (const url of flags.rpc ?? []) readers.push(await openEvmReader(http(url, { timeout: SERVER_MS, retryCount: 1 })))
  for (const url of flags.ton ?? []) readers.push(await openTonReader({ url }))
  const verification = await verifyBundle(await nodeCrypto(), bundle, {
    ...(flags.key && { trustedKey: flags.key }),
    readers,
    trustedBlocks: flags.block ?? [],
  })
  const wanted = flags.level ?? wantedBy(flags)
  const exit = exitOf(verification, wanted)
  const facts = { bundle, verification, wanted, holds: exit === VERIFY_EXIT.ok, keyTrusted: flags.key !== undefined }
  output.out(flags.json === true ? `${JSON.stringify(verificationJson(facts))}\n` : printVerification(facts))
  return exit
}

function readBundle(file: string): ProofBundle {
  const text = readFileSync(file === '-' ? 0 : file)
  if (text.length > BUNDLE_CHARS_MAX) throw new AnchoringError({ code: 'anchoring/bundle', what: 'it is too long' })
  return decodeBundle(text.toString('utf8'))
}

function wantedBy({ rpc, ton, block }: Flags): Level {
  if (block !== undefined) return 'proved'
  return (rpc ?? ton) !== undefined ? 'read-from-chain' : 'gateway-signed'
}

function exitOf({ level, contradicted, findings }: Verification, wanted: Level): number {
  if (contradicted || level === 'none') return VERIFY_EXIT.refuted
  if (LEVELS.indexOf(level) >= LEVELS.indexOf(wanted)) return VERIFY_EXIT.ok
  return findings.some(({ reading }) => reading?.kind === 'unanswered') ? VERIFY_EXIT.unanswered : VERIFY_EXIT.refuted
}

function bytes32(text: string): Uint8Array {
  const digits = text.replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new InvalidArgumentError('It must be 32 bytes of hexadecimal.')
  return fromHex(digits)
}

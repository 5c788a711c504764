import { type Command, CommanderError, Option } from 'commander'
import { VERSION } from '../version.ts'
import { EXIT, exitCodesHelp } from './exit-codes.ts'
import { type CommandFailure, failureOf } from './failure.ts'
import { createOutput, type Output } from './output.ts'

/** What every command takes. */
export interface GlobalFlags {
  readonly json: boolean
  readonly config?: string
}

/** What a command's action gets: its output, the global flags, its own, and when to end. */
export interface Context<Flags> {
  readonly out: Output
  readonly global: GlobalFlags
  readonly flags: Flags
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
}

/** Makes a command's action: `act` gets the context and the positional arguments. */
export function action<Flags>(
  act: (context: Context<Flags>, ...args: string[]) => Promise<void> | void,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.pop() as Command
    given.pop()
    const global = globalFlags(command)
    const ended = new AbortController()
    const end = (): void => ended.abort()
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end)
    try {
      const context = { out: createOutput(global.json), global, flags: command.opts() as Flags, signal: ended.signal }
      await act(context, ...(given.filter((arg) => arg !== undefined) as string[]))
    } finally {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end)
    }
  }
}

/** Runs the command line, to its exit code. */
export async function main(program: Command, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  prepare(program)
  // What reads us may close its end: `nexus-gateway history | head -1` is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
    else process.exitCode = report(failureOf(error), globalFlags(program))
  }
}

function prepare(program: Command): void {
  program
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(new Option('--json', 'print JSON, a value a line'))
    .addOption(new Option('--config <file>', 'configuration file, TOML or YAML').env('NEXUS_GATEWAY_CONFIG'))
    .addHelpText('afterAll', `\n${exitCodesHelp()}`)
    .helpCommand('help [command]', 'print the help of a command')
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true })
      .helpOption('-h, --help', 'print this help')
      .configureOutput({
        outputError: (text, write) => {
          const message = text.trim().replace(/^error: /, '')
          const { json } = globalFlags(program)
          write(`${json ? JSON.stringify({ error: { code: 'usage', message } }) : `nexus-gateway: ${message}`}\n`)
        },
      })
  }
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function globalFlags(command: Command): GlobalFlags {
  const { json, config } = command.optsWithGlobals<GlobalFlags>()
  return { json: json === true, ...(config !== undefined && { config }) }
}

function report(failure: CommandFailure, { json }: GlobalFlags): number {
  const { code, message, next } = failure.facts
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, ...(next && { next }) } })}\n`)
  else process.stderr.write(`nexus-gateway: ${message}\n${next === undefined ? '' : `Next: ${next}\n`}`)
  if (process.env['NEXUS_DEBUG']) process.stderr.write(`${failure.cause instanceof Error ? failure.cause.stack : ''}\n`)
  return failure.exitCode
}

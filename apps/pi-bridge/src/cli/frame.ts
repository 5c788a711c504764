import { type Command, CommanderError, Option } from 'commander'
import { EXIT, exitCodesHelp } from './exit-codes.ts'
import { type CommandFailure, failureOf } from './failure.ts'
import { type ColorChoice, createOutput, type Output, useColor } from './output.ts'
import { VERSION } from './version.ts'

/** What every command takes. */
export interface GlobalFlags {
  readonly json: boolean
  readonly color: ColorChoice
  readonly socket?: string
  readonly config?: string
}

/** A command with what its action gets: its output, the global flags, and its own. */
export interface Context<Flags> {
  readonly out: Output
  readonly global: GlobalFlags
  readonly flags: Flags
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
}

/**
 * Makes a command's action: `act` gets the context and the positional arguments. A returned number is the exit code.
 */
export function action<Flags>(
  act: (context: Context<Flags>, ...args: string[]) => Promise<number | undefined> | number | undefined,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.pop() as Command
    given.pop()
    const global = globalFlags(command)
    const ended = new AbortController()
    const end = (): void => ended.abort()
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end)
    try {
      const flags = command.opts() as Flags
      const context = { out: createOutput(global), global, flags, signal: ended.signal }
      process.exitCode =
        (await act(context, ...(given.flat().filter((arg) => arg !== undefined) as string[]))) ?? EXIT.ok
    } finally {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end)
    }
  }
}

/** Runs the command line of one program, to its exit code. */
export async function main(program: Command, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  prepare(program)
  // What reads us may close its end: `nexus-listen | head -1` is no error.
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

/** Adds the flags that every command takes to the program that the command line begins with. */
export function addGlobalFlags(program: Command): void {
  program
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(new Option('--json', 'print JSON, a value a line, as in docs/schemas'))
    .addOption(new Option('--socket <path>', 'control socket of the node').env('NEXUS_SOCKET'))
    .addOption(new Option('--config <file>', 'configuration file, TOML or YAML').env('NEXUS_CONFIG'))
    .addOption(new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'))
    .addHelpText('afterAll', `\n${exitCodesHelp()}`)
}

/** Gives all commands of a program the same manners. */
function prepare(program: Command): void {
  addGlobalFlags(program)
  if (program.commands.length > 0) program.helpCommand('help [command]', 'print the help of a command')
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true })
      .helpOption('-h, --help', 'print this help')
      .configureOutput({
        outputError: (text, write) => {
          const { json } = globalFlags(program)
          const message = text.trim().replace(/^error: /, '')
          write(
            json ? `${JSON.stringify({ error: { code: 'usage', message } })}\n` : `${fullName(command)}: ${message}\n`,
          )
          if (!json) write(`Try: ${fullName(command)} --help\n`)
        },
      })
  }
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function globalFlags(command: Command): GlobalFlags {
  const { json, color, socket, config } = command.optsWithGlobals<GlobalFlags>()
  return {
    json: json === true || process.argv.includes('--json'),
    color: color ?? 'auto',
    ...(socket === undefined ? {} : { socket }),
    ...(config === undefined ? {} : { config }),
  }
}

function report(failure: CommandFailure, { json, color }: GlobalFlags): number {
  const { code, message, next } = failure.facts
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, ...(next === undefined ? {} : { next }) } })}\n`)
  } else {
    const [red, reset] = useColor(color, process.stderr.isTTY) ? ['\u001b[31m', '\u001b[39m'] : ['', '']
    process.stderr.write(`${red}error:${reset} ${message}\n`)
    if (next !== undefined) process.stderr.write(`  ${next}\n`)
    if (code === 'internal' && process.env['NEXUS_DEBUG'] && failure.cause instanceof Error) {
      process.stderr.write(`${failure.cause.stack}\n`)
    }
  }
  return failure.exitCode
}

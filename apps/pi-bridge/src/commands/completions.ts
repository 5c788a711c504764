import { Argument, Command, type Option } from 'commander'
import { action, addGlobalFlags } from '../cli/frame.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `nexus completions`: scripts that teach a shell every command; `programs` are those to be completed. */
export function completionsCommand(programs: () => readonly Command[]): Command {
  return new Command('completions')
    .description('Print a completion script: nexus completions bash > ~/.local/share/bash-completion/completions/nexus')
    .addArgument(new Argument('<shell>', 'for which shell').choices([...SHELLS]))
    .action(
      action(async (_context, shell) => {
        process.stdout.write(completionScript(shell as (typeof SHELLS)[number], programs()))
        return undefined
      }),
    )
}

/** One place on the command line, and what may be typed there. */
interface Place {
  /** Words before it: `['nexus-node', 'config']`. */
  readonly words: readonly string[]
  readonly subcommands: readonly Command[]
  readonly options: readonly Option[]
}

/**
 * A script for a shell. It holds all words itself, so that completing starts no program: on a small board Node takes a
 * second for that.
 */
export function completionScript(shell: (typeof SHELLS)[number], programs: readonly Command[]): string {
  for (const program of programs) if (program.version() === undefined) addGlobalFlags(program)
  const places = programs.flatMap((program) => placesOf(program, [program.name()], program.options))
  if (shell === 'fish') return fishScript(places)
  return shell === 'bash'
    ? bashScript(places, programs)
    : `#compdef ${names(programs)}\nautoload -U bashcompinit && bashcompinit\n${bashScript(places, programs)}`
}

function placesOf(command: Command, words: readonly string[], globals: readonly Option[]): Place[] {
  const subcommands = command.commands.filter((each) => !isHidden(each))
  const own = command.options.filter((option) => !option.hidden)
  const options = [...new Set([...own, ...globals])]
  return [
    { words, subcommands, options },
    ...subcommands.flatMap((each) => placesOf(each, [...words, each.name()], globals)),
  ]
}

function isHidden(command: Command): boolean {
  return (command as Command & { _hidden?: boolean })._hidden === true
}

const names = (programs: readonly Command[]): string => programs.map((program) => program.name()).join(' ')
const flagsOf = (options: readonly Option[]): string[] => [
  ...options.map((option) => option.long ?? option.short ?? ''),
  '--help',
]

function bashScript(places: readonly Place[], programs: readonly Command[]): string {
  const words = places.map(({ words: at, subcommands, options }) => {
    const all = [...subcommands.map((each) => each.name()), ...flagsOf(options)].join(' ')
    return `    ${JSON.stringify(at.join(' '))}) words=${JSON.stringify(all)} ;;`
  })
  const choices = new Map<string, string>()
  for (const { options } of places) {
    for (const { long, argChoices } of options)
      if (long !== undefined && argChoices) choices.set(long, argChoices.join(' '))
  }
  const values = [...choices].map(
    ([flag, all]) => `    ${flag}) COMPREPLY=($(compgen -W ${JSON.stringify(all)} -- "$word")); return ;;`,
  )
  const files =
    '    --*file|--config|--socket|--state-dir|--out|--bundle|-o|-f) COMPREPLY=($(compgen -f -- "$word")); return ;;'
  return [
    '_nexus_complete() {',
    `  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" place words candidate at`,
    '  case "$before" in',
    ...values,
    files,
    '  esac',
    `  place="\${COMP_WORDS[0]##*/}"`,
    '  for ((at = 1; at < COMP_CWORD; at++)); do',
    `    candidate="$place \${COMP_WORDS[at]}"`,
    '    case "$candidate" in',
    `      ${places
      .filter(({ words: at }) => at.length > 1)
      .map(({ words: at }) => JSON.stringify(at.join(' ')))
      .join('|')}) place="$candidate" ;;`,
    '    esac',
    '  done',
    '  case "$place" in',
    ...words,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '}',
    `complete -o default -F _nexus_complete ${names(programs)}`,
    '',
  ].join('\n')
}

function fishScript(places: readonly Place[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = places.flatMap(({ words, subcommands, options }) => {
    const [program, ...path] = words
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`)
    const none =
      subcommands.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${subcommands.map((each) => each.name()).join(' ')}`]
    const condition = [...seen, ...none].join('; and ')
    const head = `complete -c ${program}${condition === '' ? '' : ` -n ${quoted(condition)}`}`
    return [
      ...subcommands.map((each) => `${head} -f -a ${each.name()} -d ${quoted(each.description())}`),
      ...options.map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`
        const choices = option.argChoices === undefined ? '' : ` -xa ${quoted(option.argChoices.join(' '))}`
        const value = option.required && choices === '' ? ' -r' : choices
        return `${head}${short} -l ${(option.long ?? '').slice(2)}${value} -d ${quoted(option.description)}`
      }),
    ]
  })
  return `${lines.join('\n')}\n`
}

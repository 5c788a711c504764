/** What a command's exit code says: the one table that `--help` and the operator's guide show. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  noNode: 3,
  notFound: 4,
  unanswered: 5,
  running: 6,
  config: 7,
} as const

export type ExitName = keyof typeof EXIT

export const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'done',
  failed: 'failed; the message says why',
  usage: 'the command line was wrong',
  noNode: 'no node is running, or its control socket is not yours',
  notFound: 'no such node, message, peer or file',
  unanswered: 'no answer in time, or the message was not delivered',
  running: 'a node is already running on this state folder',
  config: 'the configuration, the identity or a key file is wrong',
}

/** The table as lines for `--help`. */
export function exitCodesHelp(): string {
  const lines = Object.entries(EXIT).map(([name, code]) => `  ${code}  ${EXIT_MEANINGS[name as ExitName]}`)
  return `Exit codes:\n${lines.join('\n')}`
}

/** What a command's exit code says: the one table that `--help` and the guide show. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  noGateway: 3,
  notFound: 4,
  refused: 5,
  running: 6,
  config: 7,
} as const

export type ExitName = keyof typeof EXIT

export const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'done',
  failed: 'failed; the message says why',
  usage: 'the command line was wrong',
  noGateway: 'no gateway is running, or it does not answer',
  notFound: 'no such entry, account or file',
  refused: 'the gateway refused: not verified, not granted, or not allowed by its rules',
  running: 'a gateway is already running on this state folder',
  config: 'the configuration, an identity or a key file is wrong',
}

export function exitCodesHelp(): string {
  const lines = Object.entries(EXIT).map(([name, code]) => `  ${code}  ${EXIT_MEANINGS[name as ExitName]}`)
  return `Exit codes:\n${lines.join('\n')}`
}

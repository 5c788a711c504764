import { createColors } from 'picocolors'

export type Colors = ReturnType<typeof createColors>

/** Where a command's words go: data to stdout, talk to stderr, so that pipes carry only data. */
export interface Output {
  /** Whether data is for programs: JSON, one value a line. */
  readonly isJson: boolean
  readonly colors: Colors
  /** Data: `text` for people, or `value` for programs. */
  data(value: unknown, text: string): void
  /** A remark for people that is no data. Nothing in JSON mode. */
  say(text: string): void
}

export function createOutput(json: boolean): Output {
  const { stdout, stderr } = process
  return {
    isJson: json,
    colors: createColors(useColor(stdout.isTTY)),
    data: (value, text) => void stdout.write(`${json ? JSON.stringify(value) : text}\n`),
    say: (text) => void (json || stderr.write(`${text}\n`)),
  }
}

/** FORCE_COLOR decides, then NO_COLOR (no-color.org), then whether a terminal looks. */
export function useColor(isTerminal: boolean | undefined): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = process.env
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  if (no !== undefined && no !== '') return false
  return isTerminal === true && term !== 'dumb'
}

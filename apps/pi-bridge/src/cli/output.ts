import { createColors } from 'picocolors'

export type Colors = ReturnType<typeof createColors>
export type ColorChoice = 'auto' | 'always' | 'never'

/** Where a command's words go: data to stdout, talk to stderr, so that pipes carry only data. */
export interface Output {
  /** Whether data is for programs: JSON, one value a line. */
  readonly isJson: boolean
  readonly colors: Colors
  /** Columns of the terminal, or Infinity where there is none. */
  readonly width: number
  /** Text for people, with a line end added. Nothing in JSON mode. */
  print(text: string): void
  /** A value for programs. Nothing outside JSON mode. */
  json(value: unknown): void
  /** A remark for people that is no data. Nothing in JSON mode. */
  say(text: string): void
}

export function createOutput({ json, color }: { readonly json: boolean; readonly color: ColorChoice }): Output {
  const { stdout, stderr } = process
  return {
    isJson: json,
    colors: createColors(useColor(color, stdout.isTTY)),
    width: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
    print: (text) => void (json || stdout.write(`${text}\n`)),
    json: (value) => void (json && stdout.write(`${JSON.stringify(value)}\n`)),
    say: (text) => void (json || stderr.write(`${text}\n`)),
  }
}

/** The flag decides, then FORCE_COLOR, then NO_COLOR (no-color.org), then whether a terminal looks. */
export function useColor(choice: ColorChoice, isTerminal: boolean | undefined): boolean {
  if (choice !== 'auto') return choice === 'always'
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = process.env
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  if (no !== undefined && no !== '') return false
  // Undefined, not false, is what a stream that is no terminal says of itself.
  return isTerminal === true && term !== 'dumb'
}

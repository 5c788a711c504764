/** Where a command writes. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** The process's own streams. */
export const STREAMS: Output = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
}

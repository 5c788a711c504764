import { type Logger, pino } from 'pino'
import { useColor } from '../cli/output.ts'
import type { Config } from '../config/schema.ts'

export type { Logger } from 'pino'

/** The gateway's log, on stderr: JSON for machines, lines for a person at a terminal. */
export function createLog({ level, format }: Config['log']): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (format !== 'pretty' && !(format === 'auto' && process.stderr.isTTY)) {
    const formatters = { level: (label: string) => ({ level: label }) }
    return pino({ ...options, formatters }, pino.destination({ dest: 2, sync: true }))
  }
  const colored = useColor(process.stderr.isTTY)
  return pino(options, { write: (line: string) => void process.stderr.write(`${prettyLine(line, colored)}\n`) })
}

const LEVELS: Record<number, [name: string, color: number]> = {
  20: ['debug', 2],
  30: ['info', 32],
  40: ['warn', 33],
  50: ['error', 31],
}

/** A JSON line of the log as one for people: time, level, sentence, facts. */
export function prettyLine(json: string, colored: boolean): string {
  const { level, time, msg, ...facts } = JSON.parse(json) as Record<string, unknown>
  const [name, color] = LEVELS[level as number] ?? ['info', 0]
  const paint = (text: string, code: number): string => (colored ? `\u001b[${code}m${text}\u001b[0m` : text)
  const rest = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => `${key}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`,
    )
  const tail = rest.length === 0 ? '' : `  ${paint(rest.join(' '), 2)}`
  return `${paint(new Date(String(time)).toLocaleTimeString('en-GB'), 2)} ${paint(name.padEnd(5), color)} ${String(msg)}${tail}`
}

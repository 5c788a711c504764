import type { NodeEvent } from '@nexus/node/api'
import { type Logger, pino } from 'pino'
import { useColor } from '../cli/output.ts'
import type { Config } from '../config/schema.ts'

export type { Logger } from 'pino'

/** The node's log, on stderr: JSON for machines, lines for a person at a terminal. */
export function createLog({ level, format }: Config['log']): Logger {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY)
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (!isPretty)
    return pino(
      { ...options, formatters: { level: (label) => ({ level: label }) } },
      pino.destination({ dest: 2, sync: true }),
    )
  const colored = useColor('auto', process.stderr.isTTY)
  return pino(options, { write: (line: string) => void process.stderr.write(`${prettyLine(line, colored)}\n`) })
}

const LEVELS: Record<number, [name: string, color: number]> = {
  20: ['debug', 2],
  30: ['info', 32],
  40: ['warn', 33],
  50: ['error', 31],
  60: ['fatal', 31],
}

/** A JSON line of the log as one for people: time, level, sentence, facts. */
export function prettyLine(json: string, colored: boolean): string {
  const { level, time, msg, event: _event, ...facts } = JSON.parse(json) as Record<string, unknown>
  const [name, color] = LEVELS[level as number] ?? ['info', 0]
  const paint = (text: string, code: number): string => (colored ? `\u001b[${code}m${text}\u001b[0m` : text)
  const at = new Date(String(time)).toLocaleTimeString('en-GB')
  const rest = Object.entries(facts)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(
      ([key, value]) => `${key}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`,
    )
  const tail = rest.length === 0 ? '' : `  ${paint(rest.join(' '), 2)}`
  return `${paint(at, 2)} ${paint(name.padEnd(5), color)} ${String(msg)}${tail}`
}

const LEVEL_OF: Record<NodeEvent['kind'], 'debug' | 'info' | 'warn' | 'error'> = {
  started: 'info',
  stopping: 'info',
  'interface-up': 'info',
  'interface-down': 'warn',
  'link-up': 'info',
  'link-down': 'info',
  'route-up': 'debug',
  'route-changed': 'debug',
  'route-down': 'debug',
  'message-received': 'info',
  'message-state': 'info',
  refused: 'warn',
  'duplicate-identity': 'error',
  segment: 'info',
  advisory: 'warn',
  win: 'debug',
  paid: 'debug',
  settled: 'info',
  channel: 'info',
  problem: 'warn',
}

/** Writes an event of the node into its log. */
export function logEvent(log: Logger, { kind, text, facts }: NodeEvent): void {
  // What the node takes down itself, when it stops, is no cause for concern.
  const level = facts['reason'] === 'stopped' ? 'info' : LEVEL_OF[kind]
  log[level]({ ...facts, event: kind }, text)
}

import { InvalidArgumentError } from 'commander'

/** `500ms`, `2s`, `1.5m`, `1h`, `2d`, or a bare number of seconds, as milliseconds. */
export function durationMs(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(text)
  const ms = Number(parts?.[1]) * (UNITS[parts?.[2] ?? 's'] ?? Number.NaN)
  if (!(ms > 0 && ms <= 365 * 86_400_000))
    throw new InvalidArgumentError('expected a duration such as 500ms, 10s, 2m or 1h')
  return Math.round(ms)
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`)
  }
}

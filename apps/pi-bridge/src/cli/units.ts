/** Figures as people read them: three digits, a unit, the same width for the same kind. */
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const BITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']

export function bytes(count: number): string {
  return scaled(count, 1_024, BYTES)
}

export function bitRate(bps: number): string {
  return scaled(bps, 1_000, BITS)
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${digits(ms)} ms`
  const seconds = ms / 1_000
  if (seconds < 60) return `${digits(seconds)} s`
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first, first + 2)
    .filter(([amount], at) => at === 0 || amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

export function roundTrip(ms: number | null): string {
  return ms === null ? '–' : duration(ms)
}

/** μNXS per MiB as NXS per MiB where it is large. */
export function cost(microPerMib: number | null): string {
  if (microPerMib === null) return 'unknown'
  if (microPerMib >= 1_000_000) return `${digits(microPerMib / 1_000_000)} NXS/MiB`
  return `${digits(microPerMib)} µNXS/MiB`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let at = 0
  let scaledValue = value
  while (scaledValue >= step - 0.5 && at < units.length - 1) {
    scaledValue /= step
    at++
  }
  return `${digits(scaledValue)} ${units[at]}`
}

function digits(value: number): string {
  if (value === 0 || value >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}

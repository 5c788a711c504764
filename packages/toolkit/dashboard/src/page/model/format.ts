/** Figures for people: three digits that count, a unit that fits, and no line break between the two. */

const SPACE = '\u00a0'
const DIGITS = 3
const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** A number with three significant digits, without trailing zeros: 5.47, 12, 340. */
export function short(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return String(Number(value.toPrecision(DIGITS)))
}

/** Bits per second: `5.47 kbit/s`. */
export function bitrate(bps: number): string {
  return scaled(bps, 1_000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])
}

/** Bytes: `1.2 kB`. */
export function bytes(count: number): string {
  return scaled(count, 1_000, ['B', 'kB', 'MB', 'GB', 'TB'])
}

/** A duration in milliseconds: `0.4 ms`, `230 ms`, `1.8 s`; an unknown one is a dash. */
export function latency(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 9.95) return `${Number(ms.toPrecision(2))}${SPACE}ms`
  return ms < 999.5 ? `${short(ms)}${SPACE}ms` : `${short(ms / 1_000)}${SPACE}s`
}

/** How long something lasts, in its two largest units: `48 s`, `3 min 20 s`, `2 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => seconds >= size)
  if (first === -1) return `0${SPACE}s`
  const [large, largeName] = units[first]!
  const text = `${Math.floor(seconds / large)}${SPACE}${largeName}`
  const [small, smallName] = units[first + 1] ?? [0, '']
  const rest = small === 0 ? 0 : Math.floor((seconds % large) / small)
  return rest === 0 ? text : `${text}${SPACE}${rest}${SPACE}${smallName}`
}

/** A price in μNXS per MiB, without its unit: `1,250`; unreachable is a dash. */
export function cost(microPerMib: number | null): string {
  if (microPerMib === null) return '–'
  return microPerMib < 10 ? short(microPerMib) : GROUPED.format(microPerMib)
}

/** A share of 1: `4 %`, `0.3 %`. */
export function percent(share: number): string {
  const value = share * 100
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)}${SPACE}%`
}

/** A whole number with its thousands apart: `12,345`. */
export function grouped(count: number | bigint): string {
  return GROUPED.format(count)
}

/** `1 link`, `2 links`. */
export function counted(count: number, noun: string): string {
  return `${GROUPED.format(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** The name of a node where it has one, else the first digits of its NodeID. */
export function nameOf(nodeId: string, label?: string): string {
  return label ?? nodeId.slice(0, 8)
}

/** The clock time of an ISO 8601 time, to the second, as the reader's place has it. */
export function clock(at: string): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let at = 0
  // 999.5 would round to a thousand of the smaller unit.
  for (; value >= base - 0.5 && at < units.length - 1; at++) value /= base
  return `${short(value)}${SPACE}${units[at]}`
}

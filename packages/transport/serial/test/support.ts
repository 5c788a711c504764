import { execFileSync } from 'node:child_process'

/** Xorshift bytes: the same for the same seed. */
export function seeded(seed: number): (length: number) => Uint8Array {
  let state = (Math.imul(seed, 0x9e3779b1) | 1) >>> 0
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      state >>>= 0
      return state >>> 24
    })
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

export function bytes(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (first + at) & 0xff)
}

/** Whether pseudo-terminals can be made here. In CI they must: a test that is left out there would prove nothing. */
export function hasPty(): boolean {
  if (process.env['CI'] === 'true') return true
  try {
    execFileSync('python3', ['-c', 'import os; os.openpty()'])
    return true
  } catch {
    return false
  }
}

/** Settings of the tests' RNodes, on an air that runs a thousand times faster. */
export const RADIO = {
  frequencyHz: 868_100_000,
  txPowerDbm: 14,
  spreadingFactor: 7,
  bandwidthHz: 125_000,
  codingRate: 5,
  dutyCycle: 1,
  settleMs: 0,
  airSpeed: 1_000,
} as const

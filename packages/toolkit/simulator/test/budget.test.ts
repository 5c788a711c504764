import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import { radioCell } from './radio-cell.ts'

const crypto = await nodeCrypto()
const seeds = Array.from({ length: Math.min(20, Number(process.env['NEXUS_SEEDS'] ?? 1)) }, (_, at) => at + 1)

describe('five radios in reach of each other', () => {
  test.each([
    { dutyCycle: 0.1, hours: 4 },
    { dutyCycle: 0.01, hours: 34 },
  ])(
    'at a duty cycle of $dutyCycle keep control to 10 % of the medium in every hour, learn all routes and keep them',
    ({ dutyCycle, hours }) => {
      for (const seed of seeds) {
        const { convergedMs, hourShares, isConverged } = radioCell(crypto, seed, dutyCycle, hours)
        expect(Math.max(...hourShares), `seed ${seed}`).toBeLessThanOrEqual(0.1)
        expect(convergedMs, `seed ${seed}`).toBeDefined()
        expect(isConverged, `seed ${seed}`).toBe(true)
      }
    },
  )
})

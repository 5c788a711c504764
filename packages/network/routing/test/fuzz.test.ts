import {
  decodeRouteFrame,
  decodeSnapshot,
  encodeRouteFrame,
  encodeSnapshot,
  RoutingError,
  WITHDRAWN,
} from '@nexus/routing'
import { expect, test } from 'vitest'
import { announcePacket, Dice } from './mesh.ts'

const cases = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
const dice = new Dice(7)
const update = { destination: dice.bytes(16), lamport: 9n, path: { cost: 70, latencyMs: 5, bandwidth: 80, hops: 2 } }
const entry = {
  destination: dice.bytes(16),
  lamport: 7n,
  ageS: 40,
  feasibleLamport: 7n,
  feasibleMetric: 3 * 256 + 1,
  maxHops: 128,
  announce: announcePacket(dice.bytes(16), 7n, { tlvs: [{ type: 1, data: new Uint8Array(2) }] }).slice(19),
}
const ghost = { ...entry, destination: new Uint8Array(16).fill(255), announce: undefined }

/** Flips, cuts, doubles and inserts. */
function mutate(bytes: Uint8Array): Uint8Array {
  const changed = Array.from(bytes)
  for (let count = dice.below(4); count >= 0; count--) {
    const at = dice.below(changed.length + 1)
    switch (dice.below(4)) {
      case 0:
        changed[Math.min(at, changed.length - 1)] = dice.below(256)
        break
      case 1:
        changed.splice(at, dice.below(8))
        break
      case 2:
        changed.splice(at, 0, ...changed.slice(at, at + dice.below(64)))
        break
      default:
        changed.splice(at, 0, ...dice.bytes(dice.below(8)))
    }
  }
  return Uint8Array.from(changed)
}

function fuzz<T>(
  seeds: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): void {
  let accepted = 0
  for (let count = 0; count < cases; count++) {
    const bytes = mutate(dice.pick(seeds))
    try {
      const value = decode(bytes)
      accepted += 1
      expect(encode(value)).toEqual(bytes)
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error
    }
  }
  expect(accepted).toBeGreaterThan(cases / 1_000)
}

test('any bytes are a route frame in its one form, or a RoutingError', () => {
  const seeds = [
    encodeRouteFrame({ kind: 'update', updates: [update, { ...update, path: WITHDRAWN }] }),
    encodeRouteFrame({ kind: 'request', request: { destination: update.destination, wanted: 3n } }),
  ]
  fuzz(seeds, decodeRouteFrame, encodeRouteFrame)
})

test('any bytes are a snapshot in its one form, or a RoutingError', () => {
  const seeds = [encodeSnapshot([]), encodeSnapshot([entry]), encodeSnapshot([entry, ghost])]
  fuzz(seeds, decodeSnapshot, encodeSnapshot)
})

/** Loss over distance: reference + 10·exponent·log10(d ÷ reference distance) + shadowing. */
export interface LogDistance {
  readonly referenceMeters: number
  readonly referenceLossDb: number
  readonly exponent: number
  /** Standard deviation of the shadowing of a pair of places, in dB. Drawn once per pair, within ±3 deviations. */
  readonly shadowingDb: number
}

/** 868 MHz, base station and cars in and around a town (Petäjäjärvi et al., "On the coverage of LPWANs", ITST 2015). */
export const SUBURBAN: LogDistance = {
  referenceMeters: 1_000,
  referenceLossDb: 128.95,
  exponent: 2.32,
  shadowingDb: 7.8,
}
/** 868 MHz, built-up, antennas low (Bor et al., "Do LoRa low-power wide-area networks scale?", MSWiM 2016). */
export const BUILT_UP: LogDistance = { referenceMeters: 40, referenceLossDb: 127.41, exponent: 2.08, shadowingDb: 3.57 }

const SHADOWING_DEVIATIONS_MAX = 3

/** dB lost over `meters`; `normal` is the pair's draw of the standard normal distribution. */
export function pathLossDb(model: LogDistance, meters: number, normal: number): number {
  const distance = Math.max(meters, 1)
  const shadowing = Math.max(-SHADOWING_DEVIATIONS_MAX, Math.min(SHADOWING_DEVIATIONS_MAX, normal)) * model.shadowingDb
  return model.referenceLossDb + 10 * model.exponent * Math.log10(distance / model.referenceMeters) + shadowing
}

/** Beyond this many metres no pair loses as little as `budgetDb`, however lucky its shadowing. */
export function rangeMeters(model: LogDistance, budgetDb: number): number {
  const luckyDb = budgetDb + SHADOWING_DEVIATIONS_MAX * model.shadowingDb
  return model.referenceMeters * 10 ** ((luckyDb - model.referenceLossDb) / (10 * model.exponent))
}

/**
 * Random values by name instead of by order: the value for (a, b) is the same whoever asks, and when. So a channel's
 * fate does not hang on the order in which neighbours are visited.
 */
export class NamedRandom {
  readonly #key: Uint32Array

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError('the key is 16 bytes')
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#key = Uint32Array.from([0, 4, 8, 12], (at) => view.getUint32(at))
  }

  /** Uniform over [0, 1). */
  uniform(a: number, b: number, stream: number): number {
    let hash = this.#key[0]! ^ Math.imul(stream + 1, 0x9e3779b1)
    hash = scramble(hash ^ a) ^ this.#key[1]!
    hash = scramble(hash ^ Math.floor(a / 2 ** 32)) ^ this.#key[2]!
    hash = scramble(hash ^ b) ^ this.#key[3]!
    return scramble(hash) / 2 ** 32
  }

  /** Standard normal (Box and Muller). */
  normal(a: number, b: number, stream: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(a, b, 2 * stream)))
    return radius * Math.cos(2 * Math.PI * this.uniform(a, b, 2 * stream + 1))
  }
}

/** A bijection of 32 bits in which each bit of the input turns about half of the output's. */
function scramble(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

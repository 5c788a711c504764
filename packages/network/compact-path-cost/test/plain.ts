/** The slow, obvious form of every operation: bigint roots found by bisection, and search from the bottom. */

/** The largest r with r^degree ≤ value. */
export function integerRoot(value: bigint, degree: bigint): bigint {
  let least = 0n
  let most = 1n << 80n
  while (least < most) {
    const middle = (least + most + 1n) / 2n
    if (middle ** degree <= value) least = middle
    else most = middle - 1n
  }
  return least
}

/** floor(2^(e/16)·2^16) − 2^16 = floor of the 16th root of 2^(e + 256), less 2^16. */
export const plainTable: readonly bigint[] = Array.from(
  { length: 641 },
  (_, e) => integerRoot(1n << BigInt(e + 256), 16n) - 0x10000n,
)

export function plainEncodeCost(value: bigint): number {
  const found = plainTable.findIndex((entry) => entry >= value)
  return found < 0 ? 640 : found
}

export function plainAddCost(a: number, b: number): number {
  if (a === 0xffff || b === 0xffff) return 0xffff
  return plainEncodeCost(plainTable[a]! + plainTable[b]!)
}

/** round(8·log2 n) is the b with 2^(2b − 1) < n^16 < 2^(2b + 1). */
export function plainEncodeBandwidth(bps: bigint): number {
  const power = (bps < 1n ? 1n : bps) ** 16n
  for (let b = 0; b < 255; b++) if (power < 1n << BigInt(2 * b + 1)) return b
  return 255
}

/** The whole number nearest to 2^(b/8): floor of the 8th root of 2^(b + 8), plus one, halved. */
export function plainDecodeBandwidth(b: number): bigint {
  return (integerRoot(1n << BigInt(b + 8), 8n) + 1n) / 2n
}

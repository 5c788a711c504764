// GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (0x11B). No tables and no branches on operands: both are secret here.

/** The product of two field elements. */
export function multiply(a: number, b: number): number {
  let product = 0
  let shifted = a
  for (let bit = 0; bit < 8; bit++) {
    product ^= -((b >> bit) & 1) & shifted
    shifted = (shifted << 1) ^ (-(shifted >> 7) & 0x11b)
  }
  return product
}

/** a^254, which is 1/a for every a but 0, and 0 for 0. */
export function invert(a: number): number {
  let power = a
  let inverse = 1
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power)
    inverse = multiply(inverse, power)
  }
  return inverse
}

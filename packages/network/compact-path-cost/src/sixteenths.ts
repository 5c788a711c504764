/** floor(2^(i/16) · 2^56) for i = 0…15: exact to the last bit of every table entry, which f64 powers are not. */
const SIXTEENTHS: readonly bigint[] = [
  0x100000000000000n,
  0x10b5586cf9890f6n,
  0x1172b83c7d517adn,
  0x12387a6e7562386n,
  0x1306fe0a31b7152n,
  0x13dea64c1234223n,
  0x14bfdad5362a271n,
  0x15ab07dd4854295n,
  0x16a09e667f3bcc9n,
  0x17a11473eb0186dn,
  0x18ace5422aa0db5n,
  0x19c49182a3f0901n,
  0x1ae89f995ad3ad5n,
  0x1c199bdd85529c2n,
  0x1d5818dcfba4872n,
  0x1ea4afa2a490d98n,
]

/** floor(2^(sixteenths/16) · 2^fractionBits), for a result of at most 57 bits. */
export function powerOfTwo(sixteenths: number, fractionBits: number): bigint {
  return SIXTEENTHS[sixteenths & 15]! >> BigInt(56 - fractionBits - (sixteenths >> 4))
}

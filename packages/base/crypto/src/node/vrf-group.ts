import { isBelowFieldPrime, isSmallOrder } from '../encoding.ts'
import { decodePoint } from '../strict.ts'
import type { VrfGroup } from '../vrf.ts'
import { portableVrfGroup } from '../vrf-group.ts'
import type { Sodium } from './sodium.ts'

const COFACTOR_DOUBLINGS = 3

/**
 * edwards25519 in the wasm module, whose calls are constant-time and work on encodings. They refuse what lies outside the
 * prime-order group, zero included, which RFC 9381 does not: such points, which no honest prover makes, are decided by
 * {@link portableVrfGroup}.
 */
export function wasmVrfGroup(sodium: Sodium): VrfGroup<Uint8Array> {
  const place = (bytes: number) => sodium._malloc(bytes)
  const [point, gammaPoint, product, other] = [place(32), place(32), place(32), place(32)]
  const [scalar, factor, digestPlace] = [place(32), place(32), place(64)]
  const put = (at: number, bytes: Uint8Array): void => sodium.HEAPU8.set(bytes, at)
  const get = (at: number): Uint8Array => sodium.HEAPU8.slice(at, at + 32)
  const clear = (at: number, bytes = 32): void => {
    sodium.HEAPU8.fill(0, at, at + bytes)
  }
  const base = sodium._crypto_scalarmult_ed25519_base_noclamp
  const times = sodium._crypto_scalarmult_ed25519_noclamp
  const minus = sodium._crypto_core_ed25519_sub
  const assertDone = (failed: number): void => {
    if (failed !== 0) throw new Error('crypto: a scalar or a point of our own is not in the prime-order group')
  }

  /** Three doublings of an encoding that is canonical and not of small order; undefined where it is not on the curve. */
  const octuple = (encoding: Uint8Array): Uint8Array | undefined => {
    put(point, encoding)
    for (let doubling = 0; doubling < COFACTOR_DOUBLINGS; doubling++) {
      if (sodium._crypto_core_ed25519_add(point, point, point) !== 0) return undefined
    }
    return get(point)
  }

  return {
    fromHash(encoding) {
      // 8·P is zero for the points of small order alone.
      return isBelowFieldPrime(encoding) && !isSmallOrder(encoding) ? octuple(encoding) : undefined
    },
    encode: (encoding) => encoding,
    multiples(h, x, k) {
      put(point, h)
      put(scalar, x)
      assertDone(times(product, scalar, point))
      const gamma = get(product)
      put(scalar, k)
      assertDone(base(product, scalar))
      const u = get(product)
      assertDone(times(product, scalar, point))
      clear(scalar)
      return [gamma, u, get(product)]
    },
    commitments(y, h, gamma, c, s) {
      // The module masks a y at or above p instead of refusing it; y itself was looked at before.
      if (!isBelowFieldPrime(gamma)) return undefined
      put(scalar, s)
      clear(factor)
      put(factor, c)
      put(point, y)
      put(gammaPoint, gamma)
      if (base(product, scalar) === 0 && times(other, factor, point) === 0 && minus(product, product, other) === 0) {
        const u = get(product)
        put(point, h)
        const failed =
          times(product, scalar, point) || times(other, factor, gammaPoint) || minus(product, product, other)
        if (failed === 0) return [u, get(product)]
      }
      const hPoint = decodePoint(h)
      return hPoint === undefined ? undefined : portableVrfGroup.commitments(y, hPoint, gamma, c, s)
    },
    timesCofactor(encoding) {
      if (isSmallOrder(encoding)) return portableVrfGroup.timesCofactor(encoding)
      return isBelowFieldPrime(encoding) ? octuple(encoding) : undefined
    },
    reduce(digest) {
      put(digestPlace, digest)
      sodium._crypto_core_ed25519_scalar_reduce(scalar, digestPlace)
      const reduced = get(scalar)
      clear(digestPlace, 64)
      clear(scalar)
      return reduced
    },
    respond(k, c, x) {
      clear(factor)
      put(factor, c)
      put(scalar, x)
      sodium._crypto_core_ed25519_scalar_mul(factor, factor, scalar)
      put(scalar, k)
      sodium._crypto_core_ed25519_scalar_add(factor, factor, scalar)
      const response = get(factor)
      clear(factor)
      clear(scalar)
      return response
    },
  }
}

import { isBelowFieldPrime, isSmallOrder } from '../encoding.ts'
import { decodePoint } from '../strict.ts'
import type { VrfGroup } from '../vrf.ts'
import { portableVrfGroup } from '../vrf-group.ts'
import type { Sodium } from './sodium.ts'

const COFACTOR_DOUBLINGS = 3

/**
 * edwards25519 in the wasm module, whose calls are constant-time and work on encodings. They refuse what lies outside the
 * prime-order group, zero included, which RFC 9381 does not: such points, which no honest prover makes, are decided by
 * {@link portableVrfGroup}. All places in the heap are taken once.
 */
export class WasmVrfGroup implements VrfGroup<Uint8Array> {
  readonly #sodium: Sodium
  readonly #point: number
  readonly #product: number
  readonly #other: number
  readonly #scalar: number
  readonly #factor: number
  readonly #digest: number

  constructor(sodium: Sodium) {
    this.#sodium = sodium
    this.#point = sodium._malloc(32)
    this.#product = sodium._malloc(32)
    this.#other = sodium._malloc(32)
    this.#scalar = sodium._malloc(32)
    this.#factor = sodium._malloc(32)
    this.#digest = sodium._malloc(64)
  }

  fromHash(encoding: Uint8Array): Uint8Array | undefined {
    // 8·P is zero for the points of small order alone.
    return isBelowFieldPrime(encoding) && !isSmallOrder(encoding) ? this.#octuple(encoding) : undefined
  }

  encode(encoding: Uint8Array): Uint8Array {
    return encoding
  }

  multiples(h: Uint8Array, x: Uint8Array, k: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
    this.#put(this.#point, h)
    this.#put(this.#scalar, x)
    const gamma = this.#times(this.#point)
    this.#put(this.#scalar, k)
    const u = this.#times(undefined)
    const v = this.#times(this.#point)
    this.#clear(this.#scalar, 32)
    if (gamma === undefined || u === undefined || v === undefined) {
      throw new Error('crypto: a scalar or a point of our own is not in the prime-order group')
    }
    return [gamma, u, v]
  }

  commitments(
    y: Uint8Array,
    h: Uint8Array,
    gamma: Uint8Array,
    c: Uint8Array,
    s: Uint8Array,
  ): readonly [Uint8Array, Uint8Array] | undefined {
    // The module masks a y at or above p instead of refusing it; the key was looked at before.
    if (!isBelowFieldPrime(gamma)) return undefined
    this.#put(this.#scalar, s)
    this.#clear(this.#factor, 32)
    this.#put(this.#factor, c)
    const u = this.#difference(undefined, y)
    const v = u === undefined ? undefined : this.#difference(h, gamma)
    if (u !== undefined && v !== undefined) return [u, v]
    const hPoint = decodePoint(h)
    return hPoint === undefined ? undefined : portableVrfGroup.commitments(y, hPoint, gamma, c, s)
  }

  timesCofactor(encoding: Uint8Array): Uint8Array | undefined {
    if (isSmallOrder(encoding)) return portableVrfGroup.timesCofactor(encoding)
    return isBelowFieldPrime(encoding) ? this.#octuple(encoding) : undefined
  }

  reduce(digest: Uint8Array): Uint8Array {
    this.#put(this.#digest, digest)
    this.#sodium._crypto_core_ed25519_scalar_reduce(this.#scalar, this.#digest)
    const reduced = this.#get(this.#scalar)
    this.#clear(this.#digest, 64)
    this.#clear(this.#scalar, 32)
    return reduced
  }

  respond(k: Uint8Array, c: Uint8Array, x: Uint8Array): Uint8Array {
    this.#clear(this.#factor, 32)
    this.#put(this.#factor, c)
    this.#put(this.#scalar, x)
    this.#sodium._crypto_core_ed25519_scalar_mul(this.#factor, this.#factor, this.#scalar)
    this.#put(this.#scalar, k)
    this.#sodium._crypto_core_ed25519_scalar_add(this.#factor, this.#factor, this.#scalar)
    const response = this.#get(this.#factor)
    this.#clear(this.#factor, 32)
    this.#clear(this.#scalar, 32)
    return response
  }

  /** The scalar in place times a point, the base point if none is given; undefined where the module refuses it. */
  #times(point: number | undefined): Uint8Array | undefined {
    const failed =
      point === undefined
        ? this.#sodium._crypto_scalarmult_ed25519_base_noclamp(this.#product, this.#scalar)
        : this.#sodium._crypto_scalarmult_ed25519_noclamp(this.#product, this.#scalar, point)
    return failed === 0 ? this.#get(this.#product) : undefined
  }

  /** s·P − c·Q for the scalar and factor in place, P the base point if not given; undefined where the module refuses it. */
  #difference(p: Uint8Array | undefined, q: Uint8Array): Uint8Array | undefined {
    const sodium = this.#sodium
    this.#put(this.#point, q)
    if (sodium._crypto_scalarmult_ed25519_noclamp(this.#other, this.#factor, this.#point) !== 0) return undefined
    if (p !== undefined) this.#put(this.#point, p)
    if (this.#times(p === undefined ? undefined : this.#point) === undefined) return undefined
    const failed = sodium._crypto_core_ed25519_sub(this.#product, this.#product, this.#other)
    return failed === 0 ? this.#get(this.#product) : undefined
  }

  /** Three doublings of an encoding that is canonical and not of small order; undefined where it is not on the curve. */
  #octuple(encoding: Uint8Array): Uint8Array | undefined {
    this.#put(this.#point, encoding)
    for (let doubling = 0; doubling < COFACTOR_DOUBLINGS; doubling++) {
      if (this.#sodium._crypto_core_ed25519_add(this.#point, this.#point, this.#point) !== 0) return undefined
    }
    return this.#get(this.#point)
  }

  #put(at: number, bytes: Uint8Array): void {
    this.#sodium.HEAPU8.set(bytes, at)
  }

  #get(at: number): Uint8Array {
    return this.#sodium.HEAPU8.slice(at, at + 32)
  }

  #clear(at: number, length: number): void {
    this.#sodium.HEAPU8.fill(0, at, at + length)
  }
}

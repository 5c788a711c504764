import { mulAddUnsafe, normalizeZ } from '@noble/curves/abstract/curve.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodePoint, littleEndian } from './strict.ts'
import type { VrfGroup } from './vrf.ts'

const { Point } = ed25519
const { Fn } = Point

/** edwards25519 on noble: `multiply` is its constant-time path, `multiplyUnsafe` and `mulAddUnsafe` see public numbers only. */
export const portableVrfGroup: VrfGroup<InstanceType<typeof Point>> = {
  fromHash(encoding) {
    const point = decodePoint(encoding)?.clearCofactor()
    return point?.is0() ? undefined : point
  },
  encode: (point) => point.toBytes(),
  multiples(h, x, k) {
    const nonce = littleEndian(k)
    const points = [h.multiply(Fn.create(littleEndian(x))), Point.BASE.multiply(nonce), h.multiply(nonce)]
    const [gamma, u, v] = encodeAll(points)
    return [gamma!, u!, v!]
  },
  commitments(y, h, gamma, c, s) {
    const keyPoint = decodePoint(y)
    const gammaPoint = decodePoint(gamma)
    if (keyPoint === undefined || gammaPoint === undefined) return undefined
    const challenge = littleEndian(c)
    const response = littleEndian(s)
    // The base point has a table; the other two share one chain of doublings.
    const u = Point.BASE.multiplyUnsafe(response).subtract(keyPoint.multiplyUnsafe(challenge))
    const v = mulAddUnsafe(Point, [h, gammaPoint.negate()], [response, challenge])
    const [uBytes, vBytes] = encodeAll([u, v])
    return [uBytes!, vBytes!]
  },
  timesCofactor: (encoding) => decodePoint(encoding)?.clearCofactor().toBytes(),
  reduce: (digest) => toScalar(littleEndian(digest)),
  respond: (k, c, x) => toScalar(littleEndian(k) + littleEndian(c) * littleEndian(x)),
}

/** Encodes points with one inversion for all of them. */
function encodeAll(points: InstanceType<typeof Point>[]): Uint8Array[] {
  return normalizeZ(Point, points).map((point) => point.toBytes())
}

function toScalar(value: bigint): Uint8Array {
  return Fn.toBytes(Fn.create(value))
}

/** The packet lottery: proofs, checks and draws, beside the bare operations that they are made of. */
import { concatBytes } from '@nexus/codec'
import { portable, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { Draw, FrameLog } from '@nexus/vrf-lottery'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import sodium from 'libsodium-wrappers-sumo'
import { serve } from '../child.ts'

await sodium.ready
const { Point } = ed25519
const { Fn } = Point
const [ours, plain] = [await nodeCrypto(), portable()]
const seed = systemRandom(32)
const { scalar, prefix, pointBytes: publicKey, point: keyPoint } = ed25519.utils.getExtendedPublicKey(seed)
const alpha = systemRandom(60)
const provers = { ours: ours.vrfProver(seed), plain: plain.vrfProver(seed) }
const proof = provers.ours.prove(alpha)

const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
const h = encodeToCurve()
const [hBytes, gamma, x] = [h.toBytes(), proof.slice(0, 32), Fn.toBytes(scalar)]
const [c, s] = [proof.slice(32, 48), proof.slice(48)]
const [k, wideC] = [Fn.toBytes(number(systemRandom(31))), concatBytes(c, new Uint8Array(16))]

const WINDOW_FRAMES = 16_384
const beta = ours.vrfHash(proof)!
const log = new FrameLog(WINDOW_FRAMES)
for (let offset = 0; offset < WINDOW_FRAMES; offset++) log.note(offset, systemRandom(8), 484, 300)
const draw = new Draw(ours, beta, 0, 128)
const [ticket, key] = [systemRandom(40), beta.slice(0, 32)]
let at = 0

const operations: Readonly<Record<string, () => unknown>> = {
  prove: () => provers.ours.prove(alpha),
  'prove-portable': () => provers.plain.prove(alpha),
  'prove-points': () => [
    sodium.crypto_scalarmult_ed25519_noclamp(x, hBytes),
    sodium.crypto_scalarmult_ed25519_base_noclamp(k),
    sodium.crypto_scalarmult_ed25519_noclamp(k, hBytes),
  ],
  'prove-written-out': proveWrittenOut,
  verify: () => ours.vrfVerify(publicKey, proof, alpha) !== undefined,
  'verify-portable': () => plain.vrfVerify(publicKey, proof, alpha) !== undefined,
  'verify-points': () => [
    sodium.crypto_core_ed25519_sub(
      sodium.crypto_scalarmult_ed25519_base_noclamp(s),
      sodium.crypto_scalarmult_ed25519_noclamp(wideC, publicKey),
    ),
    sodium.crypto_core_ed25519_sub(
      sodium.crypto_scalarmult_ed25519_noclamp(s, hBytes),
      sodium.crypto_scalarmult_ed25519_noclamp(wideC, gamma),
    ),
  ],
  'verify-written-out': verifyWrittenOut,
  draw: () => draw.wins(log, at++ & (WINDOW_FRAMES - 1)) || true,
  'draw-hash': () => ours.blake3(ticket, key),
}

serve(
  Object.fromEntries(
    Object.entries(operations).map(([name, run]) => [
      name,
      ({ seconds }) => ({ micros: microsOf(run, Number(seconds)) }),
    ]),
  ),
)

/** µs per call, of as many as take the time. */
function microsOf(run: () => unknown, seconds: number): number {
  let calls = 1
  for (;;) {
    const startMs = performance.now()
    for (let call = 0; call < calls; call++) if (run() === false) throw new Error('a good proof was refused')
    const ms = performance.now() - startMs
    if (ms >= seconds * 1_000) return (ms * 1_000) / calls
    calls = Math.max(calls + 1, Math.ceil((calls * seconds * 1_100) / Math.max(ms, seconds * 100)))
  }
}

function encodeToCurve(): InstanceType<typeof Point> {
  for (let attempt = 0; ; attempt++) {
    const digest = sha512(concatBytes(Uint8Array.of(3, 1), publicKey, alpha, Uint8Array.of(attempt, 0)))
    try {
      return Point.fromBytes(digest.subarray(0, 32)).clearCofactor()
    } catch {
      // No point: the next attempt.
    }
  }
}

function challenge(...points: Uint8Array[]): Uint8Array {
  return sha512(concatBytes(Uint8Array.of(3, 2), ...points, Uint8Array.of(0))).subarray(0, 16)
}

/** RFC 9381 §5.1 in the order of its text, on noble's constant-time multiplication. */
function proveWrittenOut(): Uint8Array {
  const point = encodeToCurve()
  const bytes = point.toBytes()
  const gammaBytes = point.multiply(scalar).toBytes()
  const nonce = Fn.create(number(sha512(concatBytes(prefix, bytes))))
  const u = Point.BASE.multiply(nonce).toBytes()
  const v = point.multiply(nonce).toBytes()
  const response = challenge(publicKey, bytes, gammaBytes, u, v)
  return concatBytes(gammaBytes, response, Fn.toBytes(Fn.create(nonce + number(response) * scalar)))
}

/** RFC 9381 §5.3 in the order of its text, on noble's faster multiplication for public numbers. */
function verifyWrittenOut(): boolean {
  const key = Point.fromBytes(publicKey)
  if (key.isSmallOrder() || !key.equals(keyPoint)) return false
  const gammaPoint = Point.fromBytes(gamma)
  const point = encodeToCurve()
  const [response, c16] = [number(s), number(c)]
  const u = Point.BASE.multiplyUnsafe(response).subtract(key.multiplyUnsafe(c16))
  const v = point.multiplyUnsafe(response).subtract(gammaPoint.multiplyUnsafe(c16))
  const expected = challenge(publicKey, point.toBytes(), gamma, u.toBytes(), v.toBytes())
  sha512(concatBytes(Uint8Array.of(3, 3), gammaPoint.clearCofactor().toBytes(), Uint8Array.of(0)))
  return number(expected) === c16
}

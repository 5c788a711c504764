/** Writes the vectors of the lottery: `node --conditions=nexus-source conformance-vectors/lottery/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { concatBytes, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import {
  commitTo,
  Draw,
  drawInput,
  encodeClaim,
  encodeLotteryMessage,
  FrameLog,
  type LotteryMessage,
  packetCost,
  reward,
  type WindowClaim,
  winTarget,
} from '@nexus/vrf-lottery'

const crypto = portable()
const random = (name: string) => seededRandom(`lottery vectors ${name}`)

export function lotteryVectors(): Record<string, unknown> {
  return {
    'lottery.target.json': vectors('lottery.target', targetCases()),
    'lottery.reward.json': vectors('lottery.reward', rewardCases()),
    'lottery.wins.json': vectors('lottery.wins', winsCases()),
    'lottery.message.decode.json': vectors('lottery.message.decode', messageCases()),
    'lottery.claim.decode.json': vectors('lottery.claim.decode', claimCases()),
  }
}

function vectors(op: string, cases: unknown[]): unknown {
  return { schema: 'nexus-vectors/1', op, cases }
}

function targetCases(): unknown[] {
  return [5, 7, 10, 100, 128, 1_000, 9_999, 10_000].map((odds) => ({
    id: `1-in-${odds}`,
    in: { odds },
    out: { target: `${winTarget(odds)}` },
  }))
}

function rewardCases(): unknown[] {
  const cases: [number, number, number][] = [
    [1, 5, 1],
    [484, 5, 1],
    [484, 100, 160],
    [35, 10_000, 333],
    [484, 10_000, 640],
    [19, 128, 592],
    [484, 7, 0],
  ]
  return cases.map(([lengthBytes, odds, cost]) => ({
    id: `${lengthBytes}-bytes-1-in-${odds}-at-${cost}`,
    in: { lengthBytes, odds, cost },
    out: { reward: `${reward(lengthBytes, odds, cost)}`, cost: `${packetCost(lengthBytes, cost)}` },
  }))
}

/** A window from the seed of its relay to its wins. */
function winsCases(): unknown[] {
  const cases: [string, number, number, number, readonly number[]][] = [
    ['narrow', 256, 0, 5, Array.from({ length: 32 }, (_, at) => (at < 31 ? at : 255))],
    ['narrow-later', 256, 3, 10, Array.from({ length: 40 }, (_, at) => 6 * at)],
    ['wide', 16_384, 7, 128, Array.from({ length: 300 }, (_, at) => 54 * at)],
    ['wide-counter-above-2-to-32', 16_384, 300_000, 128, Array.from({ length: 300 }, (_, at) => 50 * at)],
  ]
  return cases.map(([id, windowFrames, window, odds, offsets]) => {
    const bytes = random(id)
    const [seed, handshakeHash, secret] = [bytes(32), bytes(64), bytes(16)]
    const alpha = drawInput(handshakeHash, window, secret)
    const proof = crypto.vrfProver(seed).prove(alpha)
    const beta = crypto.vrfHash(proof)!
    const draw = new Draw(crypto, beta, window * windowFrames, odds)
    const log = new FrameLog(windowFrames)
    const frames = offsets.map((offset) => ({ offset, hash: bytes(32) }))
    for (const { offset, hash } of frames) log.note(offset, hash, 1, 1)
    return {
      id,
      in: {
        seed: toHex(seed),
        handshakeHash: toHex(handshakeHash),
        window,
        secret: toHex(secret),
        windowFrames,
        odds,
        frames: frames.map(({ offset, hash }) => ({ offset, packetHash: toHex(hash) })),
      },
      out: {
        commit: toHex(commitTo(crypto, secret)),
        alpha: toHex(alpha),
        proof: toHex(proof),
        beta: toHex(beta),
        wins: offsets.filter((offset) => draw.wins(log, offset)),
      },
    }
  })
}

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, one) => (one instanceof Uint8Array ? toHex(one) : one)))

function messageCases(): unknown[] {
  const bytes = random('messages')
  const series = bytes(4)
  const messages: [string, LotteryMessage][] = [
    ['open-lot', { kind: 'open-lot', series, commits: [bytes(16), bytes(16)] }],
    ['reveal', { kind: 'reveal', series, window: 0xffff_ffff, secret: bytes(16), commit: bytes(16) }],
    ['odds-least', { kind: 'odds', series, window: 0, odds: 5 }],
    ['odds-most', { kind: 'odds', series, window: 70_000, odds: 10_000 }],
  ]
  const [openLot, reveal, odds] = messages.map(([, message]) => encodeLotteryMessage(message))
  const refused: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(0), 'lottery/malformed'],
    ['open-lot-short', openLot!.subarray(0, 36), 'lottery/malformed'],
    ['reveal-long', concatBytes(reveal!, Uint8Array.of(0)), 'lottery/malformed'],
    ['subtype-11', concatBytes(Uint8Array.of(11), odds!.subarray(1)), 'lottery/kind'],
    ['subtype-15', concatBytes(Uint8Array.of(15), odds!.subarray(1)), 'lottery/kind'],
    ['odds-4', concatBytes(odds!.subarray(0, 9), Uint8Array.of(4, 0)), 'lottery/odds'],
    ['odds-10001', concatBytes(odds!.subarray(0, 9), Uint8Array.of(0x11, 0x27)), 'lottery/odds'],
  ]
  return [
    ...messages.map(([id, message]) => ({
      id,
      in: { bytes: toHex(encodeLotteryMessage(message)) },
      out: plain(message),
    })),
    ...refused.map(([id, body, error]) => ({ id, in: { bytes: toHex(body) }, error })),
  ]
}

function claimCases(): unknown[] {
  const bytes = random('claims')
  const window = (wins: number, index = 0, step = 2): WindowClaim => ({
    series: bytes(4),
    window: index,
    offsets: Array.from({ length: wins }, (_, at) => step * at),
    proof: bytes(80),
  })
  const claims: [string, WindowClaim[]][] = [
    ['one-win', [window(1)]],
    ['as-many-wins-as-fit', [window(190, 3, 86)]],
    ['four-windows', [window(1), window(5, 1), window(2, 2), window(40, 3)]],
  ]
  const [one] = claims.map(([, claim]) => encodeClaim(claim))
  const withCount = (count: number, offsets: readonly number[]): Uint8Array =>
    concatBytes(one!.subarray(0, 8), Uint8Array.of(count, ...offsets.flatMap((at) => [at & 255, at >> 8])), bytes(80))
  const refused: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(0), 'lottery/malformed'],
    ['cut', one!.subarray(0, one!.length - 1), 'lottery/malformed'],
    ['no-win', withCount(0, []), 'lottery/wins'],
    ['a-win-twice', withCount(2, [4, 4]), 'lottery/order'],
    ['falling', withCount(2, [5, 4]), 'lottery/order'],
    ['a-window-twice', concatBytes(one!, one!), 'lottery/order'],
    ['five-windows', concatBytes(...[0, 1, 2, 3, 4].map((at) => encodeClaim([window(1, at)]))), 'lottery/windows'],
    ['longer-than-a-message', new Uint8Array(470), 'lottery/windows'],
  ]
  return [
    ...claims.map(([id, claim]) => ({ id, in: { bytes: toHex(encodeClaim(claim)) }, out: { windows: plain(claim) } })),
    ...refused.map(([id, body, error]) => ({ id, in: { bytes: toHex(body) }, error })),
  ]
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(lotteryVectors())) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
    console.log(name)
  }
}

import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import { lotteryVectors } from '../../../../conformance-vectors/lottery/generate.ts'
import {
  commitTo,
  Draw,
  decodeClaim,
  decodeLotteryMessage,
  drawInput,
  encodeClaim,
  encodeLotteryMessage,
  FrameLog,
  LotteryError,
  packetCost,
  reward,
  winTarget,
} from '../src/index.ts'

interface Case<In, Out> {
  readonly id: string
  readonly in: In
  readonly out: Out
  readonly error?: string
}

function load<In, Out>(name: string): Case<In, Out>[] {
  const file = new URL(`../../../../conformance-vectors/lottery/${name}`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).cases
}

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, one) => (one instanceof Uint8Array ? toHex(one) : one)))

test('the files are what generate.ts makes', () => {
  for (const [name, content] of Object.entries(lotteryVectors())) {
    expect({ schema: 'nexus-vectors/1', op: name.slice(0, -5), cases: load(name) }).toEqual(content)
  }
})

test.each(load<{ odds: number }, { target: string }>('lottery.target.json'))('target $id', ({ in: { odds }, out }) => {
  expect(`${winTarget(odds)}`).toBe(out.target)
})

interface RewardIn {
  readonly lengthBytes: number
  readonly odds: number
  readonly cost: number
}
test.each(load<RewardIn, { reward: string; cost: string }>('lottery.reward.json'))(
  'reward $id',
  ({ in: given, out }) => {
    expect(`${reward(given.lengthBytes, given.odds, given.cost)}`).toBe(out.reward)
    expect(`${packetCost(given.lengthBytes, given.cost)}`).toBe(out.cost)
  },
)

interface WinsIn {
  readonly seed: string
  readonly handshakeHash: string
  readonly window: number
  readonly secret: string
  readonly windowFrames: number
  readonly odds: number
  readonly frames: readonly { readonly offset: number; readonly packetHash: string }[]
}
interface WinsOut {
  readonly commit: string
  readonly alpha: string
  readonly proof: string
  readonly beta: string
  readonly wins: readonly number[]
}
describe.each([portable(), await nodeCrypto()])('wins on $name', (crypto) => {
  test.each(load<WinsIn, WinsOut>('lottery.wins.json'))('$id', ({ in: given, out }) => {
    const prover = crypto.vrfProver(fromHex(given.seed))
    const alpha = drawInput(fromHex(given.handshakeHash), given.window, fromHex(given.secret))
    const proof = prover.prove(alpha)
    const beta = crypto.vrfVerify(prover.publicKey, proof, alpha)!
    const draw = new Draw(crypto, beta, given.window * given.windowFrames, given.odds)
    const log = new FrameLog(given.windowFrames)
    for (const { offset, packetHash } of given.frames) log.note(offset, fromHex(packetHash), 1, 1)
    const wins = given.frames.map(({ offset }) => offset).filter((offset) => draw.wins(log, offset))
    const commit = commitTo(crypto, fromHex(given.secret))
    expect(plain({ commit, alpha, proof, beta, wins })).toEqual(out)
    expect(wins.length).toBeGreaterThan(0)
  })
})

test.each(load<{ bytes: string }, unknown>('lottery.message.decode.json'))(
  'message $id',
  ({ in: { bytes }, ...rest }) => {
    const decode = () => decodeLotteryMessage(fromHex(bytes))
    if (rest.error !== undefined) expect(codeOf(decode)).toBe(rest.error)
    else {
      expect(plain(decode())).toEqual(rest.out)
      expect(toHex(encodeLotteryMessage(decode()))).toBe(bytes)
    }
  },
)

test.each(load<{ bytes: string }, unknown>('lottery.claim.decode.json'))('claim $id', ({ in: { bytes }, ...rest }) => {
  const decode = () => decodeClaim(fromHex(bytes))
  if (rest.error !== undefined) expect(codeOf(decode)).toBe(rest.error)
  else {
    expect(plain({ windows: decode() })).toEqual(rest.out)
    expect(toHex(encodeClaim(decode()))).toBe(bytes)
  }
})

function codeOf(decode: () => unknown): string | undefined {
  try {
    decode()
  } catch (error) {
    if (error instanceof LotteryError) return error.detail.code
  }
  return undefined
}

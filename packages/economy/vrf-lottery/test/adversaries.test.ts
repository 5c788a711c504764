import { equalBytes } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import {
  CLAIM_REFUSED,
  commitTo,
  Draw,
  decodeClaim,
  drawInput,
  encodeClaim,
  FrameLog,
  packetCostMicro,
} from '../src/index.ts'
import { UNANSWERED_MAX } from '../src/limits.ts'
import { crypto, identityOf, Pair } from './pair.ts'

const COST = 410
const LENGTH = 300

/** A pair in which the claims are kept back instead of paid. */
class HeldPair extends Pair {
  readonly held: Uint8Array[] = []
  override claim(): void {
    for (let claim = this.relay.nextClaim(); claim !== undefined; claim = this.relay.nextClaim()) {
      this.held.push(claim.body)
      this.relay.claimRefused()
    }
  }
}

/** A pair in which a claim is paid with the least that there is. */
class MiserPair extends Pair {
  override claim(): void {
    for (let claim = this.relay.nextClaim(); claim !== undefined; claim = this.relay.nextClaim()) {
      this.payer.honoured(claim.body)
      this.relay.claimPaid(1n)
    }
  }
}

describe('sender and relay collude', () => {
  test('re-sealing a packet until it would win by the last proof, or a guessed one, wins no more often', () => {
    const pair = new Pair({ seed: 'grind' })
    const relayKey = identityOf('relay')
    pair.open()
    const n = 3_000
    for (let packet = 0; packet < n; packet++) {
      const window = Math.floor(pair.counter / 256)
      // All that the two can compute before the window is over: a draw by a secret that is not the window's.
      const alpha = drawInput(pair.handshakeHash, window, commitTo(crypto, new Uint8Array(16)))
      const draw = packet % 256 === 0 ? new Draw(crypto, crypto.vrfHash(relayKey.prove(alpha))!, window * 256, 5) : last
      last = draw
      let hash = pair.random(32)
      for (let again = 0; again < 20; again++) {
        const log = new FrameLog(256)
        log.note(pair.counter % 256, hash, LENGTH, COST)
        if (draw!.wins(log, pair.counter % 256)) break
        hash = pair.random(32)
      }
      pair.packet(LENGTH, COST, hash)
    }
    pair.rekey()
    const ratio = Number(pair.paidMicro) / Number(pair.costMicro)
    // n rises to 750 by what is paid: the deviation of a window is that of its odds.
    expect(ratio).toBeLessThan(1 + 4 * Math.sqrt(750 / n))
  })
  let last: Draw | undefined

  test('a packet made to win once the secret is known is of no window any more', () => {
    const pair = new Pair({ seed: 'after' })
    pair.claim = () => {}
    pair.open()
    for (let packet = 0; packet < 300; packet++) pair.packet(LENGTH, COST)
    const hash = new Uint8Array(32)
    expect(pair.relay.take(0, pair.handshakeHash, 7, hash, LENGTH, COST)).toBe('revealed')
    expect(pair.payer.handedOver(0, pair.handshakeHash, 7, hash, LENGTH, COST)).toBe(false)
    const [claim] = decodeClaim(pair.relay.nextClaim()!.body)
    const early = encodeClaim([{ ...claim!, window: 1 }])
    expect(pair.payer.judge(early)).toEqual({ ok: false, code: CLAIM_REFUSED.unknownWindow })
  })
})

describe('a relay', () => {
  test('that announces other odds after the draw is paid by the first', () => {
    const pair = new HeldPair({ seed: 'odds' })
    pair.open()
    for (let packet = 0; packet < 256; packet++) pair.packet(LENGTH, COST)
    pair.otherFrame()
    const series = pair.handshakeHash.slice(0, 4)
    for (const window of [0, 1, 2]) pair.payer.receive(0, { kind: 'odds', series, window, odds: 10_000 })
    const [claim] = decodeClaim(pair.held[0]!)
    const verdict = pair.payer.judge(pair.held[0]!)
    const worth = packetCostMicro(LENGTH, COST) * 5 * claim!.offsets.length
    expect(verdict.ok && Math.abs(Number(verdict.minimumPrice) - worth)).toBeLessThan(5 * claim!.offsets.length)
  })

  test('that claims twice, or a window in two claims, is paid once', () => {
    const pair = new HeldPair({ seed: 'twice' })
    pair.open()
    for (let packet = 0; packet < 256; packet++) pair.packet(LENGTH, COST)
    pair.otherFrame()
    const body = pair.held[0]!
    expect(pair.payer.judge(body).ok).toBe(true)
    // Until the payment has both signatures the same claim may come again.
    expect(pair.payer.judge(body).ok).toBe(true)
    pair.payer.honoured(body)
    expect(pair.payer.judge(body)).toEqual({ ok: false, code: CLAIM_REFUSED.closedWindow })
    const [claim] = decodeClaim(body)
    const rest = encodeClaim([{ ...claim!, offsets: claim!.offsets.slice(1) }])
    expect(pair.payer.judge(rest)).toEqual({ ok: false, code: CLAIM_REFUSED.closedWindow })
    expect(() => encodeClaim([claim!, claim!])).toThrow(RangeError)
  })

  test('that guesses at packets it never got forfeits the window, and gains less than by honesty', () => {
    let honest = 0n
    let guessing = 0n
    for (let round = 0; round < 40; round++) {
      const pair = new HeldPair({ seed: `guess ${round}` })
      pair.open()
      for (let packet = 0; packet < 256; packet++) pair.packet(LENGTH, COST, pair.random(32), packet % 2 === 1)
      pair.otherFrame()
      const [claim] = decodeClaim(pair.held[0]!)
      const fair = pair.payer.judge(pair.held[0]!)
      if (fair.ok) honest += fair.minimumPrice
      const lost = 2 * (pair.random(1)[0]! % 128) + 1
      const offsets = [...claim!.offsets, lost].sort((a, b) => a - b)
      const greedy = pair.payer.judge(encodeClaim([{ ...claim!, offsets }]))
      if (greedy.ok) guessing += greedy.minimumPrice
      else {
        expect(greedy.code).toBe(CLAIM_REFUSED.noWin)
        expect(pair.payer.judge(encodeClaim([claim!]))).toEqual({ ok: false, code: CLAIM_REFUSED.closedWindow })
      }
    }
    // One guess in five is right, and adds one win to some 25: four in five lose all of them.
    expect(guessing).toBeLessThan(honest / 2n)
  })

  test('that names a packet which was not handed over gets nothing for the claim', () => {
    const pair = new HeldPair({ seed: 'never' })
    pair.open()
    for (let packet = 0; packet < 250; packet++) pair.packet(LENGTH, COST)
    for (let frame = 0; frame < 7; frame++) pair.otherFrame()
    const [claim] = decodeClaim(pair.held[0]!)
    for (const offset of [253, 256, 65_535]) {
      const body = encodeClaim([{ ...claim!, offsets: [...claim!.offsets, offset] }])
      expect(pair.payer.judge(body)).toEqual({ ok: false, code: CLAIM_REFUSED.unknownFrame })
    }
    expect(pair.payer.judge(pair.held[0]!).ok).toBe(true)
  })

  test('that replays a proof in another series, window or network is refused', () => {
    const pair = new HeldPair({ seed: 'replay' })
    pair.open()
    for (let packet = 0; packet < 600; packet++) pair.packet(LENGTH, COST)
    const old = pair.handshakeHash
    pair.rekey()
    for (let packet = 0; packet < 600; packet++) pair.packet(LENGTH, COST)
    const series = pair.handshakeHash.slice(0, 4)
    const claims = pair.held.map((body) => decodeClaim(body)[0]!)
    const [first, second] = claims.filter((claim) => equalBytes(claim.series, old.slice(0, 4)))
    for (const claim of [
      { ...first!, series },
      { ...first!, window: 1 },
      { ...second!, window: 0 },
    ]) {
      // The proof is of another series or window; where that window is known, it is forfeited.
      const verdict = pair.payer.judge(encodeClaim([claim]))
      expect(verdict.ok ? 'paid' : verdict.code).toBe(CLAIM_REFUSED.proof)
    }
    const foreign = encodeClaim([{ ...first!, series: Uint8Array.of(1, 2, 3, 4) }])
    expect(pair.payer.judge(foreign)).toEqual({ ok: false, code: CLAIM_REFUSED.unknownWindow })
  })
})

describe('secrets without an answer', () => {
  /** What a payer says at once when another link comes up. */
  function repeated(pair: Pair): number {
    const before = pair.sent.length
    pair.payer.resume(pair.nowMs)
    return pair.sent.length - before
  }

  test('are few where a relay that announced odds once is silent, however many other frames go', () => {
    let isSilent = false
    const pair = new Pair({ seed: 'silent', passes: (kind) => kind !== 'odds' || !isSilent })
    pair.open()
    isSilent = true
    for (let frame = 0; frame < 256 * 60 + 1; frame++) pair.otherFrame()
    expect(repeated(pair)).toBeLessThanOrEqual(UNANSWERED_MAX + 1)
    isSilent = false
    pair.wait(60_000)
    expect(pair.packet(LENGTH, COST)).toBe(true)
  })

  test('are answered where the relay took them and forgot their windows', () => {
    const pair = new HeldPair({ seed: 'no room', creditMicro: 100 * packetCostMicro(LENGTH, COST) })
    pair.open()
    while (pair.packet(LENGTH, COST));
    for (let window = 0; window < 30; window++) {
      for (let frame = 0; frame < 256; frame++) pair.otherFrame()
      pair.wait(60_000)
    }
    // Those of the last windows alone wait, for odds that are withheld.
    expect(repeated(pair)).toBeLessThanOrEqual(2)
    expect(pair.relay.counts.falseReveals).toBe(0)
  })
})

describe('a payer that pays less than its claims are worth', () => {
  test('owes what is lacking, so that it is served up to its credit, and earns no odds', () => {
    const creditMicro = 4 * 256 * packetCostMicro(LENGTH, COST)
    const pair = new MiserPair({ seed: 'miser', creditMicro })
    pair.open()
    for (let packet = 0; packet < 256 * 20; packet++) if (!pair.packet(LENGTH, COST)) pair.otherFrame()
    expect(pair.relay.counts.wins).toBeGreaterThan(100)
    expect(pair.relay.counts.taken).toBeLessThan(256 * 8)
    expect(pair.relay.exposureMicro).toBeGreaterThan(creditMicro / 2)
    expect(pair.relay.standing.paidPackets).toBe(0)
  })
})

describe('a payer that withholds its secrets', () => {
  test('gains two windows under a key, and no more than its credit under all of them', () => {
    const creditMicro = 12 * 256 * packetCostMicro(LENGTH, COST)
    const pair = new Pair({ seed: 'withhold', creditMicro, passes: (kind) => kind !== 'reveal' })
    pair.open()
    for (let packet = 0; packet < 1_000; packet++) if (!pair.packet(LENGTH, COST)) pair.otherFrame()
    expect(pair.relay.counts.taken).toBe(512)
    for (let key = 0; key < 12; key++) {
      pair.rekey()
      for (let packet = 0; packet < 600; packet++) if (!pair.packet(LENGTH, COST)) pair.otherFrame()
    }
    expect(pair.relay.exposureMicro).toBeLessThanOrEqual(creditMicro)
    expect(pair.relay.counts.taken * packetCostMicro(LENGTH, COST)).toBeLessThanOrEqual(creditMicro)
    // Still so after the payer's memory of it is gone; forgiven after a whole epoch, and kept between runs until then.
    pair.relay.endSeries(pair.nowMs, pair.handshakeHash)
    pair.wait(700_000)
    const owed = pair.relay.exposureMicro
    expect(owed).toBeGreaterThan(creditMicro / 2)
    expect(pair.relay.standing.owedMicro.get(0)).toBeCloseTo(owed)
    pair.relay.epochIs(1)
    expect(pair.relay.exposureMicro).toBe(owed)
    pair.relay.epochIs(2)
    expect(pair.relay.exposureMicro).toBe(0)
  })

  test('that reveals something else is not believed', () => {
    const pair = new Pair({ seed: 'false', passes: (kind) => kind !== 'reveal' })
    pair.open()
    for (let packet = 0; packet < 100; packet++) pair.packet(LENGTH, COST)
    const series = pair.handshakeHash.slice(0, 4)
    const false16 = new Uint8Array(16)
    pair.relay.receive(0, pair.handshakeHash, 300, 256, {
      kind: 'reveal',
      series,
      window: 0,
      secret: false16,
      commit: false16,
    })
    expect(pair.relay.counts.falseReveals).toBe(1)
    expect(pair.relay.draw(1_000)).toBe(false)
    expect(pair.relay.counts.drawn).toBe(0)
  })

  test('a neighbour whose claimable balance cannot cover a win is not served', () => {
    const pair = new Pair({ seed: 'poor', creditMicro: 4 * packetCostMicro(LENGTH, COST) })
    pair.open()
    expect(pair.packet(LENGTH, COST)).toBe(false)
    expect(pair.verdicts.get('credit')).toBe(1)
    pair.creditMicro = 6 * packetCostMicro(LENGTH, COST)
    expect([1, 2, 3].map(() => pair.packet(LENGTH, COST))).toEqual([true, true, false])
  })
})

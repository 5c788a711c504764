import { type Crypto, portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity, type Identity } from '@nexus/identity'
import {
  decodeLotteryMessage,
  LotteryPayer,
  LotteryRelay,
  packetCost,
  type RelayStanding,
  type TakeVerdict,
} from '../src/index.ts'

/** The fast provider where there is one: the same verdicts, ten times the rate. */
export const crypto: Crypto = await nodeCrypto()
export const slowCrypto: Crypto = portable()

export function identityOf(name: string): Identity {
  return createIdentity(crypto, seededRandom(name)(32))
}

export interface PairOptions {
  readonly seed?: string
  readonly windowFrames?: number
  /** Of the lottery's own messages, each way. */
  readonly lossRatio?: number
  readonly creditMicro?: number
  readonly standing?: RelayStanding
  /** Whether the payer's messages of a kind get through at all. */
  readonly passes?: (kind: string) => boolean
}

/** A payer and a relay on one link, in virtual time: packets are handed over, messages delivered, wins claimed and paid. */
export class Pair {
  nowMs = 0
  counter = 0
  handshakeHash: Uint8Array
  costMicro = 0n
  paidMicro = 0n
  payments = 0
  messageBytes = 0
  /** Kinds of the lottery's messages, both ways, lost ones too. */
  readonly sent: string[] = []
  readonly verdicts = new Map<TakeVerdict | 'not-ready', number>()
  readonly refusals: number[] = []
  readonly payer: LotteryPayer
  readonly relay: LotteryRelay
  readonly windowFrames: number
  readonly random: (length: number) => Uint8Array
  creditMicro: number
  readonly #options: PairOptions
  readonly #wire: {
    readonly to: 'payer' | 'relay'
    readonly body: Uint8Array
    readonly counter: number
    readonly hash: Uint8Array
  }[] = []

  constructor(options: PairOptions = {}) {
    this.#options = options
    this.random = seededRandom(`pair ${options.seed ?? ''}`)
    this.windowFrames = options.windowFrames ?? 256
    this.creditMicro = options.creditMicro ?? 1e15
    this.handshakeHash = this.random(64)
    const identity = identityOf('relay')
    this.payer = new LotteryPayer(
      { crypto, random: this.random, payeePublicKey: identity.publicKey, repeatMs: 1_000 },
      { send: (body) => this.#send('relay', body) },
    )
    this.relay = new LotteryRelay(
      {
        crypto,
        prove: (alpha) => identity.prove(alpha),
        epoch: 0,
        ...(options.standing === undefined ? {} : { standing: options.standing }),
      },
      { send: (body) => this.#send('payer', body), creditMicro: () => this.creditMicro },
    )
  }

  /** Opens the lottery on the present key and waits for the odds. */
  open(): void {
    this.payer.openSeries(this.nowMs, this.handshakeHash, this.windowFrames, this.counter)
    this.settle()
  }

  /** Another key, as a rekey or a new link brings it. */
  rekey(): void {
    this.payer.endSeries(this.nowMs, this.handshakeHash)
    this.settle()
    this.relay.endSeries(this.nowMs, this.handshakeHash)
    this.handshakeHash = this.random(64)
    this.counter = 0
    this.open()
  }

  /** Hands a priced packet over where that may be; whether the relay took it. */
  packet(lengthBytes: number, cost: number, hash = this.random(32), lost = false): boolean {
    this.payer.advance(this.nowMs, this.handshakeHash, this.counter)
    this.settle()
    if (!this.payer.ready(this.handshakeHash, this.counter)) {
      this.#count('not-ready')
      return false
    }
    const counter = this.counter++
    this.payer.handedOver(this.nowMs, this.handshakeHash, counter, hash, lengthBytes, cost)
    if (lost) return false
    const verdict = this.relay.take(this.nowMs, this.handshakeHash, counter, hash, lengthBytes, cost)
    this.#count(verdict)
    if (verdict === 'taken') this.costMicro += packetCost(lengthBytes, cost)
    return verdict === 'taken'
  }

  /** A frame of another kind: it has a counter and no price. */
  otherFrame(): void {
    this.payer.advance(this.nowMs, this.handshakeHash, this.counter++)
    this.settle()
  }

  /** Delivers until nothing is under way; lost messages are repeated in time. */
  settle(): void {
    for (let round = 0; round < 40; round++) {
      this.#deliver()
      while (this.relay.draw(10_000)) this.#deliver()
      this.claim()
      if (this.payer.nextWakeMs() > this.nowMs + 20_000) return
      if (this.#options.lossRatio === undefined) return
      this.nowMs = Math.max(this.nowMs, this.payer.nextWakeMs())
      this.payer.tick(this.nowMs)
    }
  }

  /** Claims are judged and paid as channels do it. */
  claim(): void {
    for (let claim = this.relay.nextClaim(); claim !== undefined; claim = this.relay.nextClaim()) {
      const verdict = this.payer.judge(claim.body)
      if (!verdict.ok) {
        this.refusals.push(verdict.code)
        this.relay.claimRefused()
        continue
      }
      if (verdict.minimumPrice < claim.expectedMicro) throw new Error('the payer pays less than the relay counts on')
      this.payer.honoured(claim.body)
      this.relay.claimPaid(verdict.minimumPrice)
      this.paidMicro += verdict.minimumPrice
      this.payments++
    }
  }

  wait(ms: number): void {
    this.nowMs += ms
    this.payer.tick(this.nowMs)
    this.relay.tick(this.nowMs)
    this.settle()
  }

  #count(verdict: TakeVerdict | 'not-ready'): void {
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1)
  }

  #send(to: 'payer' | 'relay', body: Uint8Array): void {
    this.messageBytes += body.length
    const { lossRatio = 0, passes } = this.#options
    const message = decodeLotteryMessage(body)
    this.sent.push(message.kind)
    if (passes !== undefined && !passes(message.kind)) return
    if (lossRatio > 0 && this.random(4)[0]! < 256 * lossRatio) return
    this.#wire.push({ to, body: body.slice(), counter: this.counter, hash: this.handshakeHash })
  }

  #deliver(): void {
    for (let next = this.#wire.shift(); next !== undefined; next = this.#wire.shift()) {
      const message = decodeLotteryMessage(next.body)
      if (next.to === 'payer' && message.kind === 'odds') this.payer.receive(this.nowMs, message)
      if (next.to === 'relay' && message.kind !== 'odds') {
        this.relay.receive(this.nowMs, next.hash, next.counter, this.windowFrames, message)
      }
    }
  }
}

/** Probability of a win, and what 4 σ of N draws are, as a share of their cost. */
export function relativeBound(odds: number, draws: number, sigmas = 4): number {
  const p = 1 / odds
  return sigmas * Math.sqrt((1 - p) / (draws * p))
}

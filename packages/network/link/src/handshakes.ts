import { compareBytes, equalBytes, toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import {
  decodeCookieFrame,
  decodeHs1,
  decodeHs2,
  decodeHs3,
  encodeCookieFrame,
  type HandshakePayload,
} from './frames.ts'
import type { Attempt, HalfOpen, Handshaker, Target } from './handshake.ts'
import { HANDSHAKE_TRIES_MAX, HS2_SPACING_AIRTIMES, type LinkLimits } from './limits.ts'
import type { Link } from './link.ts'
import { LinkKey, LinkState } from './link-state.ts'
import type { LinkTable } from './link-table.ts'
import type { Medium } from './medium.ts'
import type { NoiseHandshake } from './noise.ts'

export interface HandshakesHost {
  /** A stranger's handshake is complete on both sides. */
  accepted(nowMs: number, link: LinkState): void
  /** The peer repeats HS3: it was not told yet that we have it. */
  confirm(nowMs: number, link: LinkState): void
}

interface Open {
  readonly attempts: Set<Attempt>
  readonly halfOpen: Set<HalfOpen>
}

/**
 * Handshakes under way (docs/spec/link.md): whom to answer, what to repeat, which of two lives. HS1 costs its sender a mac
 * before it costs us anything, a cookie before it costs us memory under load, and a signature of keys before it is a link.
 */
export class Handshakes {
  readonly #crypto: Crypto
  readonly #random: Random
  readonly #identity: Identity
  readonly #limits: LinkLimits
  readonly #handshaker: Handshaker
  readonly #table: LinkTable
  readonly #host: HandshakesHost
  readonly #open = new Map<Medium, Open>()
  /** The e of strangers' completed handshakes, oldest first. */
  readonly #past = new Set<string>()

  constructor(
    context: { crypto: Crypto; random: Random; identity: Identity; limits: LinkLimits },
    handshaker: Handshaker,
    table: LinkTable,
    host: HandshakesHost,
  ) {
    this.#crypto = context.crypto
    this.#random = context.random
    this.#identity = context.identity
    this.#limits = context.limits
    this.#handshaker = handshaker
    this.#table = table
    this.#host = host
  }

  get attempts(): number {
    return this.#sum((open) => open.attempts.size)
  }

  get halfOpen(): number {
    return this.#sum((open) => open.halfOpen.size)
  }

  /** Starts a handshake, or gives `undefined` where the medium has too many under way. */
  start(nowMs: number, medium: Medium, target: Target): Attempt | undefined {
    const { attempts } = this.#of(medium)
    if (attempts.size >= this.#limits.attempts) return undefined
    const id = this.#table.freeId()
    const attempt = this.#handshaker.begin(nowMs, id, medium, target)
    this.#table.claim(id, attempt)
    attempts.add(attempt)
    this.#ask(nowMs, attempt)
    return attempt
  }

  /** Whether someone at `from` is being linked with already, as far as can be told before it is authenticated. */
  isBusyWith(medium: Medium, nodeId: Uint8Array, from: string | undefined): boolean {
    const { attempts, halfOpen } = this.#of(medium)
    for (const half of halfOpen) if (half.from === from) return true
    for (const { target } of attempts) {
      if (medium.point || (target.nodeId === undefined ? target.address === from : equalBytes(target.nodeId, nodeId))) {
        return true
      }
    }
    return this.#table.findUnconfirmed(medium.id, nodeId) !== undefined
  }

  onHs1(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const hs1 = decodeHs1(frame, this.#handshaker.noise1Bytes, medium.addressed)
    if (!this.#handshaker.isForUs(hs1, medium)) return
    if (!this.#handshaker.macHolds(hs1, frame)) {
      medium.refuse('network-key', from)
      return
    }
    const ephemeral = this.#handshaker.ephemeralOf(hs1)
    if (this.#isOwn(ephemeral)) {
      medium.refuse('self', from)
      return
    }
    const { halfOpen } = this.#of(medium)
    for (const half of halfOpen) {
      if (!equalBytes(half.ephemeral, ephemeral)) continue
      if (half.from !== from || half.senderId !== hs1.senderId) {
        medium.refuse('replay', from)
        return
      }
      this.#answerAgain(nowMs, half)
      return
    }
    if (this.#past.has(toHex(ephemeral))) {
      medium.refuse('replay', from)
      return
    }
    if (!this.#mayAnswer(nowMs, medium, from, ephemeral, hs1.cookie, hs1.senderId)) return
    const half = this.#handshaker.answer(nowMs, this.#table.freeId(), medium, from, frame, hs1)
    if (half === undefined) {
      medium.refuse('malformed', from)
      return
    }
    this.#table.claim(half.id, half)
    halfOpen.add(half)
    this.#sendAnswer(nowMs, medium, half.hs2, from)
  }

  onHs2(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const hs2 = decodeHs2(frame)
    const attempt = this.#table.owner(hs2.receiverId)
    if (attempt?.kind === 'key' && attempt.link.medium === medium) {
      medium.count('replay')
      return
    }
    if (attempt?.kind !== 'attempt' || attempt.medium !== medium) {
      medium.stats.unknownIds++
      return
    }
    const wanted = { nodeId: attempt.target.nodeId, linkId: hs2.senderId }
    const verdict = this.#handshaker.read(attempt.noise, hs2.noise, wanted)
    if (verdict === undefined) {
      medium.stats.forged++
      return
    }
    if ('refusal' in verdict) {
      medium.refuse(verdict.refusal, from)
      return
    }
    const { nodeId } = verdict.peer
    const older = this.#table.find(medium.id, nodeId)
    const rival =
      this.#table.findUnconfirmed(medium.id, nodeId) ??
      (older && older.upSinceMs >= attempt.startedMs ? older : undefined)
    // Without HS3 nobody can complete this handshake, so giving way to a link made meanwhile is safe.
    if (rival !== undefined) {
      this.#end(attempt, rival)
      return
    }
    const hs3 = this.#isFull(older) ? undefined : this.#handshaker.hs3(nowMs, attempt, hs2.senderId)
    if (hs3 === undefined) {
      attempt.noise.unread()
      medium.refuse('flood', from)
      return
    }
    const rttMs = attempt.tries === 1 ? nowMs - attempt.sentMs : undefined
    const link = this.#link(nowMs, attempt, verdict, rttMs, from, attempt.noise.ephemeralPublicKey)
    this.#end(attempt, link)
    this.#table.claim(attempt.id, link.key)
    this.#table.unconfirmed.add(link)
    link.confirmation = { frame: hs3, tries: 1, nextMs: nowMs + medium.retryMs(0) }
    medium.send(nowMs, hs3, link.address, 0, 'handshake')
  }

  onHs3(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const hs3 = decodeHs3(frame)
    const half = this.#table.owner(hs3.receiverId)
    if (half?.kind === 'key' && half.link.medium === medium) {
      const { accepted } = half.link
      if (accepted === undefined || !equalBytes(accepted, frame)) {
        medium.count('replay')
        return
      }
      this.#host.confirm(nowMs, half.link)
      return
    }
    if (half?.kind !== 'half-open' || half.medium !== medium) {
      medium.stats.unknownIds++
      return
    }
    const verdict = this.#handshaker.read(half.noise, hs3.noise, { nodeId: undefined, linkId: half.senderId })
    if (verdict === undefined) {
      medium.stats.forged++
      return
    }
    this.#drop(half)
    if ('refusal' in verdict) {
      medium.refuse(verdict.refusal, from)
      return
    }
    if (this.#losesGlare(half, verdict.peer.nodeId)) return
    if (this.#isFull(this.#table.find(medium.id, verdict.peer.nodeId))) {
      medium.refuse('flood', from)
      return
    }
    const rttMs = half.answers === 1 ? nowMs - half.sentMs : undefined
    const link = this.#link(nowMs, half, verdict, rttMs, from, half.ephemeral)
    link.accepted = frame.slice()
    this.#table.claim(half.id, link.key)
    this.#remember(half.ephemeral)
    this.#yieldTo(link)
    this.#host.accepted(nowMs, link)
  }

  onCookie(nowMs: number, medium: Medium, frame: Uint8Array): void {
    const { receiverId, cookie } = decodeCookieFrame(frame)
    const attempt = this.#table.owner(receiverId)
    if (attempt?.kind !== 'attempt' || attempt.medium !== medium) {
      medium.stats.unknownIds++
      return
    }
    // Anyone can send a COOKIE: it may cost us one more HS1 per wait, not more.
    if (nowMs - attempt.cookieMs < medium.retryMs(0)) return
    attempt.cookie = cookie
    attempt.cookieMs = nowMs
    attempt.tries--
    this.#ask(nowMs, attempt)
  }

  tick(nowMs: number): void {
    for (const { attempts, halfOpen } of this.#open.values()) {
      for (const half of halfOpen) if (nowMs >= half.expiresMs) this.#drop(half)
      for (const attempt of attempts) if (nowMs >= attempt.nextMs) this.#retry(nowMs, attempt)
    }
    for (const link of this.#table.unconfirmed) {
      const confirmation = link.confirmation!
      if (nowMs < confirmation.nextMs) continue
      if (confirmation.tries >= HANDSHAKE_TRIES_MAX) {
        this.#table.remove(link, 'unconfirmed')
        continue
      }
      confirmation.nextMs = nowMs + link.medium.retryMs(confirmation.tries++)
      link.medium.send(nowMs, confirmation.frame, link.address, 0, 'handshake')
    }
  }

  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { attempts, halfOpen } of this.#open.values()) {
      for (const half of halfOpen) wakeMs = Math.min(wakeMs, half.expiresMs)
      for (const attempt of attempts) wakeMs = Math.min(wakeMs, attempt.nextMs)
    }
    for (const link of this.#table.unconfirmed) wakeMs = Math.min(wakeMs, link.confirmation!.nextMs)
    return wakeMs
  }

  /** Forgets all that was under way on a medium. */
  mediumDown(medium: Medium): void {
    const { attempts, halfOpen } = this.#of(medium)
    for (const attempt of attempts) this.#end(attempt, undefined)
    for (const half of halfOpen) this.#drop(half)
    for (const link of this.#table.unconfirmed) if (link.medium === medium) this.#table.remove(link, 'interface-down')
    this.#open.delete(medium)
  }

  /** Ends an attempt, with the link that it became or gave way to. */
  #end(attempt: Attempt, link: LinkState | undefined): void {
    attempt.over = true
    attempt.link = link
    this.#of(attempt.medium).attempts.delete(attempt)
    this.#table.release(attempt.id, attempt)
  }

  #drop(half: HalfOpen): void {
    this.#of(half.medium).halfOpen.delete(half)
    this.#table.release(half.id, half)
  }

  #ask(nowMs: number, attempt: Attempt): void {
    const { medium } = attempt
    attempt.sentMs = nowMs
    attempt.nextMs = nowMs + medium.retryMs(attempt.tries++)
    medium.send(nowMs, this.#handshaker.hs1(attempt), attempt.target.address, 0, 'handshake')
  }

  #retry(nowMs: number, attempt: Attempt): void {
    if (attempt.tries >= HANDSHAKE_TRIES_MAX) {
      this.#end(attempt, undefined)
      return
    }
    const atMs = attempt.medium.controlAtMs(nowMs)
    if (atMs > nowMs) attempt.nextMs = atMs
    else this.#ask(nowMs, attempt)
  }

  #answerAgain(nowMs: number, half: HalfOpen): void {
    const { medium } = half
    if (!this.#mayTransmitAnswer(nowMs, medium)) {
      medium.count('flood')
      return
    }
    half.answers++
    half.sentMs = nowMs
    half.expiresMs = nowMs + medium.halfOpenMs
    this.#sendAnswer(nowMs, medium, half.hs2, half.from)
  }

  #mayAnswer(
    nowMs: number,
    medium: Medium,
    from: string | undefined,
    ephemeral: Uint8Array,
    cookie: Uint8Array,
    senderId: number,
  ): boolean {
    const { halfOpen } = this.#of(medium)
    const refuse = (): false => {
      medium.refuse('flood', from)
      return false
    }
    if (!this.#mayTransmitAnswer(nowMs, medium)) return refuse()
    if (halfOpen.size >= this.#limits.halfOpenBeforeCookie && !medium.cookies.isValid(nowMs, from, ephemeral, cookie)) {
      const demanded = medium.cookies.make(nowMs, from, ephemeral)
      medium.stats.cookiesDemanded++
      this.#sendAnswer(nowMs, medium, encodeCookieFrame({ receiverId: senderId, cookie: demanded }), from)
      return false
    }
    if (medium.addressed) {
      let sameAddress = 0
      for (const half of halfOpen) if (half.from === from) sameAddress++
      if (sameAddress >= this.#limits.halfOpenPerAddress) return refuse()
    }
    if (halfOpen.size < this.#limits.halfOpen) return true
    const [oldest] = halfOpen
    if (oldest === undefined || nowMs - oldest.startedMs < medium.halfOpenGraceMs) return refuse()
    this.#drop(oldest)
    return true
  }

  /** A medium without addresses can be made to answer anyone's HS1: at most once per 10 full airtimes. */
  #mayTransmitAnswer(nowMs: number, medium: Medium): boolean {
    return medium.addressed || nowMs >= medium.nextHs2Ms
  }

  #sendAnswer(nowMs: number, medium: Medium, frame: Uint8Array, to: string | undefined): void {
    medium.nextHs2Ms = nowMs + HS2_SPACING_AIRTIMES * medium.fullAirtimeMs
    medium.send(nowMs, frame, to, 0, 'handshake')
  }

  #link(
    nowMs: number,
    from: Attempt | HalfOpen,
    verdict: { peer: Link['peer']; payload: HandshakePayload },
    rttMs: number | undefined,
    address: string | undefined,
    handshakeEphemeral: Uint8Array,
  ): LinkState {
    const { peer, payload } = verdict
    const { id, medium, startedMs } = from
    const noise: NoiseHandshake = from.noise
    const link = new LinkState({
      nowMs,
      id: this.#table.newLinkId(),
      peer,
      medium,
      initiator: from.kind === 'attempt',
      lower: compareBytes(this.#identity.nodeId, peer.nodeId) < 0,
      address,
      parameters: payload.parameters,
      clockOffsetMs: Number(payload.clockMs) + (rttMs ?? 0) / 2 - nowMs,
      rttMs,
      handshakeEphemeral,
      handshakeMs: startedMs,
      probeToken: new DataView(this.#random(4).buffer).getUint32(0),
    })
    link.key = new LinkKey(nowMs, this.#crypto, link, noise.split(), { receiveId: id, sendId: payload.linkId })
    return link
  }

  /**
   * Of two handshakes of one pair that crossed, the one with the bytewise lower e lives: both ends see both, and choose
   * alike. Crossed means that this one began here before ours was confirmed.
   */
  #losesGlare(half: HalfOpen, nodeId: Uint8Array): boolean {
    const up = this.#table.find(half.medium.id, nodeId)
    const crossed = up?.initiator === true && half.startedMs < up.upSinceMs ? up : undefined
    const ours = this.#table.findUnconfirmed(half.medium.id, nodeId) ?? crossed
    return ours !== undefined && compareBytes(ours.handshakeEphemeral, half.ephemeral) < 0
  }

  /** Gives up own handshakes with the node that a stranger's handshake just linked us with. */
  #yieldTo(link: LinkState): void {
    const { medium, peer } = link
    const ours = this.#table.findUnconfirmed(medium.id, peer.nodeId)
    if (ours !== undefined) this.#table.remove(ours, 'replaced')
    for (const attempt of this.#of(medium).attempts) {
      const { nodeId, address } = attempt.target
      const same = nodeId === undefined ? address === link.address : equalBytes(nodeId, peer.nodeId)
      if (same) this.#end(attempt, link)
    }
  }

  #isFull(replaces: LinkState | undefined): boolean {
    return replaces === undefined && this.#table.size >= this.#limits.links
  }

  #isOwn(ephemeral: Uint8Array): boolean {
    for (const { attempts } of this.#open.values()) {
      for (const attempt of attempts) if (equalBytes(attempt.noise.ephemeralPublicKey, ephemeral)) return true
    }
    return false
  }

  #remember(ephemeral: Uint8Array): void {
    if (this.#past.size >= this.#limits.pastHandshakes) {
      const [oldest] = this.#past
      this.#past.delete(oldest!)
    }
    this.#past.add(toHex(ephemeral))
  }

  #of(medium: Medium): Open {
    let open = this.#open.get(medium)
    if (open === undefined) {
      open = { attempts: new Set(), halfOpen: new Set() }
      this.#open.set(medium, open)
    }
    return open
  }

  #sum(count: (open: Open) => number): number {
    let sum = 0
    for (const open of this.#open.values()) sum += count(open)
    return sum
  }
}

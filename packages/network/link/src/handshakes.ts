import { compareBytes, equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { Doorkeeper } from './doorkeeper.ts'
import { decodeCookieFrame, decodeHs1, decodeHs2, decodeHs3, FRAME, type HandshakePayload } from './frames.ts'
import type { Attempt, HalfOpen, Handshaker, Target, Verdict } from './handshake.ts'
import { COOKIES_MAX, HANDSHAKE_TRIES_MAX, type LinkLimits } from './limits.ts'
import { CLOSE, type Link, type RefusalReason } from './link.ts'
import { LinkKey, LinkState } from './link-state.ts'
import type { LinkTable } from './link-table.ts'
import type { Medium } from './medium.ts'
import type { NoiseHandshake } from './noise.ts'

export interface HandshakesHost {
  /** A stranger's handshake is complete on both sides. */
  accepted(nowMs: number, link: LinkState): void
  /** The peer repeats HS3: it was not told yet that we have it. */
  confirm(nowMs: number, link: LinkState): void
  /** A stranger's handshake is complete and the stranger refused: it is to be told, under the keys of a link that is not to be. */
  turnAway(nowMs: number, link: LinkState, code: number): void
  /** An authenticated node was refused because `admit` says no. */
  notAdmitted(medium: Medium, peer: Link['peer'], from: string | undefined): void
}

/** Handshakes under way (docs/spec/link.md): what to repeat, whom to believe, which of two lives. */
export class Handshakes {
  readonly #crypto: Crypto
  readonly #random: Random
  readonly #identity: Identity
  readonly #limits: LinkLimits
  readonly #handshaker: Handshaker
  readonly #table: LinkTable
  readonly #host: HandshakesHost
  readonly #door: Doorkeeper
  readonly #attempts = new Map<Medium, Set<Attempt>>()

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
    this.#door = new Doorkeeper(context.limits, handshaker, table)
  }

  attempts(medium: Medium): number {
    return this.#attempts.get(medium)?.size ?? 0
  }

  get attemptsInAll(): number {
    let attempts = 0
    for (const ours of this.#attempts.values()) attempts += ours.size
    return attempts
  }

  get halfOpen(): number {
    return this.#door.size
  }

  /** Starts a handshake on no more than a hint, which anybody can give: half of the places are kept for configured peers. */
  startOnHint(nowMs: number, medium: Medium, target: Target, delayMs = 0): Attempt | undefined {
    return this.attempts(medium) < this.#limits.attempts / 2 ? this.start(nowMs, medium, target, delayMs) : undefined
  }

  /** Starts a handshake, or gives `undefined` where the medium has too many under way. */
  start(nowMs: number, medium: Medium, target: Target, delayMs = 0): Attempt | undefined {
    const attempts = this.#of(medium)
    if (attempts.size >= this.#limits.attempts) return undefined
    const id = this.#table.freeId()
    const attempt = this.#handshaker.begin(nowMs, id, medium, target)
    this.#table.claim(id, attempt)
    attempts.add(attempt)
    if (delayMs > 0 || medium.controlAtMs(nowMs) > nowMs) attempt.nextMs = nowMs + delayMs
    else this.#ask(nowMs, attempt)
    return attempt
  }

  /** Whether someone at `from` is being linked with already, as far as can be told before it is authenticated. */
  isBusyWith(medium: Medium, nodeId: Uint8Array, from: string | undefined): boolean {
    if (this.#door.isBusyWith(medium, from)) return true
    for (const { target } of this.#of(medium)) {
      if (medium.point || (target.nodeId === undefined ? target.address === from : equalBytes(target.nodeId, nodeId))) {
        return true
      }
    }
    return this.#table.findUnconfirmed(medium.id, nodeId) !== undefined
  }

  /** Takes a frame of a handshake; any other is malformed. @throws {LinkError} as the frame's decoder does */
  receive(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const kind = frame[0]
    if (kind === FRAME.hs1) this.#onHs1(nowMs, medium, frame, from)
    else if (kind === FRAME.hs2) this.#onHs2(nowMs, medium, frame, from)
    else if (kind === FRAME.hs3) this.#onHs3(nowMs, medium, frame, from)
    else if (kind === FRAME.cookie) this.#onCookie(nowMs, medium, frame)
    else medium.refuse('malformed', from)
  }

  #onHs1(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
    const hs1 = decodeHs1(frame, this.#handshaker.noise1Bytes, medium.addressed)
    if (!this.#handshaker.isForUs(hs1, medium)) return
    if (!this.#handshaker.macHolds(hs1, frame)) {
      medium.refuse('network-key', from)
      return
    }
    if (this.#isOwn(this.#handshaker.ephemeralOf(hs1))) medium.refuse('self', from)
    else this.#door.answer(nowMs, medium, frame, hs1, from)
  }

  #onHs2(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
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
    if (verdict.refusal !== undefined) {
      // The right peer may still come.
      attempt.noise.unread()
      this.#refuse(medium, verdict, from)
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
      medium.refuse('flood', from, nodeId)
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

  #onHs3(nowMs: number, medium: Medium, frame: Uint8Array, from: string | undefined): void {
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
    if (verdict.peer === undefined) {
      this.#door.drop(half)
      medium.refuse(verdict.refusal, from)
      return
    }
    const { nodeId } = verdict.peer
    const isFull = this.#isFull(this.#table.find(medium.id, nodeId))
    if (verdict.refusal === undefined && !isFull && this.#losesGlare(half, nodeId)) {
      this.#door.drop(half)
      return
    }
    this.#door.take(half)
    if (verdict.refusal !== undefined || isFull) {
      if (verdict.refusal !== undefined) this.#refuse(medium, verdict, from)
      else medium.refuse('flood', from, nodeId)
      const code = verdict.refusal === undefined ? CLOSE.capacity : CLOSE.policy
      this.#host.turnAway(nowMs, this.#link(nowMs, half, verdict, undefined, from, half.ephemeral), code)
      return
    }
    const rttMs = half.answers === 1 ? nowMs - half.sentMs : undefined
    const link = this.#link(nowMs, half, verdict, rttMs, from, half.ephemeral)
    link.accepted = frame.slice()
    this.#table.claim(half.id, link.key)
    this.#door.remember(half)
    this.#yieldTo(link)
    this.#host.accepted(nowMs, link)
  }

  #onCookie(nowMs: number, medium: Medium, frame: Uint8Array): void {
    const { receiverId, cookie } = decodeCookieFrame(frame)
    const attempt = this.#table.owner(receiverId)
    if (attempt?.kind !== 'attempt' || attempt.medium !== medium) {
      medium.stats.unknownIds++
      return
    }
    // Anyone can send a COOKIE: it may cost us one more HS1 per wait, and not keep the attempt alive.
    if (nowMs - attempt.cookieMs < medium.retryMs(0) || attempt.cookies >= COOKIES_MAX) return
    attempt.cookie = cookie
    attempt.cookieMs = nowMs
    attempt.cookies++
    attempt.tries--
    this.#ask(nowMs, attempt)
  }

  tick(nowMs: number): void {
    this.#door.tick(nowMs)
    for (const attempts of this.#attempts.values()) {
      for (const attempt of attempts) if (nowMs >= attempt.nextMs) this.#retry(nowMs, attempt)
    }
    for (const link of this.#table.unconfirmed) {
      const confirmation = link.confirmation!
      if (nowMs < confirmation.nextMs) continue
      if (confirmation.tries >= HANDSHAKE_TRIES_MAX) {
        this.#table.remove(link, 'unconfirmed')
        continue
      }
      const atMs = link.medium.controlAtMs(nowMs)
      if (atMs > nowMs) {
        confirmation.nextMs = atMs
        continue
      }
      confirmation.nextMs = nowMs + link.medium.retryMs(confirmation.tries++)
      link.medium.send(nowMs, confirmation.frame, link.address, 0, 'handshake')
    }
  }

  nextWakeMs(): number {
    let wakeMs = this.#door.nextWakeMs()
    for (const attempts of this.#attempts.values()) {
      for (const attempt of attempts) wakeMs = Math.min(wakeMs, attempt.nextMs)
    }
    for (const link of this.#table.unconfirmed) wakeMs = Math.min(wakeMs, link.confirmation!.nextMs)
    return wakeMs
  }

  #refuse(medium: Medium, { refusal, peer }: Verdict & { refusal: RefusalReason }, from: string | undefined): void {
    if (refusal === 'not-admitted' && peer !== undefined) this.#host.notAdmitted(medium, peer, from)
    medium.refuse(refusal, from, peer?.nodeId)
  }

  /** Forgets all that was under way on a medium. */
  mediumDown(medium: Medium): void {
    for (const attempt of this.#of(medium)) this.#end(attempt, undefined)
    this.#attempts.delete(medium)
    this.#door.mediumDown(medium)
    for (const link of this.#table.unconfirmed) if (link.medium === medium) this.#table.remove(link, 'interface-down')
  }

  /** Ends an attempt, with the link that it became or gave way to. */
  #end(attempt: Attempt, link: LinkState | undefined): void {
    attempt.over = true
    attempt.noise.wipe()
    attempt.link = link
    this.#of(attempt.medium).delete(attempt)
    this.#table.release(attempt.id, attempt)
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
    else {
      this.#ask(nowMs, attempt)
      attempt.nextMs += attempt.medium.spreadMs()
    }
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
    for (const attempt of this.#of(medium)) {
      const { nodeId, address } = attempt.target
      const same = nodeId === undefined ? address === link.address : equalBytes(nodeId, peer.nodeId)
      if (same) this.#end(attempt, link)
    }
  }

  #isFull(replaces: LinkState | undefined): boolean {
    return replaces === undefined && this.#table.size >= this.#limits.links
  }

  #isOwn(ephemeral: Uint8Array): boolean {
    for (const attempts of this.#attempts.values()) {
      for (const { noise } of attempts) if (equalBytes(noise.ephemeralPublicKey, ephemeral)) return true
    }
    return false
  }

  #of(medium: Medium): Set<Attempt> {
    let attempts = this.#attempts.get(medium)
    if (attempts === undefined) {
      attempts = new Set()
      this.#attempts.set(medium, attempts)
    }
    return attempts
  }
}

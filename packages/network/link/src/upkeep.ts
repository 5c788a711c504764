import { concatBytes, encodeUtf8, equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { LinkKey, type LinkState } from './link-state.ts'
import { type LinkTable, RESERVED } from './link-table.ts'
import { encodeProbe, encodeRekey, MESSAGE, type Probe, type Rekey } from './messages.ts'
import { NoiseHandshake } from './noise.ts'
import type { Sender } from './sender.ts'

const PROLOGUE = encodeUtf8('NEXUS rekey 1')
const PROLOGUE_HASH_BYTES = 32
const ID_BYTES = 2

/** Keeps links alive and their keys young: probes and rekeying (docs/spec/link.md). */
export class Upkeep {
  readonly #crypto: Crypto
  readonly #random: Random
  readonly #table: LinkTable
  readonly #sender: Sender

  constructor(context: { crypto: Crypto; random: Random }, table: LinkTable, sender: Sender) {
    this.#crypto = context.crypto
    this.#random = context.random
    this.#table = table
    this.#sender = sender
  }

  /** Asks the peer to answer. */
  probe(nowMs: number, link: LinkState): void {
    const token = link.liveness.ask(nowMs)
    this.#sender.send(nowMs, link.key, MESSAGE.probe, encodeProbe({ answer: false, token }), 'probe')
  }

  onProbe(nowMs: number, link: LinkState, { answer, token }: Probe): void {
    if (answer) {
      link.liveness.answered(nowMs, token)
      return
    }
    this.#sender.send(nowMs, link.key, MESSAGE.probe, encodeProbe({ answer: true, token }), 'probe')
  }

  /** An authentic frame came under `key`: the peer has it, so it is time to move on. */
  opened(nowMs: number, link: LinkState, key: LinkKey): void {
    if (key === link.next) {
      this.#moveTo(link, key, nowMs + link.medium.oldKeyMs)
      link.next = undefined
      link.rekey = undefined
    } else if (key === link.key && link.rekey?.phase === 'confirming') {
      link.previousDiesMs = nowMs + link.medium.oldKeyMs
      link.rekey = undefined
    }
  }

  onRekey(nowMs: number, link: LinkState, key: LinkKey, rekey: Rekey): void {
    // Messages under a key that was replaced are late copies.
    if (key !== link.key) return
    if (rekey.step === 0) {
      const settled = nowMs - key.createdMs >= link.medium.probeSpacingMs
      if (link.lower && link.rekey === undefined && settled) this.#start(nowMs, link)
    } else if (rekey.step === 1) {
      if (!link.lower) this.#answer(nowMs, link, rekey.noise)
    } else if (link.rekey?.phase === 'starting') this.#finish(nowMs, link, link.rekey, rekey.noise)
  }

  /** Does what is due; true where the peer is dead. */
  tick(nowMs: number, link: LinkState): boolean {
    if (link.previous !== undefined && nowMs >= link.previousDiesMs) {
      this.#table.retire(link.previous)
      link.previous = undefined
    }
    if (link.rekey === undefined && this.#isWorn(nowMs, link)) this.#renew(nowMs, link)
    else if (link.rekey !== undefined && nowMs >= link.rekey.nextMs) this.#repeat(nowMs, link)
    return this.#tickLiveness(nowMs, link)
  }

  /** When {@link tick} has something to do. */
  nextWakeMs(link: LinkState): number {
    const wornMs = this.#isWorn(Number.NEGATIVE_INFINITY, link) ? 0 : link.key.createdMs + link.medium.rekeyMs
    const keyMs = link.rekey?.nextMs ?? Math.max(wornMs, link.rekeyNotBeforeMs)
    const previousMs = link.previous === undefined ? Number.POSITIVE_INFINITY : link.previousDiesMs
    return Math.min(Math.max(link.liveness.dueMs, link.liveness.notBeforeMs), keyMs, previousMs)
  }

  #tickLiveness(nowMs: number, link: LinkState): boolean {
    const { liveness, medium } = link
    if (nowMs < liveness.dueMs || nowMs < liveness.notBeforeMs) return false
    if (liveness.dead) return true
    // A first question can wait for its share of the medium; once there is doubt, the answer is due.
    const atMs = liveness.asking ? nowMs : medium.controlAtMs(nowMs)
    if (atMs > nowMs) liveness.notBeforeMs = atMs
    else this.probe(nowMs, link)
    return false
  }

  #isWorn(nowMs: number, link: LinkState): boolean {
    return link.key.bytes >= link.rekeyBytes || nowMs >= link.key.createdMs + link.medium.rekeyMs
  }

  /** Starts a rekey, or asks the lower NodeID to, once the share for control traffic allows. */
  #renew(nowMs: number, link: LinkState): void {
    const atMs = link.medium.controlAtMs(nowMs)
    if (atMs > nowMs) link.rekeyNotBeforeMs = atMs
    else if (link.lower) this.#start(nowMs, link)
    else {
      link.rekey = { phase: 'asking', nextMs: nowMs }
      this.#repeat(nowMs, link)
    }
  }

  #start(nowMs: number, link: LinkState): void {
    const receiveId = this.#table.freeId()
    this.#table.claim(receiveId, RESERVED)
    const noise = this.#noise(link, true)
    const message = noise.writeMessage(idBytes(receiveId))
    if (message === undefined) throw new Error('link: the first rekey message needs no key of the peer')
    const body = encodeRekey({ step: 1, noise: message })
    link.rekey = { phase: 'starting', noise, receiveId, body, nextMs: nowMs }
    this.#repeat(nowMs, link)
  }

  #repeat(nowMs: number, link: LinkState): void {
    const rekey = link.rekey!
    rekey.nextMs = nowMs + link.medium.probeSpacingMs
    if (rekey.phase === 'confirming') {
      this.probe(nowMs, link)
      return
    }
    // Our answer is under way: the starter repeats its question if it was lost.
    if (rekey.phase === 'asking' && link.next !== undefined) return
    const body = rekey.phase === 'asking' ? encodeRekey({ step: 0 }) : rekey.body
    this.#sender.send(nowMs, link.key, MESSAGE.rekey, body, 'rekey')
  }

  /** Step 1 came: the new key is ready for reading, and for sending once the starter used it. */
  #answer(nowMs: number, link: LinkState, question: Uint8Array): void {
    const given = link.rekeyAnswer
    if (given !== undefined && equalBytes(given.question, question)) {
      this.#sender.send(nowMs, link.key, MESSAGE.rekey, given.body, 'rekey')
      return
    }
    if (given !== undefined && nowMs - given.atMs < link.medium.probeSpacingMs) return
    const noise = this.#noise(link, false)
    const theirId = readId(noise.readMessage(question))
    const receiveId = this.#table.freeId()
    const message = theirId === undefined ? undefined : noise.writeMessage(idBytes(receiveId))
    if (theirId === undefined || message === undefined) {
      noise.wipe()
      link.medium.refuse('malformed', link.address)
      return
    }
    const body = encodeRekey({ step: 2, noise: message })
    if (link.next !== undefined) this.#table.retire(link.next)
    link.next = new LinkKey(nowMs, this.#crypto, link, noise.split(), { receiveId, sendId: theirId })
    this.#table.claim(receiveId, link.next)
    link.rekeyAnswer = { question, body, atMs: nowMs }
    this.#sender.send(nowMs, link.key, MESSAGE.rekey, body, 'rekey')
  }

  /** Step 2 came: the starter moves at once, and keeps the old key until it hears the new one. */
  #finish(
    nowMs: number,
    link: LinkState,
    started: { noise: NoiseHandshake; receiveId: number },
    message: Uint8Array,
  ): void {
    const { noise, receiveId } = started
    const theirId = readId(noise.readMessage(message))
    if (theirId === undefined) {
      link.medium.refuse('malformed', link.address)
      return
    }
    const key = new LinkKey(nowMs, this.#crypto, link, noise.split(), { receiveId, sendId: theirId })
    this.#table.claim(receiveId, key)
    this.#moveTo(link, key, Number.POSITIVE_INFINITY)
    link.rekey = { phase: 'confirming', nextMs: nowMs }
    this.#repeat(nowMs, link)
  }

  #moveTo(link: LinkState, key: LinkKey, previousDiesMs: number): void {
    if (link.previous !== undefined) this.#table.retire(link.previous)
    link.previous = link.key
    link.previousDiesMs = previousDiesMs
    link.key = key
    link.counters.rekeys++
  }

  #noise(link: LinkState, initiator: boolean): NoiseHandshake {
    const { handshakeHash, rekeySecret } = link.key
    return new NoiseHandshake({
      crypto: this.#crypto,
      pattern: 'NNpsk0',
      initiator,
      prologue: concatBytes(PROLOGUE, handshakeHash.subarray(0, PROLOGUE_HASH_BYTES)),
      ephemeralKey: this.#crypto.ephemeralKey(this.#random),
      psk: rekeySecret,
    })
  }
}

function idBytes(id: number): Uint8Array {
  return Uint8Array.of(id & 0xff, id >>> 8)
}

function readId(payload: Uint8Array | undefined): number | undefined {
  return payload?.length === ID_BYTES ? payload[0]! | (payload[1]! << 8) : undefined
}

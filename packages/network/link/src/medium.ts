import type { Crypto, Random } from '@nexus/crypto'
import type { InterfaceFacts } from '@nexus/transport'
import { CookieJar } from './cookies.ts'
import {
  CONTROL_BURST_BYTES,
  CONTROL_BURST_MS_MAX,
  CONTROL_BURST_MS_MIN,
  CONTROL_SHARE,
  DATA_HEADER_NARROW_BYTES,
  DATA_HEADER_WIDE_BYTES,
  HALF_OPEN_AIRTIMES_MIN,
  HALF_OPEN_MS_MIN,
  HELLO_ANSWERS_PER_SECOND,
  HELLO_BYTES,
  HELLO_INTERVAL_BUSY_MS,
  HELLO_INTERVAL_CROWDED_MS,
  HELLO_INTERVAL_MS,
  HELLO_INTERVAL_SLOW_MS,
  HELLO_SHARE,
  HS1_MAC_END_BYTES,
  HS2_BYTES,
  HS3_BYTES,
  IDLE_PROBE_SHARE,
  LINK_FRAME_BYTES_MAX,
  LINK_FRAME_BYTES_MIN,
  type LinkLimits,
  OLD_KEY_AIRTIMES,
  OLD_KEY_MS,
  PART_AIRTIME_MS,
  PART_TIMEOUT_AIRTIMES,
  PART_TIMEOUT_MS_MIN,
  PARTS_MAX,
  PROBE_PLAINTEXT_BYTES,
  PROBE_SPACING_AIRTIMES,
  PROBE_SPACING_MS,
  REDIAL_MS_MAX,
  REDIAL_SLOW_MS_MAX,
  REKEY_MS,
  REKEY_PLAINTEXT_BYTES,
  REKEY_SHARE,
  RETRY_AIRTIMES,
  RETRY_MS,
  RETRY_MS_MAX,
  RETRY_UNADDRESSED_AIRTIMES,
  SLOW_BELOW_BPS,
  SPREAD_AIRTIMES_MAX,
  TAG_BYTES,
  WIDE_COUNTERS_FROM_BPS,
} from './limits.ts'
import type { ControlUse, InterfaceStats, Refusal, RefusalReason } from './link.ts'
import { padBytesFor } from './messages.ts'
import { cutFrame, partBytes, Reassembler } from './shim.ts'

export interface MediumPorts {
  transmit(interfaceId: string, frame: Uint8Array, to?: string): boolean
  refused(refusal: Refusal): void
}

/** What the link layer keeps of one open interface: its timing, its share for control traffic, its counts. */
export class Medium {
  readonly facts: InterfaceFacts
  readonly id: string
  /** Everyone in reach hears every frame and none has a source address. */
  readonly radio: boolean
  readonly point: boolean
  readonly addressed: boolean
  /** Longest frame taken here, by parts if need be. */
  readonly frameBytesMax: number
  readonly wideCounters: boolean
  readonly fullAirtimeMs: number
  readonly probeSpacingMs: number
  readonly oldKeyMs: number
  readonly cookies: CookieJar
  readonly reassembler: Reassembler
  readonly stats: InterfaceStats
  /** Before this no HS2 leaves a medium without addresses. */
  nextHs2Ms = Number.NEGATIVE_INFINITY
  nextBeaconMs: number
  lastBeaconMs = Number.NEGATIVE_INFINITY
  /** Beacons since the last greeting. */
  beacons = 0
  /** Links over this medium that are up: they share what idle probes and rekeying may take. */
  links = 0
  /** Other nodes here, as last told to the host. */
  othersTold = 0
  /** How many times faster than usual beacons and probes come. */
  readonly pace: number
  readonly #ports: MediumPorts
  readonly #random: Random
  readonly #retryBaseMs: number
  #frameId: number
  #answers = 0
  #answersSinceMs = Number.NEGATIVE_INFINITY
  #budgetBps: number
  #debtBytes = 0
  #debtAtMs: number

  constructor(
    nowMs: number,
    facts: InterfaceFacts,
    context: { crypto: Crypto; random: Random; limits: LinkLimits; pace: number },
    ports: MediumPorts,
  ) {
    this.facts = facts
    this.id = facts.id
    this.point = facts.reach === 'point'
    this.addressed = facts.addressed
    this.radio = !this.point && !this.addressed
    this.frameBytesMax = Math.min(Math.max(facts.mtuBytes, LINK_FRAME_BYTES_MIN), LINK_FRAME_BYTES_MAX)
    this.wideCounters = facts.bitrateBps >= WIDE_COUNTERS_FROM_BPS
    this.fullAirtimeMs = this.airtimeMs(LINK_FRAME_BYTES_MIN)
    this.oldKeyMs = Math.max(OLD_KEY_MS, OLD_KEY_AIRTIMES * this.fullAirtimeMs)
    const retryAirtimes = this.addressed ? RETRY_AIRTIMES : RETRY_UNADDRESSED_AIRTIMES
    this.#retryBaseMs = Math.max(RETRY_MS, retryAirtimes * this.fullAirtimeMs)
    this.cookies = new CookieJar(nowMs, context.crypto, context.random)
    this.reassembler = new Reassembler({
      timeoutMs: Math.max(PART_TIMEOUT_MS_MIN, PART_TIMEOUT_AIRTIMES * this.fullAirtimeMs),
      frameBytesMax: this.frameBytesMax,
      slotsMax: context.limits.reassemblies,
    })
    this.stats = emptyStats()
    if (!(context.pace > 0 && context.pace <= 100)) throw new RangeError(`a pace of ${context.pace}`)
    this.pace = context.pace
    // A radio that may speak for a hundredth of the time answers in that time.
    const airMs = (PROBE_SPACING_AIRTIMES * this.fullAirtimeMs) / facts.dutyCycle
    this.probeSpacingMs = Math.max(PROBE_SPACING_MS / context.pace, airMs)
    this.#random = context.random
    this.nextBeaconMs = nowMs + this.spreadMs()
    this.#ports = ports
    // Neighbours without a link are told apart by frame ids: they should not all count from 0.
    this.#frameId = context.random(1)[0]!
    this.#budgetBps = facts.bitrateBps * facts.dutyCycle * CONTROL_SHARE
    this.#debtAtMs = nowMs
  }

  airtimeMs(bytes: number): number {
    const seconds = this.facts.airtimeSeconds?.(bytes) ?? (bytes * 8) / this.facts.bitrateBps
    return seconds * 1_000
  }

  /** Time between beacons, or a `share` of it; `load` is the share of the channel in use, of 255. */
  helloIntervalMs(load: number, share = 1): number {
    const base = this.facts.bitrateBps < SLOW_BELOW_BPS ? HELLO_INTERVAL_SLOW_MS : HELLO_INTERVAL_MS
    const stretched = load > 191 ? HELLO_INTERVAL_CROWDED_MS : load > 127 ? HELLO_INTERVAL_BUSY_MS : 0
    return Math.max((share * Math.max(base, stretched)) / this.pace, this.#earnMs(HELLO_BYTES, HELLO_SHARE))
  }

  /** Time between the idle probes of one link in which all links here keep to their share: of question and answer each end sends one. */
  get idleProbeMsMin(): number {
    return this.links * this.#earnMs(this.#dataFrameBytes(PROBE_PLAINTEXT_BYTES), IDLE_PROBE_SHARE)
  }

  /** Age at which a key is changed, such that all links here keep to their share: each end sends a step and a probe or its answer. */
  get rekeyMs(): number {
    const bytes = this.#dataFrameBytes(REKEY_PLAINTEXT_BYTES) + this.#dataFrameBytes(PROBE_PLAINTEXT_BYTES)
    return Math.max(REKEY_MS, this.links * this.#earnMs(bytes, REKEY_SHARE))
  }

  /** A random wait before speaking, on radio: nodes that heard the same thing must not answer it together. */
  spreadMs(): number {
    return this.radio ? SPREAD_AIRTIMES_MAX * this.fullAirtimeMs * fraction(this.#random) : 0
  }

  /**
   * A random wait before a handshake among `others` nodes: as long as the medium takes to earn one for each of the others, since
   * those who hear one beacon all start.
   */
  startSpreadMs(others: number): number {
    if (!this.radio) return 0
    const probeBytes = this.#dataFrameBytes(PROBE_PLAINTEXT_BYTES)
    const frames = [HS1_MAC_END_BYTES, HS2_BYTES, HS3_BYTES, probeBytes, probeBytes]
    const handshakeMs = frames.reduce((sum, bytes) => sum + this.#earnMs(bytes, 1), 0)
    const earnedMs = (handshakeMs * (others - 1)) / (others + 1)
    return Math.max(SPREAD_AIRTIMES_MAX * this.fullAirtimeMs, earnedMs) * fraction(this.#random)
  }

  /** Whether one more HELLO may be answered in this second; counts it. An answer is no longer than what it answers. */
  mayAnswerHello(nowMs: number): boolean {
    if (nowMs - this.#answersSinceMs >= 1_000) {
      this.#answersSinceMs = nowMs
      this.#answers = 0
    }
    return this.#answers++ < HELLO_ANSWERS_PER_SECOND
  }

  /** Time to wait for the answer to the n-th (from 0) copy of a handshake frame. */
  retryMs(tries: number): number {
    const most = Math.max(RETRY_MS_MAX, 2 * this.#retryBaseMs)
    return Math.min(this.#retryBaseMs * 2 ** tries, most)
  }

  /** Longest pause between two handshakes with a node that does not come. */
  get redialMsMax(): number {
    return this.wideCounters ? REDIAL_MS_MAX : REDIAL_SLOW_MS_MAX
  }

  /** How long a half-open handshake is safe from being dropped for another. */
  get halfOpenGraceMs(): number {
    return Math.max(HALF_OPEN_MS_MIN, HALF_OPEN_AIRTIMES_MIN * this.fullAirtimeMs)
  }

  /**
   * Time after which an answered handshake that went silent is given up: two of the longest waits of its initiator, who waits
   * until its budget has earned what it said, too.
   */
  get halfOpenMs(): number {
    return 2 * Math.max(RETRY_MS_MAX, 2 * this.#retryBaseMs, this.#earnMs(HS1_MAC_END_BYTES + HS3_BYTES, 1))
  }

  /** Puts a frame on the medium, in parts where it is too long. False: the medium did not take it, or not all. */
  send(nowMs: number, frame: Uint8Array, to: string | undefined, receiverId: number, use?: ControlUse): boolean {
    if (frame.length <= this.facts.mtuBytes) return this.#transmit(nowMs, frame, to, use)
    let count = 2
    while (partBytes(frame.length, count) > this.facts.mtuBytes) count++
    for (const part of this.#cut(frame, count, receiverId)) if (!this.#transmit(nowMs, part, to, use)) return false
    return true
  }

  /** Sends one part of an interruptible frame. */
  sendPart(nowMs: number, part: Uint8Array, to: string | undefined): boolean {
    return this.#transmit(nowMs, part, to, undefined)
  }

  /** The frame as PARTs of 150 ms of airtime each, or 16 where that would take more; alone where it takes less. */
  interruptible(frame: Uint8Array, receiverId: number): Uint8Array[] {
    const { mtuBytes } = this.facts
    if (frame.length <= mtuBytes && this.airtimeMs(frame.length) <= PART_AIRTIME_MS) return [frame.slice()]
    let count = 2
    while (count < PARTS_MAX && !this.#fits(partBytes(frame.length, count))) count++
    return this.#cut(frame, count, receiverId)
  }

  /** Bit/s that beacons, handshakes, probes and rekeying may use here; their intervals stretch to fit. */
  setControlBudget(nowMs: number, bps: number): void {
    this.#settle(nowMs)
    this.#budgetBps = bps
  }

  /** When control traffic that can wait may next be sent: `nowMs` if at once. */
  controlAtMs(nowMs: number): number {
    this.#settle(nowMs)
    const earnedIn = (ms: number): number => (ms * this.#budgetBps) / 8_000
    const burstBytes = Math.min(CONTROL_BURST_BYTES, earnedIn(CONTROL_BURST_MS_MAX))
    const overBytes = this.#debtBytes - Math.max(burstBytes, earnedIn(CONTROL_BURST_MS_MIN))
    return overBytes <= 0 ? nowMs : nowMs + Math.ceil((overBytes * 8_000) / this.#budgetBps)
  }

  /** A refusal that happens per frame: counted, not reported one by one. */
  count(reason: RefusalReason): void {
    this.stats.refused[reason]++
  }

  refuse(reason: RefusalReason, from: string | undefined, nodeId?: Uint8Array): void {
    this.stats.refused[reason]++
    this.#ports.refused({
      interfaceId: this.id,
      reason,
      ...(from === undefined ? {} : { from }),
      ...(nodeId === undefined ? {} : { nodeId }),
    })
  }

  #fits(bytes: number): boolean {
    return bytes <= this.facts.mtuBytes && this.airtimeMs(bytes) <= PART_AIRTIME_MS
  }

  #cut(frame: Uint8Array, count: number, receiverId: number): Uint8Array[] {
    this.#frameId = (this.#frameId + 1) & 0xff
    return cutFrame(frame, count, receiverId, this.#frameId)
  }

  #transmit(nowMs: number, frame: Uint8Array, to: string | undefined, use: ControlUse | undefined): boolean {
    const taken = this.#ports.transmit(this.id, frame, to)
    if (!taken) return false
    this.stats.framesOut++
    this.stats.bytesOut += frame.length
    if (use !== undefined) {
      this.#settle(nowMs)
      this.#debtBytes += this.#mediumBytes(frame.length)
      this.stats.controlBytesOut[use] += frame.length
    }
    return true
  }

  /** What a frame takes of the medium, in bytes at its nominal rate. */
  #mediumBytes(frameBytes: number): number {
    return (this.airtimeMs(frameBytes) * this.facts.bitrateBps) / 8_000
  }

  /** Time in which a share of the budget earns a frame. */
  #earnMs(frameBytes: number, share: number): number {
    return (this.#mediumBytes(frameBytes) * 8_000) / (this.#budgetBps * share)
  }

  #dataFrameBytes(plaintextBytes: number): number {
    const padBytes = this.radio ? padBytesFor(plaintextBytes, this.frameBytesMax) : 0
    const headerBytes = this.wideCounters ? DATA_HEADER_WIDE_BYTES : DATA_HEADER_NARROW_BYTES
    return headerBytes + plaintextBytes + padBytes + TAG_BYTES
  }

  #settle(nowMs: number): void {
    this.#debtBytes = Math.max(0, this.#debtBytes - ((nowMs - this.#debtAtMs) * this.#budgetBps) / 8_000)
    this.#debtAtMs = nowMs
  }
}

function emptyStats(): InterfaceStats {
  return {
    framesIn: 0,
    bytesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    cookiesDemanded: 0,
    unknownIds: 0,
    forged: 0,
    controlBytesOut: { hello: 0, handshake: 0, probe: 0, rekey: 0, close: 0 },
    refused: {
      'network-key': 0,
      'not-admitted': 0,
      'key-mismatch': 0,
      'unexpected-peer': 0,
      self: 0,
      'duplicate-identity': 0,
      replay: 0,
      malformed: 0,
      flood: 0,
      'by-peer': 0,
    },
  }
}

/** 0 … 1. */
function fraction(random: Random): number {
  const bytes = random(2)
  return (bytes[0]! | (bytes[1]! << 8)) / 0xffff
}

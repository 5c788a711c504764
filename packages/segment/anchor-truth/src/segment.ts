import { toHex } from '@nexus/codec'
import { checkAdmission } from './admission.ts'
import { askWhenDue, beginAsking, endAsking } from './asking.ts'
import type { AdmissionName, NodeType } from './datagram.ts'
import { anchorHeardMs, watch, watchAtMs } from './following.ts'
import { intake } from './intake.ts'
import { lead, leadAtMs } from './leading.ts'
import { CLOCK_JUMP_MS, DATAGRAM_BYTES_MAX, NAME_BYTES_MAX, PULSE_MS, SILENT_MS } from './limits.ts'
import type { Source } from './proof.ts'
import { sendPulse } from './pulsing.ts'
import { type DropReason, type Phase, type SegmentOptions, type SegmentPorts, SegmentState } from './state.ts'

/** A member as it is shown to people and handed to meshes. */
export interface MemberStatus {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
  readonly source: Source
  readonly name: string
  readonly type: NodeType
  readonly zoneHash: Uint8Array
  readonly ego: number
  readonly isAnchor: boolean
  readonly uptimeSeconds: number
  readonly heardAgoMs: number
}

export interface SegmentStatus {
  readonly phase: Phase
  readonly admission: AdmissionName
  readonly nodeId: Uint8Array
  readonly ego: number
  readonly anchor: { readonly nodeId: Uint8Array; readonly ego: number; readonly heardAgoMs: number } | undefined
  readonly epoch: { readonly number: number; readonly id: string; readonly ageMs: number } | undefined
  /** Those heard within three pulses, this node not among them. */
  readonly members: readonly MemberStatus[]
  readonly sent: Readonly<Record<'pulse' | 'epoch' | 'request', number>>
  readonly received: Readonly<Record<'pulse' | 'epoch' | 'request', number>>
  readonly drops: Readonly<Record<DropReason, number>>
}

/**
 * A node on one link-local segment: finds the others, follows one anchor or is it, and holds the epoch's key
 * (docs/spec/anchor-truth.md). Without I/O: datagrams and time go in, datagrams and events come out. After each call the
 * host asks {@link nextWakeMs} and calls {@link tick} then. Times are of a monotonic clock and never fall.
 */
export class Segment {
  readonly #state: SegmentState

  /** @throws {RangeError} for an ego, a name or an admission that cannot be */
  constructor(options: SegmentOptions, ports: SegmentPorts) {
    checkEgo(options.ego)
    if (new TextEncoder().encode(options.name).length > NAME_BYTES_MAX) {
      throw new RangeError(`a name has at most ${NAME_BYTES_MAX} bytes`)
    }
    checkAdmission(options.admission, options.identity.publicKey, options.ego)
    this.#state = new SegmentState(options, ports)
  }

  /** The segment can be reached, from this address; again with another one when that changes. */
  up(nowMs: number, source: Source): void {
    const state = this.#state
    state.source = source
    if (state.phase !== 'down') {
      // All that was signed names the old address: the members hear of the new one at once.
      if (state.keys.current !== undefined) sendPulse(state, nowMs)
      return
    }
    state.startedMs = nowMs
    state.lastNowMs = nowMs
    state.tidyAtMs = nowMs + PULSE_MS
    beginAsking(state, nowMs)
    this.tick(nowMs)
  }

  /** The segment is gone. What is known of its members stays, against replays. */
  down(): void {
    const state = this.#state
    if (state.phase === 'down') return
    beginAsking(state, state.lastNowMs)
    endAsking(state)
    state.keys.clear()
    state.callers.clear()
    state.source = undefined
    state.enter('down')
  }

  /** Takes a datagram that came to the group's port. Never throws for what it holds. */
  receive(nowMs: number, datagram: Uint8Array, source: Source): void {
    if (this.#state.phase === 'down') return
    this.#advance(nowMs)
    if (datagram.length > DATAGRAM_BYTES_MAX) return this.#state.drop('malformed')
    intake(this.#state, nowMs, datagram, source)
  }

  /** Does what is due. */
  tick(nowMs: number): void {
    const state = this.#state
    if (state.phase === 'down') return
    this.#advance(nowMs)
    watch(state, nowMs)
    askWhenDue(state, nowMs)
    lead(state, nowMs)
    if (nowMs >= state.pulseAtMs) sendPulse(state, nowMs)
    if (nowMs < state.tidyAtMs) return
    state.tidyAtMs = nowMs + PULSE_MS
    state.keys.expire(nowMs)
    state.members.forgetOld(nowMs)
  }

  /** When {@link tick} has something to do; Infinity while the segment is down. */
  nextWakeMs(): number {
    const state = this.#state
    if (state.phase === 'down') return Number.POSITIVE_INFINITY
    const askMs = state.requestsAtMs[0] ?? Number.POSITIVE_INFINITY
    return Math.min(watchAtMs(state), askMs, leadAtMs(state), state.pulseAtMs, state.tidyAtMs)
  }

  /** The ego that enters with the next epoch of this node, and at once where it is no anchor. @throws {RangeError} */
  setEgo(ego: number): void {
    checkEgo(ego)
    checkAdmission(this.#state.options.admission, this.#state.options.identity.publicKey, ego)
    this.#state.ego = ego
  }

  get phase(): Phase {
    return this.#state.phase
  }

  /** NodeID of the anchor that this node follows or is, and the epoch it speaks under, in hexadecimal. */
  get allegiance(): { readonly anchor: Uint8Array; readonly epochId: string } | undefined {
    const { reign, anchor, options, keys } = this.#state
    const nodeId = reign === undefined ? anchor?.nodeId : options.identity.nodeId
    return nodeId && keys.current && { anchor: nodeId, epochId: keys.current.id }
  }

  status(nowMs: number): SegmentStatus {
    const state = this.#state
    const { identity, admission } = state.options
    const { current } = state.keys
    return {
      phase: state.phase,
      admission: admission.mode,
      nodeId: identity.nodeId,
      ego: state.reign?.ego ?? state.ego,
      anchor: this.#anchor(nowMs),
      epoch:
        current === undefined
          ? undefined
          : { number: state.lastEpoch, id: current.id, ageMs: nowMs - (state.keySinceMs ?? nowMs) },
      members: this.#members(nowMs),
      sent: { ...state.sent },
      received: { ...state.received },
      drops: { ...state.drops },
    }
  }

  #anchor(nowMs: number): SegmentStatus['anchor'] {
    const state = this.#state
    const { nodeId } = state.options.identity
    if (state.reign !== undefined) return { nodeId, ego: state.reign.ego, heardAgoMs: 0 }
    if (state.anchor === undefined) return undefined
    return { nodeId: state.anchor.nodeId, ego: state.anchor.ego, heardAgoMs: nowMs - anchorHeardMs(state, nowMs) }
  }

  #members(nowMs: number): MemberStatus[] {
    const anchorId = this.#anchor(nowMs)?.nodeId
    return [...this.#state.members.all()]
      .filter(({ heardMs }) => nowMs - heardMs <= SILENT_MS)
      .map(({ nodeId, publicKey, source, name, type, zoneHash, ego, uptimeSeconds, heardMs }) => {
        const isAnchor = anchorId !== undefined && toHex(anchorId) === toHex(nodeId)
        const heardAgoMs = nowMs - heardMs
        return { nodeId, publicKey, source, name, type, zoneHash, ego, isAnchor, uptimeSeconds, heardAgoMs }
      })
  }

  /** A clock that went on without this node: it slept, others may lead by now, so it asks before it acts. */
  #advance(nowMs: number): void {
    const state = this.#state
    const sleptMs = nowMs - state.lastNowMs
    state.lastNowMs = Math.max(nowMs, state.lastNowMs)
    if (sleptMs <= CLOCK_JUMP_MS) return
    state.keys.clear()
    state.startedMs = nowMs
    beginAsking(state, nowMs)
  }
}

function checkEgo(ego: number): void {
  if (!Number.isInteger(ego) || ego < 0 || ego > 255) throw new RangeError('an ego is a whole number from 0 to 255')
}

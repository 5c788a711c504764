import { askSoon, beginAsking, endAsking } from './asking.ts'
import { claim, reassert } from './leading.ts'
import {
  CHALLENGE_AFTER_CHANGE_MS,
  CHALLENGE_HEARD_MS,
  CHANGES_MAX,
  CHANGES_WINDOW_MS,
  EPOCH_OVERLAP_MS,
  FIRST_PULSE_MS,
  PATIENCE_MS,
  PULSE_MS,
  SILENT_MS,
  SILENT_MS_MAX,
  VOUCHERS_DIVISOR,
  WAIT_JITTER_MS,
} from './limits.ts'
import { type Candidate, compareRank, waitMsOf } from './order.ts'
import type { ChangeCause, Followed, SegmentState, Wait } from './state.ts'
import type { Voice } from './voices.ts'

/** What to do about a claim that holds: docs/spec/anchor-truth.md, "Agreement". */
export function weigh(state: SegmentState, nowMs: number, claimed: Followed): void {
  if (claimed.hex === state.anchor?.hex) return renew(state, nowMs, claimed)
  if (state.phase === 'anchor') {
    if (isGreaterThanOwn(state, claimed) && mayChange(state, nowMs)) follow(state, nowMs, claimed, 'claim')
    else if (!isGreaterThanOwn(state, claimed)) reassert(state, nowMs)
    return
  }
  if (state.anchor !== undefined && !isSilent(state, nowMs)) {
    if (compareRank(claimed, state.anchor) > 0 && mayChange(state, nowMs)) follow(state, nowMs, claimed, 'claim')
    else noteRival(state, claimed)
    return
  }
  // While it waits to claim, only an ego at least its own keeps a node from speaking.
  if (state.wait !== undefined && claimed.ego < state.ego) noteRival(state, claimed)
  else follow(state, nowMs, claimed, 'claim')
}

/**
 * A claim that holds, but does not name this node: where many start at once its anchor may just not have come to that.
 * It is waited for once, so that one who only replays claims gains no more than {@link PATIENCE_MS}.
 */
export function putOff(state: SegmentState, nowMs: number, ego: number): void {
  const { wait } = state
  if (wait?.cause !== 'cold' || wait.isPatient || ego < state.ego) return
  state.wait = { ...wait, claimAtMs: Math.max(wait.claimAtMs, nowMs + PATIENCE_MS), isPatient: true }
  askSoon(state, nowMs)
}

/** The anchor was heard, under its key. */
export function hearAnchor(state: SegmentState, nowMs: number, hex: string): void {
  const { anchor, rival } = state
  if (anchor?.hex === hex) {
    if (nowMs - anchor.heardMs > 2 * PULSE_MS) anchor.heardSinceMs = nowMs
    anchor.heardMs = nowMs
    state.silentCheckMs = nowMs + SILENT_MS
    if (state.wait?.cause === 'silence') state.wait = undefined
  } else if (rival?.hex === hex) {
    rival.heardMs = nowMs
    if (state.phase === 'anchor') return
    // Passed over before, since too many changes had been made.
    if (anchor !== undefined && compareRank(rival, anchor) > 0 && mayChange(state, nowMs)) {
      followRival(state, nowMs, rival)
    }
  }
}

/** What a follower does when its time has come: notices silence, challenges, claims. */
export function watch(state: SegmentState, nowMs: number): void {
  if (state.wait !== undefined) {
    if (nowMs >= state.wait.claimAtMs) claim(state, nowMs, state.wait.cause)
    return
  }
  if (state.phase === 'asking') {
    if (nowMs >= state.coldAtMs) beginWait(state, nowMs, 'cold')
    return
  }
  if (state.phase !== 'member' || state.anchor === undefined) return
  if (nowMs >= state.silentCheckMs) {
    if (isSilent(state, nowMs)) return onSilence(state, nowMs)
    state.silentCheckMs = anchorHeardMs(state, nowMs) + SILENT_MS
  }
  if (nowMs >= challengeAtMs(state)) beginWait(state, nowMs, 'challenge')
}

/** When {@link watch} has something to do. */
export function watchAtMs(state: SegmentState): number {
  if (state.wait !== undefined) return state.wait.claimAtMs
  if (state.phase === 'asking') return state.coldAtMs
  if (state.phase !== 'member') return Number.POSITIVE_INFINITY
  return Math.min(state.silentCheckMs, challengeAtMs(state))
}

/**
 * When the anchor was last heard, by oneself or by so many others that it counts. What others say is a lower bound of
 * when they heard it, so word of mouth never makes an anchor live longer than it did; and no word outweighs
 * {@link SILENT_MS_MAX} of own silence.
 */
export function anchorHeardMs({ anchor, members }: SegmentState, nowMs: number): number {
  if (anchor === undefined) return Number.NEGATIVE_INFINITY
  if (nowMs - anchor.heardMs >= SILENT_MS_MAX) return anchor.heardMs
  const vouched: number[] = []
  for (const member of members.all()) {
    const isWitness = member.follows === anchor.hex && member.hex !== anchor.hex && nowMs - member.heardMs < SILENT_MS
    if (isWitness) vouched.push(member.anchorHeardMs)
  }
  if (vouched.length === 0) return anchor.heardMs
  vouched.sort((a, b) => b - a)
  const decisive = vouched[Math.ceil(vouched.length / VOUCHERS_DIVISOR) - 1] as number
  return Math.max(anchor.heardMs, Math.min(decisive, anchor.heardMs + SILENT_MS_MAX - SILENT_MS))
}

export function isSilent(state: SegmentState, nowMs: number): boolean {
  return nowMs - anchorHeardMs(state, nowMs) >= SILENT_MS
}

function onSilence(state: SegmentState, nowMs: number): void {
  const { rival, anchor } = state
  // Without the anchor's key this node's word counts for nothing: it begins anew.
  if (anchor?.hasKey !== true) return beginAsking(state, nowMs)
  const isRivalLive = rival !== undefined && nowMs - rival.heardMs < SILENT_MS
  if (isRivalLive && rival.ego >= state.ego) return followRival(state, nowMs, rival)
  beginWait(state, nowMs, 'silence')
}

function beginWait(state: SegmentState, nowMs: number, cause: Wait['cause']): void {
  const { nodeId } = state.options.identity
  const self: Candidate = { ego: state.ego, nodeId, firstHeardMs: state.startedMs }
  const waitMs = waitMsOf(self, candidates(state, nowMs, cause))
  state.wait = { cause, claimAtMs: nowMs + waitMs + state.dice(WAIT_JITTER_MS), isPatient: false }
}

function candidates(state: SegmentState, nowMs: number, cause: Wait['cause']): Candidate[] {
  const egoMin = cause === 'challenge' ? (state.anchor?.ego ?? 0) + 1 : 0
  const isCandidate = (voice: Voice): boolean =>
    nowMs - voice.heardMs <= SILENT_MS && voice.hex !== state.anchor?.hex && voice.ego >= egoMin
  const found = [...state.members.all()].filter(isCandidate) as Voice[]
  // Without a key there are no members: who asked as well is who may lead.
  if (cause === 'cold') for (const caller of state.callers.all()) if (isCandidate(caller)) found.push(caller)
  return found
}

function challengeAtMs({ anchor, ego, changedMs, phase }: SegmentState): number {
  if (phase !== 'member' || anchor === undefined || !anchor.hasKey || ego <= anchor.ego) return Number.POSITIVE_INFINITY
  return Math.max(anchor.heardSinceMs + CHALLENGE_HEARD_MS, changedMs + CHALLENGE_AFTER_CHANGE_MS)
}

/** The same anchor with its next epoch, or with the key that was missing. */
function renew(state: SegmentState, nowMs: number, claimed: Followed): void {
  const before = state.anchor as Followed
  // While the next key is spread, others are told first: the one at hand counts until the anchor speaks under the next.
  if (!claimed.hasKey && before.hasKey) return hearAnchor(state, nowMs, claimed.hex)
  const { hasKey } = claimed
  state.anchor = { ...claimed, hasKey, heardSinceMs: before.heardSinceMs }
  hearAnchor(state, nowMs, claimed.hex)
  // A foreign anchor may still be asked: the answer of one's own does not end that.
  if (!before.hasKey) endAsking(state)
  take(state, nowMs, state.anchor)
}

function follow(state: SegmentState, nowMs: number, claimed: Followed, cause: ChangeCause): void {
  const wasLed = state.phase === 'anchor' || (state.anchor !== undefined && !isSilent(state, nowMs))
  if (wasLed) state.changes.push(nowMs)
  state.changedMs = nowMs
  state.reign = undefined
  state.pending.clear()
  state.flushAtMs = Number.POSITIVE_INFINITY
  state.wait = undefined
  state.rival = undefined
  state.anchor = claimed
  state.silentCheckMs = Math.max(nowMs, claimed.heardMs) + SILENT_MS
  endAsking(state)
  state.enter('member')
  state.ports.event({ kind: 'followed', nodeId: claimed.nodeId, epoch: claimed.epoch, cause })
  take(state, nowMs, claimed)
}

/** Its key may have been pushed out meanwhile; then it is asked for. */
function followRival(state: SegmentState, nowMs: number, rival: Followed): void {
  follow(state, nowMs, { ...rival, hasKey: state.keys.find(nowMs, rival.epochId) !== undefined }, 'rival')
}

/** Speaks under the anchor's key, or asks for it. */
function take(state: SegmentState, nowMs: number, anchor: Followed): void {
  state.lastEpoch = anchor.epoch
  if (!anchor.hasKey) return askSoon(state, nowMs)
  if (state.keys.current?.id === anchor.epochId) return
  const isFirst = state.keys.current === undefined || state.pulseAtMs === Number.POSITIVE_INFINITY
  state.keys.speakUnder(anchor.epochId, nowMs + EPOCH_OVERLAP_MS)
  state.keySinceMs = nowMs
  const sinceRequestMs = state.askedFirstMs === undefined ? undefined : nowMs - state.askedFirstMs
  state.askedFirstMs = undefined
  state.ports.event({ kind: 'key', epoch: anchor.epoch, sinceRequestMs })
  if (isFirst) state.pulseAtMs = nowMs + state.dice(FIRST_PULSE_MS)
}

/** One that may become the anchor should this one fall silent: its key is known, so its pulses are heard. */
function noteRival(state: SegmentState, claimed: Followed): void {
  if (!claimed.hasKey || state.phase === 'anchor') return
  const { rival } = state
  if (rival === undefined || rival.hex === claimed.hex || compareRank(claimed, rival) > 0) state.rival = claimed
}

/** Whether one more switch between live anchors is within what a node makes in a minute. */
function mayChange(state: SegmentState, nowMs: number): boolean {
  while (state.changes.length > 0 && nowMs - state.changes[0]! >= CHANGES_WINDOW_MS) state.changes.shift()
  return state.changes.length < CHANGES_MAX
}

function isGreaterThanOwn(state: SegmentState, claimed: Followed): boolean {
  const { nodeId } = state.options.identity
  return compareRank(claimed, { ego: state.reign?.ego ?? state.ego, nodeId }) > 0
}

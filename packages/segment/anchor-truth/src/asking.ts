import { equalBytes } from '@nexus/codec'
import {
  ASK_SPREAD_MS,
  COLD_START_MS,
  FOREIGN_ASK_MS_MAX,
  FOREIGN_ASKS,
  NONCE_BYTES,
  NONCE_HEAD_BYTES,
  NONCE_OPEN_MS,
  REQUEST_AGAIN_MS,
  REQUEST_AT_MS,
} from './limits.ts'
import { signRequest } from './proof.ts'
import type { SegmentState } from './state.ts'

/** Begins as one who knows nothing: asks, and after {@link COLD_START_MS} looks who may lead. */
export function beginAsking(state: SegmentState, nowMs: number): void {
  state.enter('asking')
  state.anchor = undefined
  state.rival = undefined
  state.reign = undefined
  state.wait = undefined
  state.pulseAtMs = Number.POSITIVE_INFINITY
  state.silentCheckMs = Number.POSITIVE_INFINITY
  state.flushAtMs = Number.POSITIVE_INFINITY
  state.pending.clear()
  state.coldAtMs = nowMs + COLD_START_MS
  state.askedFirstMs = nowMs
  freshNonce(state)
  state.requestsAtMs = REQUEST_AT_MS.map((afterMs) => nowMs + afterMs)
}

/** Asks within `spreadMs`, unless that is about to happen. */
export function askSoon(state: SegmentState, nowMs: number, spreadMs: number = ASK_SPREAD_MS): void {
  if (state.requestsAtMs.length > 0) return
  const atMs = Math.max(nowMs + state.dice(spreadMs), state.askedLastMs + REQUEST_AGAIN_MS)
  freshNonce(state)
  state.askedFirstMs = atMs
  state.requestsAtMs = [atMs]
}

/**
 * Asks because a foreign anchor was heard. Whoever never answers, since it only pretends, is asked less and less often:
 * strangers could else make a whole segment talk.
 */
export function askForeign(state: SegmentState, nowMs: number): void {
  if (!mayAskForeign(state, nowMs)) return
  state.foreignAskAtMs = nowMs
  state.foreignAskAgainMs = Math.min(Math.max(state.foreignAskAgainMs * 2, REQUEST_AGAIN_MS), FOREIGN_ASK_MS_MAX)
  askSoon(state, nowMs, state.phase === 'member' ? ASK_SPREAD_MS : 1)
  const [firstMs = nowMs] = state.requestsAtMs
  state.requestsAtMs = Array.from({ length: FOREIGN_ASKS }, (_, at) => firstMs + at * REQUEST_AGAIN_MS)
}

export function mayAskForeign(state: SegmentState, nowMs: number): boolean {
  return state.requestsAtMs.length === 0 && nowMs - state.foreignAskAtMs >= state.foreignAskAgainMs
}

/** A foreign anchor gave an answer: it is real. */
export function foreignAnswered(state: SegmentState): void {
  state.foreignAskAgainMs = 0
}

/** Sends a request that is due, and plans the next one while there is no key. */
export function askWhenDue(state: SegmentState, nowMs: number): void {
  const [dueMs] = state.requestsAtMs
  if (dueMs === undefined || dueMs > nowMs) return
  state.requestsAtMs.shift()
  sendRequest(state, nowMs)
  const isKeyless = state.phase === 'asking' || (state.phase === 'member' && state.anchor?.hasKey === false)
  if (isKeyless && state.requestsAtMs.length === 0) state.requestsAtMs.push(nowMs + REQUEST_AGAIN_MS)
}

/** Nothing more to ask. */
export function endAsking(state: SegmentState): void {
  state.requestsAtMs = []
  state.coldAtMs = Number.POSITIVE_INFINITY
}

/** The nonce of ours that `head` begins; `isOpen`: asked so recently that an answer proves its sender alive. */
export function ownNonce(
  state: SegmentState,
  nowMs: number,
  head: Uint8Array,
): { readonly nonce: Uint8Array; readonly isOpen: boolean } | undefined {
  const at = state.nonces.findIndex((nonce) => equalBytes(nonce.subarray(0, NONCE_HEAD_BYTES), head))
  if (at < 0) return undefined
  return { nonce: state.nonces[at]!, isOpen: at === 0 && nowMs - state.askedLastMs <= NONCE_OPEN_MS }
}

function freshNonce(state: SegmentState): void {
  const [last] = state.nonces
  state.nonces = [state.options.random(NONCE_BYTES), ...(last === undefined ? [] : [last])]
}

function sendRequest(state: SegmentState, nowMs: number): void {
  const { options, source } = state
  if (source === undefined) return
  state.askedLastMs = nowMs
  state.sent.request += 1
  const { ego, zoneHash } = state
  const nonce = state.nonces[0]!
  state.ports.transmit(signRequest(options.identity, source, { ...options.sequence.next(), ego, zoneHash, nonce }))
}

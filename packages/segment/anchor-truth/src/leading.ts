import { concatBytes, toHex } from '@nexus/codec'
import { epochIdOf, passphraseEpochKey, sealEpochKey, sharedWith } from './admission.ts'
import { endAsking } from './asking.ts'
import type { Answer } from './datagram.ts'
import {
  ANSWER_EVERY_MS,
  BATCH_MS,
  ENTRIES_MAX,
  EPOCH_MAX,
  EPOCH_MS,
  EPOCH_OVERLAP_MS,
  GATHER_MS,
  HEADS_MAX,
  KEY_BYTES,
  NONCE_HEAD_BYTES,
  NONCE_OPEN_MS,
  PENDING_MAX,
  REASSERT_MS,
  ROUND_MS,
  ROUNDS,
  SALT_BYTES,
  SILENT_MS,
  SPREAD_MS,
} from './limits.ts'
import { signEpoch } from './proof.ts'
import { sendPulse } from './pulsing.ts'
import type { ChangeCause, Reign, SegmentState } from './state.ts'
import type { Member, Voice } from './voices.ts'

/** Takes the lead: a fresh epoch, told at once to all who asked. */
export function claim(state: SegmentState, nowMs: number, cause: ChangeCause): void {
  state.wait = undefined
  state.anchor = undefined
  state.rival = undefined
  state.silentCheckMs = Number.POSITIVE_INFINITY
  endAsking(state)
  state.changedMs = nowMs
  state.enter('anchor')
  const reign = newEpoch(state, nowMs)
  state.ports.event({ kind: 'promoted', epoch: reign.epoch, cause })
  sendPulse(state, nowMs)
}

/** What an anchor does when its time has come: the next epoch, the rest of a spread, answers. */
export function lead(state: SegmentState, nowMs: number): void {
  const { reign } = state
  if (reign === undefined) return
  if (nowMs >= reign.rotateAtMs) newEpoch(state, nowMs)
  else if (reign.spread.length > 0 && nowMs >= reign.spreadAtMs) spreadNext(state, nowMs, reign)
  if (nowMs >= state.flushAtMs) answerPending(state, nowMs)
}

/** When {@link lead} has something to do. */
export function leadAtMs({ reign, flushAtMs }: SegmentState): number {
  if (reign === undefined) return Number.POSITIVE_INFINITY
  return Math.min(reign.rotateAtMs, reign.spread.length > 0 ? reign.spreadAtMs : Number.POSITIVE_INFINITY, flushAtMs)
}

/** Notes a request that was checked; it is answered together with those of the next {@link GATHER_MS}. */
export function takeRequest(state: SegmentState, nowMs: number, voice: Voice): void {
  if (voice.answeredMs !== undefined && nowMs - voice.answeredMs < ANSWER_EVERY_MS) return state.drop('request-rate')
  if (!state.pending.has(voice.hex) && state.pending.size >= PENDING_MAX) return state.drop('full')
  // Only answers use up what an address has: else anybody could do so under another's with requests that do not hold.
  if (!state.pending.has(voice.hex)) state.addresses.take(nowMs, toHex(voice.source.address))
  state.pending.set(voice.hex, voice)
  state.flushAtMs = Math.min(state.flushAtMs, nowMs + GATHER_MS)
}

/** Says again who leads, to one who thinks otherwise. */
export function reassert(state: SegmentState, nowMs: number): void {
  const { reign } = state
  if (reign === undefined || nowMs - reign.lastAssertedMs < REASSERT_MS) return
  sendEpoch(state, nowMs, reign, [])
}

function newEpoch(state: SegmentState, nowMs: number): Reign {
  const { crypto, identity, random, admission } = state.options
  const epoch = Math.min(state.lastEpoch + 1, EPOCH_MAX)
  const salt = random(SALT_BYTES)
  const name = { publicKey: identity.publicKey, epoch, salt }
  const idBytes = epochIdOf(crypto, name)
  const epochId = toHex(idBytes)
  const key = admission.mode === 'passphrase' ? passphraseEpochKey(crypto, admission.key, name) : random(KEY_BYTES)
  const isFirst = state.reign === undefined
  state.lastEpoch = epoch
  state.keys.add({ id: epochId, idBytes, key: key.slice(), anchor: state.hex, expiresMs: Number.POSITIVE_INFINITY })
  const reign: Reign = {
    ...planOf(state, nowMs, isFirst),
    epoch,
    ego: state.ego,
    salt,
    key,
    epochId,
    rotateAtMs: nowMs + EPOCH_MS,
    lastAssertedMs: Number.NEGATIVE_INFINITY,
    spreadAtMs: nowMs,
  }
  state.reign = reign
  state.keySinceMs = nowMs
  // A new anchor speaks under its key at once; a later key is used once all had the time to get it.
  if (isFirst) state.keys.speakUnder(epochId, nowMs + EPOCH_OVERLAP_MS)
  spreadNext(state, nowMs, reign)
  return reign
}

/**
 * What the epoch's datagrams answer, and how far apart they go. A claim is said {@link ROUNDS} times, at once; so is the
 * next key of a passphrase, which one datagram gives to all. Sealed keys are spread, each said once.
 */
function planOf(state: SegmentState, nowMs: number, isFirst: boolean): Pick<Reign, 'spread' | 'spreadEveryMs'> {
  const isSealed = state.options.admission.mode !== 'passphrase'
  const round = inBatches(wanted(state, nowMs, isFirst), isSealed ? ENTRIES_MAX : HEADS_MAX)
  if (isSealed && !isFirst) return { spread: round, spreadEveryMs: SPREAD_MS / round.length }
  const spread = Array.from({ length: ROUNDS }, () => round).flat()
  return { spread, spreadEveryMs: round.length === 1 ? ROUND_MS : BATCH_MS }
}

/** Whom the epoch answers: under a passphrase those who wait, else all whose nonce is known. */
function wanted(state: SegmentState, nowMs: number, isFirst: boolean): Voice[] {
  const isSealed = state.options.admission.mode !== 'passphrase'
  const found = new Map<string, Voice>(state.pending)
  state.pending.clear()
  state.flushAtMs = Number.POSITIVE_INFINITY
  const add = (voice: Voice, withinMs: number): void => {
    if (voice.nonce !== undefined && nowMs - (voice.nonceMs ?? 0) <= withinMs) found.set(voice.hex, voice)
  }
  if (isFirst) for (const caller of state.callers.all()) add(caller, NONCE_OPEN_MS)
  for (const member of state.members.all()) {
    if (isSealed && nowMs - member.heardMs <= SILENT_MS) add(member, Number.POSITIVE_INFINITY)
    else if (isFirst) add(member, NONCE_OPEN_MS)
  }
  return [...found.values()]
}

function inBatches(voices: readonly Voice[], size: number): Voice[][] {
  const batches: Voice[][] = []
  for (let at = 0; at < Math.max(voices.length, 1); at += size) batches.push(voices.slice(at, at + size))
  return batches
}

function spreadNext(state: SegmentState, nowMs: number, reign: Reign): void {
  sendEpoch(state, nowMs, reign, reign.spread.shift() ?? [])
  reign.spreadAtMs = nowMs + reign.spreadEveryMs
  if (reign.spread.length === 0) state.keys.speakUnder(reign.epochId, nowMs + EPOCH_OVERLAP_MS)
}

function answerPending(state: SegmentState, nowMs: number): void {
  const { reign, pending } = state
  state.flushAtMs = Number.POSITIVE_INFINITY
  if (reign === undefined || pending.size === 0) return
  if (!state.answerBudget.take(nowMs)) {
    state.flushAtMs = state.answerBudget.nextMs(nowMs)
    return
  }
  const most = state.options.admission.mode === 'passphrase' ? HEADS_MAX : ENTRIES_MAX
  const batch = [...pending.values()].slice(0, most)
  for (const { hex } of batch) pending.delete(hex)
  if (pending.size > 0) state.flushAtMs = nowMs + GATHER_MS
  sendEpoch(state, nowMs, reign, batch)
}

function sendEpoch(state: SegmentState, nowMs: number, reign: Reign, voices: readonly Voice[]): void {
  const { options, source } = state
  if (source === undefined) return
  const { mode: admission } = options.admission
  const answers = voices.flatMap((voice) => {
    voice.answeredMs = nowMs
    return answerTo(state, reign, voice) ?? []
  })
  reign.lastAssertedMs = nowMs
  state.sent.epoch += 1
  const { ego, epoch, salt } = reign
  const fields = { ...options.sequence.next(), admission, ego, epoch, salt, answers }
  state.ports.transmit(signEpoch(options.crypto, options.identity, source, reign.key, fields))
}

function answerTo(state: SegmentState, reign: Reign, voice: Voice): Answer | undefined {
  const { crypto, identity, admission } = state.options
  const { nonce } = voice
  if (nonce === undefined) return undefined
  const nonceHead = nonce.slice(0, NONCE_HEAD_BYTES)
  if (admission.mode === 'passphrase') return { nonceHead }
  const shared = sharedSecret(state, voice)
  if (shared === null) return undefined
  const { epoch, salt } = reign
  const sealing = { publicKey: identity.publicKey, epoch, salt, shared, memberKey: voice.publicKey, nonce }
  return { nonceHead, sealedKey: sealEpochKey(crypto, sealing, reign.key) }
}

/** Computed once per member; null where its key maps to none. */
export function sharedSecret(state: SegmentState, voice: Voice | Member): Uint8Array | null {
  const known = 'shared' in voice ? voice.shared : undefined
  if (known !== undefined) return known
  const { crypto, identity } = state.options
  const shared = sharedWith(crypto, identity, voice.publicKey) ?? null
  if ('epochId' in voice) voice.shared = shared
  return shared
}

/** What a member pinned its nonce to: copied, since a decoded datagram may be a view. */
export function noteNonce(voice: Voice, nowMs: number, nonce: Uint8Array): void {
  voice.nonce = concatBytes(nonce)
  voice.nonceMs = nowMs
}

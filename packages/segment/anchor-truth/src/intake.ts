import { equalBytes, toHex } from '@nexus/codec'
import { equalConstantTime } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { admits, type EpochName, epochIdOf, openEpochKey, passphraseEpochKey } from './admission.ts'
import { askForeign, askSoon, foreignAnswered, mayAskForeign, ownNonce } from './asking.ts'
import { type Datagram, decodeDatagram, type Epoch, type Pulse, type Request } from './datagram.ts'
import { AnchorError } from './errors.ts'
import { hearAnchor, isSilent, putOff, weigh } from './following.ts'
import { noteNonce, sharedSecret, takeRequest } from './leading.ts'
import { EPOCH_MS, EPOCH_OVERLAP_MS, PULSE_MS, REQUEST_AGAIN_MS } from './limits.ts'
import { compareRank } from './order.ts'
import { isSignedFrom, macOf, type Source } from './proof.ts'
import type { DropReason, SegmentState } from './state.ts'
import { isReplay, type Member, type Voice } from './voices.ts'

/** One datagram at the moment it came. */
interface Arrival<T extends Datagram = Datagram> {
  readonly nowMs: number
  readonly source: Source
  readonly bytes: Uint8Array
  readonly datagram: T
  readonly hex: string
}

/** Takes a datagram from the group; nothing that it holds makes this throw. Cheap checks first, signatures last. */
export function intake(state: SegmentState, nowMs: number, bytes: Uint8Array, source: Source): void {
  let datagram: Datagram
  try {
    datagram = decodeDatagram(bytes)
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error
    return state.drop('malformed')
  }
  const hex = toHex(datagram.publicKey)
  const arrival = { nowMs, source, bytes, datagram, hex }
  if (hex === state.hex) return hearSelf(state, arrival)
  const verdict = admits(state.options.admission, hex, datagram.ego)
  if (verdict !== 'yes') return state.drop(verdict)
  if (isReplay(voiceOf(state, hex), datagram)) return state.drop('replay')
  const refused = accept(state, arrival)
  if (refused === undefined) state.received[datagram.kind] += 1
  else state.drop(refused)
}

function accept(state: SegmentState, arrival: Arrival): DropReason | undefined {
  switch (arrival.datagram.kind) {
    case 'pulse':
      return onPulse(state, arrival as Arrival<Pulse>)
    case 'epoch':
      return onEpoch(state, arrival as Arrival<Epoch>)
    case 'request':
      return onRequest(state, arrival as Arrival<Request>)
  }
}

/** One's own words come back from the group. Newer ones than were said here: another holder of the key, or an old disk. */
function hearSelf(state: SegmentState, arrival: Arrival): void {
  state.drop('self')
  const { sequence } = state.options
  const { datagram, nowMs, source } = arrival
  const own = state.source
  const isElsewhere = own === undefined || toHex(source.address) !== toHex(own.address)
  const isNewer =
    datagram.boot > sequence.boot || (datagram.boot === sequence.boot && datagram.sequence > sequence.sequence)
  if (!isElsewhere && !isNewer) return
  if (!state.unknownChecks.take(nowMs) || !isSigned(state, arrival)) return
  if (isNewer) sequence.raiseAbove(datagram.boot)
  if (isElsewhere) state.ports.event({ kind: 'twin', source })
}

function onPulse(state: SegmentState, arrival: Arrival<Pulse>): DropReason | undefined {
  const { nowMs, source, bytes, datagram, hex } = arrival
  const epochId = toHex(datagram.epochId)
  const known = state.keys.find(nowMs, epochId)
  if (known === undefined) return onUnknownEpoch(state, arrival)
  if (!equalConstantTime(macOf(state.options.crypto, known.key, source, bytes), datagram.mac)) return 'mac'
  if (!isSigned(state, arrival)) return 'signature'
  if (datagram.isAnchor && known.anchor !== hex) return 'role'
  if (datagram.isAnchor && hex === state.anchor?.hex && datagram.ego !== state.anchor.ego) return 'ego'
  const member = noteMember(state, arrival, epochId, known.anchor)
  if (member === undefined) return 'full'
  const { isAnchor, missed, type, name, uptimeSeconds, zoneHash } = datagram
  Object.assign(member, { isAnchor, type, name, uptimeSeconds, zoneHash })
  member.anchorHeardMs = nowMs - (missed + 1) * PULSE_MS
  if (isAnchor) hearAnchor(state, nowMs, hex)
  // One that was followed until a cable was cut, under a key that still counts: it is a foreign anchor like others.
  const isForeign = isAnchor && hex !== state.anchor?.hex && hex !== state.rival?.hex
  if (isForeign && wouldLead(state, arrival)) askForeign(state, nowMs)
  return undefined
}

/** Under a key that is not known only an anchor that would matter is looked at, and it can only make this node ask. */
function onUnknownEpoch(state: SegmentState, arrival: Arrival<Pulse>): DropReason {
  const { nowMs, datagram, hex } = arrival
  if (!datagram.isAnchor) return 'unknown-epoch'
  const isOwnAnchor = hex === state.anchor?.hex
  const isPlanned = state.requestsAtMs.length > 0
  if (isPlanned || (!isOwnAnchor && !(mayAskForeign(state, nowMs) && wouldLead(state, arrival)))) return 'unknown-epoch'
  if (!state.unknownChecks.take(nowMs)) return 'budget'
  if (!isSigned(state, arrival)) return 'signature'
  if (!isOwnAnchor && state.members.get(hex) === undefined) noteCaller(state, arrival)
  if (isOwnAnchor) askSoon(state, nowMs)
  else askForeign(state, nowMs)
  return 'unknown-epoch'
}

function wouldLead(state: SegmentState, { nowMs, datagram: { ego, publicKey } }: Arrival): boolean {
  const { reign, anchor, phase, options } = state
  const foreign = { ego, nodeId: nodeIdOf(options.crypto, publicKey) }
  if (phase === 'anchor')
    return compareRank(foreign, { ego: reign?.ego ?? state.ego, nodeId: options.identity.nodeId }) > 0
  return anchor === undefined || compareRank(foreign, anchor) > 0 || isSilent(state, nowMs)
}

/** A claim counts if its anchor was heard under a living key, or answers a nonce of ours that is still open. */
function onEpoch(state: SegmentState, arrival: Arrival<Epoch>): DropReason | undefined {
  const { nowMs, source, bytes, datagram, hex } = arrival
  const { crypto, admission } = state.options
  if (datagram.admission !== admission.mode) return 'admission'
  const member = state.members.get(hex)
  const wasHeard = member !== undefined && state.keys.find(nowMs, member.epochId) !== undefined
  const answer = answerToUs(state, nowMs, datagram)
  if (!wasHeard && answer?.isOpen !== true) return onUnproven(state, arrival)
  const idBytes = epochIdOf(crypto, datagram)
  const epochId = toHex(idBytes)
  let key = state.keys.find(nowMs, epochId)?.key
  if (key === undefined && admission.mode === 'passphrase') key = passphraseEpochKey(crypto, admission.key, datagram)
  else if (key === undefined && answer?.sealedKey !== undefined) {
    if (member === undefined && !state.unknownChecks.take(nowMs)) return 'budget'
    key = unseal(state, arrival, answer.nonce, answer.sealedKey)
    if (key === undefined) return 'seal'
  }
  if (key !== undefined && !equalConstantTime(macOf(crypto, key, source, bytes), datagram.mac)) return 'mac'
  if (key === undefined && !state.unknownChecks.take(nowMs)) return 'budget'
  if (!isSigned(state, arrival)) return 'signature'
  if (key !== undefined) {
    state.keys.add({ id: epochId, idBytes, key, anchor: hex, expiresMs: nowMs + EPOCH_MS + EPOCH_OVERLAP_MS })
    if (noteMember(state, arrival, epochId, hex) === undefined) return 'full'
  } else if (member !== undefined) noteVoice(state, member, arrival)
  else noteCaller(state, arrival)
  if (answer?.isOpen === true && hex !== state.anchor?.hex) foreignAnswered(state)
  const nodeId = member?.nodeId ?? nodeIdOf(crypto, datagram.publicKey)
  const { publicKey, ego, epoch } = datagram
  const hasKey = key !== undefined
  weigh(state, nowMs, { hex, publicKey, nodeId, ego, epoch, epochId, hasKey, heardMs: nowMs, heardSinceMs: nowMs })
  return undefined
}

/** Changes nothing but, once, how long a node waits that has no key yet. */
function onUnproven(state: SegmentState, arrival: Arrival<Epoch>): DropReason {
  const { nowMs, source, bytes, datagram } = arrival
  const { crypto, admission } = state.options
  if (state.wait?.cause !== 'cold' || state.wait.isPatient || !state.unknownChecks.take(nowMs)) return 'unproven'
  if (admission.mode === 'passphrase') {
    const key = passphraseEpochKey(crypto, admission.key, datagram)
    if (!equalConstantTime(macOf(crypto, key, source, bytes), datagram.mac)) return 'mac'
  }
  if (!isSigned(state, arrival)) return 'signature'
  putOff(state, nowMs, datagram.ego)
  return 'unproven'
}

function answerToUs(state: SegmentState, nowMs: number, { answers }: Epoch) {
  for (const { nonceHead, sealedKey } of answers) {
    const own = ownNonce(state, nowMs, nonceHead)
    if (own !== undefined) return { ...own, sealedKey }
  }
  return undefined
}

function unseal(
  state: SegmentState,
  { hex, datagram }: Arrival<Epoch>,
  nonce: Uint8Array,
  sealedKey: Uint8Array,
): Uint8Array | undefined {
  const { crypto, identity } = state.options
  const voice = state.members.get(hex) ?? newVoice(state, datagram, hex)
  const shared = sharedSecret(state, voice)
  const name: EpochName = datagram
  if (shared === null) return undefined
  return openEpochKey(crypto, { ...name, shared, memberKey: identity.publicKey, nonce }, sealedKey)
}

/** An anchor answers; one who has no anchor learns who else is there; all others have nothing to do with it. */
function onRequest(state: SegmentState, arrival: Arrival<Request>): DropReason | undefined {
  const { nowMs, source, datagram, hex } = arrival
  const isLeading = state.phase === 'anchor'
  if (!isLeading && state.phase !== 'asking') return undefined
  if (!isLeading && isRepeated(voiceOf(state, hex), arrival)) return undefined
  if (isLeading && !state.addresses.allows(nowMs, toHex(source.address))) return 'request-rate'
  if (!state.requestChecks.take(nowMs)) return 'budget'
  if (!isSigned(state, arrival)) return 'signature'
  const voice = state.members.get(hex) ?? noteCaller(state, arrival)
  noteVoice(state, voice, arrival)
  noteNonce(voice, nowMs, datagram.nonce)
  if (isLeading) takeRequest(state, nowMs, voice)
  return undefined
}

/** Said three times for the sake of losses; while nobody leads, once is enough to know who is there. */
function isRepeated(voice: Voice | undefined, { nowMs, datagram }: Arrival<Request>): boolean {
  const isRecent = voice?.nonce !== undefined && nowMs - voice.heardMs < REQUEST_AGAIN_MS
  return isRecent && equalBytes(voice.nonce as Uint8Array, datagram.nonce)
}

function isSigned(state: SegmentState, { source, datagram, bytes }: Arrival): boolean {
  return isSignedFrom(state.options.crypto, source, datagram, bytes)
}

function voiceOf(state: SegmentState, hex: string): Voice | undefined {
  return state.members.get(hex) ?? state.callers.get(hex)
}

function noteVoice(state: SegmentState, voice: Voice | Member, { nowMs, source, datagram }: Arrival): void {
  const { publicKey, nodeId } = voice
  const hasMoved = 'epochId' in voice && !equalBytes(voice.source.address, source.address)
  voice.boot = datagram.boot
  voice.sequence = datagram.sequence
  voice.ego = datagram.ego
  voice.source = source
  voice.heardMs = nowMs
  if (hasMoved) state.ports.event({ kind: 'member', publicKey, nodeId, source })
}

function noteCaller(state: SegmentState, arrival: Arrival): Voice {
  const voice = state.callers.get(arrival.hex) ?? newVoice(state, arrival.datagram, arrival.hex, arrival.nowMs)
  noteVoice(state, voice, arrival)
  state.callers.note(voice)
  return voice
}

function newVoice(state: SegmentState, { publicKey, boot, sequence, ego }: Datagram, hex: string, nowMs = 0): Voice {
  const nodeId = nodeIdOf(state.options.crypto, publicKey)
  const nowhere = { address: new Uint8Array(16), port: 0 }
  const zoneHash = new Uint8Array(4)
  return { hex, publicKey, nodeId, boot, sequence, ego, source: nowhere, zoneHash, firstHeardMs: nowMs, heardMs: nowMs }
}

/** Notes what proved to be a member; undefined where the table is full. */
function noteMember(state: SegmentState, arrival: Arrival, epochId: string, follows: string): Member | undefined {
  const { hex, datagram, nowMs, source } = arrival
  const before = state.members.get(hex)
  if (before !== undefined) {
    noteVoice(state, before, arrival)
    return Object.assign(before, { epochId, follows })
  }
  if (!state.members.hasRoom()) return undefined
  const voice = state.callers.get(hex) ?? newVoice(state, datagram, hex, nowMs)
  noteVoice(state, voice, arrival)
  state.callers.delete(hex)
  const anchorHeardMs = Number.NEGATIVE_INFINITY
  const member: Member = {
    ...voice,
    epochId,
    follows,
    anchorHeardMs,
    isAnchor: datagram.kind === 'epoch',
    type: 'Agent',
    name: '',
    uptimeSeconds: 0,
  }
  state.members.add(member)
  state.ports.event({ kind: 'member', publicKey: member.publicKey, nodeId: member.nodeId, source })
  return member
}

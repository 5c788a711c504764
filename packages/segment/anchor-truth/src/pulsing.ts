import { MISSED_MAX } from './datagram.ts'
import { PULSE_EARLY_MS, PULSE_MS } from './limits.ts'
import { signPulse } from './proof.ts'
import type { SegmentState } from './state.ts'

const U32_MAX = 0xffff_ffff

/** Tells all that this node is here, and plans the next time. */
export function sendPulse(state: SegmentState, nowMs: number): void {
  const { options, source, anchor, reign, keys } = state
  const { current } = keys
  state.pulseAtMs = nowMs + PULSE_MS - state.dice(PULSE_EARLY_MS)
  if (source === undefined || current === undefined) return
  const missed = anchor === undefined ? 0 : Math.min(MISSED_MAX, Math.floor((nowMs - anchor.heardMs) / PULSE_MS))
  const { type, name, sequence, crypto, identity } = options
  state.sent.pulse += 1
  const fields = {
    ...sequence.next(),
    epochId: current.idBytes,
    uptimeSeconds: Math.min(U32_MAX, Math.floor((nowMs - state.startedMs) / 1_000)),
    // A change of ego enters with the next epoch.
    ego: reign?.ego ?? state.ego,
    isAnchor: reign !== undefined && current.anchor === state.hex,
    missed,
    type,
    zoneHash: state.zoneHash,
    name,
  }
  state.ports.transmit(signPulse(crypto, identity, source, current.key, fields))
}

import { FRAME_BYTES_FULL } from '@nexus/transport'

// Sizes on the wire (docs/spec/link.md).

export const NODE_ID_BYTES = 16
export const PUBLIC_KEY_BYTES = 32
export const TAG_BYTES = 16
export const COOKIE_BYTES = 16
export const DEST_TAG_BYTES = 8
export const HELLO_BYTES = 21
export const COOKIE_FRAME_BYTES = 19
export const HANDSHAKE_PAYLOAD_BYTES = 47
/** kind, rid, sid; then e 32, sealed s 48, sealed payload 63. */
export const HS2_BYTES = 5 + 32 + (32 + TAG_BYTES) + (HANDSHAKE_PAYLOAD_BYTES + TAG_BYTES)
/** kind, rid; then sealed s 48, sealed payload 63. */
export const HS3_BYTES = 3 + (32 + TAG_BYTES) + (HANDSHAKE_PAYLOAD_BYTES + TAG_BYTES)
/** On media with source addresses HS1 is as long as its answer, so that no one is made to amplify. */
export const HS1_PADDED_BYTES = HS2_BYTES
export const HS1_PROLOGUE_BYTES = 1 + 2 + DEST_TAG_BYTES
/** HS1 without a network key and without padding. */
export const HS1_MAC_END_BYTES: number = HS1_PROLOGUE_BYTES + 32 + 2 * COOKIE_BYTES
export const DATA_HEADER_NARROW_BYTES = 5
export const DATA_HEADER_WIDE_BYTES = 7
export const PART_HEADER_BYTES = 5
export const PARTS_MAX = 16
/** What every link carries, by parts where the medium is smaller: 7 + 1 + 484 + 16. */
export const LINK_FRAME_BYTES_MIN = FRAME_BYTES_FULL
/** The MTU field is a u16. */
export const LINK_FRAME_BYTES_MAX = 0xffff
export const PAD_MULTIPLE_BYTES = 32

// Time. A "full airtime" is that of a frame of 508 bytes on the medium.

export const HELLO_INTERVAL_MS = 10_000
export const HELLO_INTERVAL_SLOW_MS = 60_000
export const SLOW_BELOW_BPS = 10_000
export const HELLO_INTERVAL_BUSY_MS = 20_000
export const HELLO_INTERVAL_CROWDED_MS = 30_000
/** On media without addresses a HELLO is answered by a beacon so many intervals after the last one at the soonest. */
export const HELLO_ANSWER_INTERVALS = 0.1
/** HELLOs answered in a second, to the address they came from, per interface. */
export const HELLO_ANSWERS_PER_SECOND = 16
/** Beacons that follow a greeting soon, each after a share of the interval: the first ones may fall on deaf ears. */
export const GREETING_SHARES = [0.1, 0.2, 0.4] as const
/** A beacon that follows the last one after less of an interval is of a node that greets: it may have restarted. */
export const BEACON_EARLY_SHARE = 0.5
/** On radio those who were switched on together, or heard one beacon, wait a random part of this before they speak. */
export const SPREAD_AIRTIMES_MAX = 4
/** Below this nominal rate frames carry 16-bit counters. */
export const WIDE_COUNTERS_FROM_BPS = 1_000_000
export const COOKIE_SECRET_MS = 120_000
export const HS2_SPACING_AIRTIMES = 10
export const PROBE_SPACING_MS = 1_000
export const PROBE_SPACING_AIRTIMES = 10
/** Questions without an answer after which a neighbour is dead, and as many as it takes where they get lost. */
export const PROBES_UNANSWERED_MIN = 3
export const PROBES_UNANSWERED_MAX = 12
/** How often all questions to a neighbour that is there may be lost. */
export const FALSE_DEATH_RATIO = 1e-5
/** Loss is measured over about so many questions, and a new link is taken to have had some good ones. */
export const LOSS_MEMORY_QUESTIONS = 64
export const LOSS_PRIOR_QUESTIONS = 4
/** Silence after which a neighbour is asked: a dead one is found 3 spacings later. */
export const IDLE_PROBE_FAST_MS = 10_000
export const IDLE_PROBE_MS = 30_000
export const IDLE_PROBE_SLOW_MS = 60_000
/** Sent something, heard nothing: asked after this already. */
export const UNANSWERED_PROBE_MS = 5_000
export const REKEY_MS = 3_600_000
export const REKEY_BYTES_MIN = 1_000_000
export const REKEY_BANDWIDTH_SECONDS = 60
export const OLD_KEY_MS = 5_000
export const OLD_KEY_AIRTIMES = 8
export const RETRY_MS = 500
export const RETRY_MS_MAX = 8_000
export const RETRY_AIRTIMES = 4
/** Media without addresses answer once per 10 airtimes: asking sooner is in vain. */
export const RETRY_UNADDRESSED_AIRTIMES = 12
export const HANDSHAKE_TRIES_MAX = 6
/** COOKIEs that one handshake believes. */
export const COOKIES_MAX = 6
export const REDIAL_MS = 1_000
/** Where asking again costs next to nothing, from {@link WIDE_COUNTERS_FROM_BPS} on; elsewhere the longer one. */
export const REDIAL_MS_MAX = 15_000
export const REDIAL_SLOW_MS_MAX = 60_000
/** A half-open handshake makes room for another only after this time or 4 full airtimes. */
export const HALF_OPEN_MS_MIN = 1_000
export const HALF_OPEN_AIRTIMES_MIN = 4
export const PART_TIMEOUT_MS_MIN = 1_000
export const PART_TIMEOUT_AIRTIMES = 2
/** A frame in parts gives way after this time on the medium. */
export const PART_AIRTIME_MS = 150

export const REPLAY_WINDOW_FRAMES = 1_024

// Control traffic (beacons, handshakes, probes, rekeying) of an interface, unless the node says otherwise.

/** Of nominal bitrate × duty cycle: a twentieth, half of what all protocol overhead may take. */
export const CONTROL_SHARE = 0.05
/**
 * What may be sent ahead of the budget: one handshake with its confirmation, 75 + 148 + 114 + 2 × 37 + shim, but no more than
 * the budget earns in a minute, or in a second where that is more.
 */
export const CONTROL_BURST_BYTES = 512
export const CONTROL_BURST_MS_MAX = 60_000
export const CONTROL_BURST_MS_MIN = 1_000
/** Of the budget, what these keep to by stretching their intervals; the rest is for handshakes and repeats. */
export const HELLO_SHARE = 0.15
export const IDLE_PROBE_SHARE = 0.5
export const REKEY_SHARE = 0.15
/** Body of a probe with its type, and of a rekey message with its type. */
export const PROBE_PLAINTEXT_BYTES = 6
export const REKEY_PLAINTEXT_BYTES = 52
/** A node heard by its beacon counts as there for so many beacon intervals. */
export const HEARD_INTERVALS = 5
/** Of the nodes heard without a link, so many count for dividing a medium: beacons can be forged. */
export const UNLINKED_COUNTED_MAX = 16

/**
 * Bounds of every table. Memory at the defaults: 1 024 links × ~2 KB (two keys, two windows of 128 B) = 2 MB; per
 * interface 64 half-open × ~1.5 KB, 64 attempts × ~1.5 KB, 256 neighbours × ~200 B, 64 reassemblies × one frame: 0.3 MB
 * on a medium of 508-byte frames.
 */
export interface LinkLimits {
  readonly interfaces: number
  /** Links in all; a handshake that would pass it is refused. */
  readonly links: number
  /** Configured peers in all; a further `dial` is refused. */
  readonly dials: number
  /** Own handshakes under way per interface, of which beacons can set off half; further ones wait. */
  readonly attempts: number
  /** Answered, unfinished handshakes per interface; the oldest gives way once it had its time. */
  readonly halfOpen: number
  /** The same per source address, and on media with one peer; further ones are refused. */
  readonly halfOpenPerAddress: number
  /** From so many half-open on, a cookie is demanded. */
  readonly halfOpenBeforeCookie: number
  /** Nodes heard by their beacons per interface; the one not heard for longest is forgotten. */
  readonly neighbours: number
  /** Frames being put together from parts per interface; the oldest is dropped. */
  readonly reassemblies: number
  /** Handshakes remembered against replay in all; the oldest is forgotten. */
  readonly pastHandshakes: number
  /** Authenticated nodes that were not admitted, in all; the oldest is forgotten. */
  readonly turnedAway: number
}

export const DEFAULT_LIMITS: LinkLimits = {
  interfaces: 256,
  links: 1_024,
  dials: 256,
  attempts: 64,
  halfOpen: 64,
  halfOpenPerAddress: 4,
  halfOpenBeforeCookie: 16,
  neighbours: 256,
  reassemblies: 64,
  pastHandshakes: 1_024,
  turnedAway: 64,
}

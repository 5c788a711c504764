/** Frames handed over in one go before the event loop gets its turn. */
export const EGRESS_BURST_FRAMES = 256
/** How often queues are looked at for whom to tell of them, while there is anything to tell. */
export const STOCK_MS = 100
/** A medium that gave up a frame counts as severe for so long at most. */
export const JAM_MS_MAX = 60_000
/** Announces that wait for their signature check, in all and from one neighbour. */
export const VERIFYING_MAX = 1_024
export const VERIFYING_PER_LINK_MAX = 64
/** Nodes whose public key is kept; those heard longest ago are forgotten first, trusted ones never. */
export const KNOWN_NODES_MAX = 10_000
/** Trusted peers that an operator may name. */
export const TRUSTED_MAX = 1_024
/** Nodes that were found and are dialled without being trusted; the one found longest ago is dialled no more. */
export const MET_MAX = 128
/** Traces of one's own that wait for their answer. */
export const TRACES_MAX = 64
export const TRACE_TIMEOUT_MS = 60_000
/** Traces answered or passed on per second: a diagnostic must not become a flood. */
export const TRACES_PER_SECOND = 20
/** Events that a status page can look back on. */
export const EVENTS_MAX = 512
export const ANNOUNCE_HOPS_MAX = 128
export const HOP_LIMIT = 128
/** Of the usable bandwidth, what beacons, handshakes, probes and rekeying keep to; the tiers of gossip make up for more. */
export const LINK_CONTROL_SHARE = 0.05
/** Neighbours whose lottery is remembered: twice the links there can be; the longest known without a link is forgotten. */
export const PAY_NEIGHBOURS_MAX = 2_048
/** Nodes of whom it is kept on disk what they paid and owe by the lottery; whoever owes least is forgotten. */
export const STANDINGS_MAX = 4_096
/** Packets that wait, per link, for the odds of their window; of more the oldest is given up. */
export const WAITING_FOR_ODDS_MAX = 64
/** Older ones are given up: as long as packets of standard priority wait in a queue. */
export const WAITING_MS_MAX = 30_000
/** Probe spacings after which a neighbour that never announced odds is taken to relay for free. */
export const ODDS_PATIENCE = 8
/** Tickets drawn per neighbour before the event loop gets its turn: a millisecond, or a window's proof. */
export const TICKETS_PER_TURN = 512

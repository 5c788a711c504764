/** Gossip type of a trust statement (docs/spec/gossip.md). */
export const TRUST_RECORD = 4
/** truster 32, trustee 16, sequence 8, flags 1, signature 64. */
export const TRUST_BYTES = 121
/** What is signed, behind the tag and the network id, and what names a record: all but the signature. */
export const TRUST_SIGNED_BYTES: number = TRUST_BYTES - 64
export const NODE_ID_BYTES = 16
export const NETWORK_ID_BYTES = 16

/** Nodes that a node trusts, and nodes that it has a price for. */
export const PEERS_MAX = 1_024
/** Statements that are kept of one truster: friends of a friend; further trustees are not taken. */
export const STATEMENTS_PER_TRUSTER_MAX = 64
/** Statements that gossip keeps. */
export const STATEMENTS_MAX = 16_384
/** Nodes that owe, or owed in this epoch; a further one gets no credit. */
export const ACCOUNTS_MAX = 4_096
/** A friend of a friend gets this part of the friend's line. */
export const FRIEND_OF_FRIEND_SHARE = 10n

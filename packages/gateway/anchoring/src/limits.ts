/** Characters of a proof bundle; a longer one is refused unread. */
export const BUNDLE_CHARS_MAX = 1_048_576

/** Receipts that one bundle holds: one for each chain. */
export const RECEIPTS_MAX = 16

/** Chains that one anchorer serves. */
export const CHAINS_MAX = 16

/** Hashes of an inclusion proof: no log grows past 2^53 entries. */
export const INCLUSION_HASHES_MAX = 53

/** Nodes of a Merkle-Patricia proof: a path of 64 nibbles, and its end. */
export const TRIE_NODES_MAX = 65

/** Bytes of a trie's node: a branch of 16 hashes has 532. */
export const TRIE_NODE_BYTES_MAX = 1_024

/** Bytes of a block's header in RLP. */
export const HEADER_BYTES_MAX = 2_048

/** Anchors of one chain that are signed and not confirmed yet. One, but for those that a deep reorganisation took back. */
export const OPEN_ANCHORS_MAX = 16

/** Submissions of one anchor: the first, and replacements that pay more. */
export const ATTEMPTS_MAX = 16

/** Characters of the name of a chain (CAIP-2). */
export const CHAIN_CHARS_MAX = 41

/** Pages of 64 transactions of a TON account that are looked through for a submission: strangers can add to them. */
export const TON_PAGES_MAX = 64

/** Milliseconds over which a chain's spending is counted against its cap. */
export const SPENDING_WINDOW_MS = 86_400_000

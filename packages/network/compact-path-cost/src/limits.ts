/** Bytes of an encoded path cost: 2 cost, 2 latency, 1 bandwidth, 1 hops. */
export const PATH_COST_BYTES = 6
/** The greatest encoded cost, 2^40 − 1 μNXS per MiB: larger sums are encoded as this. */
export const COST_MAX = 640
/** The encoded cost of a destination that cannot be reached; adding anything to it leaves it. */
export const COST_UNREACHABLE = 0xffff
/** The encoded cost of a path that nobody is paid for. */
export const COST_FREE = 0
/** Latencies from this on are all written as this. */
export const LATENCY_MS_MAX = 0xffff
/** The greatest encoded bandwidth, about 3.9 Gbit/s. */
export const BANDWIDTH_MAX = 255
/** Hop counts saturate here; what a receiver makes of a long path is for routing to say. */
export const HOPS_MAX = 255

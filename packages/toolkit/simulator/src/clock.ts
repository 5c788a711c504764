/** Ticks per millisecond. A power of two: sums and differences of ticks are exact, so no due time is missed by rounding. */
const TICKS_PER_MS = 1_024

/** The first tick of the virtual clock at or after `ms`, in milliseconds. */
export const tickOf = (ms: number): number => Math.ceil(ms * TICKS_PER_MS) / TICKS_PER_MS

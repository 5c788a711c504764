import type { Priority } from './scheduler.ts'

/** First context of each run of one priority, in rising order (docs/spec/congestion.md, who decides). */
const RUNS: readonly (readonly [from: number, priority: Priority])[] = [
  [0x00, 2],
  [0x41, 3],
  [0x42, 1],
  [0x43, 2],
  [0x44, 1],
  [0x46, 2],
  [0x50, 0],
  [0x60, 1],
  [0x80, 2],
  [0xc0, 3],
  [0xe0, 0],
  [0xe4, 1],
  [0xea, 2],
  [0xf2, 3],
  [0xfa, 2],
]

const PRIORITY_OF: Uint8Array = Uint8Array.from({ length: 256 }, (_, context) => {
  return RUNS.findLast(([from]) => context >= from)![1]
})

/** Priority that data packets of a context ask for: all that a relay can see of a packet's urgency, and all it believes. */
export function priorityOfContext(context: number): Priority {
  return (PRIORITY_OF[context] ?? 2) as Priority
}

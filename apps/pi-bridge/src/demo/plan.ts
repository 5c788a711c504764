/** The mesh that `nexus-node demo` shows: a ring, so that any one node may go and the others still reach each other. */
export interface PlannedNode {
  readonly name: string
  readonly role: string
  /** Has a simulated LoRa radio. */
  readonly radio: boolean
  /** Names of the nodes that it greets by UDP; empty but present: it is only greeted. Absent: no UDP. */
  readonly udpPeers?: readonly string[]
}

export const PLAN: readonly PlannedNode[] = [
  { name: 'ada', role: 'LoRa sensor', radio: true },
  { name: 'ben', role: 'LoRa sensor', radio: true },
  { name: 'bridge', role: 'LoRa–WiFi bridge', radio: true, udpPeers: ['cleo'] },
  { name: 'cleo', role: 'WiFi node', radio: false, udpPeers: ['dan'] },
  { name: 'dan', role: 'WiFi node with a spare radio', radio: true, udpPeers: [] },
]

/** Radios that hear each other; all other pairs are out of reach. */
export const IN_REACH: readonly (readonly [string, string])[] = [
  ['bridge', 'ada'],
  ['ada', 'ben'],
  ['ben', 'dan'],
]

/** Rounds of 2 s instead of 60 s, and radio that passes as much faster: a mesh that heals while one looks. */
export const ROUND_MS = 2_000
export const AIR_SPEED = 60_000 / ROUND_MS
/** Loss between radios that hear each other, in dB: well within reach. */
export const REACH_LOSS_DB = 110

/** What each node begins with, what a neighbour may owe, and the price of a relay in µNXS per MiB: 10 NXS. */
export const DEMO_BALANCE_MICRO = 1_000_000_000n
export const DEMO_EXPOSURE_MICRO = 5_000_000n
export const DEMO_PRICE_MICRO = 10_000_000
/** Slow enough that windows of the lottery are of 256 frames, which pass while one looks. */
export const DEMO_UDP_BPS = 900_000

/** The command of `nexus-node`, not for people, that each node's process runs. */
export const DEMO_NODE = 'demo-node'

import type { Crypto } from '@nexus/crypto'

export interface RelayOptions {
  readonly crypto: Crypto
  /** The VRF proof of this node over some bytes: `identity.prove`. */
  prove(alpha: Uint8Array): Uint8Array
  /** The epoch at start; later ones by `epochIs`. */
  readonly epoch: number
  /** What was kept of this neighbour from an earlier run, as `standing` gave it. */
  readonly standing?: RelayStanding
}

export interface RelayPorts {
  /** Hands the body of a link message of type 4 to any link with the payer; lost ones are asked for again. */
  send(body: Uint8Array): void
  /** How much this neighbour may owe by the lottery, in μNXS: its exposure limit less what its channel has not settled. */
  creditMicro(): number
}

/** What is remembered of a payer between runs. */
export interface RelayStanding {
  /** Packets in windows that it revealed and paid. */
  readonly paidPackets: number
  /** By epoch: expected cost of packets that were never paid for. */
  readonly owedMicro: ReadonlyMap<number, number>
}

/** Whether a priced packet is taken, or why not. */
export type TakeVerdict =
  | 'taken'
  /** Its window has no odds: not opened, or the REVEAL of the window before the last is late, or payments are. */
  | 'no-odds'
  /** Its window is revealed, so that its draws are known. */
  | 'revealed'
  /** A counter that was taken before. */
  | 'repeated'
  /** A win would pass what this neighbour may owe. */
  | 'credit'

/** Wins to be handed to the channel. */
export interface Claim {
  readonly body: Uint8Array
  /** The least that the payer has to move, in whole μNXS: at the quotes that it was given. */
  readonly expectedMicro: bigint
  /** Packets in the windows claimed. */
  readonly packets: number
}

/** What became of windows, since the start. */
export interface RelayCounts {
  taken: number
  refused: number
  drawn: number
  wins: number
  paidMicro: bigint
  /** Claims that the payer refused. */
  refusedClaims: number
  /** Wins that nobody claimed while their payer remembered them. */
  expiredMicro: bigint
  /** REVEALs that were not what had been committed to. */
  falseReveals: number
}

import type { Agenda } from './agenda.ts'
import type { Ports } from './ports.ts'
import type { Slices } from './slices.ts'

/** What the parts of a link need of it. */
export interface LinkSession {
  readonly ports: Ports
  readonly agenda: Agenda
  /** Where long work of the node is done. */
  readonly slices: Slices
  readonly id: Uint8Array
  readonly isOpen: boolean
  readonly mtuBytes: number
  readonly mduBytes: number
  readonly roundTripMs: number
  seal(plaintext: Uint8Array): Uint8Array
  open(token: Uint8Array): Uint8Array | undefined
  /** Sends a plaintext of at most `mduBytes`, sealed; returns the packet. */
  sendSealed(context: number, plaintext: Uint8Array): Uint8Array
  /** Sends bytes as they are. */
  sendClear(context: number, data: Uint8Array, packetType?: number): void
  /** The hash of the packet that `sendClear` sends, or would send from the other end. */
  hashOfClear(context: number, data: Uint8Array, packetType: number): Uint8Array
  /** Calls `settle` with the round-trip time of the packet's proof, or with undefined once it took too long. */
  expectProof(packet: Uint8Array, timeoutMs: number, settle: (roundTripMs: number | undefined) => void): void
  /** Takes the link down because the peer does not keep to the protocol, or does not answer. */
  fail(why: string): void
}

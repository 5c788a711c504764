/** Settings of a KISS terminal node controller, in the units of people; on the wire they are bytes. */
export interface TncSettings {
  /** Between keying the transmitter and the first byte. */
  readonly preambleMs: number
  /** Between the last byte and unkeying. */
  readonly txTailMs: number
  /** Chance to send in a free slot, times 256, less one: 0 … 255. */
  readonly persistence: number
  readonly slotTimeMs: number
}

const COMMANDS = { preamble: 1, persistence: 2, slotTime: 3, txTail: 4, ready: 0x0f } as const

/**
 * What sets up a KISS TNC, one write each: delay, tail, persistence, slot time, and the request to say when it has room.
 * Values are held to a byte and not escaped, as Reticulum writes them and TNCs expect.
 */
export function tncSetup(settings: TncSettings): Uint8Array[] {
  const command = (number: number, value: number) =>
    Uint8Array.of(0xc0, number, Math.max(0, Math.min(255, Math.trunc(value))), 0xc0)
  return [
    command(COMMANDS.preamble, settings.preambleMs / 10),
    command(COMMANDS.txTail, settings.txTailMs / 10),
    command(COMMANDS.persistence, settings.persistence),
    command(COMMANDS.slotTime, settings.slotTimeMs / 10),
    command(COMMANDS.ready, 1),
  ]
}

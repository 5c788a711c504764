/** What a serial port tells its owner; `closed` once, and nothing after it. */
export interface SerialPortEvents {
  /** The bytes are valid during the call. */
  data(bytes: Uint8Array): void
  /** Bytes written earlier have gone to the system. */
  written(): void
  closed(why: string): void
}

/** An open serial port, 8 data bits, no parity, 1 stop bit, no flow control, raw. */
export interface SerialPort {
  /** Bytes that the system has not taken yet. */
  readonly queuedBytes: number
  /** Takes the bytes as they are until {@link SerialPortEvents.written} or the end. */
  write(bytes: Uint8Array): void
  /** Resolves when the port is free again; what was written before goes out, for a moment. */
  close(): Promise<void>
}

/** Opens `path` at `baudRate`. Rejects with an Error that says why where it can't. */
export type OpenSerialPort = (path: string, baudRate: number, events: SerialPortEvents) => Promise<SerialPort>

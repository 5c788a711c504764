/** A radio as whoever decides when it may speak sees it (docs/spec/lora.md, medium access). */
export interface RadioMedium {
  /** Whether the medium was in use at any time from `sinceMs` to now. */
  busySince(nowMs: number, sinceMs: number): boolean
  /** Milliseconds on the air of these radio packets, one after the other. */
  airtimeMs(packets: readonly Uint8Array[]): number
  /** 0 where the duty cycle allows `airtimeMs` more now, else the wait; Infinity: never. */
  dutyWaitMs(nowMs: number, airtimeMs: number): number
  /** Starts to send a packet and says when it ends; `undefined`: the radio does not take it. */
  transmit(nowMs: number, packet: Uint8Array): number | undefined
}

/** Why a frame was given up before it was sent. */
export type Dropped = 'medium-busy' | 'duty-cycle' | 'radio-off'

/** Tells what became of each frame, in order. */
export interface AccessReports {
  sent(nowMs: number): void
  dropped(nowMs: number, reason: Dropped): void
}

export interface AccessOptions {
  readonly random: (length: number) => Uint8Array
  /** A back-off slot: one full radio packet. */
  readonly slotMs: number
  /** How long activity detection takes: two symbols. */
  readonly listenMs: number
  readonly queueBytesMax: number
}

/** Decides when the frames of one radio go out. */
export interface Access {
  readonly queuedBytes: number
  /** Takes the radio packets of one frame; `false` where there is no room. */
  enqueue(nowMs: number, packets: readonly Uint8Array[]): boolean
  /** Forgets what waits; nothing is reported. */
  clear(): void
  nextWakeMs(): number
  tick(nowMs: number): void
}

/** Makes the access of a radio: `createMediumAccess` of `@nexus/congestion`, or another rule to be compared with it. */
export type CreateAccess = (options: AccessOptions, medium: RadioMedium, reports: AccessReports) => Access

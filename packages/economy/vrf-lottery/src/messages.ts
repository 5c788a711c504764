import { ByteReader, ByteWriter } from '@nexus/codec'
import { LotteryError } from './errors.ts'
import { COMMIT_BYTES, REVEAL_BYTES, SERIES_BYTES } from './limits.ts'
import { isOdds } from './price.ts'

/** Subtypes of link message type 4 that are the lottery's. */
export const LOTTERY_MESSAGE = { openLot: 12, reveal: 13, odds: 14 } as const

/** The payer commits to the window of the frame that carries this and to the next. */
export interface OpenLot {
  readonly kind: 'open-lot'
  /** 4 bytes. */
  readonly series: Uint8Array
  /** Twice 16 bytes. */
  readonly commits: readonly [Uint8Array, Uint8Array]
}

/** The payer ends a window, and commits to the one after the next. */
export interface Reveal {
  readonly kind: 'reveal'
  readonly series: Uint8Array
  readonly window: number
  /** r_w, 16 bytes. */
  readonly secret: Uint8Array
  /** Of window + 2, 16 bytes. */
  readonly commit: Uint8Array
}

/** The relay fixes the odds of a window: 1/n. */
export interface Odds {
  readonly kind: 'odds'
  readonly series: Uint8Array
  readonly window: number
  readonly odds: number
}

export type LotteryMessage = OpenLot | Reveal | Odds

const OPEN_LOT_BYTES = 1 + SERIES_BYTES + 2 * COMMIT_BYTES
const REVEAL_MESSAGE_BYTES = 1 + SERIES_BYTES + 4 + REVEAL_BYTES + COMMIT_BYTES
const ODDS_BYTES = 1 + SERIES_BYTES + 4 + 2

/**
 * The body of a link message of type 4 (docs/spec/vrf-lottery.md):
 *
 * | subtype |          | then                                          | bytes |
 * | ------: | -------- | --------------------------------------------- | ----: |
 * |      12 | OPEN_LOT | series 4 ‖ commit 16 ‖ commit 16              |    37 |
 * |      13 | REVEAL   | series 4 ‖ window u32 ‖ r 16 ‖ commit(w+2) 16 |    41 |
 * |      14 | ODDS     | series 4 ‖ window u32 ‖ n u16                 |    11 |
 */
export function encodeLotteryMessage(message: LotteryMessage): Uint8Array {
  const { series } = message
  switch (message.kind) {
    case 'open-lot':
      return new ByteWriter(OPEN_LOT_BYTES)
        .u8(LOTTERY_MESSAGE.openLot)
        .bytes(series, SERIES_BYTES)
        .bytes(message.commits[0], COMMIT_BYTES)
        .bytes(message.commits[1], COMMIT_BYTES)
        .finish()
    case 'reveal':
      return new ByteWriter(REVEAL_MESSAGE_BYTES)
        .u8(LOTTERY_MESSAGE.reveal)
        .bytes(series, SERIES_BYTES)
        .u32(message.window)
        .bytes(message.secret, REVEAL_BYTES)
        .bytes(message.commit, COMMIT_BYTES)
        .finish()
    case 'odds':
      if (!isOdds(message.odds)) throw new RangeError(`the odds are no 1/${message.odds}`)
      return new ByteWriter(ODDS_BYTES)
        .u8(LOTTERY_MESSAGE.odds)
        .bytes(series, SERIES_BYTES)
        .u32(message.window)
        .u16(message.odds)
        .finish()
  }
}

/** @throws {LotteryError} `lottery/malformed`, `lottery/kind`, `lottery/odds` */
export function decodeLotteryMessage(body: Uint8Array): LotteryMessage {
  const reader = new ByteReader(body, (fault) => new LotteryError({ code: 'lottery/malformed', fault }))
  const message = readMessage(reader)
  reader.end()
  return message
}

function readMessage(reader: ByteReader): LotteryMessage {
  const kind = reader.u8()
  if (kind !== LOTTERY_MESSAGE.openLot && kind !== LOTTERY_MESSAGE.reveal && kind !== LOTTERY_MESSAGE.odds) {
    throw new LotteryError({ code: 'lottery/kind', kind })
  }
  const series = reader.bytes(SERIES_BYTES)
  if (kind === LOTTERY_MESSAGE.openLot) {
    return { kind: 'open-lot', series, commits: [reader.bytes(COMMIT_BYTES), reader.bytes(COMMIT_BYTES)] }
  }
  const window = reader.u32()
  if (kind === LOTTERY_MESSAGE.reveal) {
    return { kind: 'reveal', series, window, secret: reader.bytes(REVEAL_BYTES), commit: reader.bytes(COMMIT_BYTES) }
  }
  const odds = reader.u16()
  if (!isOdds(odds)) throw new LotteryError({ code: 'lottery/odds', odds })
  return { kind: 'odds', series, window, odds }
}

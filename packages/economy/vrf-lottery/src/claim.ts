import { ByteReader, ByteWriter, equalBytes } from '@nexus/codec'
import { VRF_PROOF_BYTES } from '@nexus/crypto'
import { LotteryError } from './errors.ts'
import { CLAIM_BYTES_MAX, CLAIM_FIXED_BYTES, CLAIM_WINDOWS_MAX, CLAIM_WINS_MAX, SERIES_BYTES } from './limits.ts'

/** The wins of one window, with the proof that they were drawn and not chosen. */
export interface WindowClaim {
  /** 4 bytes. */
  readonly series: Uint8Array
  readonly window: number
  /** Counters less the window's first, rising: 1…190 of them. */
  readonly offsets: readonly number[]
  /** The VRF proof pi of the window, 80 bytes. */
  readonly proof: Uint8Array
}

/** Bytes that a window with so many wins takes in a claim. */
export function windowClaimBytes(wins: number): number {
  return CLAIM_FIXED_BYTES + 2 * wins
}

/**
 * The claim that a channel's CLAIM carries behind its sequence: 1…4 windows, 469 bytes at the most, each
 * `series 4 ‖ window u32 ‖ count u8 ‖ count × offset u16 ‖ pi 80` (docs/spec/vrf-lottery.md).
 * @throws {RangeError} for what is no claim
 */
export function encodeClaim(windows: readonly WindowClaim[]): Uint8Array {
  let length = 0
  for (const { offsets } of windows) length += windowClaimBytes(offsets.length)
  const fault = faultOf(windows, length)
  if (fault !== undefined) throw new RangeError(fault.message)
  const writer = new ByteWriter(length)
  for (const { series, window, offsets, proof } of windows) {
    writer.bytes(series, SERIES_BYTES).u32(window).u8(offsets.length)
    for (const offset of offsets) writer.u16(offset)
    writer.bytes(proof, VRF_PROOF_BYTES)
  }
  return writer.finish()
}

/** @throws {LotteryError} `lottery/malformed`, `lottery/windows`, `lottery/wins`, `lottery/order` */
export function decodeClaim(body: Uint8Array): WindowClaim[] {
  if (body.length > CLAIM_BYTES_MAX) throw new LotteryError({ code: 'lottery/windows', windows: 0 })
  const reader = new ByteReader(body, (fault) => new LotteryError({ code: 'lottery/malformed', fault }))
  const windows: WindowClaim[] = []
  do windows.push(readWindow(reader))
  while (reader.remaining > 0)
  const fault = faultOf(windows, body.length)
  if (fault !== undefined) throw fault
  return windows
}

function readWindow(reader: ByteReader): WindowClaim {
  const series = reader.bytes(SERIES_BYTES)
  const window = reader.u32()
  const offsets = Array.from({ length: reader.u8() }, () => reader.u16())
  return { series, window, offsets, proof: reader.bytes(VRF_PROOF_BYTES) }
}

function faultOf(windows: readonly WindowClaim[], length: number): LotteryError | undefined {
  if (windows.length < 1 || windows.length > CLAIM_WINDOWS_MAX || length > CLAIM_BYTES_MAX) {
    return new LotteryError({ code: 'lottery/windows', windows: windows.length })
  }
  for (const [index, { series, window, offsets }] of windows.entries()) {
    if (offsets.length < 1 || offsets.length > CLAIM_WINS_MAX) {
      return new LotteryError({ code: 'lottery/wins', wins: offsets.length })
    }
    const rising = offsets.every((offset, at) => at === 0 || offset > offsets[at - 1]!)
    const repeated = windows.slice(0, index).some((one) => one.window === window && equalBytes(one.series, series))
    if (!rising || repeated) return new LotteryError({ code: 'lottery/order' })
  }
  return undefined
}

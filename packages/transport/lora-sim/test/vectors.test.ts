import { readFileSync } from 'node:fs'
import { airtimeSeconds, type Modulation, Reassembler, splitFrame } from '@nexus/transport-lora-sim'
import { describe, expect, test } from 'vitest'

interface Vectors<In, Out> {
  readonly cases: readonly { readonly id: string; readonly in: In; readonly out: Out }[]
}

function load<In, Out>(op: string): Vectors<In, Out>['cases'] {
  const file = new URL(`../../../../conformance-vectors/lora/${op}.json`, import.meta.url)
  const { cases }: Vectors<In, Out> = JSON.parse(readFileSync(file, 'utf8'))
  return cases
}

const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('vectors', () => {
  const airtimes = load<Modulation & { bytes: number }, { airtimeNs: string }>('lora.airtime')
  test.each(airtimes)('airtime: $id', ({ in: { bytes, ...modulation }, out }) => {
    expect(`${Math.round(airtimeSeconds(modulation, bytes) * 1e9)}`).toBe(out.airtimeNs)
    expect(plainAirtimeNs(modulation, bytes)).toBe(BigInt(out.airtimeNs))
  })

  const splits = load<{ frame: string; sequence: number }, { packets: string[] }>('lora.split')
  test.each(splits)('split: $id', ({ in: { frame, sequence }, out: { packets } }) => {
    expect(splitFrame(fromHex(frame), sequence).map(toHex)).toEqual(packets)
    const reassembler = new Reassembler(1)
    const frames = packets.map((packet) => reassembler.receive(0, fromHex(packet)))
    expect(toHex(frames.at(-1)!)).toBe(frame)
  })

  const sequences = load<{ timeoutMs: number; steps: { atMs: number; packet: string }[] }, { frames: string[] }>(
    'lora.reassemble',
  )
  test.each(sequences)('reassemble: $id', ({ in: { timeoutMs, steps }, out }) => {
    const reassembler = new Reassembler(timeoutMs)
    const frames = steps.map(({ atMs, packet }) => reassembler.receive(atMs, fromHex(packet)))
    expect(frames.map((frame) => (frame === undefined ? null : toHex(frame)))).toEqual(out.frames)
  })
})

/** The formula of the vectors' README, in whole quarter symbols. */
function plainAirtimeNs(modulation: Modulation, bytes: number): bigint {
  const { spreadingFactor: sf, bandwidthHz, codingRate, explicitHeader, crc, lowDataRate } = modulation
  const slow = lowDataRate === 'auto' ? 2 ** sf * 1_000 >= 16 * bandwidthHz : lowDataRate
  const bits = 8 * bytes + (crc ? 16 : 0) + (explicitHeader ? 20 : 0) - 4 * sf + (sf >= 7 ? 8 : 0)
  const blocks = Math.ceil(Math.max(bits, 0) / (4 * (slow ? sf - 2 : sf)))
  const quarters = 4 * (modulation.preambleSymbols + 8 + blocks * codingRate) + (sf >= 7 ? 17 : 25)
  return (BigInt(quarters) * BigInt(2 ** sf) * 10n ** 9n) / BigInt(4 * bandwidthHz)
}

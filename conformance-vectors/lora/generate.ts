// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/lora/generate.ts
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import { airtimeSeconds, type Modulation, Reassembler, splitFrame } from '@nexus/transport-lora-sim'

type Case = { readonly id: string; readonly in: object; readonly out: object }

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

function airtimeCase(modulation: Modulation, bytes: number): Case {
  const { spreadingFactor, bandwidthHz, codingRate } = modulation
  const options = `${modulation.explicitHeader ? '' : ', implicit'}${modulation.crc ? '' : ', no CRC'}`
  const id = `SF${spreadingFactor}, ${bandwidthHz} Hz, 4/${codingRate}, preamble ${modulation.preambleSymbols}${options}, ${bytes} bytes`
  const airtimeNs = Math.round(airtimeSeconds(modulation, bytes) * 1e9)
  return { id, in: { ...modulation, bytes }, out: { airtimeNs: `${airtimeNs}` } }
}

const common = { explicitHeader: true, crc: true, lowDataRate: 'auto' } as const
const airtimes: Case[] = []
for (let spreadingFactor = 5; spreadingFactor <= 12; spreadingFactor++) {
  for (const bandwidthHz of [62_500, 125_000, 250_000, 500_000]) {
    for (const codingRate of [5, 8]) {
      const modulation = { ...common, spreadingFactor, bandwidthHz, codingRate, preambleSymbols: 18 }
      for (const bytes of [1, 2, 13, 100, 255]) airtimes.push(airtimeCase(modulation, bytes))
    }
  }
  const plain = { ...common, spreadingFactor, bandwidthHz: 125_000, codingRate: 5, preambleSymbols: 8 }
  airtimes.push(airtimeCase(plain, 13))
  airtimes.push(airtimeCase({ ...plain, explicitHeader: false, crc: false }, 0))
  airtimes.push(airtimeCase({ ...plain, lowDataRate: true }, 51), airtimeCase({ ...plain, lowDataRate: false }, 51))
}
write('lora.airtime', airtimes)

const frame = (length: number, first = 0) => Uint8Array.from({ length }, (_, at) => (first + at) & 0xff)

write(
  'lora.split',
  [1, 2, 253, 254, 255, 256, 400, 507, 508].map((length, index) => {
    const sequence = (index * 7) & 0x0f
    const packets = splitFrame(frame(length, index), sequence).map(toHex)
    return {
      id: `${length} bytes, sequence ${sequence}`,
      in: { frame: toHex(frame(length, index)), sequence },
      out: { packets },
    }
  }),
)

const [a1, a2] = splitFrame(frame(300, 1), 3) as [Uint8Array, Uint8Array]
const [b1, b2] = splitFrame(frame(508, 2), 4) as [Uint8Array, Uint8Array]
const [whole] = splitFrame(frame(10, 3), 3) as [Uint8Array]
const reserved = a1.map((byte, at) => (at === 0 ? byte | 0x0e : byte))

function reassemble(id: string, steps: readonly (readonly [atMs: number, packet: Uint8Array])[]): Case {
  const timeoutMs = 1_000
  const reassembler = new Reassembler(timeoutMs)
  const frames = steps.map(([atMs, packet]) => {
    const got = reassembler.receive(atMs, packet)
    return got === undefined ? null : toHex(got)
  })
  const given = steps.map(([atMs, packet]) => ({ atMs, packet: toHex(packet) }))
  return { id, in: { timeoutMs, steps: given }, out: { frames } }
}

write('lora.reassemble', [
  reassemble('one packet', [[0, whole]]),
  reassemble('two halves', [
    [0, a1],
    [400, a2],
  ]),
  reassemble('halves of two senders, and a whole frame between', [
    [0, a1],
    [1, b1],
    [2, whole],
    [3, a2],
    [4, b2],
  ]),
  reassemble('the second half at the last moment', [
    [0, a1],
    [1_000, a2],
  ]),
  reassemble('the second half too late', [
    [0, a1],
    [1_001, a2],
  ]),
  reassemble('a short half without its first', [
    [0, a2],
    [1, a1],
    [2, a2],
  ]),
  reassemble('reserved bits are ignored', [
    [0, reserved],
    [1, a2],
  ]),
  reassemble('a header without bytes, and nothing', [
    [0, Uint8Array.of(0x30)],
    [0, new Uint8Array(0)],
  ]),
  reassemble('longer than a radio packet', [[0, frame(256)]]),
])

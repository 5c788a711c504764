import { expect, test } from 'vitest'
import { encodeHdlc, HdlcDecoder, hdlcBytesMax } from '../src/index.ts'
import { Dice, decodePlainly } from './plain.ts'

const CASES = Number(process.env['NEXUS_FUZZ'] ?? 20_000)

test(`${CASES} random, mutated and chopped streams decode as the plain twin says`, () => {
  const dice = new Dice(0x4e585331)
  const into = new Uint8Array(hdlcBytesMax(64))
  for (let run = 0; run < CASES; run++) {
    const stream: number[] = []
    for (let part = dice.below(6); part >= 0; part--) {
      if (dice.below(4) === 0) for (let n = dice.below(60); n > 0; n--) stream.push(dice.streamByte())
      else {
        const frame = Uint8Array.from({ length: 1 + dice.below(64) }, () => dice.streamByte())
        stream.push(...into.subarray(0, encodeHdlc(frame, into, 0)))
      }
    }
    for (let flips = dice.below(4); flips > 0; flips--) stream[dice.below(stream.length)] = dice.streamByte()
    const bytes = Uint8Array.from(stream)
    const strayEscapes = dice.below(2) === 0 ? 'drop' : 'keep'
    const frameBytesMax = 1 + dice.below(70)
    const got: number[][] = []
    const faults: string[] = []
    const decoder = new HdlcDecoder({
      frameBytesMax,
      strayEscapes,
      onFrame: (frame) => got.push([...frame]),
      onFault: (fault) => faults.push(fault),
    })
    const chunkMax = 1 + dice.below(40)
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + dice.below(chunkMax)
      decoder.push(bytes.subarray(at, at + size))
      at += size
      if (decoder.pendingBytes > frameBytesMax) throw new Error('the decoder holds more than one frame')
    }
    expect({ run, frames: got, faults }).toEqual({ run, ...decodePlainly(bytes, frameBytesMax, strayEscapes) })
  }
})

test('after any garbage the second frame from its end on is whole again', () => {
  const dice = new Dice(7)
  const into = new Uint8Array(hdlcBytesMax(32))
  for (let run = 0; run < CASES / 10; run++) {
    const garbage = Uint8Array.from({ length: dice.below(300) }, () => dice.streamByte())
    const frame = Uint8Array.from({ length: 32 }, () => dice.streamByte())
    const encoded = into.slice(0, encodeHdlc(frame, into, 0))
    let last: Uint8Array | undefined
    const decoder = new HdlcDecoder({ frameBytesMax: 32, onFrame: (bytes) => (last = bytes.slice()) })
    decoder.push(garbage)
    decoder.push(encoded)
    last = undefined
    decoder.push(encoded)
    expect(last).toEqual(frame)
  }
})

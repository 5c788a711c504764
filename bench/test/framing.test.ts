import { encodeHdlc, HdlcDecoder, hdlcBytesMax } from '@nexus/transport-tcp'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytewiseFraming } from '../src/roles/bytewise.ts'

test('the bare framing passes on what ours makes, cut anywhere, byte for byte', () => {
  const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(frames, fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }), (sent, cuts) => {
      const wire = Buffer.concat(sent.map(framed))
      const seen: string[] = []
      const framing = bytewiseFraming((frame) => seen.push(Buffer.from(frame).toString('hex')))
      const out: Buffer[] = []
      for (let at = 0, turn = 0; at < wire.length; turn++) {
        const size = 1 + cuts[turn % cuts.length]!
        out.push(framing(Buffer.from(wire.subarray(at, at + size))))
        at += size
      }
      const expected = sent.map((frame) => Buffer.from(frame).toString('hex'))
      expect(seen).toEqual(expected)
      const heard: string[] = []
      const onFrame = (frame: Uint8Array) => heard.push(Buffer.from(frame).toString('hex'))
      new HdlcDecoder({ frameBytesMax: 40, onFrame }).push(Buffer.concat(out))
      expect(heard).toEqual(expected)
    }),
  )
})

function framed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(hdlcBytesMax(frame.length))
  return bytes.subarray(0, encodeHdlc(frame, bytes, 0))
}

import {
  AnchorError,
  type Datagram,
  decodeDatagram,
  encodeEpoch,
  encodePulse,
  encodeRequest,
} from '@nexus/anchor-truth'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { expect, test } from 'vitest'
import { epochs, pulse, request } from './samples.ts'

const encode = (datagram: Datagram): Uint8Array =>
  datagram.kind === 'pulse'
    ? encodePulse(datagram)
    : datagram.kind === 'epoch'
      ? encodeEpoch(datagram)
      : encodeRequest(datagram)

test.each([
  ['pulses', [pulse]],
  ['requests', [request]],
  ['epochs', epochs],
] as const)('any bytes near %s are a datagram in its one form, or an AnchorError', (_, corpus) => {
  const { accepted, refused } = fuzzDecoder({
    decode: decodeDatagram,
    encode: encode as (value: never) => Uint8Array,
    isTyped: (error) => error instanceof AnchorError,
    corpus,
    cases: fuzzCases(process.env),
    seed: 23,
  })
  expect(accepted).toBeGreaterThan(50)
  expect(refused).toBeGreaterThan(accepted)
})

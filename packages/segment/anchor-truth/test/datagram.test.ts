import {
  AnchorError,
  type AnchorErrorDetail,
  decodeDatagram,
  decodeEpoch,
  decodePulse,
  decodeRequest,
  encodeEpoch,
  encodePulse,
  encodeRequest,
  isSignedFrom,
  macOf,
  PULSE_BYTES_MAX,
  signEpoch,
  signPulse,
} from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { expect, test } from 'vitest'
import {
  ADDRESS_BURST,
  ANSWERS_PER_SECOND,
  BATCH_MS,
  COLD_START_MS,
  DATAGRAM_BYTES_MAX,
  ENTRIES_MAX,
  EPOCH_MS,
  EPOCH_OVERLAP_MS,
  HEADS_MAX,
  LOWER_EGO_WAIT_MS,
  MEMBER_FORGET_MS,
  PULSE_EARLY_MS,
  PULSE_MS,
  RANK_WAIT_MS,
  RANKS_MAX,
  SILENT_MS,
  WAIT_JITTER_MS,
} from '../src/limits.ts'
import { crypto, epochFields, epochs, identity, key, pulse, pulseFields, request, source } from './samples.ts'

test('sizes are those of the specification', () => {
  expect(PULSE_BYTES_MAX).toBe(181)
  expect(request).toHaveLength(127)
  expect([ENTRIES_MAX, HEADS_MAX]).toEqual([18, 131])
  for (const [admission, count] of [
    ['allow-list', ENTRIES_MAX],
    ['passphrase', HEADS_MAX],
  ] as const) {
    const bytes = signEpoch(crypto, identity, source, key, epochFields(admission, count))
    expect(bytes.length).toBeLessThanOrEqual(DATAGRAM_BYTES_MAX)
    expect(
      () =>
        epochFields(admission, count + 1) &&
        signEpoch(crypto, identity, source, key, epochFields(admission, count + 1)),
    ).toThrow(RangeError)
  }
})

test('limits keep the bounds that the specification promises', () => {
  const waitMsMax = LOWER_EGO_WAIT_MS + RANKS_MAX * RANK_WAIT_MS + WAIT_JITTER_MS
  expect(SILENT_MS + waitMsMax).toBeLessThanOrEqual(18_500)
  expect(COLD_START_MS + waitMsMax).toBeLessThanOrEqual(8_500)
  expect(MEMBER_FORGET_MS).toBeGreaterThan(EPOCH_MS + EPOCH_OVERLAP_MS)
  expect(1_000 / BATCH_MS).toBeLessThanOrEqual(ANSWERS_PER_SECOND)
  expect(3 * (PULSE_MS - PULSE_EARLY_MS)).toBeLessThan(SILENT_MS)
  expect(ADDRESS_BURST).toBeGreaterThan(0)
})

test('each kind is read back as written', () => {
  expect(toHex(encodePulse(decodePulse(pulse)))).toBe(toHex(pulse))
  expect(toHex(encodeRequest(decodeRequest(request)))).toBe(toHex(request))
  for (const bytes of epochs) expect(toHex(encodeEpoch(decodeEpoch(bytes)))).toBe(toHex(bytes))
  expect(decodePulse(pulse)).toMatchObject({ ...pulseFields, kind: 'pulse' })
})

test('signature and MAC hold from that source only', () => {
  for (const bytes of [pulse, request, ...epochs]) {
    const datagram = decodeDatagram(bytes)
    expect(isSignedFrom(crypto, source, datagram, bytes)).toBe(true)
    expect(isSignedFrom(crypto, { ...source, port: 1 }, datagram, bytes)).toBe(false)
    expect(isSignedFrom(crypto, { ...source, address: new Uint8Array(16) }, datagram, bytes)).toBe(false)
    if (datagram.kind === 'request') continue
    expect(macOf(crypto, key, source, bytes)).toEqual(datagram.mac)
    expect(macOf(crypto, key, { ...source, port: 1 }, bytes)).not.toEqual(datagram.mac)
  }
})

const changed = (bytes: Uint8Array, at: number, value: number) =>
  bytes.map((byte, index) => (index === at ? value : byte))
const rejects = {
  'anchor/length': pulse.slice(0, -1),
  'anchor/kind': changed(pulse, 0, 9),
  'anchor/version': changed(request, 1, 2),
  'anchor/role': changed(pulse, 23, 0x84),
  'anchor/name': changed(pulse, 30, 0xff),
  'anchor/admission': changed(epochs[0]!, 2, 3),
  'anchor/count': changed(epochs[0]!, 80, 19),
} satisfies Record<AnchorErrorDetail['code'], Uint8Array>

test.each(Object.entries(rejects))('%s', (code, bytes) => {
  expect(() => decodeDatagram(bytes)).toThrow(AnchorError)
  expect(() => decodeDatagram(bytes)).toThrow(expect.objectContaining({ detail: expect.objectContaining({ code }) }))
})

test('what cannot be written is the caller’s mistake', () => {
  expect(() => signPulse(crypto, identity, source, key, { ...pulseFields, name: 'n'.repeat(25) })).toThrow(RangeError)
  expect(() => signPulse(crypto, identity, source, key, { ...pulseFields, missed: 8 })).toThrow(RangeError)
  expect(() => signPulse(crypto, identity, source, key, { ...pulseFields, ego: 256 })).toThrow(RangeError)
})

// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/session/generate.ts
import { writeFileSync } from 'node:fs'
import { concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { vectorsText } from '@nexus/codec/testing'
import { portable } from '@nexus/crypto'
import { CONTEXT, packetData } from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import { NoiseHandshake } from '@nexus/link'
import {
  encodeContent,
  encodeFragment,
  encodeHandshake,
  encodeReceipt,
  encodeSegment,
  MODE,
  messageDigest,
  type Segment,
  STATUS,
  StreamCrypter,
  sealBox,
  signContent,
} from '@nexus/session'

type Case = { readonly id: string; readonly in: object } & (
  | { readonly out: object | null }
  | { readonly error: string }
)

function write(op: string, cases: readonly Case[]): void {
  writeFileSync(new URL(`${op}.json`, import.meta.url), vectorsText(op, cases))
}

const crypto = portable()
const count = (length: number, from = 0) => Uint8Array.from({ length }, (_, at) => (from + at) & 0xff)
const seeds = { ann: count(32, 1), ben: count(32, 101) }
const ann = createIdentity(crypto, seeds.ann)
const ben = createIdentity(crypto, seeds.ben)
const ephemeralSecret = count(32, 0x40)
/** The same for each box: vectors alone may seal twice with one. */
const ephemeralKey = () => crypto.ephemeralKey(() => ephemeralSecret)
const ephemeral = ephemeralKey()

// Contents

const signed = (mode: 1 | 2, id: bigint, body: Uint8Array) =>
  signContent(crypto, ann, { mode, id, body }, ben.nodeId, ephemeral.publicKey)
const digest = messageDigest(crypto, ben.publicKey, 1_025n, encodeUtf8('Is anyone there?'))
const receiptBody = encodeReceipt({ id: 1_025n, digest, status: STATUS.stored, bitmap: new Uint8Array(0) })
const contents: Record<string, { plaintext: Uint8Array; context: number }> = {
  'anonymous, empty': { plaintext: Uint8Array.of(0), context: CONTEXT.SEALED },
  'anonymous, as much as fits': {
    plaintext: encodeContent({ mode: MODE.anonymous, body: count(416) }),
    context: CONTEXT.SEALED,
  },
  'signed, empty': { plaintext: signed(1, 1n, new Uint8Array(0)), context: CONTEXT.SEALED },
  'signed, a greeting': { plaintext: signed(1, 1_026n, encodeUtf8('Grüße')), context: CONTEXT.SEALED },
  'signed, as much as fits': { plaintext: signed(1, 2n ** 64n - 1n, count(312)), context: CONTEXT.SEALED },
  receipt: { plaintext: signed(2, 1_027n, receiptBody), context: CONTEXT.SEALED },
  'first fragment': {
    plaintext: signed(1, 1_028n, encodeFragment({ index: 0, last: 2, part: count(310) })),
    context: CONTEXT.FRAGMENT,
  },
}

/** The fields by the table, not by our decoder. */
function fieldsOf(plaintext: Uint8Array): object {
  const mode = plaintext[0]!
  if (mode === 0) return { mode, body: toHex(plaintext.subarray(1)) }
  const end = plaintext.length - 64
  return {
    mode,
    sender: toHex(plaintext.subarray(1, 33)),
    id: new DataView(plaintext.buffer, plaintext.byteOffset).getBigUint64(33, true).toString(),
    body: toHex(plaintext.subarray(41, end)),
    signature: toHex(plaintext.subarray(end)),
  }
}

write('content.decode', [
  ...Object.entries(contents).map(([id, { plaintext }]) => ({
    id,
    in: { plaintext: toHex(plaintext) },
    out: fieldsOf(plaintext),
  })),
  { id: 'nothing', in: { plaintext: '' }, error: 'session/length' },
  { id: 'anonymous, a byte too long', in: { plaintext: toHex(new Uint8Array(418)) }, error: 'session/length' },
  { id: 'signed, a byte short', in: { plaintext: toHex(Uint8Array.of(1, ...count(103))) }, error: 'session/length' },
  { id: 'signed, a byte too long', in: { plaintext: toHex(Uint8Array.of(1, ...count(417))) }, error: 'session/length' },
  { id: 'mode 3', in: { plaintext: toHex(Uint8Array.of(3, ...count(200))) }, error: 'session/mode' },
])

// Boxes

const box = (plaintext: Uint8Array, context: number) =>
  sealBox(crypto, ephemeralKey(), ben.agreementKey, ben.nodeId, context, plaintext)

write(
  'sealedBox.seal',
  Object.entries(contents).map(([id, { plaintext, context }]) => ({
    id,
    in: {
      ephemeralSecret: toHex(ephemeralSecret),
      recipient: toHex(ben.publicKey),
      context,
      plaintext: toHex(plaintext),
    },
    out: { box: toHex(box(plaintext, context)) },
  })),
)

const openCase = (id: string, context: number, sealed: Uint8Array, out: object | null, seed = seeds.ben) => ({
  id,
  in: { seed: toHex(seed), context, box: toHex(sealed) },
  out,
})
const greeting = contents['signed, a greeting']!
const opened = (plaintext: Uint8Array, valid: boolean | null) => ({
  ephemeral: toHex(ephemeral.publicKey),
  plaintext: toHex(plaintext),
  valid,
})
const bend = (bytes: Uint8Array, at: number, mask = 1) =>
  bytes.map((byte, index) => (index === at ? byte ^ mask : byte))
const sealedGreeting = box(greeting.plaintext, CONTEXT.SEALED)
const falseSignature = bend(greeting.plaintext, greeting.plaintext.length - 1)
const otherSender = greeting.plaintext.slice()
otherSender.set(ben.publicKey, 1)
const forAnn = signContent(crypto, ann, { mode: 1, id: 1n, body: count(3) }, ann.nodeId, ephemeral.publicKey)
const otherEphemeral = signContent(crypto, ann, { mode: 1, id: 1n, body: count(3) }, ben.nodeId, ann.agreementKey)
write('sealedBox.open', [
  ...Object.entries(contents).map(([id, { plaintext, context }]) =>
    openCase(id, context, box(plaintext, context), opened(plaintext, plaintext[0] === 0 ? null : true)),
  ),
  openCase('false signature', CONTEXT.SEALED, box(falseSignature, CONTEXT.SEALED), opened(falseSignature, false)),
  openCase('another sender named', CONTEXT.SEALED, box(otherSender, CONTEXT.SEALED), opened(otherSender, false)),
  openCase('signed for another destination', CONTEXT.SEALED, box(forAnn, CONTEXT.SEALED), opened(forAnn, false)),
  openCase(
    'signed for another box',
    CONTEXT.SEALED,
    box(otherEphemeral, CONTEXT.SEALED),
    opened(otherEphemeral, false),
  ),
  openCase('another context', CONTEXT.FRAGMENT, sealedGreeting, null),
  openCase('another recipient', CONTEXT.SEALED, sealedGreeting, null, seeds.ann),
  openCase('ephemeral bent', CONTEXT.SEALED, bend(sealedGreeting, 0), null),
  openCase('ignored bit of the ephemeral set', CONTEXT.SEALED, bend(sealedGreeting, 31, 0x80), null),
  openCase('ciphertext bent', CONTEXT.SEALED, bend(sealedGreeting, 40), null),
  openCase('tag bent', CONTEXT.SEALED, bend(sealedGreeting, sealedGreeting.length - 1), null),
  openCase('cut', CONTEXT.SEALED, sealedGreeting.subarray(0, -1), null),
  openCase('too short for a tag', CONTEXT.SEALED, sealedGreeting.subarray(0, 47), null),
  openCase('ephemeral of small order', CONTEXT.SEALED, new Uint8Array(100), null),
])

write('message.digest', [
  ...[new Uint8Array(0), encodeUtf8('Is anyone there?'), count(1_000)].map((body) => ({
    id: `${body.length} bytes`,
    in: { sender: toHex(ben.publicKey), id: '1025', body: toHex(body) },
    out: { digest: toHex(messageDigest(crypto, ben.publicKey, 1_025n, body)) },
  })),
])

// Receipts, fragments

const receipt = (status: 0 | 1 | 2 | 3, bitmap = new Uint8Array(0)) => {
  const bytes = encodeReceipt({ id: 1_025n, digest, status, bitmap })
  return { in: { body: toHex(bytes) }, out: { id: '1025', digest: toHex(digest), status, bitmap: toHex(bitmap) } }
}
write('receipt.decode', [
  { id: 'stored', ...receipt(0) },
  { id: 'refused', ...receipt(1) },
  { id: 'too old', ...receipt(2) },
  { id: 'fragments 0, 1 and 8', ...receipt(3, Uint8Array.of(3, 1)) },
  { id: 'fragments, longest bitmap', ...receipt(3, count(27)) },
  { id: 'a byte short', in: { body: toHex(count(24)) }, error: 'session/length' },
  { id: 'stored, with a bitmap', in: { body: `${toHex(receiptBody)}01` }, error: 'session/length' },
  { id: 'fragments without a bitmap', in: { body: `${toHex(count(24))}03` }, error: 'session/length' },
  { id: 'a bitmap too long', in: { body: `${toHex(count(24))}03${toHex(count(28))}` }, error: 'session/length' },
  { id: 'status 4', in: { body: `${toHex(count(24))}04` }, error: 'session/status' },
])

const fragment = (index: number, last: number, part: Uint8Array) => ({
  in: { body: toHex(encodeFragment({ index, last, part })) },
  out: { index, last, part: toHex(part) },
})
write('fragment.decode', [
  { id: 'first of three', ...fragment(0, 2, count(310)) },
  { id: 'shortest body: 313 bytes', ...fragment(1, 1, count(3)) },
  { id: 'longest body: 65 536 bytes', ...fragment(211, 211, count(126)) },
  { id: 'no last index', in: { body: '00' }, error: 'session/length' },
  { id: 'beyond the last', in: { body: toHex(Uint8Array.of(3, 2, ...count(310))) }, error: 'session/fragment' },
  { id: 'one part', in: { body: '000001' }, error: 'session/fragment' },
  { id: '213 parts', in: { body: toHex(Uint8Array.of(0, 212, ...count(310))) }, error: 'session/fragment' },
  { id: 'a short part inside', in: { body: toHex(Uint8Array.of(0, 2, ...count(309))) }, error: 'session/fragment' },
  { id: 'an empty last part', in: { body: '0202' }, error: 'session/fragment' },
  { id: '312 bytes fit one packet', in: { body: '01010000' }, error: 'session/fragment' },
  { id: '65 537 bytes', in: { body: toHex(Uint8Array.of(211, 211, ...count(127))) }, error: 'session/fragment' },
  { id: 'a part too long', in: { body: toHex(Uint8Array.of(0, 2, ...count(311))) }, error: 'session/length' },
])

// Sessions

const prologue = concatBytes(encodeUtf8('NEXUS session 1'), ben.nodeId)
const side = (initiator: boolean) =>
  new NoiseHandshake({
    crypto,
    pattern: 'IK',
    initiator,
    prologue,
    ephemeralKey: crypto.ephemeralKey(() => count(32, initiator ? 0x60 : 0x90)),
    staticKey: initiator
      ? { publicKey: ann.agreementKey, agree: (theirs) => ann.agree(theirs) }
      : { publicKey: ben.agreementKey, agree: (theirs) => ben.agree(theirs) },
    ...(initiator ? { remoteStaticKey: ben.agreementKey } : {}),
  })
const initiator = side(true)
const responder = side(false)
const first = initiator.writeMessage(ann.publicKey)!
responder.readMessage(first)
const second = responder.writeMessage(ben.publicKey)!
initiator.readMessage(second)
const keys = initiator.split()
const packets = {
  1: encodeHandshake({ sessionId: 0x01020304, step: 1, noise: first }),
  2: encodeHandshake({ sessionId: 0x01020304, step: 2, noise: second }),
}
write('session.handshake', [
  {
    id: 'Ann opens a session to Ben',
    in: {
      initiatorSeed: toHex(seeds.ann),
      responderSeed: toHex(seeds.ben),
      initiatorEphemeralSecret: toHex(count(32, 0x60)),
      responderEphemeralSecret: toHex(count(32, 0x90)),
      sessionId: 0x01020304,
    },
    out: {
      first: toHex(packets[1]),
      second: toHex(packets[2]),
      initiatorSendKey: toHex(keys.sendKey),
      responderSendKey: toHex(keys.receiveKey),
    },
  },
])
write('handshake.decode', [
  ...([1, 2] as const).map((step) => ({
    id: `step ${step}`,
    in: { data: toHex(packets[step]) },
    out: { sessionId: 0x01020304, step, noise: toHex(step === 1 ? first : second) },
  })),
  { id: 'step 0', in: { data: toHex(bend(packets[1], 4)) }, error: 'session/handshake' },
  { id: 'step 3', in: { data: toHex(bend(packets[1], 4, 2)) }, error: 'session/handshake' },
  { id: 'a byte short', in: { data: toHex(packets[1].subarray(0, -1)) }, error: 'session/length' },
  { id: 'a byte too long', in: { data: `${toHex(packets[2])}00` }, error: 'session/length' },
  { id: 'no step', in: { data: '04030201' }, error: 'session/length' },
])

// Segments

const segments: Record<string, Segment> = {
  ping: { ping: true },
  'the first bytes': { ping: false, chunk: { offset: 0, bytes: encodeUtf8('hello'), fin: false } },
  'the end alone': { ping: false, chunk: { offset: 2 ** 40 + 5, bytes: new Uint8Array(0), fin: true } },
  reset: { ping: false, resetCode: 7 },
  'acknowledgement of 0…3': { ping: false, ack: { ranges: [{ start: 0, end: 4 }], delayMs: 25, credit: 262_144 } },
  'acknowledgement of 0, 3…4 and 9, with bytes and the end': {
    ping: false,
    ack: {
      ranges: [
        { start: 9, end: 10 },
        { start: 3, end: 5 },
        { start: 0, end: 1 },
      ],
      delayMs: 0,
      credit: 2 ** 33,
    },
    chunk: { offset: 425, bytes: count(4), fin: true },
  },
}
const segmentOut = ({ ack, chunk, ping, resetCode }: Segment) => ({
  ack: ack === undefined ? null : { ...ack, ranges: ack.ranges.map(({ start, end }) => [start, end - 1]) },
  resetCode: resetCode ?? null,
  ping,
  chunk: chunk === undefined ? null : { ...chunk, bytes: toHex(chunk.bytes) },
})
write('segment.decode', [
  ...Object.entries(segments).map(([id, segment]) => ({
    id,
    in: { plaintext: toHex(encodeSegment(segment)) },
    out: segmentOut(segment),
  })),
  { id: 'nothing', in: { plaintext: '' }, error: 'session/length' },
  { id: 'no part', in: { plaintext: '00' }, error: 'session/segment' },
  { id: 'an unknown part', in: { plaintext: '20' }, error: 'session/segment' },
  { id: 'an end without an offset', in: { plaintext: '04' }, error: 'session/segment' },
  { id: 'a chunk of nothing', in: { plaintext: '02000000000000' }, error: 'session/segment' },
  { id: 'a chunk beyond 2^48', in: { plaintext: '02ffffffffffff00' }, error: 'session/segment' },
  { id: 'reset with a chunk', in: { plaintext: '120700000000000000' }, error: 'session/segment' },
  { id: 'bytes after a ping', in: { plaintext: '0800' }, error: 'session/segment' },
  { id: 'ranges below 0', in: { plaintext: '010300000000000000000000000000000400' }, error: 'session/segment' },
  {
    id: '18 ranges',
    in: { plaintext: `01000100000000000000000000110000${'00'.repeat(68)}` },
    error: 'session/segment',
  },
  { id: 'cut', in: { plaintext: '0103000000' }, error: 'session/length' },
  { id: 'a byte too long', in: { plaintext: `02${'00'.repeat(441)}` }, error: 'session/length' },
])

const crypter = new StreamCrypter(crypto, keys, 0x01020304, ben.nodeId, ann.nodeId)
write(
  'streamPacket.seal',
  [0, 1, 0xffff_fffe].map((counter) => {
    const plaintext = encodeSegment(segments['the first bytes']!)
    return {
      id: `counter ${counter}`,
      in: {
        key: toHex(keys.sendKey),
        destination: toHex(ben.nodeId),
        sessionId: 0x01020304,
        counter,
        plaintext: toHex(plaintext),
      },
      out: { data: toHex(packetData(crypter.seal(counter, plaintext))) },
    }
  }),
)

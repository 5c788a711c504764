// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/link/generate.ts
import { writeFileSync } from 'node:fs'
import { compareBytes, concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { vectorsText } from '@nexus/codec/testing'
import { encodeBandwidth } from '@nexus/compact-path-cost'
import { type Crypto, portable } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import {
  encodeHandshakePayload,
  encodeHs1,
  encodeHs1Head,
  encodeHs2,
  encodeHs3,
  encodeRekey,
  FRAME,
  MESSAGE,
  NoiseHandshake,
  PADDED_BIT,
  padBytesFor,
} from '@nexus/link'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

interface Side {
  readonly seed: Uint8Array
  readonly ephemeral: Uint8Array
  readonly linkId: number
  readonly clockMs: number
}

const crypto: Crypto = portable()
const EMPTY = new Uint8Array(0)

const sides = {
  initiator: { seed: filled(0x11), ephemeral: filled(0x22), linkId: 0x1234, clockMs: 1_000 },
  responder: { seed: filled(0x33), ephemeral: filled(0x44), linkId: 0xabcd, clockMs: 2_000 },
}
const identities = {
  initiator: createIdentity(crypto, sides.initiator.seed),
  responder: createIdentity(crypto, sides.responder.seed),
}

const media = {
  point: { addressed: false, tagged: false, flags: 1, mtuBytes: 1_400, bitrateBps: 1_000_000_000 },
  addressed: { addressed: true, tagged: true, flags: 1, mtuBytes: 1_400, bitrateBps: 100_000_000 },
  radio: { addressed: false, tagged: true, flags: 2, mtuBytes: 508, bitrateBps: 5_470 },
}
type MediumName = keyof typeof media

const transcripts = (['point', 'addressed', 'radio'] as const).flatMap((medium) =>
  [undefined, filled(0x55)].map((networkKey) => transcript(medium, networkKey)),
)

write(
  'link.transcript',
  transcripts.map(({ id, input, out }) => ({ id, in: input, out })),
)
write('link.rekey', [rekeyCase('the keys of the first transcript', transcripts[0]!)])
write('link.frame.open', openCases())

function transcript(mediumName: MediumName, networkKey: Uint8Array | undefined) {
  const medium = media[mediumName]
  const { initiator, responder } = sides
  const destTag = medium.tagged ? identities.responder.nodeId.slice(0, 8) : new Uint8Array(8)
  const head = encodeHs1Head(initiator.linkId, destTag)
  const noise = {
    initiator: noiseOf(true, identities.initiator, initiator.ephemeral, head, networkKey),
    responder: noiseOf(false, identities.responder, responder.ephemeral, head, networkKey),
  }
  const payload = (side: Side, identity: Identity) =>
    encodeHandshakePayload({
      publicKey: identity.publicKey,
      clockMs: BigInt(side.clockMs),
      linkId: side.linkId,
      parameters: { flags: medium.flags, mtuBytes: medium.mtuBytes, bitrate: encodeBandwidth(medium.bitrateBps) },
    })
  const message1 = noise.initiator.writeMessage(EMPTY)!
  const hs1 = { senderId: initiator.linkId, destTag, noise: message1, cookie: new Uint8Array(16) }
  const macKey = crypto.blake2b(concatBytes(encodeUtf8('nxs-hs1'), networkKey ?? new Uint8Array(32), destTag))
  const unmarked = encodeHs1({ ...hs1, mac: new Uint8Array(16) }, false)
  const mac = crypto.blake2b(unmarked.subarray(0, unmarked.length - 16), { length: 16, key: macKey })
  noise.responder.readMessage(message1)
  const message2 = noise.responder.writeMessage(payload(responder, identities.responder))!
  noise.initiator.readMessage(message2)
  const message3 = noise.initiator.writeMessage(payload(initiator, identities.initiator))!
  const { sendKey, receiveKey, handshakeHash } = noise.initiator.split()
  return {
    id: `${mediumName}${networkKey === undefined ? '' : ' with a network key'}`,
    input: {
      networkKey: networkKey === undefined ? null : toHex(networkKey),
      medium: {
        addressed: medium.addressed,
        flags: medium.flags,
        mtuBytes: medium.mtuBytes,
        bitrateBps: medium.bitrateBps,
      },
      destTag: toHex(destTag),
      initiator: hexSide(initiator),
      responder: hexSide(responder),
    },
    out: {
      hs1: toHex(encodeHs1({ ...hs1, mac }, medium.addressed)),
      hs2: toHex(encodeHs2({ receiverId: initiator.linkId, senderId: responder.linkId, noise: message2 })),
      hs3: toHex(encodeHs3({ receiverId: responder.linkId, noise: message3 })),
      handshakeHash: toHex(handshakeHash),
      initiatorSendKey: toHex(sendKey),
      responderSendKey: toHex(receiveKey),
    },
    keys: { handshakeHash, initiatorSendKey: sendKey, responderSendKey: receiveKey },
  }
}

function rekeyCase(id: string, { keys }: ReturnType<typeof transcript>): Case {
  const initiatorIsLower = compareBytes(identities.initiator.nodeId, identities.responder.nodeId) < 0
  const [lowerKey, higherKey] = initiatorIsLower
    ? [keys.initiatorSendKey, keys.responderSendKey]
    : [keys.responderSendKey, keys.initiatorSendKey]
  const psk = crypto.blake2b(concatBytes(encodeUtf8('nxs-rekey'), lowerKey, higherKey))
  const run = (initiator: boolean, ephemeralSecret: Uint8Array) =>
    new NoiseHandshake({
      crypto,
      pattern: 'NNpsk0',
      initiator,
      prologue: concatBytes(encodeUtf8('NEXUS rekey 1'), keys.handshakeHash.subarray(0, 32)),
      ephemeralKey: crypto.ephemeralKey(() => ephemeralSecret),
      psk,
    })
  const [starterEphemeral, otherEphemeral] = [filled(0x66), filled(0x77)]
  const starter = run(true, starterEphemeral)
  const other = run(false, otherEphemeral)
  const one = starter.writeMessage(Uint8Array.of(0x01, 0x02))!
  other.readMessage(one)
  const two = other.writeMessage(Uint8Array.of(0x03, 0x04))!
  starter.readMessage(two)
  const { sendKey, receiveKey, handshakeHash } = starter.split()
  return {
    id,
    in: {
      handshakeHash: toHex(keys.handshakeHash),
      lowerSendKey: toHex(lowerKey),
      higherSendKey: toHex(higherKey),
      lower: { ephemeral: toHex(starterEphemeral), linkId: 0x0201 },
      higher: { ephemeral: toHex(otherEphemeral), linkId: 0x0403 },
    },
    out: {
      psk: toHex(psk),
      step1: toHex(encodeRekey({ step: 1, noise: one })),
      step2: toHex(encodeRekey({ step: 2, noise: two })),
      handshakeHash: toHex(handshakeHash),
      lowerSendKey: toHex(sendKey),
      higherSendKey: toHex(receiveKey),
    },
  }
}

function openCases(): Case[] {
  const key = filled(0x88)
  const body = Uint8Array.from({ length: 40 }, (_, at) => at)
  const open = (
    id: string,
    highest: number,
    frame: Uint8Array,
    counter: number,
    type: number,
    opened: Uint8Array,
  ): Case => ({
    id,
    in: { key: toHex(key), highest, frame: toHex(frame) },
    out: { receiverId: 0x1234, counter, type, body: toHex(opened) },
  })
  const refuse = (id: string, frame: Uint8Array, error: string): Case => ({
    id,
    in: { key: toHex(key), highest: -1, frame: toHex(frame) },
    error,
  })
  const first = seal(key, FRAME.dataNarrow, 0, plain(MESSAGE.packet, body))
  const changed = (at: number) => {
    const frame = first.slice()
    frame[at] = frame[at]! ^ 1
    return frame
  }
  return [
    open('the first frame, narrow counter', -1, first, 0, MESSAGE.packet, body),
    open(
      'the first frame, wide counter',
      -1,
      seal(key, FRAME.dataWide, 0, plain(MESSAGE.gossip, body)),
      0,
      MESSAGE.gossip,
      body,
    ),
    open('an empty body', 7, seal(key, FRAME.dataWide, 8, plain(MESSAGE.packet, EMPTY)), 8, MESSAGE.packet, EMPTY),
    open(
      'padded to 32',
      -1,
      seal(key, FRAME.dataNarrow, 0, plain(MESSAGE.packet, body, true)),
      0,
      MESSAGE.packet,
      body,
    ),
    open(
      'a multiple of 32 has no padding',
      -1,
      seal(key, FRAME.dataNarrow, 0, plain(MESSAGE.packet, body.subarray(0, 31), true)),
      0,
      MESSAGE.packet,
      body.subarray(0, 31),
    ),
    ...[
      [65_535, 65_536],
      [65_540, 65_530],
      [200_000, 200_000 + 32_768],
      [200_000, 200_000 - 32_767],
    ].map(([highest, counter]) =>
      open(
        `narrow counter ${counter} after ${highest}`,
        highest!,
        seal(key, FRAME.dataNarrow, counter!, plain(MESSAGE.route, body)),
        counter!,
        MESSAGE.route,
        body,
      ),
    ),
    ...[
      [4_294_967_295, 4_294_967_296],
      [4_294_967_300, 4_294_967_290],
    ].map(([highest, counter]) =>
      open(
        `wide counter ${counter} after ${highest}`,
        highest!,
        seal(key, FRAME.dataWide, counter!, plain(MESSAGE.route, body)),
        counter!,
        MESSAGE.route,
        body,
      ),
    ),
    refuse('the id was changed', changed(1), 'link/tag'),
    refuse('the counter was changed', changed(3), 'link/tag'),
    refuse('the type was changed', changed(5), 'link/tag'),
    refuse('the tag was changed', changed(first.length - 1), 'link/tag'),
    refuse('no room for a type', first.subarray(0, 21), 'link/length'),
    refuse('padding of 0', seal(key, FRAME.dataNarrow, 0, Uint8Array.of(0x81, 1, 0)), 'link/padding'),
    refuse('padding of 32', seal(key, FRAME.dataNarrow, 0, padOf(32)), 'link/padding'),
    refuse('padding longer than the plaintext', seal(key, FRAME.dataNarrow, 0, Uint8Array.of(0x81, 2)), 'link/padding'),
    refuse('padding that is not zero', seal(key, FRAME.dataNarrow, 0, Uint8Array.of(0x81, 9, 7, 2)), 'link/zeros'),
  ]
}

function plain(type: number, body: Uint8Array, pads = false): Uint8Array {
  const padBytes = pads ? padBytesFor(1 + body.length, 487) : 0
  const plaintext = new Uint8Array(1 + body.length + padBytes)
  plaintext[0] = padBytes > 0 ? type | PADDED_BIT : type
  plaintext.set(body, 1)
  if (padBytes > 0) plaintext[plaintext.length - 1] = padBytes
  return plaintext
}

function padOf(padBytes: number): Uint8Array {
  const plaintext = new Uint8Array(1 + padBytes)
  plaintext[0] = MESSAGE.packet | PADDED_BIT
  plaintext[padBytes] = padBytes
  return plaintext
}

function seal(key: Uint8Array, kind: number, counter: number, plaintext: Uint8Array): Uint8Array {
  const low = counter % (kind === FRAME.dataWide ? 2 ** 32 : 2 ** 16)
  const header = new Uint8Array(kind === FRAME.dataWide ? 7 : 5)
  const view = new DataView(header.buffer)
  view.setUint8(0, kind)
  view.setUint16(1, 0x1234, true)
  if (kind === FRAME.dataWide) view.setUint32(3, low, true)
  else view.setUint16(3, low, true)
  const frame = new Uint8Array(header.length + plaintext.length + 16)
  frame.set(header)
  crypto.cipher(key).seal(counter, header, plaintext, frame, header.length)
  return frame
}

function noiseOf(
  initiator: boolean,
  identity: Identity,
  ephemeralSecret: Uint8Array,
  head: Uint8Array,
  psk: Uint8Array | undefined,
): NoiseHandshake {
  return new NoiseHandshake({
    crypto,
    pattern: psk === undefined ? 'XX' : 'XXpsk3',
    initiator,
    prologue: concatBytes(encodeUtf8('NEXUS link 1'), head),
    ephemeralKey: crypto.ephemeralKey(() => ephemeralSecret),
    staticKey: { publicKey: identity.agreementKey, agree: (theirs) => identity.agree(theirs) },
    ...(psk === undefined ? {} : { psk }),
  })
}

function hexSide({ seed, ephemeral, linkId, clockMs }: Side) {
  return { seed: toHex(seed), ephemeral: toHex(ephemeral), linkId, clockMs: `${clockMs}` }
}

function filled(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

function write(op: string, cases: readonly Case[]): void {
  writeFileSync(new URL(`${op}.json`, import.meta.url), vectorsText(op, cases))
}

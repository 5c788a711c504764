import { readFileSync } from 'node:fs'
import { concatBytes, encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { type VectorCase, vectorsOf } from '@nexus/codec/testing'
import { createIdentity } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import {
  decodeRekey,
  encodeRekey,
  FRAME,
  LinkError,
  LinkLayer,
  MESSAGE,
  NoiseHandshake,
  nearestCounter,
  PADDED_BIT,
  paddedBodyEnd,
} from '../src/index.ts'
import type { LinkState } from '../src/link-state.ts'
import { Sender } from '../src/sender.ts'
import { crypto, RADIO, TCP, UDP } from './kit.ts'

function load<In, Out>(op: string): readonly VectorCase<In, Out>[] {
  const url = new URL(`../../../../conformance-vectors/link/${op}.json`, import.meta.url)
  return vectorsOf(readFileSync(url, 'utf8'), op)
}

interface Side {
  readonly seed: string
  readonly ephemeral: string
  readonly linkId: number
  readonly clockMs: string
}
interface Transcript {
  readonly networkKey: string | null
  readonly medium: {
    readonly addressed: boolean
    readonly flags: number
    readonly mtuBytes: number
    readonly bitrateBps: number
  }
  readonly destTag: string
  readonly initiator: Side
  readonly responder: Side
}
type TranscriptOut = Record<'hs1' | 'hs2' | 'hs3' | 'handshakeHash' | 'initiatorSendKey' | 'responderSendKey', string>

/** A whole layer whose randomness is what the vector says: the ephemeral at the second request for 32 bytes. */
function layerOf(side: Side, vector: Transcript) {
  let secrets = 0
  const sent: Uint8Array[] = []
  const random = (length: number) => {
    if (length === 32) return secrets++ === 0 ? new Uint8Array(32) : fromHex(side.ephemeral)
    return length === 2 ? Uint8Array.of(side.linkId & 0xff, side.linkId >> 8) : new Uint8Array(length)
  }
  const layer = new LinkLayer(
    {
      crypto,
      identity: createIdentity(crypto, fromHex(side.seed)),
      random,
      ...(vector.networkKey === null ? {} : { networkKey: fromHex(vector.networkKey) }),
    },
    {
      transmit: (_, frame) => sent.push(frame.slice()) > 0,
      linkUp: () => undefined,
      linkDown: () => expect.unreachable(),
      message: () => expect.unreachable(),
      refused: ({ reason }) => expect.unreachable(reason),
    },
  )
  const { medium } = vector
  const base = medium.addressed ? UDP : medium.flags === 2 ? RADIO : TCP
  layer.interfaceUp(Number(side.clockMs), {
    ...base,
    id: 'x',
    mtuBytes: medium.mtuBytes,
    bitrateBps: medium.bitrateBps,
  })
  return {
    layer,
    sent,
    last: (kind: number) => toHex(sent.findLast((frame) => frame[0] === kind) ?? new Uint8Array(0)),
  }
}

describe('link.transcript', () => {
  test.each(load<Transcript, TranscriptOut>('link.transcript'))('$id', ({ in: vector, out }) => {
    const initiator = layerOf(vector.initiator, vector)
    const responder = layerOf(vector.responder, vector)
    const startMs = Number(vector.initiator.clockMs)
    const answerMs = Number(vector.responder.clockMs)
    const { nodeId } = createIdentity(crypto, fromHex(vector.responder.seed))
    const target = vector.medium.addressed ? { nodeId, address: 'r' } : { nodeId }
    initiator.layer.dial(startMs, 'x', target)
    expect(initiator.last(FRAME.hs1)).toBe(out!.hs1)
    responder.layer.receive(answerMs, 'x', fromHex(out!.hs1), 'i')
    expect(responder.last(FRAME.hs2)).toBe(out!.hs2)
    initiator.layer.receive(startMs, 'x', fromHex(out!.hs2), 'r')
    expect(initiator.last(FRAME.hs3)).toBe(out!.hs3)
    responder.layer.receive(answerMs, 'x', fromHex(out!.hs3), 'i')
    initiator.layer.receive(startMs, 'x', responder.sent.at(-1)!, 'r')
    const [theirs] = responder.layer.links()
    const [ours] = initiator.layer.links()
    expect([toHex(ours!.handshakeHash), toHex(theirs!.handshakeHash)]).toEqual([out!.handshakeHash, out!.handshakeHash])
    for (const [link, key] of [
      [ours, out!.initiatorSendKey],
      [theirs, out!.responderSendKey],
    ] as const) {
      const frame = new Sender().seal((link as LinkState).key, MESSAGE.packet, new Uint8Array(3))
      const headerBytes = frame[0] === FRAME.dataWide ? 7 : 5
      const { counter } = link!.sent
      const plaintext = new Uint8Array(frame.length)
      const cipher = crypto.cipher(fromHex(key))
      expect(
        cipher.open(counter, frame.subarray(0, headerBytes), frame.subarray(headerBytes), plaintext, 0),
      ).toBeGreaterThan(0)
    }
  })
})

interface RekeyIn {
  readonly handshakeHash: string
  readonly lowerSendKey: string
  readonly higherSendKey: string
  readonly lower: { readonly ephemeral: string; readonly linkId: number }
  readonly higher: { readonly ephemeral: string; readonly linkId: number }
}
type RekeyOut = Record<'psk' | 'step1' | 'step2' | 'handshakeHash' | 'lowerSendKey' | 'higherSendKey', string>

describe('link.rekey', () => {
  test.each(load<RekeyIn, RekeyOut>('link.rekey'))('$id', ({ in: vector, out }) => {
    const psk = crypto.blake2b(
      concatBytes(encodeUtf8('nxs-rekey'), fromHex(vector.lowerSendKey), fromHex(vector.higherSendKey)),
    )
    expect(toHex(psk)).toBe(out!.psk)
    const prologue = concatBytes(encodeUtf8('NEXUS rekey 1'), fromHex(vector.handshakeHash).subarray(0, 32))
    const run = (initiator: boolean, secret: string) => {
      const ephemeralKey = crypto.ephemeralKey(() => fromHex(secret))
      return new NoiseHandshake({ crypto, pattern: 'NNpsk0', initiator, prologue, ephemeralKey, psk })
    }
    const lower = run(true, vector.lower.ephemeral)
    const higher = run(false, vector.higher.ephemeral)
    const id = (linkId: number) => Uint8Array.of(linkId & 0xff, linkId >> 8)
    const step1 = { step: 1, noise: lower.writeMessage(id(vector.lower.linkId))! } as const
    expect(toHex(encodeRekey(step1))).toBe(out!.step1)
    expect(decodeRekey(fromHex(out!.step1))).toEqual(step1)
    expect(higher.readMessage(step1.noise)).toEqual(id(vector.lower.linkId))
    const step2 = { step: 2, noise: higher.writeMessage(id(vector.higher.linkId))! } as const
    expect(toHex(encodeRekey(step2))).toBe(out!.step2)
    expect(lower.readMessage(step2.noise)).toEqual(id(vector.higher.linkId))
    const keys = lower.split()
    expect([keys.handshakeHash, keys.sendKey, keys.receiveKey].map(toHex)).toEqual([
      out!.handshakeHash,
      out!.lowerSendKey,
      out!.higherSendKey,
    ])
    expect(higher.split().sendKey).toEqual(keys.receiveKey)
  })
})

interface OpenIn {
  readonly key: string
  readonly highest: number
  readonly frame: string
}
interface OpenOut {
  readonly receiverId: number
  readonly counter: number
  readonly type: number
  readonly body: string
}

describe('link.frame.open', () => {
  test.each(load<OpenIn, OpenOut>('link.frame.open'))('$id', ({ in: { key, highest, frame }, out, error }) => {
    const opened = open(fromHex(key), highest, fromHex(frame))
    expect(opened).toEqual(error ?? out)
  })
})

function open(key: Uint8Array, highest: number, frame: Uint8Array): OpenOut | string {
  const wide = frame[0] === FRAME.dataWide
  const headerBytes = wide ? 7 : 5
  if (frame.length <= headerBytes + 16) return 'link/length'
  const view = new DataView(frame.buffer)
  const counter = nearestCounter(
    highest,
    wide ? view.getUint32(3, true) : view.getUint16(3, true),
    wide ? 2 ** 32 : 2 ** 16,
  )
  const plaintext = new Uint8Array(frame.length - headerBytes - 16)
  const cipher = crypto.cipher(key)
  if (cipher.open(counter, frame.subarray(0, headerBytes), frame.subarray(headerBytes), plaintext, 0) < 0)
    return 'link/tag'
  try {
    const first = plaintext[0]!
    const end = (first & PADDED_BIT) === 0 ? plaintext.length : paddedBodyEnd(plaintext)
    return {
      receiverId: view.getUint16(1, true),
      counter,
      type: first & ~PADDED_BIT,
      body: toHex(plaintext.subarray(1, end)),
    }
  } catch (fault) {
    if (fault instanceof LinkError) return fault.detail.code
    throw fault
  }
}

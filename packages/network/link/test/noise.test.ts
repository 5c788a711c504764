import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { CryptoError } from '@nexus/crypto'
import { describe, expect, test } from 'vitest'
import { NoiseHandshake, type NoiseOptions, type NoisePattern } from '../src/index.ts'
import { crypto, portableCrypto } from './kit.ts'

interface NoiseVector {
  protocol_name: string
  init_prologue: string
  resp_prologue: string
  init_static: string
  resp_static: string
  init_ephemeral: string
  resp_ephemeral: string
  init_psks?: string[]
  resp_psks?: string[]
  handshake_hash: string
  messages: { payload: string; ciphertext: string }[]
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../../conformance-vectors/noise/cacophony.json', import.meta.url), 'utf8'),
) as { vectors: NoiseVector[] }

function staticKey(secret: Uint8Array) {
  return {
    publicKey: crypto.x25519PublicKey(secret),
    agree: (theirs: Uint8Array) => crypto.x25519(secret, theirs),
  }
}

function sides(vector: NoiseVector, provider = crypto): [NoiseHandshake, NoiseHandshake] {
  const pattern = vector.protocol_name.split('_')[1] as NoisePattern
  const side = (initiator: boolean) => {
    const pick = initiator ? ('init' as const) : ('resp' as const)
    const psk = vector[`${pick}_psks`]?.[0]
    return new NoiseHandshake({
      crypto: provider,
      pattern,
      initiator,
      prologue: fromHex(vector[`${pick}_prologue`]),
      ephemeralKey: provider.ephemeralKey(() => fromHex(vector[`${pick}_ephemeral`])),
      staticKey: staticKey(fromHex(vector[`${pick}_static`])),
      ...(psk === undefined ? {} : { psk: fromHex(psk) }),
    })
  }
  return [side(true), side(false)]
}

/** Messages of each handshake. */
const patterns = { XX: 3, XXpsk3: 3 } as Record<string, number>

describe.each([crypto, portableCrypto])('Noise vectors of an independent implementation, by $name', (provider) => {
  test('both suites of this project are there', () => {
    expect(vectors.map((vector) => vector.protocol_name)).toEqual([
      'Noise_XX_25519_ChaChaPoly_BLAKE2b',
      'Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b',
    ])
  })

  test.each(vectors)('$protocol_name', (vector) => {
    const [initiator, responder] = sides(vector, provider)
    const handshakeMessages = patterns[vector.protocol_name.split('_')[1]!]!
    vector.messages.slice(0, handshakeMessages).forEach(({ payload, ciphertext }, index) => {
      const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator]
      expect(toHex(writer.writeMessage(fromHex(payload))!)).toBe(ciphertext)
      expect(toHex(reader.readMessage(fromHex(ciphertext))!)).toBe(payload)
    })
    const ours = initiator.split()
    const theirs = responder.split()
    expect(toHex(ours.handshakeHash)).toBe(vector.handshake_hash)
    expect(toHex(theirs.handshakeHash)).toBe(vector.handshake_hash)
    const counters = [0, 0]
    vector.messages.slice(handshakeMessages).forEach(({ payload, ciphertext }, index) => {
      const direction = (index + handshakeMessages) % 2
      const [sendKey, receiveKey] =
        direction === 0 ? [ours.sendKey, theirs.receiveKey] : [theirs.sendKey, ours.receiveKey]
      const counter = counters[direction]!++
      const sealed = new Uint8Array(ciphertext.length / 2)
      provider.cipher(sendKey).seal(counter, new Uint8Array(0), fromHex(payload), sealed, 0)
      expect(toHex(sealed)).toBe(ciphertext)
      const opened = new Uint8Array(payload.length / 2)
      expect(provider.cipher(receiveKey).open(counter, new Uint8Array(0), sealed, opened, 0)).toBe(opened.length)
      expect(toHex(opened)).toBe(payload)
    })
  })
})

describe('a handshake', () => {
  const secret = (byte: number) => new Uint8Array(32).fill(byte)
  const run = (pattern: NoisePattern, initiator: boolean, more: Partial<NoiseOptions> = {}) =>
    new NoiseHandshake({
      crypto,
      pattern,
      initiator,
      prologue: secret(1),
      ephemeralKey: crypto.ephemeralKey(() => secret(initiator ? 2 : 3)),
      ...more,
    })
  const ourKey = staticKey(secret(4))
  const theirKey = staticKey(secret(5))
  const say = (text: string) => new TextEncoder().encode(text)

  test('IK: the first message already shows who sends it, to the one it is for alone', () => {
    const initiator = run('IK', true, { staticKey: ourKey, remoteStaticKey: theirKey.publicKey })
    const responder = run('IK', false, { staticKey: theirKey })
    const one = initiator.writeMessage(say('one'))!
    expect(one).toHaveLength(32 + 48 + 3 + 16)
    expect(run('IK', false, { staticKey: ourKey }).readMessage(one)).toBeUndefined()
    expect(responder.readMessage(one)).toEqual(say('one'))
    expect(responder.remoteStaticKey).toEqual(ourKey.publicKey)
    expect(initiator.readMessage(responder.writeMessage(say('two'))!)).toEqual(say('two'))
    const [ours, theirs] = [initiator.split(), responder.split()]
    expect([ours.sendKey, ours.receiveKey, ours.handshakeHash]).toEqual([
      theirs.receiveKey,
      theirs.sendKey,
      theirs.handshakeHash,
    ])
  })

  test('NNpsk0: nobody without the psk reads or answers', () => {
    const initiator = run('NNpsk0', true, { psk: secret(6) })
    const one = initiator.writeMessage(say('one'))!
    expect(run('NNpsk0', false, { psk: secret(7) }).readMessage(one)).toBeUndefined()
    const responder = run('NNpsk0', false, { psk: secret(6) })
    expect(responder.readMessage(one)).toEqual(say('one'))
    expect(initiator.readMessage(responder.writeMessage(say('two'))!)).toEqual(say('two'))
    expect(initiator.split().sendKey).toEqual(responder.split().receiveKey)
  })

  test('goes on after any number of messages that do not hold, or are taken back', () => {
    const initiator = run('XX', true, { staticKey: ourKey })
    const responder = run('XX', false, { staticKey: theirKey })
    responder.readMessage(initiator.writeMessage(say('one'))!)
    const two = responder.writeMessage(say('two'))!
    for (let at = 0; at < two.length; at++) {
      const forged = two.slice()
      forged[at] = forged[at]! ^ 1
      expect(initiator.readMessage(forged)).toBeUndefined()
    }
    for (let length = 0; length < two.length; length++) {
      expect(initiator.readMessage(two.subarray(0, length))).toBeUndefined()
    }
    expect(initiator.readMessage(two)).toEqual(say('two'))
    initiator.unread()
    expect(() => initiator.unread()).toThrow(TypeError)
    expect(initiator.readMessage(two)).toEqual(say('two'))
    expect(responder.readMessage(initiator.writeMessage(say('three'))!)).toEqual(say('three'))
    expect(responder.split().handshakeHash).toEqual(initiator.split().handshakeHash)
  })

  test('with a key that gives no secret is not answered', () => {
    const responder = run('XX', false, { staticKey: theirKey })
    expect(responder.readMessage(new Uint8Array(32))).toEqual(new Uint8Array(0))
    expect(responder.writeMessage(say('two'))).toBeUndefined()
  })

  test('that is finished, or given up, keeps no secret', () => {
    const keys = [2, 3].map((byte) => crypto.ephemeralKey(() => secret(byte)))
    const [initiator, responder] = [
      run('XX', true, { staticKey: ourKey, ephemeralKey: keys[0]! }),
      run('XX', false, { staticKey: theirKey, ephemeralKey: keys[1]! }),
    ]
    responder.readMessage(initiator.writeMessage(say('one'))!)
    initiator.readMessage(responder.writeMessage(say('two'))!)
    responder.readMessage(initiator.writeMessage(say('three'))!)
    const { sendKey } = initiator.split()
    expect(sendKey).not.toEqual(secret(0))
    responder.wipe()
    for (const key of keys) expect(() => key.agree(ourKey.publicKey)).toThrow(CryptoError)
    for (const side of [initiator, responder]) expect(() => side.split()).toThrow(TypeError)
    expect(initiator.ephemeralPublicKey).toEqual(keys[0]!.publicKey)
  })

  test('out of turn, or without what its pattern needs, is misuse', () => {
    const initiator = run('XX', true, { staticKey: ourKey })
    expect(() => initiator.readMessage(new Uint8Array(32))).toThrow(TypeError)
    expect(() => initiator.split()).toThrow(TypeError)
    initiator.writeMessage(say(''))
    expect(() => initiator.writeMessage(say(''))).toThrow(TypeError)
    expect(() => run('XX', true)).toThrow(TypeError)
    expect(() => run('IK', true, { staticKey: ourKey })).toThrow(TypeError)
    expect(() => run('XX', true, { staticKey: ourKey, remoteStaticKey: theirKey.publicKey })).toThrow(TypeError)
    expect(() => run('XXpsk3', true, { staticKey: ourKey })).toThrow(TypeError)
    expect(() => run('XXpsk3', true, { staticKey: ourKey, psk: new Uint8Array(31) })).toThrow(RangeError)
  })
})

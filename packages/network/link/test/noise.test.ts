import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { NoiseHandshake, type NoisePattern } from '../src/index.ts'
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
      ephemeralSecret: fromHex(vector[`${pick}_ephemeral`]),
      staticKey: staticKey(fromHex(vector[`${pick}_static`])),
      ...(psk === undefined ? {} : { psk: fromHex(psk) }),
    })
  }
  return [side(true), side(false)]
}

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

import { readFileSync } from 'node:fs'
import {
  AnchorError,
  type Candidate,
  decodeDatagram,
  encodeEpoch,
  encodePulse,
  encodeRequest,
  epochIdOf,
  isSignedFrom,
  macOf,
  openEpochKey,
  passphraseEpochKey,
  sealEpochKey,
  waitMsOf,
} from '@nexus/anchor-truth'
import { fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'
import { expect, test } from 'vitest'

const crypto = portable()

function cases<In, Out>(op: string): { id: string; in: In; out: Out; error?: string }[] {
  const file = new URL(`../../../../conformance-vectors/anchor-truth/${op}.json`, import.meta.url)
  const parsed = JSON.parse(readFileSync(file, 'utf8'))
  expect(parsed).toMatchObject({ schema: 'nexus-vectors/1', op })
  return parsed.cases
}

test('anchor.decode: both ways, and every error', () => {
  for (const each of cases<{ bytes: string }, object>('anchor.decode')) {
    const bytes = fromHex(each.in.bytes)
    if (each.error !== undefined) {
      expect(() => decodeDatagram(bytes), each.id).toThrow(AnchorError)
      const detail = expect.objectContaining({ code: each.error })
      expect(() => decodeDatagram(bytes), each.id).toThrow(expect.objectContaining({ detail }))
      continue
    }
    const datagram = decodeDatagram(bytes)
    const shown = JSON.stringify(datagram, (_, part) => (part instanceof Uint8Array ? toHex(part) : part))
    expect(JSON.parse(shown), each.id).toEqual(each.out)
    const { kind } = datagram
    const again =
      kind === 'pulse' ? encodePulse(datagram) : kind === 'epoch' ? encodeEpoch(datagram) : encodeRequest(datagram)
    expect(toHex(again), each.id).toBe(each.in.bytes)
  }
})

test('anchor.epoch: id, key and seal, from both ends', () => {
  type In = Record<'anchorSeed' | 'memberSeed' | 'salt' | 'passphraseKey' | 'nonce', string> & { epoch: number }
  for (const { in: given, out } of cases<In, Record<string, string>>('anchor.epoch')) {
    const anchor = createIdentity(crypto, fromHex(given.anchorSeed))
    const member = createIdentity(crypto, fromHex(given.memberSeed))
    const name = { publicKey: anchor.publicKey, epoch: given.epoch, salt: fromHex(given.salt) }
    const epochKey = passphraseEpochKey(crypto, fromHex(given.passphraseKey), name)
    const shared = member.agree(anchor.agreementKey)
    const sealing = { ...name, shared, memberKey: member.publicKey, nonce: fromHex(given.nonce) }
    const sealedKey = sealEpochKey(crypto, sealing, epochKey)
    const epochId = epochIdOf(crypto, name)
    expect({
      epochId: toHex(epochId),
      epochKey: toHex(epochKey),
      shared: toHex(shared),
      sealedKey: toHex(sealedKey),
    }).toEqual(out)
    expect(openEpochKey(crypto, sealing, sealedKey)).toEqual(epochKey)
    expect(openEpochKey(crypto, { ...sealing, epoch: given.epoch + 1 }, sealedKey)).toBeUndefined()
  }
})

test('anchor.proof', () => {
  type In = { bytes: string; address: string; port: number; epochKey: string }
  for (const { in: given, out } of cases<In, { signature: boolean; mac: boolean }>('anchor.proof')) {
    const bytes = fromHex(given.bytes)
    const source = { address: fromHex(given.address), port: given.port }
    const datagram = decodeDatagram(bytes)
    const mac = toHex(macOf(crypto, fromHex(given.epochKey), source, bytes)) === given.bytes.slice(-64)
    expect({ signature: isSignedFrom(crypto, source, datagram, bytes), mac }).toEqual(out)
  }
})

test('anchor.wait', () => {
  type Shown = { nodeId: string; ego: number; firstHeardMs: number }
  const read = (shown: Shown): Candidate => ({ ...shown, nodeId: fromHex(shown.nodeId) })
  for (const { id, in: given, out } of cases<{ self: Shown; others: Shown[] }, { waitMs: number }>('anchor.wait')) {
    expect(waitMsOf(read(given.self), given.others.map(read)), id).toBe(out.waitMs)
  }
})

import assert from 'node:assert/strict'
import {
  ChannelError,
  type ChannelErrorDetail,
  closeAmountMicro,
  decodeClose,
  decodeSettlement,
  decodeState,
  encodeClose,
  encodeSettlement,
  encodeState,
  payerSide,
  settlementHash,
  verifyClose,
  verifySettlement,
  verifyState,
} from '@nexus/channels'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { NETWORK_ID, signedClose, signedSettlement, signedState, twoParties } from './parties.ts'

const crypto = await nodeCrypto()
const parties = twoParties(crypto)
const OTHER_NETWORK = new Uint8Array(16).fill(1)

function refuses(code: ChannelErrorDetail['code'], decode: () => unknown): void {
  assert.throws(decode, (error) => error instanceof ChannelError && error.detail.code === code)
}

describe('a state', () => {
  const state = signedState(crypto, parties, 5n, 1_234n)
  const bytes = encodeState(state)

  test('has 200 bytes and says both ways the same', () => {
    assert.equal(bytes.length, 200)
    assert.deepEqual(encodeState(decodeState(bytes)), bytes)
  })

  test('holds under the keys of its parties, in its network, as it is', () => {
    const { a, b } = parties
    assert.ok(verifyState(crypto, NETWORK_ID, state, a.publicKey, b.publicKey))
    assert.ok(!verifyState(crypto, OTHER_NETWORK, state, a.publicKey, b.publicKey))
    assert.ok(!verifyState(crypto, NETWORK_ID, state, b.publicKey, a.publicKey))
    for (const change of [{ balanceAMicro: 1n }, { sequence: 6n }, { channelId: new Uint8Array(16) }]) {
      assert.ok(!verifyState(crypto, NETWORK_ID, { ...state, ...change }, a.publicKey, b.publicKey))
    }
  })

  test('is refused cut, with parties out of order, with too much money, with a sequence out of range', () => {
    refuses('channels/length', () => decodeState(bytes.subarray(1)))
    const swapped = bytes.slice()
    swapped.set(bytes.subarray(16, 32), 32)
    swapped.set(bytes.subarray(32, 48), 16)
    refuses('channels/parties', () => decodeState(swapped))
    const same = bytes.slice()
    same.copyWithin(32, 16, 32)
    refuses('channels/parties', () => decodeState(same))
    const rich = bytes.slice()
    rich[55] = 0x7f
    refuses('channels/balances', () => decodeState(rich))
    const late = bytes.slice()
    late[71] = 0x80
    refuses('channels/sequence', () => decodeState(late))
    assert.throws(() => encodeState({ ...state, sequence: 1n << 63n }), RangeError)
  })
})

describe('a settlement', () => {
  const settlement = signedSettlement(parties)
  const bytes = encodeSettlement(settlement)

  test('has 240 bytes and says both ways the same', () => {
    assert.equal(bytes.length, 240)
    assert.deepEqual(encodeSettlement(decodeSettlement(bytes)), bytes)
    assert.deepEqual(settlementHash(crypto, settlement), crypto.blake3(bytes.subarray(0, 112)))
    assert.equal(payerSide(settlement), 'a')
    assert.equal(payerSide({ amountAToBMicro: -1_000n }), 'b')
  })

  test('is valid in its network alone, and only as it was signed', () => {
    assert.ok(verifySettlement(crypto, NETWORK_ID, settlement))
    assert.ok(!verifySettlement(crypto, OTHER_NETWORK, settlement))
    for (const change of [{ amountAToBMicro: 5_001n }, { prevSequence: 1n }, { finalSequence: 4n }, { payerSeq: 2n }]) {
      assert.ok(!verifySettlement(crypto, NETWORK_ID, { ...settlement, ...change }))
    }
  })

  test('is invalid with its parties in the other order, both signatures good', () => {
    const swapped = signedSettlement({ a: parties.b, b: parties.a })
    assert.ok(!verifySettlement(crypto, NETWORK_ID, decodeSettlement(encodeSettlement(swapped))))
  })

  test.each<[ChannelErrorDetail['code'], string, (view: DataView) => void]>([
    ['channels/amount', 'nothing', (view) => view.setBigInt64(80, 0n, true)],
    ['channels/amount', 'dust', (view) => view.setBigInt64(80, -999n, true)],
    ['channels/amount', '−2^63', (view) => view.setBigInt64(80, -(1n << 63n), true)],
    ['channels/sequence', 'final = prev', (view) => view.setBigUint64(88, 3n, true)],
    ['channels/sequence', 'final 2^63', (view) => view.setBigUint64(96, 1n << 63n, true)],
    ['channels/payer-seq', 'debit 0', (view) => view.setBigUint64(104, 0n, true)],
    ['channels/payer-seq', 'debit 2^64 − 1', (view) => view.setBigUint64(104, (1n << 64n) - 1n, true)],
  ])('%s: %s', (code, _, spoil) => {
    const spoilt = bytes.slice()
    spoil(new DataView(spoilt.buffer))
    refuses(code, () => decodeSettlement(spoilt))
  })

  test('with itself, or cut', () => {
    const spoilt = bytes.slice()
    spoilt.copyWithin(48, 16, 48)
    refuses('channels/parties', () => decodeSettlement(spoilt))
    refuses('channels/length', () => decodeSettlement(bytes.subarray(0, 239)))
  })
})

describe('a close', () => {
  const [base, last] = [signedState(crypto, parties, 0n, 0n), signedState(crypto, parties, 9n, 4_000n)]
  const record = signedClose(parties, base, last, 'b')
  const bytes = encodeClose(record)

  test('has 457 bytes, says both ways the same, and names what it pays', () => {
    assert.equal(bytes.length, 457)
    assert.deepEqual(encodeClose(decodeClose(bytes)), bytes)
    assert.equal(closeAmountMicro(record), 4_000n)
  })

  test('is valid by either closer, with all five signatures', () => {
    assert.ok(verifyClose(crypto, NETWORK_ID, record))
    assert.ok(verifyClose(crypto, NETWORK_ID, signedClose(parties, base, last, 'a')))
    assert.ok(!verifyClose(crypto, OTHER_NETWORK, record))
    assert.ok(!verifyClose(crypto, NETWORK_ID, { ...record, closer: 'a' }))
    for (const side of ['signatureA', 'signatureB'] as const) {
      for (const which of ['base', 'last'] as const) {
        const unsigned = { ...record[which], [side]: new Uint8Array(64) }
        const resigned = signedClose(parties, base, last, 'b')
        assert.ok(!verifyClose(crypto, NETWORK_ID, { ...resigned, [which]: unsigned }))
      }
    }
  })

  test('with a base of another network id inside a fresh signature is invalid', () => {
    const foreign = signedState(crypto, parties, 0n, 0n, OTHER_NETWORK)
    assert.ok(!verifyClose(crypto, NETWORK_ID, signedClose(parties, foreign, last, 'b')))
  })

  test.each<[ChannelErrorDetail['code'], string, (bytes: Uint8Array) => void]>([
    ['channels/closer', 'a third party', (spoilt) => spoilt.fill(2, 384, 385)],
    ['channels/sequence', 'last = base', (spoilt) => spoilt.copyWithin(232 + 16, 80 + 16, 80 + 24)],
    ['channels/balances', 'money appears', (spoilt) => spoilt.fill(spoilt[232]! ^ 1, 232, 233)],
    ['channels/parties', 'with itself', (spoilt) => spoilt.copyWithin(48, 16, 48)],
  ])('%s: %s', (code, _, spoil) => {
    const spoilt = bytes.slice()
    spoil(spoilt)
    refuses(code, () => decodeClose(spoilt))
  })

  test('cut or with more', () => {
    refuses('channels/length', () => decodeClose(bytes.subarray(0, 456)))
    refuses('channels/length', () => decodeClose(new Uint8Array(458)))
  })
})

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import {
  ChannelError,
  type ChannelMessage,
  type ChannelState,
  channelIdOf,
  closeHash,
  decodeChannelMessage,
  decodeClose,
  decodeSettlement,
  decodeState,
  encodeChannelMessage,
  encodeClose,
  encodeSettlement,
  encodeState,
  type StateTail,
  settlementHash,
  stateHash,
  verifyClose,
  verifySettlement,
  verifyState,
} from '@nexus/channels'
import { fromHex, toHex } from '@nexus/codec'
import { type Crypto, portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'

const folder = new URL('../../../../conformance-vectors/channel/', import.meta.url)

interface VectorFile {
  readonly schema: string
  readonly op: string
  // biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
  readonly cases: readonly { readonly id: string; readonly in: any; readonly out?: any; readonly error?: string }[]
}

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as VectorFile)

const tail = (each: StateTail) => ({
  balanceA: `${each.balanceAMicro}`,
  balanceB: `${each.balanceBMicro}`,
  sequence: `${each.sequence}`,
  signatureA: toHex(each.signatureA),
  signatureB: toHex(each.signatureB),
})
const whole = (each: ChannelState) => ({
  channelId: toHex(each.channelId),
  partyA: toHex(each.partyA),
  partyB: toHex(each.partyB),
  ...tail(each),
})

function messageFields(message: ChannelMessage): object {
  if (message.kind === 'state') return { kind: 'state', ...whole(message.state) }
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => {
      const plain = value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? `${value}` : value
      return [name.replace('Micro', ''), plain]
    }),
  )
}

/** What each operation makes of `in`; what it decodes is encoded again, so that the file is checked both ways. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const operationsOf = (crypto: Crypto): Record<string, (given: any) => object> => ({
  'channel.decode': ({ bytes }) => {
    const state = decodeState(fromHex(bytes))
    assert.equal(toHex(encodeState(state)), bytes)
    return { ...whole(state), hash: toHex(stateHash(crypto, state)) }
  },
  'channel.encode': ({ balanceA, balanceB, sequence, ...bytes }) => {
    const fields = Object.entries(bytes).map(([name, hex]) => [name, fromHex(hex as string)])
    const numbers = { balanceAMicro: BigInt(balanceA), balanceBMicro: BigInt(balanceB), sequence: BigInt(sequence) }
    return { bytes: toHex(encodeState({ ...numbers, ...Object.fromEntries(fields) })) }
  },
  'channel.verify': ({ bytes, keyA, keyB, networkId }) => ({
    valid: verifyState(crypto, fromHex(networkId), decodeState(fromHex(bytes)), fromHex(keyA), fromHex(keyB)),
  }),
  'channel.id': ({ partyA, partyB, nonce }) => ({
    channelId: toHex(channelIdOf(crypto, fromHex(partyA), fromHex(partyB), fromHex(nonce))),
  }),
  'settlement.decode': ({ bytes }) => {
    const settlement = decodeSettlement(fromHex(bytes))
    assert.equal(toHex(encodeSettlement(settlement)), bytes)
    return {
      channelId: toHex(settlement.channelId),
      keyA: toHex(settlement.keyA),
      keyB: toHex(settlement.keyB),
      amountAToB: `${settlement.amountAToBMicro}`,
      prevSequence: `${settlement.prevSequence}`,
      finalSequence: `${settlement.finalSequence}`,
      payerSeq: `${settlement.payerSeq}`,
      signatureA: toHex(settlement.signatureA),
      signatureB: toHex(settlement.signatureB),
      hash: toHex(settlementHash(crypto, settlement)),
    }
  },
  'settlement.verify': ({ bytes, networkId }) => ({
    valid: verifySettlement(crypto, fromHex(networkId), decodeSettlement(fromHex(bytes))),
  }),
  'close.decode': ({ bytes }) => {
    const close = decodeClose(fromHex(bytes))
    assert.equal(toHex(encodeClose(close)), bytes)
    return {
      channelId: toHex(close.channelId),
      keyA: toHex(close.keyA),
      keyB: toHex(close.keyB),
      base: tail(close.base),
      last: tail(close.last),
      closer: close.closer,
      epoch: `${close.epoch}`,
      signature: toHex(close.signature),
      hash: toHex(closeHash(crypto, close)),
    }
  },
  'close.verify': ({ bytes, networkId }) => ({
    valid: verifyClose(crypto, fromHex(networkId), decodeClose(fromHex(bytes))),
  }),
  'channelMessage.decode': ({ bytes }) => {
    const message = decodeChannelMessage(fromHex(bytes))
    assert.equal(toHex(encodeChannelMessage(message)), bytes)
    return messageFields(message)
  },
})

const providers = [portable(), await nodeCrypto()]

describe.each(providers.map((crypto) => [crypto.name, crypto] as const))('vectors with %s', (_, crypto) => {
  const operations = operationsOf(crypto)
  test.each(files.map(({ op, cases }) => [op, cases] as const))('%s', (op, cases) => {
    const operation = operations[op]
    assert.ok(operation, `no operation ${op}`)
    for (const { id, in: given, out, error } of cases) {
      if (error === undefined) {
        assert.deepEqual(operation(given), out, id)
        continue
      }
      assert.throws(
        () => operation(given),
        (thrown) => thrown instanceof ChannelError && thrown.detail.code === error,
        id,
      )
    }
  })
})

test('every operation has vectors', () => {
  assert.deepEqual(files.map(({ op }) => op).sort(), Object.keys(operationsOf(providers[0]!)).sort())
})

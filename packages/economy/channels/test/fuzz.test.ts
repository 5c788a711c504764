import assert from 'node:assert/strict'
import {
  CHANNEL_MESSAGE,
  ChannelError,
  decodeChannelMessage,
  decodeClose,
  decodeSettlement,
  decodeState,
  encodeChannelMessage,
  encodeClose,
  encodeSettlement,
  encodeState,
} from '@nexus/channels'
import { type FuzzTarget, fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { decodeRecord, encodeRecord, HALT } from '../src/record.ts'
import { signedClose, signedSettlement, signedState, twoParties } from './parties.ts'
import { begin, win } from './runs.ts'
import type { Party } from './world.ts'

const crypto = await nodeCrypto()
const cases = fuzzCases(process.env)
const parties = twoParties(crypto)
const [base, last] = [signedState(crypto, parties, 0n, 0n), signedState(crypto, parties, 9n, 4_000n)]
const isTyped = (error: unknown) => error instanceof ChannelError

const record = {
  peerKey: parties.b.publicKey,
  openingNonce: new Uint8Array(16).fill(3),
  newest: last,
  base,
  ownSequence: 9n,
  pending: { state: last, claim: Uint8Array.of(1, 2, 3), paidMicro: 12n },
  draft: { state: last, payerSeq: 4n },
  offers: [{ state: last, payerSeq: 5n }],
  settlement: signedSettlement(parties),
  halt: HALT.closing,
  close: signedClose(parties, base, last, 'a'),
  packetsPaid: 77n,
  heardEpoch: 3n,
}
const bare = {
  ...record,
  openingNonce: undefined,
  base: undefined,
  pending: undefined,
  draft: undefined,
  offers: [],
  settlement: undefined,
  close: undefined,
  halt: HALT.none,
}

const signature = new Uint8Array(64).fill(8)
const messages = [
  encodeChannelMessage({ kind: 'open', nonce: new Uint8Array(16), signature }),
  encodeChannelMessage({ kind: 'opened', signature }),
  encodeChannelMessage({
    kind: 'reestablish',
    channelId: new Uint8Array(16),
    newestSequence: 1n,
    newestHash: new Uint8Array(16),
    ownSequence: 2n,
    jump: 1n << 33n,
  }),
  encodeChannelMessage({ kind: 'state', state: last }),
  encodeChannelMessage({ kind: 'claim', sequence: 4n, body: Uint8Array.of(1, 2) }),
  encodeChannelMessage({ kind: 'update', sequence: 4n, balanceAMicro: 5n, signature }),
  encodeChannelMessage({ kind: 'accept', sequence: 4n, signature }),
  encodeChannelMessage({ kind: 'refuse', sequence: 4n, code: 2 }),
  encodeChannelMessage({ kind: 'settleAsk' }),
  encodeChannelMessage({ kind: 'settleSeq', finalSequence: 1n, payerSeq: 2n }),
  encodeChannelMessage({ kind: 'settleSig', hash: new Uint8Array(16), signature }),
]

const targets: Record<string, Pick<FuzzTarget, 'decode' | 'encode' | 'corpus'>> = {
  state: { decode: decodeState, encode: encodeState, corpus: [encodeState(base), encodeState(last)] },
  settlement: {
    decode: decodeSettlement,
    encode: encodeSettlement,
    corpus: [encodeSettlement(signedSettlement(parties))],
  },
  close: { decode: decodeClose, encode: encodeClose, corpus: [encodeClose(record.close)] },
  message: { decode: decodeChannelMessage, encode: encodeChannelMessage, corpus: messages },
  record: {
    decode: (bytes) => decodeRecord(crypto, bytes),
    encode: (each) => encodeRecord(crypto, each),
    corpus: [encodeRecord(crypto, record), encodeRecord(crypto, bare)],
  },
}

describe('decoders raise their error or give a value that encodes to the same bytes', () => {
  test.each(Object.entries(targets))('%s', (_, target) => {
    const { accepted } = fuzzDecoder({ ...target, isTyped, cases, seed: 7 })
    assert.ok(accepted > 0)
  })

  test('a record keeps what was written', () => {
    for (const each of [record, bare]) {
      const { newest, ownSequence, halt, pending } = decodeRecord(crypto, encodeRecord(crypto, each))
      assert.deepEqual(
        { newest, ownSequence, halt, pending },
        {
          newest: each.newest,
          ownSequence: each.ownSequence,
          halt: each.halt,
          pending: each.pending,
        },
      )
    }
  })
})

test('an authenticated neighbour may send anything: nothing is thrown, nothing grows, no money moves', () => {
  const world = begin(crypto, 'hostile bytes', 2)
  const [a, b] = world.parties as [Party, Party]
  win(a, b, 900n)
  a.claimAll()
  world.runFor(2_000)
  const owedMicro = a.owedBy(b)
  const types = Object.values(CHANNEL_MESSAGE)
  const signatures = a.signatures.history.length
  a.tampers = () => []
  for (let n = 0; n < cases / 4; n++) {
    const valid = messages[world.below(messages.length)]!.slice()
    // Mostly messages in form: what is inside them is at random.
    for (let edits = world.below(5); edits > 0; edits--) valid[1 + world.below(valid.length)] = world.below(256)
    const bytes =
      world.chance() < 0.8 ? valid : Uint8Array.of(types[world.below(types.length)]!, ...world.random(world.below(90)))
    a.channels.receive(world.nowMs, b.nodeId, bytes)
    if (n % 100 !== 0) continue
    world.nowMs += 1_000
    a.channels.tick(world.nowMs)
  }
  assert.equal(a.owedBy(b), owedMicro)
  assert.equal(a.signatures.history.length, signatures)
  assert.equal(a.channels.list().length, 1)
})

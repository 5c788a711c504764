import assert from 'node:assert/strict'
import { decodeChannelMessage } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import { begin, heal, win } from './runs.ts'
import type { Party, World } from './world.ts'

const crypto = await nodeCrypto()

/** Two parties with a channel; the first is paid. */
function pair(payeeIsA: boolean): { world: World; payee: Party; payer: Party } {
  const world = begin(crypto, `payments ${payeeIsA}`, 2)
  const [a, b] = world.parties as [Party, Party]
  return payeeIsA ? { world, payee: a, payer: b } : { world, payee: b, payer: a }
}

/** From now on, what `party` sends of this kind is lost. */
function lose(party: Party, kind: string): void {
  party.tampers = (_, bytes) => (decodeChannelMessage(bytes).kind === kind ? [] : [bytes])
}

describe.each([
  ['a', true],
  ['b', false],
] as const)('a link that breaks while party %s is paid', (_, payeeIsA) => {
  test.each(['update', 'accept'])('before its %s arrived: the claim is earned, once, and never refused', (kind) => {
    const { world, payee, payer } = pair(payeeIsA)
    lose(payer, kind)
    lose(payee, kind)
    const id = win(payee, payer, 700n)
    payee.claimAll()
    world.runFor(500)
    for (const party of [payee, payer]) party.tampers = (_, bytes) => [bytes]
    world.link(payee, payer)
    world.runFor(20_000)
    assert.equal(payee.owns.get(id)?.end, 'earned')
    expect(payee.earnings).toMatchObject([{ from: toHex(payer.nodeId), paidMicro: 700n, expectedMicro: 700n }])
    assert.deepEqual(payee.refusals, [])
    assert.equal(payee.channels.view(payer.nodeId)!.claimsWaiting, 0)
    // The hundred packets of the claim count as paid for.
    assert.equal(payee.channels.exposure(payer.nodeId).oddsMax, 25)
    assert.equal(payee.owedBy(payer), 700n)
  })

  test('and its payee restarts: what it claims since then is not taken for paid by it', () => {
    const { world, payee, payer } = pair(payeeIsA)
    lose(payer, 'update')
    win(payee, payer, 700n)
    payee.claimAll()
    world.runFor(500)
    payee.owns.clear()
    lose(payer, 'state')
    payee.restart()
    const id = win(payee, payer, 30n)
    payee.claimAll()
    world.runFor(30_000)
    payer.tampers = (_, bytes) => [bytes]
    heal(world)
    assert.deepEqual(
      payee.earnings.map(({ paidMicro, claim }) => [paidMicro, claim !== undefined]),
      [
        [700n, false],
        [30n, true],
      ],
    )
    assert.equal(payee.owns.get(id)?.end, 'earned')
    assert.deepEqual(payee.refusals, [])
  })
})

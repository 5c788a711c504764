import assert from 'node:assert/strict'
import {
  CLAIMS_MAX,
  decodeChannelMessage,
  encodeChannelMessage,
  JUMP_MAX,
  REFUSAL,
  STATE_TAG,
  type Standing,
  settlementHash,
  stateHash,
  stateSignedBytes,
} from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { decodeRecord, encodeRecord } from '../src/record.ts'
import { NETWORK_ID, NO_HASH, signedClose } from './parties.ts'
import { begin, win } from './runs.ts'
import { CALM, claimBody, type Party, World } from './world.ts'

const crypto = await nodeCrypto()

function pair(seed: string): { world: World; a: Party; b: Party } {
  const world = begin(crypto, seed, 2)
  const [a, b] = world.parties as [Party, Party]
  for (const party of world.parties) party.channels.reconciled()
  return { world, a, b }
}

function pay(world: World, payee: Party, payer: Party, priceMicro: bigint): void {
  win(payee, payer, priceMicro)
  payee.claimAll()
  world.runFor(200)
}

function recordOf(party: Party, peer: Party) {
  return decodeRecord(crypto, party.store.onDisk(`channels/with/${toHex(peer.nodeId)}`)!)
}

const isKind = (bytes: Uint8Array, ...kinds: string[]) => kinds.includes(decodeChannelMessage(bytes).kind)

describe('a payer that withholds its signature', () => {
  test('is asked in ever longer waits, and owes no more than claims that have room', () => {
    const { world, a, b } = pair('withholding payer')
    b.tampers = (_, bytes) => (isKind(bytes, 'update', 'state') ? [] : [bytes])
    const taken = Array.from({ length: 20 }, (_, n) =>
      a.channels.claim(world.nowMs, b.nodeId, claimBody(90_000 + n, 5n), 5n, 10n),
    ).filter(Boolean)
    assert.equal(taken.length, CLAIMS_MAX)
    world.runFor(3_600_000)
    const before = world.frames
    world.runFor(3_600_000)
    // A round: REESTABLISH both ways, CLAIM and its repeats; less than 9 frames in 4 spacings of a second.
    assert.ok(world.frames - before < (9 * 3_600) / 4, `${world.frames - before} frames in an hour`)
    assert.equal(a.owedBy(b), 0n)
  })
})

describe('a payee', () => {
  test('that claims twice is paid once', () => {
    const { world, a, b } = pair('double claim')
    for (let n = 0; n < 3; n++) {
      a.owns.set(80_000, { payer: b, priceMicro: 500n })
      a.channels.claim(world.nowMs, b.nodeId, claimBody(80_000, 500n), 500n, 10n)
      world.runFor(2_000)
    }
    assert.equal(a.owedBy(b), 500n)
    assert.deepEqual(a.refusals, [34, 34])
  })

  test('that never countersigns holds one payment, and is offered no second', () => {
    const { world, a, b } = pair('withholding payee')
    a.tampers = (_, bytes) => (isKind(bytes, 'accept', 'state') ? [] : [bytes])
    // Its own record is set back each time, as if it had signed nothing.
    const before = a.store.backup()
    for (let n = 0; n < 5; n++) {
      a.store.restore(before)
      a.restart()
      world.runFor(3_000)
      a.channels.claim(world.nowMs, b.nodeId, claimBody(81_000 + n, 500n), 500n, 10n)
      world.runFor(2_500)
    }
    const { pending, newest, base } = recordOf(b, a)
    assert.equal(pending?.paidMicro, 500n)
    assert.equal(newest.balanceBMicro, base!.balanceBMicro)
  })

  test('that is paid less than it counts on takes it, and is told', () => {
    const { world, a, b } = pair('less')
    b.judges = () => ({ payMicro: 3n })
    pay(world, a, b, 500n)
    assert.deepEqual(
      a.earnings.map(({ paidMicro, expectedMicro }) => [paidMicro, expectedMicro]),
      [[3n, 500n]],
    )
  })

  test('refuses an update that pays nothing, or takes', () => {
    for (const payMicro of [0n, -5n]) {
      const { world, a, b } = pair(`takes ${payMicro}`)
      pay(world, a, b, 500n)
      const { newest } = recordOf(b, a)
      const taking = {
        ...newest,
        sequence: newest.sequence + 1n,
        balanceAMicro: newest.balanceAMicro + payMicro,
        balanceBMicro: newest.balanceBMicro - payMicro,
      }
      const signature = b.identity.sign(STATE_TAG, NETWORK_ID, stateSignedBytes(taking))
      const { sequence, balanceAMicro } = taking
      a.channels.receive(
        world.nowMs,
        b.nodeId,
        encodeChannelMessage({ kind: 'update', sequence, balanceAMicro, signature }),
      )
      assert.equal(recordOf(a, b).newest.sequence, newest.sequence)
    }
  })
})

test('an update or a state that pays, under another signature than the payer’s or ahead of its slot, is not taken', () => {
  const { world, a, b } = pair('forged')
  pay(world, a, b, 500n)
  const { newest } = recordOf(a, b)
  const sequence = newest.sequence + 1n
  const balanceAMicro = newest.balanceAMicro + 900n
  const paying = { ...newest, sequence, balanceAMicro, balanceBMicro: newest.balanceBMicro - 900n }
  const signature = a.rawIdentity.sign(STATE_TAG, NETWORK_ID, stateSignedBytes(paying))
  const farAhead = (far: bigint) => {
    const own = b.rawIdentity.sign(STATE_TAG, NETWORK_ID, stateSignedBytes({ ...paying, sequence: far }))
    return { kind: 'update', sequence: far, balanceAMicro, signature: own } as const
  }
  for (const message of [
    { kind: 'update', sequence, balanceAMicro, signature },
    { kind: 'update', sequence, balanceAMicro, signature: newest.signatureB },
    { kind: 'state', state: { ...paying, signatureB: signature } },
    { kind: 'state', state: paying },
    farAhead(newest.sequence + 2n),
    farAhead(1n << 62n),
  ] as const) {
    a.channels.receive(world.nowMs, b.nodeId, encodeChannelMessage(message))
    assert.deepEqual(recordOf(a, b).newest, newest)
  }
})

describe('replays', () => {
  test('of every message ever sent, on a later link, change nothing', () => {
    const { world, a, b } = pair('replay')
    const sent: { from: Party; to: Party; bytes: Uint8Array }[] = []
    for (const party of world.parties) {
      party.tampers = (to, bytes) => {
        sent.push({ from: party, to, bytes })
        return [bytes]
      }
    }
    for (let n = 0; n < 6; n++) pay(world, n % 2 === 0 ? a : b, n % 2 === 0 ? b : a, 400n + BigInt(n) * 900n)
    a.channels.settle(world.nowMs, b.nodeId)
    b.channels.settle(world.nowMs, a.nodeId)
    world.runFor(10_000)
    assert.equal(world.ledger.applied.length, 1)
    world.link(a, b)
    world.runFor(10_000)
    const before = [recordOf(a, b).newest, recordOf(b, a).newest, a.owedBy(b), world.ledger.applied.length]
    for (const { from, to, bytes } of [...sent]) {
      to.channels.receive(world.nowMs, from.nodeId, bytes)
      world.runFor(50)
    }
    world.runFor(200_000)
    const after = [recordOf(a, b).newest, recordOf(b, a).newest, a.owedBy(b), world.ledger.applied.length]
    assert.deepEqual(after, before)
    assert.equal(a.channels.view(b.nodeId)!.phase, 'ready')
  })

  test('of states of another network are no states here', () => {
    const { world, a, b } = pair('other network')
    pay(world, a, b, 500n)
    const { newest } = recordOf(a, b)
    const state = {
      ...newest,
      sequence: newest.sequence + 1n,
      balanceAMicro: newest.balanceAMicro + 9n,
      balanceBMicro: newest.balanceBMicro - 9n,
    }
    const other = new Uint8Array(16).fill(9)
    const signed = stateSignedBytes(state)
    const foreign = {
      ...state,
      signatureA: a.identity.sign(STATE_TAG, other, signed),
      signatureB: b.identity.sign(STATE_TAG, other, signed),
    }
    a.channels.receive(world.nowMs, b.nodeId, encodeChannelMessage({ kind: 'state', state: foreign }))
    assert.deepEqual(recordOf(a, b).newest, newest)
  })
})

describe('a peer that answers REESTABLISH falsely', () => {
  const lies: [string, (standing: Standing) => Partial<Standing>][] = [
    ['with a newest state that it does not show', ({ newestSequence }) => ({ newestSequence: newestSequence + 5n })],
    ['with the hash of another state', () => ({ newestHash: new Uint8Array(16).fill(1) })],
    ['with a signature far above all states', () => ({ ownSequence: 1n << 61n })],
    ['with sequences near their end', () => ({ newestSequence: (1n << 63n) - 2n, ownSequence: (1n << 63n) - 2n })],
    ['with a payment that it does not send', ({ ownSequence }) => ({ ownSequence: ownSequence + 3n })],
  ]
  test.each(lies)('%s gets no signature while it does', (_, lie) => {
    const { world, a, b } = pair('lies')
    pay(world, a, b, 500n)
    b.tampers = (_to, bytes) => {
      const message = decodeChannelMessage(bytes)
      if (message.kind !== 'reestablish') return [bytes]
      return [encodeChannelMessage({ ...message, ...lie(message) })]
    }
    world.link(a, b)
    const signatures = a.signatures.history.length
    a.owns.set(70_000, { payer: b, priceMicro: 10n })
    b.owns.set(70_001, { payer: a, priceMicro: 10n })
    for (let n = 0; n < 10; n++) {
      for (const party of world.parties) party.claimAll()
      world.runFor(20_000)
    }
    assert.equal(a.signatures.history.length, signatures)
    assert.equal(a.owedBy(b), 500n)
    // The lie ends: the channel goes on where it was.
    b.tampers = (_to, bytes) => [bytes]
    world.link(a, b)
    world.runFor(5_000)
    pay(world, a, b, 100n)
    assert.ok(a.owedBy(b) >= 600n - 10n)
  })

  test('can’t lead the sequence near its end, whatever it signs there', () => {
    const { world, a, b } = pair('near the end')
    pay(world, a, b, 500n)
    const far = 1n << 61n
    const { newest } = recordOf(a, b)
    const moved = { sequence: far, balanceAMicro: newest.balanceAMicro + 9n, balanceBMicro: newest.balanceBMicro - 9n }
    const paying = { ...newest, ...moved, signatureA: new Uint8Array(64) }
    const signatureB = b.rawIdentity.sign(STATE_TAG, NETWORK_ID, stateSignedBytes(paying))
    b.tampers = (_to, bytes) => {
      const message = decodeChannelMessage(bytes)
      if (message.kind !== 'reestablish') return []
      const state = encodeChannelMessage({ kind: 'state', state: { ...paying, signatureB } })
      return [encodeChannelMessage({ ...message, ownSequence: far }), state]
    }
    for (let n = 0; n < 3; n++) {
      world.link(a, b)
      world.runFor(20_000)
    }
    assert.deepEqual(recordOf(a, b).newest, newest)
  })

  test('from below to a side that is near the end gets no signature, and ends nothing', () => {
    const { world, a, b } = pair('at the end')
    pay(world, a, b, 500n)
    const { newest } = recordOf(a, b)
    const last = { ...newest, sequence: (1n << 63n) - 2n }
    const signed = stateSignedBytes(last)
    const state = {
      ...last,
      signatureA: a.rawIdentity.sign(STATE_TAG, NETWORK_ID, signed),
      signatureB: b.rawIdentity.sign(STATE_TAG, NETWORK_ID, signed),
    }
    const record = { ...recordOf(a, b), newest: state, ownSequence: state.sequence }
    a.store.put(`channels/with/${toHex(b.nodeId)}`, encodeRecord(crypto, record))
    a.restart()
    b.tampers = () => []
    world.link(a, b)
    const signatures = a.signatures.history.length
    const { channelId } = newest
    const lie = { channelId, newestSequence: 0n, newestHash: NO_HASH, ownSequence: 0n, jump: JUMP_MAX }
    const claim = { kind: 'claim', sequence: 0n, body: claimBody(70_002, 10n) } as const
    for (const message of [{ kind: 'reestablish', ...lie } as const, claim]) {
      a.channels.receive(world.nowMs, b.nodeId, encodeChannelMessage(message))
    }
    assert.equal(a.signatures.history.length, signatures)
    assert.equal(a.channels.view(b.nodeId)!.sequence, state.sequence)
    a.channels.epochIs(world.nowMs, world.epoch + 2n)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
  })

  test('with a jump outside its range is malformed', () => {
    const { world, a, b } = pair('jumps')
    const { newest } = recordOf(a, b)
    const message = {
      kind: 'reestablish',
      channelId: newest.channelId,
      newestSequence: 0n,
      newestHash: new Uint8Array(16),
      ownSequence: 0n,
    } as const
    for (const jump of [1n, (1n << 32n) - 1n, JUMP_MAX + 1n, (1n << 64n) - 1n]) {
      const bytes = encodeChannelMessage({ ...message, jump: 0n })
      new DataView(bytes.buffer).setBigUint64(bytes.length - 8, jump, true)
      assert.equal(a.channels.receive(world.nowMs, b.nodeId, bytes), 'malformed')
    }
  })

  test('and shows two states of one sequence stops the channel for good; it can be disputed', () => {
    const { world, a, b } = pair('fork')
    pay(world, a, b, 500n)
    const { newest } = recordOf(a, b)
    const fork = { ...newest, balanceAMicro: newest.balanceAMicro - 400n, balanceBMicro: newest.balanceBMicro + 400n }
    const signed = stateSignedBytes(fork)
    // As if an earlier life of a had signed it: signed past the watch over its signatures.
    const raw = a.rawIdentity
    const state = {
      ...fork,
      signatureA: raw.sign(STATE_TAG, NETWORK_ID, signed),
      signatureB: b.rawIdentity.sign(STATE_TAG, NETWORK_ID, signed),
    }
    a.channels.receive(world.nowMs, b.nodeId, encodeChannelMessage({ kind: 'state', state }))
    assert.equal(a.channels.view(b.nodeId)!.phase, 'fork')
    const signatures = a.signatures.history.length
    a.owns.set(60_000, { payer: b, priceMicro: 10n })
    a.claimAll()
    b.channels.claim(world.nowMs, a.nodeId, claimBody(60_001, 10n), 10n, 1n)
    world.runFor(60_000)
    a.restart()
    world.runFor(60_000)
    assert.equal(a.signatures.history.length, signatures)
    assert.equal(a.channels.view(b.nodeId)!.phase, 'fork')
    a.channels.epochIs(world.nowMs, world.epoch + 2n)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
    assert.equal(world.ledger.closes.length, 1)
  })
})

describe('after a start', () => {
  test('a slot below the jump gets no signature', () => {
    const { world, a, b } = pair('low slot')
    for (let n = 0; n < 3; n++) pay(world, a, b, 100n)
    const { newest } = recordOf(b, a)
    b.restart()
    a.tampers = (_, bytes) => {
      const message = decodeChannelMessage(bytes)
      if (message.kind !== 'claim') return [bytes]
      return [encodeChannelMessage({ ...message, sequence: newest.sequence + 1n })]
    }
    const signatures = b.signatures.history.length
    a.owns.set(71_000, { payer: b, priceMicro: 10n })
    for (let n = 0; n < 5; n++) {
      a.claimAll()
      world.runFor(20_000)
    }
    assert.equal(b.signatures.history.length, signatures)
    a.tampers = (_, bytes) => [bytes]
    a.claimAll()
    world.runFor(60_000)
    assert.equal(a.owedBy(b), 310n)
    assert.ok(recordOf(b, a).newest.sequence > newest.sequence + (1n << 32n))
  })

  test('a payment that an earlier process signed is finished, and says nothing of what this one remembers', () => {
    const { world, a, b } = pair('old payment')
    for (let n = 0; n < 3; n++) pay(world, a, b, 100n)
    b.tampers = (_, bytes) => (isKind(bytes, 'update') ? [] : [bytes])
    a.owns.set(72_000, { payer: b, priceMicro: 10n })
    a.claimAll()
    world.runFor(100)
    const { sequence } = recordOf(b, a).pending!.state
    const jumps: bigint[] = []
    b.tampers = (_, bytes) => {
      const message = decodeChannelMessage(bytes)
      if (message.kind === 'reestablish') jumps.push(message.jump)
      return [bytes]
    }
    b.restart()
    world.runFor(5_000)
    assert.equal(recordOf(b, a).newest.sequence, sequence)
    world.link(a, b)
    world.runFor(5_000)
    assert.ok(jumps.length >= 2 && jumps.every((jump) => jump >= 1n << 32n), jumps.join())
    pay(world, a, b, 5n)
    world.link(a, b)
    assert.equal(jumps.at(-1), 0n)
  })
})

test('a payment that was signed again above the state that the payee held already is made once', () => {
  const { world, a, b } = pair('signed again')
  for (let n = 0; n < 2; n++) pay(world, a, b, 100n)
  const { newest } = recordOf(b, a)
  a.tampers = (_, bytes) => (isKind(bytes, 'accept') ? [] : [bytes])
  pay(world, a, b, 40n)
  assert.equal(recordOf(a, b).newest.sequence, newest.sequence + 1n)
  assert.equal(recordOf(b, a).pending?.paidMicro, 40n)
  // What the payee said before it signed comes late: it seems to have restarted, so the payer signs above its jump.
  a.tampers = (_, bytes) => {
    const message = decodeChannelMessage(bytes)
    if (message.kind !== 'reestablish') return isKind(bytes, 'accept', 'state') ? [] : [bytes]
    const [newestSequence, newestHash] = [newest.sequence, stateHash(crypto, newest)]
    return [
      encodeChannelMessage({ ...message, newestSequence, newestHash, ownSequence: newestSequence, jump: 1n << 33n }),
    ]
  }
  world.link(a, b)
  world.runFor(100)
  assert.ok(recordOf(b, a).pending!.state.sequence > newest.sequence + (1n << 33n))
  a.tampers = (_, bytes) => [bytes]
  world.runFor(60_000)
  assert.equal(a.owedBy(b), 240n)
  assert.equal(b.owedBy(a), -240n)
  assert.equal(recordOf(b, a).pending, undefined)
  pay(world, a, b, 5n)
  assert.equal(a.owedBy(b), 245n)
})

test('a state that overtakes the ACCEPT of one’s own payment is not taken before it', () => {
  const { world, a, b } = pair('overtaken')
  for (let n = 0; n < 2; n++) pay(world, a, b, 100n)
  const { newest } = recordOf(b, a)
  a.tampers = (_, bytes) => (isKind(bytes, 'accept') ? [] : [bytes])
  a.owns.set(73_000, { payer: b, priceMicro: 40n })
  b.owns.set(73_001, { payer: a, priceMicro: 113n })
  a.claimAll()
  b.claimAll()
  world.runFor(300)
  // a has signed b's payment and, above it, its own; b knows of the second alone.
  assert.equal(recordOf(a, b).pending?.state.sequence, newest.sequence + 2n)
  assert.deepEqual(recordOf(b, a).newest, newest)
  a.tampers = (_, bytes) => [bytes]
  world.runFor(60_000)
  assert.equal(a.owedBy(b), 200n + 40n - 113n)
  assert.equal(b.owedBy(a), -a.owedBy(b))
  assert.equal(recordOf(b, a).pending, undefined)
})

test('a debit has a number of its own, also where the one before is in no ledger yet and power was lost', () => {
  const { world, a, b } = pair('debits')
  const published: string[] = []
  world.publish = (_, record) => {
    if (record.kind === 'settlement') published.push(toHex(settlementHash(crypto, record.settlement)))
  }
  const numbers: bigint[] = []
  b.tampers = (_, bytes) => {
    const message = decodeChannelMessage(bytes)
    if (message.kind === 'settleSeq') numbers.push(message.payerSeq)
    return [bytes]
  }
  pay(world, a, b, 5_000n)
  b.channels.settle(world.nowMs, a.nodeId)
  world.runFor(2_000)
  assert.deepEqual(numbers, [1n])
  // Both publish the one record; the payer again after a start, until its ledger has applied it.
  assert.deepEqual(new Set(published).size, 1)
  b.restart()
  world.runFor(5_000)
  assert.equal(published.length, 3)
  pay(world, a, b, 5_000n)
  b.channels.settle(world.nowMs, a.nodeId)
  world.runFor(2_000)
  assert.ok(numbers.length >= 2 && numbers.slice(1).every((number) => number === 2n), numbers.join())
  assert.equal(new Set(published).size, 1)
})

test('a payer that names a debit by a number that there is not is refused, and settles by the next', () => {
  const { world, a, b } = pair('number')
  pay(world, a, b, 5_000n)
  const numbers = [0n, 2n ** 64n - 1n]
  const refused: bigint[] = []
  b.tampers = (_, bytes) => {
    const message = decodeChannelMessage(bytes)
    const payerSeq = message.kind === 'settleSeq' ? numbers.shift() : undefined
    return [
      message.kind === 'settleSeq' && payerSeq !== undefined ? encodeChannelMessage({ ...message, payerSeq }) : bytes,
    ]
  }
  a.tampers = (_, bytes) => {
    const message = decodeChannelMessage(bytes)
    if (message.kind === 'refuse') refused.push(BigInt(message.code))
    return [bytes]
  }
  for (let round = 0; round < 3; round++) {
    b.channels.settle(world.nowMs, a.nodeId)
    world.runFor(2_000)
  }
  assert.deepEqual(refused, [6n, 6n])
  assert.equal(a.owedBy(b), 0n)
})

describe('exposure', () => {
  test('one balance pledged in k channels is worth at most the sum of their limits', () => {
    const world = new World(crypto, 'pledges', CALM)
    const parties = world.add(5)
    const [payer, ...payees] = [parties[2]!, ...parties.filter((_, n) => n !== 2)]
    payer.balanceMicro = 40_000n
    let servedMicro = 0n
    for (const payee of payees) {
      payee.balanceMicro = 40_000n
      payee.creditMicro = 500n
      payee.limitMicro = 1n << 40n
      payee.restart()
    }
    world.runFor(3_000)
    for (const payee of payees) {
      payee.channels.open(world.nowMs, payer.nodeId)
      world.runFor(500)
      const { limitMicro } = payee.channels.exposure(payer.nodeId)
      assert.equal(limitMicro, 10_500n)
      // Serves as long as a win fits; the payer signs and never settles.
      for (let n = 0; n < 40 && payee.channels.exposure(payer.nodeId).roomMicro >= 700n; n++)
        pay(world, payee, payer, 700n)
      const { owedMicro } = payee.channels.exposure(payer.nodeId)
      assert.ok(owedMicro <= limitMicro && owedMicro > limitMicro - 700n, `${owedMicro}`)
      servedMicro += owedMicro
    }
    assert.ok(servedMicro <= 4n * 10_500n)
    assert.equal(world.ledger.applied.length, 0)
  })

  test('below what can be settled, nobody is served; odds grow with what was paid', () => {
    const { world, a, b } = pair('small')
    a.balanceMicro = 3_999n
    assert.equal(a.channels.exposure(b.nodeId).roomMicro, 0n)
    a.balanceMicro = 4_000n
    assert.equal(a.channels.exposure(b.nodeId).roomMicro, 1_000n)
    assert.equal(a.channels.exposure(b.nodeId).oddsMax, 0)
    for (let n = 0; n < 3; n++) pay(world, a, b, 10n)
    assert.equal(a.channels.exposure(b.nodeId).oddsMax, 75)
  })
})

describe('closes', () => {
  test('of every older state are answered with the newest, and a newer one is learnt from', () => {
    const { world, a, b } = pair('closes')
    const states = [recordOf(b, a).newest]
    for (let n = 0; n < 8; n++) {
      pay(world, a, b, 400n)
      states.push(recordOf(b, a).newest)
    }
    const [base, last] = [states[0]!, states.at(-1)!]
    for (const older of states.slice(1, -1)) {
      const before = world.ledger.closes.length
      a.channels.closeSeen(world.nowMs, b.nodeId, signedClose({ a: a.identity, b: b.identity }, base, older, 'b'))
      assert.equal(world.ledger.closes.length, before + 1)
      assert.equal(world.ledger.closes.at(-1)!.last.sequence, last.sequence)
      assert.equal(a.channels.view(b.nodeId)!.phase, 'closing')
    }
    // Nothing is signed any more.
    const signatures = a.signatures.history.length
    b.channels.claim(world.nowMs, a.nodeId, claimBody(50_000, 10n), 10n, 1n)
    world.runFor(20_000)
    assert.equal(a.signatures.history.length, signatures)
    a.finalSequence = last.sequence - 1n
    a.channels.settled(world.nowMs, b.nodeId)
    assert.equal(a.channels.view(b.nodeId)!.phase, 'closing')
    a.finalSequence = last.sequence
    a.channels.settled(world.nowMs, b.nodeId)
    assert.equal(a.channels.view(b.nodeId), undefined)
    assert.equal(a.store.onDisk(`channels/with/${toHex(b.nodeId)}`), undefined)
  })

  test('that were paid out end the claims that wait, and leave the pair to open anew', () => {
    const { world, a, b } = pair('paid out')
    pay(world, a, b, 2_000n)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
    const [close] = world.ledger.closes
    b.channels.closeSeen(world.nowMs, a.nodeId, close!)
    a.channels.claim(world.nowMs, b.nodeId, claimBody(50_001, 10n), 10n, 1n)
    for (const party of world.parties) {
      party.finalSequence = close!.last.sequence
      party.channels.settled(world.nowMs, party === a ? b.nodeId : a.nodeId)
    }
    assert.deepEqual(a.refusals, [REFUSAL.readOnly])
    for (const party of world.parties) party.finalSequence = 0n
    assert.ok(a.channels.open(world.nowMs, b.nodeId))
    world.runFor(5_000)
    pay(world, a, b, 300n)
    assert.equal(a.owedBy(b), 300n)
  })

  test('that were paid out short of the newest state leave the rest owed, from the state paid on', () => {
    const { world, a, b } = pair('short')
    const base = recordOf(b, a).newest
    pay(world, a, b, 2_000n)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
    const last = recordOf(a, b).newest
    const later = { ...last, sequence: last.sequence + 1n, balanceAMicro: last.balanceAMicro + 1_500n }
    const state = { ...later, balanceBMicro: last.balanceBMicro - 1_500n }
    const signed = stateSignedBytes(state)
    const signatureA = a.rawIdentity.sign(STATE_TAG, NETWORK_ID, signed)
    const signatureB = b.rawIdentity.sign(STATE_TAG, NETWORK_ID, signed)
    const further = { ...state, signatureA, signatureB }
    a.channels.closeSeen(world.nowMs, b.nodeId, signedClose({ a: a.identity, b: b.identity }, base, further, 'b'))
    assert.equal(a.owedBy(b), 3_500n)
    a.finalSequence = last.sequence
    a.channels.settled(world.nowMs, b.nodeId)
    assert.equal(a.owedBy(b), 1_500n)
    assert.equal(recordOf(a, b).close, undefined)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
    assert.equal(world.ledger.closes.at(-1)!.base.sequence, last.sequence)
  })

  test('of a newer state than one’s own are learnt from, also right after a start', () => {
    const { world, a, b } = pair('newer close')
    const base = recordOf(b, a).newest
    const before = a.store.backup()
    for (let n = 0; n < 3; n++) pay(world, a, b, 400n)
    const last = recordOf(b, a).newest
    a.store.restore(before)
    a.start()
    a.channels.closeSeen(world.nowMs, b.nodeId, signedClose({ a: a.identity, b: b.identity }, base, last, 'b'))
    assert.equal(a.owedBy(b), 1_200n)
    assert.equal(world.ledger.closes.length, 0)
  })

  test('are published again in each epoch until they are paid out', () => {
    const { world, a, b } = pair('published again')
    pay(world, a, b, 5_000n)
    world.unlink(a, b)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
    const last = recordOf(a, b).newest
    for (const epochs of [1n, 2n]) a.channels.epochIs(world.nowMs, world.epoch + epochs)
    assert.deepEqual(
      world.ledger.closes,
      [1, 2, 3].map(() => world.ledger.closes[0]),
    )
    a.finalSequence = last.sequence
    a.channels.settled(world.nowMs, b.nodeId)
    a.channels.epochIs(world.nowMs, world.epoch + 3n)
    assert.equal(world.ledger.closes.length, 3)
  })

  test('a silent debtor is closed after four epochs', () => {
    const { world, a, b } = pair('abandoned')
    pay(world, a, b, 5_000n)
    world.unlink(a, b)
    for (const epochs of [1n, 2n, 3n]) a.channels.epochIs(world.nowMs, world.epoch + epochs)
    assert.equal(world.ledger.closes.length, 0)
    a.channels.epochIs(world.nowMs, world.epoch + 4n)
    assert.equal(world.ledger.closes.length, 1)
  })
})

test('a settlement that the ledger lost is published again by its payee, whose channel is not forgotten meanwhile', () => {
  const { world, a, b } = pair('lost settlement')
  pay(world, a, b, 2_000n)
  const publish = world.publish.bind(world)
  world.publish = () => {}
  a.channels.settle(world.nowMs, b.nodeId)
  world.runFor(5_000)
  assert.equal(a.owedBy(b), 0n)
  assert.equal(world.ledger.applied.length, 0)
  assert.equal(a.channels.forget(world.nowMs, b.nodeId), false)
  world.publish = publish
  a.restart()
  a.channels.publishAgain()
  world.runFor(5_000)
  assert.equal(world.ledger.applied.length, 1)
  assert.equal(recordOf(a, b).settlement, undefined)
  assert.ok(a.channels.forget(world.nowMs, b.nodeId))
})

test('a channel that is full of strangers makes room by forgetting one that holds nothing', () => {
  const world = new World(crypto, 'crowd', CALM)
  const parties = world.add(5)
  const [crowded, ...others] = parties as [Party, ...Party[]]
  crowded.channelsMax = 2
  crowded.restart()
  world.runFor(3_000)
  const refusals: number[] = []
  crowded.tampers = (_, bytes) => {
    const message = decodeChannelMessage(bytes)
    if (message.kind === 'refuse') refusals.push(message.code)
    return [bytes]
  }
  for (const other of others.slice(0, 2)) {
    other.channels.open(world.nowMs, crowded.nodeId)
    world.runFor(1_000)
  }
  others[2]!.channels.open(world.nowMs, crowded.nodeId)
  world.runFor(1_000)
  assert.equal(crowded.channels.list().length, 2)
  assert.ok(refusals.every((code) => code === REFUSAL.full) && refusals.length > 0)
  pay(world, crowded, others[0]!, 2_000n)
  world.unlink(crowded, others[0]!)
  world.unlink(crowded, others[1]!)
  world.runFor(60_000)
  // The one with money in it stays.
  assert.equal(crowded.owedBy(others[0]!), 2_000n)
  assert.equal(crowded.channels.view(others[1]!.nodeId), undefined)
  assert.equal(crowded.channels.list().length, 2)
})

test('a channel with a claim that waits makes no room', () => {
  const world = new World(crypto, 'claims wait', CALM)
  const [crowded, payer, stranger] = world.add(3) as [Party, Party, Party]
  crowded.channelsMax = 1
  crowded.restart()
  world.runFor(3_000)
  payer.channels.open(world.nowMs, crowded.nodeId)
  world.runFor(1_000)
  crowded.tampers = () => []
  pay(world, crowded, payer, 500n)
  world.unlink(crowded, payer)
  crowded.tampers = (_, bytes) => [bytes]
  stranger.channels.open(world.nowMs, crowded.nodeId)
  world.runFor(60_000)
  assert.notEqual(crowded.channels.view(payer.nodeId), undefined)
  assert.equal(crowded.channels.view(stranger.nodeId), undefined)
})

test('channels that were forgotten for others come back where there is room, and only there', () => {
  const world = new World(crypto, 'comebacks', CALM)
  const [crowded, ...others] = world.add(4) as [Party, ...Party[]]
  crowded.channelsMax = 2
  crowded.restart()
  world.runFor(3_000)
  for (const other of others) {
    other.channels.open(world.nowMs, crowded.nodeId)
    world.runFor(5_000)
    world.unlink(crowded, other)
  }
  const [first] = others as [Party]
  assert.equal(crowded.channels.view(first.nodeId), undefined)
  for (const other of others) world.link(crowded, other)
  world.runFor(60_000)
  assert.equal(crowded.channels.list().length, 2)
  assert.equal(crowded.channels.view(first.nodeId), undefined)
  // It is proved anew once one of the others is gone.
  world.unlink(crowded, others[1]!)
  world.link(crowded, first)
  world.runFor(60_000)
  assert.equal(crowded.channels.view(first.nodeId)?.phase, 'ready')
  assert.equal(crowded.channels.list().length, 2)
})

test('what is forgotten without a link leaves nothing behind', () => {
  const { world, a, b } = pair('forgotten')
  world.unlink(a, b)
  assert.ok(a.channels.forget(world.nowMs, b.nodeId))
  assert.equal(a.store.onDisk(`channels/with/${toHex(b.nodeId)}`), undefined)
  assert.equal(a.channels.open(world.nowMs, b.nodeId), false)
  a.channels.linkUp(world.nowMs, b.identity.publicKey, 1_000)
  assert.ok(a.channels.open(world.nowMs, b.nodeId))
})

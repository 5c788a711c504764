import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Credit } from '../src/index.ts'
import { ACCOUNTS_MAX } from '../src/limits.ts'
import { identityOf, says, view } from './kit.ts'

const [friend, other, stranger] = ['friend', 'other', 'stranger'].map(identityOf)
const distant = identityOf('distant')
const LINE = 1_000_007n

function lent() {
  const { peers, statements } = view()
  peers.trust(friend!.nodeId, { creditLineMicro: LINE })
  statements.add(says(friend!, other!.nodeId, 1n))
  return { peers, statements, credit: new Credit(peers, statements) }
}

describe('lines of credit', () => {
  test('a peer has its line, a friend of it exactly a tenth, a stranger and a friend’s friend’s friend nothing', () => {
    const { credit, statements } = lent()
    statements.add(says(other!, distant.nodeId, 1n))
    expect(credit.lineMicro(friend!.nodeId)).toBe(LINE)
    expect(credit.lineMicro(other!.nodeId)).toBe(100_000n)
    expect(credit.lineMicro(distant.nodeId)).toBe(0n)
    expect(credit.lineMicro(stranger!.nodeId)).toBe(0n)
    expect(credit.charge(other!.nodeId, 100_001n)).toBe(false)
    expect(credit.charge(other!.nodeId, 100_000n)).toBe(true)
    expect(credit.charge(other!.nodeId, 1n)).toBe(false)
    expect(credit.charge(stranger!.nodeId, 1n)).toBe(false)
  })

  test('a peer and its friends together stay within the peer’s line', () => {
    const { credit, statements } = lent()
    const friends = Array.from({ length: 12 }, (_, at) => identityOf(`friend ${at}`))
    for (const one of friends) statements.add(says(friend!, one.nodeId, 2n))
    const granted = friends.filter((one) => credit.charge(one.nodeId, 100_000n))
    expect(granted.length).toBe(10)
    expect(credit.availableMicro(friend!.nodeId)).toBe(7n)
    credit.paid(granted[0]!.nodeId, 40_000n)
    expect(credit.availableMicro(friend!.nodeId)).toBe(40_007n)
    expect(credit.availableMicro(granted[0]!.nodeId)).toBe(0n)
    credit.nextEpoch()
    expect(credit.availableMicro(granted[0]!.nodeId)).toBe(40_000n)
  })

  test('a default stays with its voucher until it is paid, and nothing more is given meanwhile', () => {
    const { credit } = lent()
    credit.charge(other!.nodeId, 60_000n)
    credit.default(other!.nodeId)
    expect(credit.isDefaulted(other!.nodeId)).toBe(true)
    credit.nextEpoch()
    expect(credit.lineMicro(other!.nodeId)).toBe(0n)
    expect(credit.availableMicro(other!.nodeId)).toBe(0n)
    expect(credit.availableMicro(friend!.nodeId)).toBe(LINE - 60_000n)
    credit.paid(other!.nodeId, 59_999n)
    expect(credit.isDefaulted(other!.nodeId)).toBe(true)
    credit.paid(other!.nodeId, 5n)
    expect(credit.isDefaulted(other!.nodeId)).toBe(false)
    expect(credit.lineMicro(other!.nodeId)).toBe(100_000n)
    expect(credit.availableMicro(friend!.nodeId)).toBe(LINE)
  })

  test('an epoch allows so much anew, also where debts were paid in between', () => {
    const { credit, peers } = lent()
    peers.trust(friend!.nodeId, { creditLineMicro: LINE, creditPerEpochMicro: 500n })
    expect(credit.charge(friend!.nodeId, 300n)).toBe(true)
    credit.paid(friend!.nodeId, 300n)
    expect(credit.availableMicro(friend!.nodeId)).toBe(200n)
    credit.nextEpoch()
    expect(credit.availableMicro(friend!.nodeId)).toBe(500n)
  })

  test('trust taken back ends credit at once; the debt stays', () => {
    const { credit, peers, statements } = lent()
    credit.charge(other!.nodeId, 10n)
    statements.add(says(friend!, other!.nodeId, 2n, false))
    expect(credit.lineMicro(other!.nodeId)).toBe(0n)
    expect(credit.owesMicro(other!.nodeId)).toBe(10n)
    expect(credit.availableMicro(friend!.nodeId)).toBe(LINE - 10n)
    peers.distrust(friend!.nodeId)
    expect(credit.lineMicro(friend!.nodeId)).toBe(0n)
  })

  test('of several vouchers the longest line counts, and it stays the same while something is owed', () => {
    const { credit, peers, statements } = lent()
    const richer = identityOf('richer')
    credit.charge(other!.nodeId, 10n)
    peers.trust(richer.nodeId, { creditLineMicro: 10n * LINE })
    statements.add(says(richer, other!.nodeId, 1n))
    expect(credit.lineMicro(other!.nodeId)).toBe(100_000n)
    credit.paid(other!.nodeId, 10n)
    expect(credit.lineMicro(other!.nodeId)).toBe(LINE)
  })

  test('whatever is charged, paid, defaulted and revoked: nobody and no voucher passes its line', () => {
    const names = ['friend', 'other', 'one', 'two', 'stranger'].map(identityOf)
    const step = fc.record({
      who: fc.nat(names.length - 1),
      what: fc.constantFrom('charge', 'charge', 'paid', 'default', 'epoch'),
      micro: fc.bigInt(0n, 2n * LINE),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { credit, statements } = lent()
        for (const one of names.slice(2, 4)) statements.add(says(friend!, one.nodeId, 3n))
        for (const { who, what, micro } of steps) {
          const { nodeId } = names[who]!
          if (what === 'charge') {
            const available = credit.availableMicro(nodeId)
            expect(credit.charge(nodeId, micro)).toBe(micro <= available)
          } else if (what === 'paid') credit.paid(nodeId, micro)
          else if (what === 'default') credit.default(nodeId)
          else credit.nextEpoch()
          const owed = names.map((one) => credit.owesMicro(one.nodeId))
          expect(owed.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(LINE)
          for (const amount of owed.slice(1)) expect(amount).toBeLessThanOrEqual(100_000n)
          expect(owed[4]).toBe(0n)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('accounts are bounded: a node more gets no credit, and none that was given is forgotten', () => {
    const { peers, statements } = view()
    const credit = new Credit(peers, statements)
    const vouchers = Array.from({ length: ACCOUNTS_MAX / 64 + 1 }, (_, at) => identityOf(`voucher ${at}`))
    let granted = 0
    let refused = 0
    for (const [at, voucher] of vouchers.entries()) {
      peers.trust(voucher.nodeId, { creditLineMicro: LINE })
      for (let trustee = 0; trustee < 64; trustee++) {
        const nodeId = new Uint8Array(16)
        new DataView(nodeId.buffer).setUint32(0, 64 * at + trustee + 1, true)
        statements.add({
          truster: voucher.publicKey,
          trustee: nodeId,
          sequence: 1n,
          trusted: true,
          signature: new Uint8Array(64),
        })
        if (credit.charge(nodeId, 1n)) granted++
        else refused++
      }
    }
    expect({ granted, refused }).toEqual({ granted: ACCOUNTS_MAX, refused: 64 })
    const first = new Uint8Array(16)
    first[0] = 1
    expect(credit.owesMicro(first)).toBe(1n)
  })
})

import type { EconomyReport } from '@nexus/node/api'
import { describe, expect, test } from 'vitest'
import { accountsOf, MoneyWatch, nxs, nxsChange, withNxs } from '../src/page/model/money.ts'
import { idOf, shown, statusOf } from './helpers.ts'

const SPACE = '\u00a0'

interface Lot {
  readonly peer: string
  readonly wins?: number
  readonly paid?: bigint
}

function economy(balance: bigint, settlements = 0, lots: readonly Lot[] = []): EconomyReport {
  return {
    epoch: '0',
    balanceMicro: `${balance}`,
    settlements,
    channels: [],
    lottery: lots.map(({ peer, wins = 0, paid = 0n }) => ({
      peer: idOf(peer),
      ...{ taken: 0, refused: 0, drawn: 0, wins, refusedClaims: 0, exposureMicro: 0, pendingMicro: 0 },
      ...{ paidMicro: `${paid}`, expiredMicro: '0' },
    })),
  }
}

/** Nodes that say this of their money; one without an economy says nothing of it. */
const nodes = (reports: Readonly<Record<string, EconomyReport | undefined>>) =>
  Object.entries(reports).map(([name, report]) =>
    shown(name, { ...statusOf(name, []), ...(report === undefined ? {} : { economy: report }) }),
  )

describe('amounts', () => {
  test.each([
    [0n, '0.000'],
    [1_000_000_000n, '1,000.000'],
    [-612_499n, '−0.612'],
    [999_999n, '1.000'],
    [999n, 'under 0.001'],
    [-1n, 'over −0.001'],
    [2n ** 70n, '1,180,591,620,717,411.303'],
  ])('%d μNXS', (micro, text) => {
    expect(nxs(micro)).toBe(`${text}${SPACE}NXS`)
  })

  test('a change has a sign', () => {
    expect([nxsChange(1_500_000n), nxsChange(-1_500_000n), nxsChange(0n)]).toEqual([
      `+1.500${SPACE}NXS`,
      `−1.500${SPACE}NXS`,
      'none',
    ])
  })
})

test('a sentence of a node has its amounts in NXS, but not its prices', () => {
  expect(withNxs('ben pays 43000 μNXS for packets that won.')).toBe(`ben pays 0.043${SPACE}NXS for packets that won.`)
  expect(withNxs('It adds 43000 μNXS/MiB.')).toBe('It adds 43000 μNXS/MiB.')
})

describe('payments', () => {
  test('are what a relay has been paid since the look before', () => {
    const watch = new MoneyWatch()
    const first = watch.note(nodes({ ada: economy(10n, 0, [{ peer: 'ben', paid: 5n }]), ben: economy(1n) }))
    expect(first.payments).toEqual([])
    const now = nodes({
      ada: economy(12n, 1, [
        { peer: 'ben', paid: 7n },
        { peer: 'cleo', paid: 1n },
      ]),
      ben: economy(1n),
    })
    const { payments, openedMicro } = watch.note(now)
    expect(payments).toEqual([
      { payer: idOf('ben'), relay: idOf('ada'), micro: 2n },
      { payer: idOf('cleo'), relay: idOf('ada'), micro: 1n },
    ])
    expect(openedMicro.get(idOf('ada'))).toBe(10n)
    expect(watch.note(now).payments).toEqual([])
  })

  test('are not made up of a node that began anew', () => {
    const watch = new MoneyWatch()
    watch.note(nodes({ ada: economy(7n, 4, [{ peer: 'ben', paid: 5n }]) }))
    expect(watch.note(nodes({ ada: economy(7n, 4, [{ peer: 'ben' }]) })).payments).toEqual([])
    const { payments } = watch.note(nodes({ ada: economy(7n, 4, [{ peer: 'ben', paid: 1n }]) }))
    expect(payments).toEqual([{ payer: idOf('ben'), relay: idOf('ada'), micro: 1n }])
  })
})

describe('the money of the mesh', () => {
  test('is what stood for longest, while a settlement is on its way', () => {
    const watch = new MoneyWatch()
    const even = nodes({ ada: economy(50n), ben: economy(50n) })
    watch.note(nodes({ ada: economy(40n), ben: economy(50n) }))
    watch.note(even)
    expect(watch.note(even).total).toEqual({ micro: 100n, steadyMicro: 100n, balances: 2 })
    const after = watch.note(nodes({ ada: economy(30n), ben: economy(50n) }))
    expect(after.total).toEqual({ micro: 80n, steadyMicro: 100n, balances: 2 })
  })

  test('begins anew with other nodes', () => {
    const watch = new MoneyWatch()
    for (let look = 0; look < 5; look++) watch.note(nodes({ ada: economy(1n), ben: economy(2n) }))
    const { total, openedMicro } = watch.note(nodes({ ada: economy(4n), cleo: economy(5n) }))
    expect(total).toEqual({ micro: 9n, steadyMicro: 9n, balances: 2 })
    expect([...openedMicro.keys()]).toEqual([idOf('ada'), idOf('cleo')])
  })

  test('is not told where a node has no economy, or where there is one node only', () => {
    expect(new MoneyWatch().note(nodes({ ada: economy(1n), ben: undefined, cleo: economy(1n) })).total).toBe(undefined)
    expect(new MoneyWatch().note(nodes({ ada: economy(1n) })).total).toBe(undefined)
  })
})

test('an account is a channel, packets in the lottery, or both', () => {
  const channel = {
    ...{ channelId: '0'.repeat(32), phase: 'ready' as const, sequence: '1' },
    ...{ owedMicro: '0', limitMicro: '5', roomMicro: '5' },
  }
  const report = {
    ...economy(0n, 0, [{ peer: 'ben' }, { peer: 'ada' }]),
    channels: [
      { ...channel, peer: idOf('ben') },
      { ...channel, peer: idOf('cleo') },
    ],
  }
  const found = accountsOf(report).map(({ peer, channel, lottery }) => [peer, channel?.peer, lottery?.peer])
  expect(found).toEqual([
    [idOf('ada'), undefined, idOf('ada')],
    [idOf('ben'), idOf('ben'), idOf('ben')],
    [idOf('cleo'), idOf('cleo'), undefined],
  ])
})

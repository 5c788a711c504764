import type { EconomyReport } from '@nexus/node/api'
import { describe, expect, test } from 'vitest'
import {
  accountsOf,
  MONEY_EVENTS_MAX,
  MoneyWatch,
  moneyEventsOf,
  moneySentence,
  nxs,
  nxsChange,
} from '../src/page/model/money.ts'
import { idOf, shown, statusOf } from './helpers.ts'

const AT = '2026-01-01T00:00:00.000Z'
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

const label = (nodeId: string): string => ({ [idOf('ada')]: 'ada', [idOf('ben')]: 'ben' })[nodeId] ?? '?'

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

describe('what two looks differ by', () => {
  test('a win, its payment, and a settlement, newest first', () => {
    const watch = new MoneyWatch()
    watch.note(nodes({ ada: economy(10_000_000n, 0, [{ peer: 'ben', wins: 3, paid: 5n }]) }), 1, AT)
    const { events, openedMicro } = watch.note(
      nodes({ ada: economy(12_500_000n, 1, [{ peer: 'ben', wins: 5, paid: 300_005n }]) }),
      2,
      AT,
    )
    expect(events.map((event) => moneySentence(event, label).replaceAll(SPACE, ' '))).toEqual([
      '1 settlement reached the ledger of ada: its balance rose by 2.500 NXS.',
      'ben paid ada 0.300 NXS for relaying.',
      '2 packets from ben won the lottery at ada.',
    ])
    expect(events.every(({ look, at }) => look === 2 && at === AT)).toBe(true)
    expect(openedMicro.get(idOf('ada'))).toBe(10_000_000n)
  })

  test('the first look, a look without news and a node that began anew tell nothing', () => {
    const watch = new MoneyWatch()
    const earned = nodes({ ada: economy(7n, 4, [{ peer: 'ben', wins: 3, paid: 5n }]) })
    expect(watch.note(earned, 1, AT).events).toEqual([])
    const { events } = watch.note(earned, 2, AT)
    expect(events).toEqual([])
    expect(watch.note(nodes({ ada: economy(7n) }), 3, AT).events).toBe(events)
  })

  test('each node is told of what it has a part in', () => {
    const watch = new MoneyWatch()
    watch.note(nodes({ ada: economy(0n), cleo: economy(0n) }), 1, AT)
    const { events } = watch.note(nodes({ ada: economy(0n, 1, [{ peer: 'ben', paid: 9n }]), cleo: economy(0n) }), 2, AT)
    const kinds = (name: string) => moneyEventsOf(events, idOf(name)).map(({ kind }) => kind)
    expect([kinds('ada'), kinds('ben'), kinds('cleo')]).toEqual([['settled', 'paid'], ['paid'], []])
    expect(moneySentence(events[0]!, label)).toMatch(/between others/)
  })

  test('only the newest are kept', () => {
    const watch = new MoneyWatch()
    for (let look = 0; look <= MONEY_EVENTS_MAX + 50; look++) {
      watch.note(nodes({ ada: economy(0n, 0, [{ peer: 'ben', wins: look }]) }), look, AT)
    }
    const { events } = watch.note(nodes({ ada: economy(0n) }), 0, AT)
    expect(events).toHaveLength(MONEY_EVENTS_MAX)
    expect(events[0]?.sequence).toBe(MONEY_EVENTS_MAX + 49)
  })
})

describe('the money of the mesh', () => {
  test('is what stood for longest, while a settlement is on its way', () => {
    const watch = new MoneyWatch()
    const even = nodes({ ada: economy(50n), ben: economy(50n) })
    watch.note(nodes({ ada: economy(40n), ben: economy(50n) }), 1, AT)
    watch.note(even, 2, AT)
    expect(watch.note(even, 3, AT).total).toEqual({ micro: 100n, steadyMicro: 100n, balances: 2 })
    const after = watch.note(nodes({ ada: economy(30n), ben: economy(50n) }), 4, AT)
    expect(after.total).toEqual({ micro: 80n, steadyMicro: 100n, balances: 2 })
  })

  test('begins anew with other nodes', () => {
    const watch = new MoneyWatch()
    for (let look = 0; look < 5; look++) watch.note(nodes({ ada: economy(1n), ben: economy(2n) }), look, AT)
    const { total, openedMicro } = watch.note(nodes({ ada: economy(4n), cleo: economy(5n) }), 6, AT)
    expect(total).toEqual({ micro: 9n, steadyMicro: 9n, balances: 2 })
    expect([...openedMicro.keys()]).toEqual([idOf('ada'), idOf('cleo')])
  })

  test('is not told where a node has no economy, or where there is one node only', () => {
    expect(new MoneyWatch().note(nodes({ ada: economy(1n), ben: undefined, cleo: economy(1n) }), 1, AT).total).toBe(
      undefined,
    )
    expect(new MoneyWatch().note(nodes({ ada: economy(1n) }), 1, AT).total).toBe(undefined)
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

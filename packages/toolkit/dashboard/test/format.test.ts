import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prepend } from '../src/page/model/bounded.ts'
import { groupOf, withNames } from '../src/page/model/event-groups.ts'
import { bitrate, bytes, cost, counted, duration, latency, nameOf, percent, short } from '../src/page/model/format.ts'

const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

describe('figures', () => {
  test.each([
    [0, '0 bit/s'],
    [999, '999 bit/s'],
    [999.6, '1 kbit/s'],
    [5_468.75, '5.47 kbit/s'],
    [164_062, '164 kbit/s'],
    [999_600, '1 Mbit/s'],
    [100_000_000, '100 Mbit/s'],
    [3.9e15, '3900 Tbit/s'],
  ])('%d bit/s', (bps, text) => expect(plain(bitrate(bps))).toBe(text))

  test.each([
    [null, '–'],
    [0, '0 ms'],
    [0.5694, '0.57 ms'],
    [9.96, '9.96 ms'],
    [18.24, '18.2 ms'],
    [230, '230 ms'],
    [999.6, '1 s'],
    [65_535, '65.5 s'],
  ])('%s ms', (ms, text) => expect(plain(latency(ms))).toBe(text))

  test.each([
    [-5, '0 s'],
    [999, '0 s'],
    [48_000, '48 s'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [187_200_000, '2 d 4 h'],
  ])('%d ms long', (ms, text) => expect(plain(duration(ms))).toBe(text))

  test('prices, shares, bytes and counts', () => {
    expect([null, 0, 1.234, 1_023, 188_000].map((value) => cost(value))).toEqual(['–', '0', '1.23', '1,023', '188,000'])
    expect([0, 0.0034, 0.079, 0.994, 1.2].map((share) => plain(percent(share)))).toEqual([
      '0 %',
      '0.3 %',
      '7.9 %',
      '99 %',
      '120 %',
    ])
    expect(plain(bytes(3_680))).toBe('3.68 kB')
    expect([counted(0, 'link'), counted(1, 'link'), counted(1_200, 'link')]).toEqual([
      '0 links',
      '1 link',
      '1,200 links',
    ])
    expect([nameOf('ab'.repeat(16)), nameOf('ab'.repeat(16), 'ada')]).toEqual(['abababab', 'ada'])
  })

  test('never more than three digits beside the thousands, and never out of order', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 999, noNaN: true }), (value) => {
        expect(short(value).replace(/\D/g, '').replace(/^0+/, '').length).toBeLessThanOrEqual(
          short(value).includes('e') ? 9 : 3,
        )
        expect(Math.abs(Number(short(value)) - value)).toBeLessThanOrEqual(value * 0.005 + 1e-300)
      }),
    )
  })
})

test('lists stay within their bounds, newest first', () => {
  let items: readonly number[] = []
  for (let item = 0; item < 1_000; item++) items = prepend(items, item, 300)
  expect(items).toHaveLength(300)
  expect([items[0], items.at(-1)]).toEqual([999, 700])
})

test('events are found under what they are about, unknown ones under problems', () => {
  expect(groupOf('link-up')).toBe('links')
  expect(groupOf('message-state')).toBe('messages')
  expect(groupOf('of-a-later-version' as 'problem')).toBe('problems')
})

test('an event names the nodes whose names came later', () => {
  const names = new Map([['6e30bb75', 'ben']])
  expect(withNames('Linked with 6e30bb75 over lora:ada.', names)).toBe('Linked with ben over lora:ada.')
  expect(withNames('Linked with 00000000 over lora:ada.', names)).toBe('Linked with 00000000 over lora:ada.')
})

import { AnchorError, decodeDatagram } from '@nexus/anchor-truth'
import { expect, test } from 'vitest'
import { Budget } from '../src/budget.ts'
import { KeyRing } from '../src/keyring.ts'
import { ADDRESSES_MAX, CALLERS_MAX, KEYS_MAX, MEMBER_FORGET_MS, MEMBERS_MAX } from '../src/limits.ts'
import { AddressBudgets, Callers, isReplay, type Member, Members, type Voice } from '../src/voices.ts'

const voice = (index: number, heardMs = 0): Voice => ({
  ...{ hex: `k${index}`, publicKey: new Uint8Array(32), nodeId: new Uint8Array(16), boot: 1, sequence: 1, ego: 1 },
  ...{ source: { address: new Uint8Array(16), port: 1 }, zoneHash: new Uint8Array(4), firstHeardMs: 0, heardMs },
})
const member = (index: number, heardMs = 0): Member => ({
  ...voice(index, heardMs),
  ...{ epochId: '', follows: '', anchorHeardMs: 0, isAnchor: false, type: 'Agent', name: '', uptimeSeconds: 0 },
})
const epochKey = (index: number, expiresMs = 1_000) => ({
  ...{ id: `e${index}`, idBytes: new Uint8Array(8), key: new Uint8Array(32).fill(1), anchor: '', expiresMs },
})

test('members are never pushed out: a full table refuses, and those long unheard are forgotten', () => {
  const members = new Members()
  for (let index = 0; index < MEMBERS_MAX; index++) members.add(member(index, index === 0 ? 0 : 1_000))
  expect(members.hasRoom()).toBe(false)
  members.forgetOld(MEMBER_FORGET_MS + 1)
  expect(members.size).toBe(MEMBERS_MAX - 1)
  expect(members.get('k0')).toBeUndefined()
})

test('of too many callers the one not heard for longest goes', () => {
  const callers = new Callers()
  for (let index = 0; index < CALLERS_MAX; index++) callers.note(voice(index))
  callers.note(voice(0))
  callers.note(voice(CALLERS_MAX))
  expect(callers.size).toBe(CALLERS_MAX)
  expect(callers.get('k1')).toBeUndefined()
  expect(callers.get('k0')).toBeDefined()
})

test('each address has its own budget, and of too many the oldest begins anew', () => {
  const addresses = new AddressBudgets()
  const taken = (address: string) => Array.from({ length: 8 }, () => addresses.take(0, address)).filter(Boolean).length
  expect(taken('a')).toBe(4)
  expect(taken('a')).toBe(0)
  expect([addresses.allows(0, 'a'), addresses.allows(2_000, 'a'), addresses.allows(0, 'new')]).toEqual([
    false,
    true,
    true,
  ])
  expect(addresses.take(2_000, 'a')).toBe(true)
  for (let index = 0; index < ADDRESSES_MAX; index++) addresses.take(2_000, `b${index}`)
  expect(taken('a')).toBe(4)
})

test('of too many keys the oldest that is not spoken under goes, and its bytes with it', () => {
  const keys = new KeyRing()
  const [spoken, oldest] = [epochKey(0), epochKey(1)]
  keys.add(spoken)
  keys.speakUnder('e0', 0)
  keys.add(oldest)
  for (let index = 2; index <= KEYS_MAX; index++) keys.add(epochKey(index))
  expect(keys.find(0, 'e1')).toBeUndefined()
  expect(oldest.key).toEqual(new Uint8Array(32))
  expect(keys.find(0, 'e0')).toBe(spoken)
  expect(keys.find(1_000, 'e2')).toBeUndefined()
  keys.speakUnder('e3', 500)
  expect(spoken.expiresMs).toBe(500)
  expect(() => keys.speakUnder('none', 0)).toThrow(RangeError)
})

test('a budget gives its burst, then its rate', () => {
  const budget = new Budget(2, 10)
  expect([budget.take(0), budget.take(0), budget.take(0)]).toEqual([true, true, false])
  expect(budget.nextMs(0)).toBe(100)
  expect([budget.take(99), budget.take(100)]).toEqual([false, true])
})

test('(boot, sequence) only rises', () => {
  const heard = { ...voice(1), boot: 3, sequence: 7 }
  const later = [
    [3, 8],
    [4, 0],
  ] as const
  const earlier = [
    [3, 7],
    [3, 6],
    [2, 900],
  ] as const
  expect(later.map(([boot, sequence]) => isReplay(heard, { boot, sequence }))).toEqual([false, false])
  expect(earlier.map(([boot, sequence]) => isReplay(heard, { boot, sequence }))).toEqual([true, true, true])
  expect(isReplay(undefined, { boot: 0, sequence: 0 })).toBe(false)
})

test('a datagram longer than any is malformed', () => {
  expect(() => decodeDatagram(new Uint8Array(2_000).fill(1))).toThrow(AnchorError)
})

import { encodeUtf8 } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batch } from '../src/batch.ts'
import { createChallenges } from '../src/challenge.ts'
import { withDeadline } from '../src/deadline.ts'
import { GrantTable } from '../src/grants.ts'
import { type Grant, SentryError, type SentryStore, type Session, signGrant, statusOf } from '../src/index.ts'
import {
  BUCKETS_MAX,
  CHALLENGE_LIFE_MS,
  GRANTS_MAX,
  NONCE_KEEP_MAX_MS,
  NONCES_MAX,
  SESSION_LIFE_MS,
  SESSIONS_MAX,
  SIGNATURE_LIFE_MAX_MS,
  SKEW_MS,
  VERIFYING_MAX,
} from '../src/limits.ts'
import { RateTable } from '../src/rate.ts'
import { adminSeed, login, openGate, plain, proofOf, signed, signerOf } from './gate.ts'
import { crypto, random } from './kit.ts'
import { adapters, wallets } from './wallets.ts'

const refused = (code: string) => expect.objectContaining({ detail: expect.objectContaining({ code }) })

test('the limits agree with each other', () => {
  expect(NONCE_KEEP_MAX_MS).toBe(180_000)
  expect(NONCE_KEEP_MAX_MS).toBe(SKEW_MS + SIGNATURE_LIFE_MAX_MS + SKEW_MS)
  expect(SESSION_LIFE_MS).toBe(900_000)
  expect(CHALLENGE_LIFE_MS).toBeGreaterThan(2 * SKEW_MS)
})

describe('rates', () => {
  test('a burst, then so many in a second, whatever the clock does', () => {
    const table = new RateTable({ perSecond: 2, burst: 3 })
    for (let at = 0; at < 3; at++) table.take('a', 1_000)
    expect(() => table.take('a', 1_000)).toThrow(refused('sentry/rate'))
    expect(() => table.take('a', 1_250)).toThrow(
      expect.objectContaining({ detail: { code: 'sentry/rate', retryMs: 250 } }),
    )
    table.take('a', 1_500)
    table.take('b', 1_500)
    expect(() => table.take('a', 0)).toThrow(refused('sentry/rate'))
    expect(() => new RateTable({ perSecond: 0, burst: 1 })).toThrow(RangeError)
  })

  test('never more than the burst and what came back', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom('a', 'b')), { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (gaps, perSecond, burst) => {
        const table = new RateTable({ perSecond, burst })
        const taken = { a: 0, b: 0 }
        let nowMs = 0
        for (const [gapMs, name] of gaps) {
          nowMs += gapMs
          try {
            table.take(name as 'a', nowMs)
            taken[name as 'a'] += 1
          } catch {}
          expect(taken[name as 'a']).toBeLessThanOrEqual(burst + (nowMs * perSecond) / 1_000 + 1e-6)
        }
      }),
    )
  })

  test('the table has an end, and the longest untouched gives way', () => {
    const table = new RateTable({ perSecond: 1, burst: 1 })
    table.take('first', 0)
    for (let at = 0; at < BUCKETS_MAX - 1; at++) table.take(`n${at}`, 0)
    expect(() => table.take('first', 0)).toThrow(refused('sentry/rate'))
    table.take('one more', 0)
    expect(table.size).toBe(BUCKETS_MAX)
    expect(() => table.take('first', 0)).toThrow(refused('sentry/rate'))
    table.take('n0', 0)
    expect(table.size).toBe(BUCKETS_MAX)
  })

  test('of an address, of an identity and of logins, each by itself', async () => {
    const one = { perSecond: 0.001, burst: 2 }
    const of = async (rates: object) => {
      const gate = await openGate({ rates: { ...{ address: many, identity: many, login: many }, ...rates } })
      const statuses = []
      for (const who of ['ann', 'ann', 'ann', 'bob']) {
        const verdict = await gate.sentry.admit(signed(gate, signerOf(who)))
        statuses.push(verdict.kind === 'admitted' ? 200 : verdict.status)
      }
      return { statuses, gate }
    }
    const many = { perSecond: 1e6, burst: 1e6 }
    expect((await of({ identity: one })).statuses).toEqual([200, 200, 429, 200])
    expect((await of({ address: one })).statuses).toEqual([200, 200, 429, 429])
    const { statuses, gate } = await of({ login: one })
    expect(statuses).toEqual([200, 200, 200, 200])
    const challenge = () => gate.sentry.challenge('ton', plain(undefined))
    expect([(await challenge()).kind, (await challenge()).kind]).toEqual(['challenge', 'challenge'])
    expect(await challenge()).toMatchObject({ status: 429 })
    expect(await gate.sentry.login(plain({}))).toMatchObject({ status: 429 })
  })
})

describe('calls that are shared', () => {
  const options = { itemsMax: 3, queueMax: 5, what: 'x', defer: (step: () => void) => void setImmediate(step) }

  test('one at a time, in order, so many at once, so many waiting', async () => {
    const calls: (readonly number[])[] = []
    let under = 0
    const batch = new Batch<number, number>(async (items) => {
      expect(++under).toBe(1)
      calls.push(items)
      await new Promise((resolve) => setTimeout(resolve, 2))
      under -= 1
      return items.map((item) => item * 2)
    }, options)
    const answers = Array.from({ length: 5 }, (_, at) => batch.add(at))
    await expect(batch.add(9)).rejects.toEqual(refused('sentry/busy'))
    expect(await Promise.all(answers)).toEqual([0, 2, 4, 6, 8])
    expect(calls).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
    expect(await batch.add(7)).toBe(14)
  })

  test('one that fails fails those behind it, and the next is tried anew', async () => {
    let fails = true
    const batch = new Batch<number, number>(async (items) => {
      if (fails) throw new Error('gone')
      return items
    }, options)
    const settled = await Promise.allSettled([1, 2, 3, 4].map((item) => batch.add(item)))
    expect(settled.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    fails = false
    expect(await batch.add(1)).toBe(1)
  })

  test('an answer that never comes is a refusal, and so is a fault', async () => {
    const steps: (() => void)[] = []
    const delay = (_: number, step: () => void) => {
      steps.push(step)
      return () => {}
    }
    const never = withDeadline(delay, () => new Promise(() => {}))
    steps[0]!()
    await expect(never).rejects.toEqual(refused('sentry/verifier-timeout'))
    await expect(withDeadline(delay, () => Promise.reject(new Error('x')))).rejects.toEqual(
      refused('sentry/verifier-down'),
    )
    const own = new SentryError({ code: 'sentry/key' })
    await expect(withDeadline(delay, () => Promise.reject(own))).rejects.toBe(own)
    expect(await withDeadline(delay, () => 7)).toBe(7)
    expect(steps).toHaveLength(3)
  })
})

describe('what is full refuses', () => {
  const full = (nonces: number, sessions: number): SentryStore => ({
    useNonces: async (used) => used.map(() => true),
    forgetNonces: async () => nonces,
    look: async (ids) => ({ sessions: ids.map(() => undefined), grants: 0 }),
    addSession: async () => {},
    endSession: async () => false,
    endSessionsOf: async () => 0,
    forgetSessions: async () => sessions,
    grantsFrom: async () => [],
    appendGrant: async () => true,
    close: async () => {},
  })

  test('nonces', async () => {
    const gate = await openGate({ store: full(NONCES_MAX - 1, 0) })
    expect((await gate.sentry.admit(signed(gate, signerOf('ann')))).kind).toBe('admitted')
    expect(await gate.sentry.admit(signed(gate, signerOf('ann')))).toMatchObject({
      status: 503,
      error: refused('sentry/busy'),
    })
  })

  test('sessions', async () => {
    const gate = await openGate({ store: full(0, SESSIONS_MAX - 1) })
    await login(gate, wallets[0]!, 'ann')
    const proof = await proofOf(gate, wallets[0]!, 'bob')
    expect(await gate.sentry.login(plain({ adapter: 'telegram', proof }))).toMatchObject({
      error: refused('sentry/busy'),
    })
  })

  test('logins under way', async () => {
    const silent = { name: 'telegram', verify: () => new Promise<never>(() => {}) }
    const gate = await openGate({ adapters: [silent, ...adapters.slice(1)], store: full(0, 0) })
    const request = plain({ adapter: 'telegram', proof: {} })
    const waiting = Array.from({ length: VERIFYING_MAX }, () => gate.sentry.login(request))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await gate.sentry.login(request)).toMatchObject({ error: refused('sentry/busy') })
    gate.runDelays()
    for (const verdict of await Promise.all(waiting))
      expect(verdict).toMatchObject({ error: refused('sentry/verifier-timeout') })
    const again = gate.sentry.login(request)
    await new Promise((resolve) => setTimeout(resolve, 5))
    gate.runDelays()
    expect(await again).toMatchObject({ error: refused('sentry/verifier-timeout') })
  })

  test('the grant log', async () => {
    const gateway = random(16)
    const what: Grant = { kind: 'grant', id: random(16), subject: 'did:key:a', role: 'auditor' }
    const bytes = signGrant(crypto, adminSeed, { what, gateway, timeMs: 1_000 })
    const table = new GrantTable({ crypto, gateway: random(16), admins: [] })
    const store = { grantsFrom: async (_: number, count: number) => Array(count).fill(bytes) } as unknown as SentryStore
    await table.catchUp(store, GRANTS_MAX)
    expect(table.length).toBe(GRANTS_MAX)
    expect(() => table.check(bytes, 1_000)).toThrow(refused('sentry/busy'))
  })
})

test('a challenge is for its adapter, its gateway and its time', () => {
  const challenges = createChallenges(crypto, random(32), random)
  const { nonce, expiresMs } = challenges.issue('ton', 1_764_000_000_000)
  expect(nonce).toMatch(/^[0-9a-f]{64}$/)
  expect(challenges.check('ton', nonce, expiresMs - 1)).toBe(expiresMs)
  expect(challenges.check('ton', nonce, 1_764_000_000_000 - SKEW_MS)).toBe(expiresMs)
  expect(() => challenges.check('ton', nonce, expiresMs)).toThrow(refused('sentry/challenge'))
  expect(() => challenges.check('ton', nonce, 1_764_000_000_000 - SKEW_MS - 1)).toThrow(refused('sentry/challenge'))
  expect(() => challenges.check('peaq', nonce, expiresMs - 1)).toThrow(refused('sentry/challenge'))
  for (let at = 0; at < 64; at++) {
    const other = nonce.slice(0, at) + (nonce[at] === '0' ? '1' : '0') + nonce.slice(at + 1)
    expect(() => challenges.check('ton', other, expiresMs - 1)).toThrow(refused('sentry/challenge'))
  }
})

test('sessions of the store are not the secrets of their owners', async () => {
  const kept: Session[] = []
  const gate = await openGate()
  const spied = new Proxy(gate.store, {
    get: (target, name: keyof SentryStore) =>
      name === 'addSession'
        ? (session: Session, most: number) => kept.push(session) && target.addSession(session, most)
        : (target[name] as () => unknown).bind(target),
  })
  const { secret } = await login(await gate.another({ store: spied }), wallets[0]!)
  expect(kept).toHaveLength(1)
  expect(Object.keys(kept[0]!).sort()).toEqual(['adapter', 'expiresMs', 'id', 'identity'])
  expect(secret).toHaveLength(32)
  expect(secret).not.toEqual(crypto.hmacSha256(encodeUtf8(''), kept[0]!.id))
})

test('every refusal has a status', () => {
  expect(statusOf({ code: 'sentry/unsigned' })).toBe(401)
  expect(statusOf({ code: 'sentry/denied', action: 'x' })).toBe(403)
  expect(statusOf({ code: 'sentry/grant', what: 'x' })).toBe(400)
  expect(statusOf({ code: 'sentry/body', bytes: 2, bytesMax: 1 })).toBe(413)
  expect(statusOf({ code: 'sentry/rate', retryMs: 1 })).toBe(429)
  expect(statusOf({ code: 'sentry/store', reason: 'x' })).toBe(503)
})

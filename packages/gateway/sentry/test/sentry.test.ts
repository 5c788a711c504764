import { encodeUtf8 } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import {
  type Action,
  type Admitted,
  ANY_ACCOUNT,
  didKey,
  type Grant,
  type Refused,
  type Role,
  signGrant,
} from '../src/index.ts'
import {
  adminSeed,
  type Gate,
  login,
  ORIGIN,
  openGate,
  POST,
  plain,
  proofOf,
  signed,
  signerOf,
  signerOfSession,
} from './gate.ts'
import { crypto, random } from './kit.ts'
import { wallets } from './wallets.ts'

const admin = () => signerOf('an administrator')

async function admitted(gate: Gate, request: Parameters<Gate['sentry']['admit']>[0]): Promise<Admitted> {
  const verdict = await gate.sentry.admit(request)
  if (verdict.kind !== 'admitted') throw verdict.error
  return verdict
}

const refusedWith = (code: string, status: number) =>
  expect.objectContaining({
    kind: 'refused',
    status,
    error: expect.objectContaining({ detail: expect.objectContaining({ code }) }),
  })

let grants = 0
function grantOf(gate: Gate, subject: string, role: Role, more: Partial<Grant> = {}): Grant & { bytes: Uint8Array } {
  const id = crypto.sha256(encodeUtf8(`grant ${grants++}`)).slice(0, 16)
  const what: Grant = { kind: 'grant', id, subject, role, ...more }
  return { ...what, bytes: signGrant(crypto, adminSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs }) }
}

describe('a signed request', () => {
  test('comes through as an envelope, once', async () => {
    const gate = await openGate()
    const ann = signerOf('ann')
    const request = signed(gate, ann, { ...POST, idempotencyKey: 'order-1' })
    const { envelope } = await admitted(gate, request)
    expect(envelope).toEqual({
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
      timeMs: gate.nowMs,
      origin: { ingress: 'none', address: '192.0.2.7' },
      identity: { id: ann.keyid, adapter: 'ed25519' },
      payload: {
        method: 'POST',
        targetUri: `${ORIGIN}/v1/entries`,
        idempotencyKey: 'order-1',
        body: POST.body,
        bodyHash: crypto.sha256(POST.body!),
      },
    })
    expect(await gate.sentry.admit(request)).toEqual(refusedWith('sentry/replayed', 401))
    expect(gate.rejections).toEqual([
      { timeMs: gate.nowMs, adapter: 'ed25519', reason: 'sentry/replayed', requestId: expect.any(String) },
    ])
  })

  test('is taken once by all gateways of a store, at any moment at which it could be, after restarts and sweeps', async () => {
    const gate = await openGate()
    const request = signed(gate, signerOf('ann'))
    const startMs = gate.nowMs
    await admitted(gate, request)
    const other = await gate.another()
    for (let passedMs = -60_000; passedMs <= 240_000; passedMs += 7_500) {
      gate.nowMs = startMs + passedMs
      other.nowMs = gate.nowMs
      for (const each of [gate, other]) {
        expect(await each.sentry.admit(request)).toMatchObject({ kind: 'refused', status: 401 })
        each.runDelays()
      }
    }
    const restarted = await gate.another()
    restarted.nowMs = startMs + 30_000
    expect(await restarted.sentry.admit(request)).toMatchObject({ kind: 'refused', status: 401 })
  })

  test('of many copies at once one comes through', async () => {
    const gate = await openGate()
    const other = await gate.another()
    const request = signed(gate, signerOf('ann'))
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, (_, at) => [gate, other][at % 2]!.sentry.admit(request)),
    )
    expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(1)
  })
})

describe.each(wallets.map((wallet) => [wallet.name, wallet] as const))('a login by %s', (_, wallet) => {
  test('opens a session whose secret signs requests, until it ends', async () => {
    const gate = await openGate()
    const session = await login(gate, wallet)
    expect(session).toMatchObject({ identity: wallet.identity(), expiresMs: gate.nowMs + 900_000 })
    const signer = signerOfSession(session)
    const { envelope } = await admitted(gate, signed(gate, signer))
    expect(envelope.identity).toEqual({ id: wallet.identity(), adapter: wallet.adapter, session: session.id })
    const other = await gate.another()
    await admitted(other, signed(gate, signer))
    gate.nowMs += 899_999
    const { envelope: last } = await admitted(gate, signed(gate, signer))
    gate.nowMs += 1
    expect(await gate.sentry.admit(signed(gate, signer))).toEqual(refusedWith('sentry/session', 401))
    expect(await gate.sentry.openSession(last)).toEqual(refusedWith('sentry/session', 401))
    expect(await gate.sentry.endSession(last)).toBe(true)
    expect(await gate.sentry.endSession(last)).toBe(false)
  })

  test('is good once, here and elsewhere', async () => {
    const gate = await openGate()
    const proof = await proofOf(gate, wallet)
    const request = plain({ adapter: wallet.adapter, proof })
    const other = await gate.another()
    const verdicts = await Promise.all([gate, other, gate, other].map(({ sentry }) => sentry.login(request)))
    expect(verdicts.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
    gate.nowMs += 100_000
    gate.runDelays()
    expect(await gate.sentry.login(request)).toEqual(refusedWith('sentry/replayed', 401))
  })
})

describe('what may be done', () => {
  const roles: readonly (readonly [Role, Partial<Grant>, readonly Action[]])[] = [
    ['owner', { account: 'did:key:shop' }, ['account.read', 'account.export', 'account.erase', 'log.prove']],
    ['app', { account: 'did:key:shop' }, ['entry.create', 'account.read', 'log.prove']],
    ['app', { account: ANY_ACCOUNT }, ['entry.create', 'account.read', 'log.prove']],
    ['auditor', {}, ['account.read', 'log.read', 'log.prove', 'events.read', 'rejections.read', 'grant.read']],
    [
      'operator',
      {},
      ['gateway.backup', 'gateway.anchor', 'gateway.keys', 'metrics.read', 'rejections.read', 'log.prove'],
    ],
    ['admin', {}, ['grant.read', 'grant.write']],
  ]
  const actions = [...new Set(roles.flatMap(([, , allowed]) => allowed))]

  test.each(roles)('%s %j: exactly its actions, from the grant to its end', async (role, more, allowed) => {
    const gate = await openGate()
    const other = await gate.another()
    const ann = signerOf('ann')
    const may = async (each: Gate, account: string | undefined) => {
      const { envelope } = await admitted(each, signed(each, ann))
      return actions.filter((action) => each.sentry.authorise(envelope, action, account) === undefined)
    }
    expect(await may(gate, 'did:key:shop')).toEqual([])
    const grant = grantOf(gate, ann.keyid, role, more)
    const { envelope } = await admitted(gate, signed(gate, admin()))
    expect(await gate.sentry.submitGrant(envelope, grant.bytes)).toMatchObject({ kind: 'granted' })
    const sorted = (some: readonly Action[]) => actions.filter((action) => some.includes(action))
    for (const each of [gate, other]) {
      expect(await may(each, 'did:key:shop')).toEqual(sorted(allowed))
      const elsewhere = await may(each, 'did:key:other')
      expect(elsewhere).toEqual(more.account === 'did:key:shop' ? [] : sorted(allowed))
      expect(await may(each, undefined)).toEqual(more.account === undefined ? sorted(allowed) : [])
      expect(each.sentry.grantsOf(ann.keyid)).toMatchObject([{ role, subject: ann.keyid }])
    }
    const revocation = { kind: 'revocation' as const, id: grant.id }
    const bytes = signGrant(crypto, adminSeed, { what: revocation, gateway: gate.sentry.gateway, timeMs: gate.nowMs })
    await gate.sentry.appendGrant(bytes)
    for (const each of [gate, other, await gate.another()]) expect(await may(each, 'did:key:shop')).toEqual([])
  })

  test('everybody owns the account that has the name of their identity, and no other', async () => {
    const gate = await openGate()
    const ann = signerOf('ann')
    const { envelope } = await admitted(gate, signed(gate, ann))
    const denied = (action: Action, account?: string) => gate.sentry.authorise(envelope, action, account)
    expect(denied('account.read', ann.keyid)).toBeUndefined()
    expect(denied('account.read', signerOf('bob').keyid)).toEqual(refusedWith('sentry/denied', 403))
    expect(denied('account.read')).toEqual(refusedWith('sentry/denied', 403))
    expect(denied('entry.create', ann.keyid)).toEqual(refusedWith('sentry/denied', 403))
    expect(() => gate.sentry.authorise({ ...envelope }, 'account.read', ann.keyid)).toThrow(TypeError)
  })

  test('a grant ends by itself', async () => {
    const gate = await openGate()
    const ann = signerOf('ann')
    await gate.sentry.appendGrant(grantOf(gate, ann.keyid, 'auditor', { untilMs: gate.nowMs + 1_000 }).bytes)
    const { envelope } = await admitted(gate, signed(gate, ann))
    expect(gate.sentry.authorise(envelope, 'log.read')).toBeUndefined()
    gate.nowMs += 1_000
    expect(gate.sentry.authorise(envelope, 'log.read')).toEqual(refusedWith('sentry/denied', 403))
  })

  test('statements that nobody may make are refused and not kept', async () => {
    const gate = await openGate()
    const ann = signerOf('ann').keyid
    const good = grantOf(gate, ann, 'app', { account: 'a' })
    const { bytes: _, ...what } = good
    const annSeed = crypto.sha256(encodeUtf8('ann'))
    const sign = (seed: Uint8Array, more = {}) =>
      signGrant(crypto, seed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs, ...more })
    const tampered = good.bytes.slice()
    tampered[100]! ^= 1
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [sign(annSeed), 'its issuer is no administrator'],
      [sign(adminSeed, { gateway: random(16) }), 'it is for another gateway'],
      [sign(adminSeed, { timeMs: gate.nowMs - 60_001 }), 'its time is not now'],
      [sign(adminSeed, { timeMs: gate.nowMs + 60_001 }), 'its time is not now'],
      [sign(adminSeed, { what: { kind: 'revocation', id: what.id } }), 'there is no such grant'],
      [sign(adminSeed, { what: { ...what, untilMs: gate.nowMs } }), 'it has ended'],
      [tampered, 'its signature does not hold'],
      [good.bytes.slice(0, -1), 'codec/short'],
    ]
    for (const [bytes, why] of cases) {
      await expect(gate.sentry.appendGrant(bytes), why).rejects.toMatchObject({
        detail: { code: 'sentry/grant', what: why },
      })
    }
    await gate.sentry.appendGrant(good.bytes)
    await expect(gate.sentry.appendGrant(good.bytes)).rejects.toMatchObject({ detail: { what: 'its id is taken' } })
    expect((await gate.store.look([])).grants).toBe(1)
  })

  test('an administrator by grant grants, until that is revoked; a root that is taken out voids what it said', async () => {
    const gate = await openGate()
    const bobSeed = crypto.sha256(encodeUtf8('bob'))
    const bob = grantOf(gate, signerOf('bob').keyid, 'admin')
    const byBob = (label: string) => {
      const what: Grant = { kind: 'grant', id: random(16), subject: `did:key:${label}`, role: 'auditor' }
      return signGrant(crypto, bobSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs })
    }
    await gate.sentry.appendGrant(bob.bytes)
    await gate.sentry.appendGrant(byBob('carol'))
    const what = { kind: 'revocation' as const, id: bob.id }
    await gate.sentry.appendGrant(
      signGrant(crypto, adminSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs }),
    )
    await expect(gate.sentry.appendGrant(byBob('dave'))).rejects.toMatchObject({ detail: { code: 'sentry/grant' } })
    expect(gate.sentry.grantsOf('did:key:carol')).toHaveLength(1)
    const without = await gate.another({ admins: [didKey(crypto.publicKey(random(32)))] })
    expect(without.sentry.grantsOf('did:key:carol')).toEqual([])
  })
})

test('a session for who signs with a key; it opens no other', async () => {
  const gate = await openGate()
  const { envelope } = await admitted(gate, signed(gate, signerOf('ann')))
  const session = await gate.sentry.openSession(envelope)
  if (session.kind !== 'opened') throw session.error
  expect(session.identity).toBe(signerOf('ann').keyid)
  const { envelope: second } = await admitted(gate, signed(gate, signerOfSession(session)))
  expect(await gate.sentry.openSession(second)).toEqual(refusedWith('sentry/session', 401))
  expect(await gate.sentry.endSessionsOf(session.identity)).toBe(1)
  expect(await gate.sentry.admit(signed(gate, signerOfSession(session)))).toEqual(refusedWith('sentry/session', 401))
})

test('closed, it refuses all', async () => {
  const gate = await openGate()
  const request = signed(gate, signerOf('ann'))
  gate.sentry.close()
  expect(await gate.sentry.admit(request)).toEqual(refusedWith('sentry/closed', 503))
  expect(await gate.sentry.login(plain({}))).toEqual(refusedWith('sentry/closed', 503))
  expect((await gate.sentry.challenge('ton', plain(undefined))) as Refused).toEqual(refusedWith('sentry/closed', 503))
})

import { encodeUtf8 } from '@nexus/codec'
import { describe, expect, test, vi } from 'vitest'
import { type RedeemTicket, type Role, SentryError, type SentryRequest, signGrant } from '../src/index.ts'
import { adminSeed, type Gate, login, NO_RATES, ORIGIN, openGate, signed, signerOfSession } from './gate.ts'
import { crypto, random } from './kit.ts'
import { wallets } from './wallets.ts'

const request: SentryRequest = {
  method: 'GET',
  targetUri: `${ORIGIN}/v1/events?ticket=x`,
  headers: [],
  body: new Uint8Array(0),
  remoteAddress: '192.0.2.7',
}

const refusedWith = (code: string) =>
  expect.objectContaining({
    kind: 'refused',
    error: expect.objectContaining({ detail: expect.objectContaining({ code }) }),
  })

async function grant(gate: Gate, subject: string, role: Role): Promise<Uint8Array> {
  const id = random(16)
  const what = { kind: 'grant' as const, id, subject, role }
  await gate.sentry.appendGrant(
    signGrant(crypto, adminSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs }),
  )
  return id
}

function revoke(gate: Gate, id: Uint8Array): Promise<unknown> {
  const what = { kind: 'revocation' as const, id }
  return gate.sentry.appendGrant(
    signGrant(crypto, adminSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs }),
  )
}

const ticketOf =
  (gate: Gate, id: string, label: string, session?: Uint8Array): RedeemTicket =>
  () => ({
    identity: { id, adapter: 'ticket', ...(session && { session }) },
    once: { hash: crypto.sha256(encodeUtf8(label)).slice(0, 16), untilMs: gate.nowMs + 30_000 },
  })

const noTicket: RedeemTicket = () => {
  throw new SentryError({ code: 'sentry/ticket', what: 'it is none' })
}

describe('a ticket', () => {
  test('is taken once by all gateways of a store, and only of who may', async () => {
    const gate = await openGate()
    const other = await gate.another()
    await grant(gate, 'did:example:ann', 'auditor')
    const ann = ticketOf(gate, 'did:example:ann', '1')
    expect(await gate.sentry.admitTicket(request, 'events.read', ann)).toEqual({
      kind: 'ticket',
      identity: { id: 'did:example:ann', adapter: 'ticket' },
    })
    expect(await other.sentry.admitTicket(request, 'events.read', ann)).toEqual(refusedWith('sentry/replayed'))
    const bob = ticketOf(gate, 'did:example:bob', '2')
    expect(await gate.sentry.admitTicket(request, 'events.read', bob)).toEqual(refusedWith('sentry/denied'))
    gate.sentry.close()
    const late = ticketOf(gate, 'did:example:ann', '3')
    expect(await gate.sentry.admitTicket(request, 'events.read', late)).toEqual(refusedWith('sentry/closed'))
  })

  test('goes through the ingress', async () => {
    const ingress = {
      name: 'closed',
      admit: () => {
        throw new SentryError({ code: 'sentry/ingress', what: 'peer' })
      },
    }
    const gate = await openGate({ ingress })
    let read = 0
    const redeem: RedeemTicket = () => {
      read++
      return ticketOf(gate, 'did:example:ann', '1')(gate.nowMs)
    }
    expect(await gate.sentry.admitTicket(request, 'events.read', redeem)).toEqual(refusedWith('sentry/ingress'))
    expect(read).toBe(0)
  })

  test('that is none meets the rate of its address, and is counted', async () => {
    const gate = await openGate({ rates: { ...NO_RATES, address: { perSecond: 1, burst: 2 } } })
    for (const code of ['sentry/ticket', 'sentry/ticket', 'sentry/rate']) {
      expect(await gate.sentry.admitTicket(request, 'events.read', noTicket)).toEqual(refusedWith(code))
    }
    expect(gate.sentry.rejections()).toEqual([
      { adapter: 'ticket', reason: 'sentry/ticket', count: 2 },
      { adapter: 'none', reason: 'sentry/rate', count: 1 },
    ])
  })

  test('is refused where the store is silent', async () => {
    const gate = await openGate()
    await grant(gate, 'did:example:ann', 'auditor')
    vi.spyOn(gate.store, 'useNonces').mockReturnValue(new Promise(() => {}))
    const asked = gate.sentry.admitTicket(request, 'events.read', ticketOf(gate, 'did:example:ann', '1'))
    const ended = setInterval(() => gate.runDelays(), 5)
    expect(await asked).toEqual(refusedWith('sentry/verifier-timeout'))
    clearInterval(ended)
  })

  test('sees what another gateway revoked', async () => {
    const gate = await openGate()
    const other = await gate.another()
    const id = await grant(gate, 'did:example:ann', 'auditor')
    const ann = { id: 'did:example:ann', adapter: 'ticket' }
    expect(await gate.sentry.mayStill(ann, 'events.read')).toBe(true)
    await revoke(other, id)
    expect(await gate.sentry.mayStill(ann, 'events.read')).toBe(false)
    const asked = gate.sentry.admitTicket(request, 'events.read', ticketOf(gate, ann.id, '1'))
    expect(await asked).toEqual(refusedWith('sentry/denied'))
  })

  test('of a session is over with it', async () => {
    const gate = await openGate()
    const other = await gate.another()
    const [wallet] = wallets
    for (const end of ['its time', 'its owner']) {
      const session = await login(gate, wallet!, `ann ${end}`)
      await grant(gate, session.identity, 'auditor')
      const identity = { id: session.identity, adapter: 'ticket', session: session.id }
      expect(await gate.sentry.mayStill(identity, 'events.read')).toBe(true)
      if (end === 'its time') gate.nowMs = session.expiresMs
      else {
        const verdict = await other.sentry.admit(signed(other, signerOfSession(session)))
        if (verdict.kind !== 'admitted') throw verdict.error
        expect(await other.sentry.endSession(verdict.envelope)).toBe(true)
      }
      expect(await gate.sentry.mayStill(identity, 'events.read')).toBe(false)
      const asked = gate.sentry.admitTicket(request, 'events.read', ticketOf(gate, session.identity, end, session.id))
      expect(await asked).toEqual(refusedWith('sentry/session'))
      other.nowMs = gate.nowMs
    }
  })
})

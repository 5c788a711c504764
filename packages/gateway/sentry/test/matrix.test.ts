import { encodeUtf8, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { type RequestSigner, type SignableRequest, sessionSigner } from '../src/client.ts'
import {
  type Action,
  ANY_ACCOUNT,
  type Grant,
  type IdentityAdapter,
  ROLES,
  type Role,
  type SentryRequest,
  type SentryStore,
  signGrant,
} from '../src/index.ts'
import {
  adminSeed,
  type Gate,
  login,
  ORIGIN,
  openGate,
  plain,
  proofOf,
  signed,
  signerOf,
  signerOfSession,
} from './gate.ts'
import { crypto, random } from './kit.ts'
import { adapters, type Wallet, wallets } from './wallets.ts'

/**
 * Acceptance: each way to be somebody × each condition × each role and route. A stand-in for the ledger counts what gets
 * through; everything but what is valid and granted must be refused and leave ledger, grants and sessions as they were.
 */
const ACTIONS = [...new Set(Object.values(ROLES).flatMap(({ actions }) => actions))]
const ACCOUNT = 'did:key:shop'
const PER_ACCOUNT: ReadonlySet<Action> = new Set([
  'account.erase',
  'account.export',
  'account.read',
  'entry.create',
  'log.prove',
])
const holders: readonly (Role | 'nobody')[] = ['nobody', 'owner', 'app', 'auditor', 'operator', 'admin']

interface Route extends SignableRequest {
  readonly action: Action
}

const routes = ACTIONS.map((action): Route => {
  const writes = !action.endsWith('.read') && action !== 'log.prove'
  const url = `${ORIGIN}/v1/${action.replace('.', '/')}`
  return {
    action,
    method: writes ? 'POST' : 'GET',
    url,
    ...(writes && { body: encodeUtf8(`{"account":"${ACCOUNT}"}`) }),
  }
})

/** What the gateway's server does with a request; the ledger is what it would have written. */
async function serve(gate: Gate, ledger: string[], { action }: Route, request: SentryRequest): Promise<number> {
  const verdict = await gate.sentry.admit(request)
  if (verdict.kind === 'refused') return verdict.status
  const denied = gate.sentry.authorise(verdict.envelope, action, PER_ACCOUNT.has(action) ? ACCOUNT : undefined)
  if (denied !== undefined) return denied.status
  ledger.push(`${verdict.envelope.identity.id} ${action}`)
  return 200
}

async function hold(gate: Gate, subject: string, role: Role | 'nobody'): Promise<void> {
  if (role === 'nobody') return
  const account = ROLES[role].perAccount ? { account: role === 'app' ? ANY_ACCOUNT : ACCOUNT } : {}
  const what: Grant = { kind: 'grant', id: random(16), subject, role, ...account }
  await gate.sentry.appendGrant(
    signGrant(crypto, adminSeed, { what, gateway: gate.sentry.gateway, timeMs: gate.nowMs }),
  )
}

type Condition = (gate: Gate, signer: RequestSigner, route: Route) => Promise<readonly SentryRequest[]>

const tamper =
  (change: (request: SentryRequest) => SentryRequest): Condition =>
  async (gate, signer, route) => [change(signed(gate, signer, route))]
const header = (
  request: SentryRequest,
  name: string,
  change: (value: string) => string | undefined,
): SentryRequest => ({
  ...request,
  headers: [...request.headers].flatMap(([key, value]) => {
    const changed = key === name ? change(value) : value
    return changed === undefined ? [] : [[key, changed] as const]
  }),
})

/** Requests that must all be refused, whoever signs them, with any role and on any route. */
const conditions: Readonly<Record<string, Condition>> = {
  expired: async (gate, signer, route) => [signed({ nowMs: gate.nowMs - 121_000 }, signer, route)],
  'of the future': async (gate, signer, route) => [signed({ nowMs: gate.nowMs + 62_000 }, signer, route)],
  'tampered method': tamper((request) => ({ ...request, method: request.method === 'GET' ? 'HEAD' : 'PUT' })),
  'tampered target': tamper((request) => ({ ...request, targetUri: `${request.targetUri}?admin=1` })),
  'tampered body': async (gate, signer, route) =>
    route.method === 'GET'
      ? [{ ...signed(gate, signer, route), body: Uint8Array.of(1) }]
      : [{ ...signed(gate, signer, route), body: encodeUtf8('{"account":"did:key:eve"}') }],
  'another origin': tamper((request) => ({
    ...request,
    targetUri: request.targetUri.replace('gateway.', 'gateway2.'),
  })),
  'tampered created': tamper((request) =>
    header(request, 'signature-input', (value) =>
      value.replace(/created=\d+/, (now) => `created=${Number(now.slice(8)) - 1}`),
    ),
  ),
  'tampered nonce': tamper((request) =>
    header(request, 'signature-input', (value) => value.replace(/nonce="../, 'nonce="zz')),
  ),
  'uncovered target': tamper((request) =>
    header(request, 'signature-input', (value) => value.replace(' "@target-uri"', '')),
  ),
  'tampered signature': tamper((request) =>
    header(request, 'signature', (value) => value.replace(/:[^:]/, (start) => (start === ':A' ? ':B' : ':A'))),
  ),
  'no signature': tamper((request) => header(request, 'signature', () => undefined)),
  'wrong key': async (gate, signer, route) => {
    const other = crypto.sha256(encodeUtf8('somebody else'))
    const sign = (base: Uint8Array) =>
      signer.alg === 'ed25519' ? crypto.signHttp(other, base) : crypto.hmacSha256(other, base)
    return [signed(gate, { ...signer, sign }, route)]
  },
  'another algorithm': async (gate, signer, route) => {
    const alg = signer.alg === 'ed25519' ? 'hmac-sha256' : 'ed25519'
    const sign = (base: Uint8Array) =>
      alg === 'ed25519' ? crypto.signHttp(adminSeed, base) : crypto.hmacSha256(adminSeed, base)
    return [signed(gate, { ...signer, alg, sign }, route)]
  },
  'key of no kind': async (gate, signer, route) => [signed(gate, { ...signer, keyid: 'admin' }, route)],
  'session of nobody': async (gate, _, route) => [
    signed(gate, sessionSigner(crypto, { id: random(16), secret: random(32) }), route),
  ],
  malformed: async (gate, signer, route) => {
    const request = signed(gate, signer, route)
    const inputs = ['', '(', 'a=()', 'a=1;tag="nexus-gateway/1"', 'a=("@method");tag="nexus-gateway/1"', '\u0000']
    return [
      ...inputs.map((value) => header(request, 'signature-input', () => value)),
      header(request, 'signature', () => 'a=b'),
      { ...request, method: 'post' },
      { ...request, targetUri: 'about:blank' },
      { ...request, remoteAddress: 'nowhere' },
    ]
  },
}

const signers: readonly (readonly [string, (gate: Gate, who: string) => Promise<readonly [string, RequestSigner]>])[] =
  [
    ['a key of its own', async (_, who) => [signerOf(who).keyid, signerOf(who)]],
    ...wallets.map(
      (wallet) =>
        [
          `a session of ${wallet.name}`,
          async (gate: Gate, who: string) => {
            const session = await login(gate, wallet, who)
            return [session.identity, signerOfSession(session)] as const
          },
        ] as const,
    ),
  ]

test.each(signers)('requests signed by %s: valid and granted passes once, and nothing else', async (_, signerOn) => {
  const gate = await openGate()
  for (const role of holders) {
    const [identity, signer] = await signerOn(gate, role)
    await hold(gate, identity, role)
    const ledger: string[] = []
    const state = await gate.store.look([])
    for (const route of routes) {
      for (const [name, condition] of Object.entries(conditions)) {
        const verdicts = (await condition(gate, signer, route)).map((request) => serve(gate, ledger, route, request))
        for (const status of await Promise.all(verdicts)) expect(status, `${role}, ${name}, ${route.action}`).toBe(401)
      }
    }
    expect(ledger).toEqual([])
    const allowed = routes.filter(({ action }) => role !== 'nobody' && ROLES[role].actions.includes(action))
    for (const route of routes) {
      const request = signed(gate, signer, route)
      expect(await serve(gate, ledger, route, request), `${role}, ${route.action}`).toBe(
        allowed.includes(route) ? 200 : 403,
      )
      expect(await serve(gate, ledger, route, request), `${role}, replayed ${route.action}`).toBe(401)
    }
    expect(ledger).toEqual(allowed.map(({ action }) => `${identity} ${action}`))
    expect(await gate.store.look([])).toEqual(state)
  }
})

describe('when the store', () => {
  const broken: Readonly<Record<string, Partial<SentryStore>>> = {
    'is down': {
      useNonces: () => Promise.reject(new Error('gone')),
      look: () => Promise.reject(new Error('gone')),
    },
    'does not answer about sessions': { look: () => new Promise(() => {}) },
    'does not answer about nonces': { useNonces: () => new Promise(() => {}) },
    'loses its grants': { look: async (ids) => ({ sessions: ids.map(() => undefined), grants: 7 }) },
  }
  test.each(Object.entries(broken))('%s, nobody comes in', async (_, faults) => {
    const gate = await openGate()
    const session = await login(gate, wallets[0]!)
    let down = false
    const store = new Proxy(gate.store, {
      get(target, name: keyof SentryStore) {
        const method = (down && faults[name]) || target[name]
        return (method as (...args: unknown[]) => unknown).bind(target)
      },
    })
    const other = await gate.another({ store })
    down = true
    for (const signer of [signerOf('ann'), signerOfSession(session)]) {
      const verdict = other.sentry.admit(signed(gate, signer))
      await settle(other, verdict)
      expect(['refused']).toContain((await verdict).kind)
    }
    down = false
    expect((await other.sentry.admit(signed(gate, signerOfSession(session)))).kind).toBe('admitted')
  })
})

describe.each(wallets.map((wallet) => [wallet.name, wallet] as const))('a login by %s', (_, wallet) => {
  const refusedLogins: Readonly<Record<string, (gate: Gate) => Promise<unknown>>> = {
    expired: async (gate) => wallet.prove(await challenged(gate, wallet, gate.nowMs - 400_000)),
    'of the future': async (gate) => wallet.prove(await challenged(gate, wallet, gate.nowMs + 400_000)),
    tampered: async (gate) => tamperDeep(await proofOf(gate, wallet)),
    'wrong key': async (gate) => wallet.steal((await proofOf(gate, wallet)) as never, 'bob'),
    malformed: async () => ({ message: 'let me in', signature: '0x' }),
  }
  test('that is not valid opens nothing', async () => {
    const gate = await openGate()
    for (const [name, proofOn] of Object.entries(refusedLogins)) {
      const proof = await proofOn(gate)
      const verdict = await gate.sentry.login(plain({ adapter: wallet.adapter, proof }))
      expect(verdict, name).toMatchObject({ kind: 'refused', status: 401 })
      expect(gate.rejections.at(-1)!.reason, name).toMatch(/^sentry\/(login|challenge)/)
    }
    expect(await gate.store.forgetSessions(0)).toBe(0)
  })

  test('the answer to a challenge of nobody, of another gateway or another adapter opens nothing', async () => {
    if (wallet.adapter === 'telegram') return
    const gate = await openGate()
    const elsewhere = await openGate({ seed: random(32) })
    const foreign = await challenged(elsewhere, wallet, gate.nowMs)
    const other = wallet.adapter === 'ton' ? 'peaq' : 'ton'
    const crossed = await gate.sentry.challenge(other, plain(undefined))
    if (crossed.kind !== 'challenge') throw crossed.error
    for (const nonce of [foreign.nonce, crossed.nonce, toHex(random(32)), 'a'.repeat(20)]) {
      const proof = await wallet.prove({ nonce, nowMs: gate.nowMs })
      expect(await gate.sentry.login(plain({ adapter: wallet.adapter, proof }))).toMatchObject({ status: 401 })
      expect(gate.rejections.at(-1)!.reason).toBe('sentry/challenge')
    }
    expect(await gate.store.forgetSessions(0)).toBe(0)
  })

  const verifiers: Readonly<Record<string, readonly [IdentityAdapter['verify'], string]>> = {
    'down, at once': [
      () => {
        throw new Error('no route to host')
      },
      'sentry/verifier-down',
    ],
    'down, after a while': [() => Promise.reject(new TypeError('fetch failed')), 'sentry/verifier-down'],
    'timing out': [() => new Promise(() => {}), 'sentry/verifier-timeout'],
  }
  test('whose verifier is down or silent opens nothing, and no other adapter steps in', async () => {
    const sound = await openGate()
    for (const [name, [verify, code]] of Object.entries(verifiers)) {
      const gate = await sound.another({
        adapters: adapters.map((adapter) =>
          adapter.name === wallet.adapter ? { name: adapter.name, verify } : adapter,
        ),
      })
      const proof = await proofOf(gate, wallet)
      const verdict = gate.sentry.login(plain({ adapter: wallet.adapter, proof }))
      await settle(gate, verdict)
      expect(await verdict, name).toMatchObject({ kind: 'refused', status: 503, error: { detail: { code } } })
      expect(gate.rejections.at(-1)).toEqual({
        timeMs: gate.nowMs,
        adapter: wallet.adapter,
        reason: code,
        requestId: expect.any(String),
      })
    }
    expect(await sound.store.forgetSessions(0)).toBe(0)
  })
})

test('an adapter that is not configured, a login that is none, and one that is too long', async () => {
  const gate = await openGate({ adapters: [] })
  expect(await gate.sentry.challenge('ton', plain(undefined))).toMatchObject({ status: 401 })
  const bodies = [
    { adapter: 'ton', proof: {} },
    {},
    [],
    null,
    { adapter: 1, proof: 1 },
    { adapter: 'ton', proof: 1, more: 1 },
  ]
  for (const body of bodies) expect(await gate.sentry.login(plain(body))).toMatchObject({ status: 401 })
  expect(await gate.sentry.login(plain({ adapter: 'x'.repeat(20_000) }))).toMatchObject({ status: 413 })
})

test('what is told of a refusal holds nothing of the request', async () => {
  const gate = await openGate()
  const session = await login(gate, wallets[2]!)
  const request = header(signed(gate, signerOfSession(session)), 'signature', () => 'nexus=:c2VjcmV0:')
  await gate.sentry.admit(request)
  const told = JSON.stringify([gate.rejections, gate.sentry.rejections()])
  for (const secret of [toHex(session.secret), toHex(session.id), session.identity, 'c2VjcmV0', '192.0.2.7']) {
    expect(told).not.toContain(secret)
  }
  expect(gate.sentry.rejections()).toEqual([{ adapter: 'session', reason: 'sentry/signature', count: 1 }])
})

/** Time passes for all that waits, once it waits. */
async function settle(gate: Gate, verdict: Promise<unknown>): Promise<void> {
  let done = false
  void verdict.finally(() => {
    done = true
  })
  for (let turn = 0; turn < 50 && !done; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    gate.runDelays()
  }
}

async function challenged(gate: Gate, wallet: Wallet, nowMs: number): Promise<{ nonce: string; nowMs: number }> {
  const challenge = await gate.sentry.challenge(wallet.adapter, plain(undefined))
  if (challenge.kind !== 'challenge') throw challenge.error
  return { nonce: challenge.nonce, nowMs }
}

function tamperDeep(proof: unknown): unknown {
  return JSON.parse(JSON.stringify(proof).replace(/[0-9](?=[^0-9]*$)/, (digit) => String((Number(digit) + 1) % 10)))
}

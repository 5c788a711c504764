import { join } from 'node:path'
import { encodeUtf8 } from '@nexus/codec'
import { onTestFinished } from 'vitest'
import { ed25519Signer, type RequestSigner, type SignableRequest, sessionSigner, signRequest } from '../src/client.ts'
import {
  didKey,
  directIngress,
  type OpenedSession,
  openSentry,
  type Rejection,
  type Sentry,
  type SentryOptions,
  type SentryPorts,
  type SentryRequest,
  type SentryStore,
} from '../src/index.ts'
import { openSqliteSentryStore } from '../src/sqlite.ts'
import { crypto, folder, random, seed } from './kit.ts'
import { adapters, type Wallet } from './wallets.ts'

export const ORIGIN = 'https://gateway.example'
export const adminSeed = crypto.sha256(encodeUtf8('an administrator'))

/** Any rate: what is not about rates must not meet one. */
const boundless = { perSecond: 1e9, burst: 1e9 }
export const NO_RATES = { address: boundless, identity: boundless, login: boundless }

/** A sentry with a clock that the test sets. */
export interface Gate {
  readonly sentry: Sentry
  readonly store: SentryStore
  readonly rejections: Rejection[]
  nowMs: number
  /** Ends all that waits for a delay now. */
  runDelays(): void
  /** Another one on the same store, as another process or one after a restart would be. */
  another(options?: Partial<SentryOptions>): Promise<Gate>
}

export async function openGate(options: Partial<SentryOptions> = {}): Promise<Gate> {
  const store = options.store ?? openSqliteSentryStore({ path: join(folder(), 'sentry.db') })
  if (options.store === undefined) onTestFinished(() => store.close())
  const delays = new Set<() => void>()
  const rejections: Rejection[] = []
  const gate = { nowMs: Date.parse('2026-11-24T12:00:00.500Z') }
  const ports: SentryPorts = {
    crypto,
    random,
    now: () => gate.nowMs,
    delay(_, step) {
      delays.add(step)
      return () => delays.delete(step)
    },
    defer: setImmediate,
  }
  const all: SentryOptions = {
    origin: ORIGIN,
    seed,
    ingress: directIngress(),
    admins: [didKey(crypto.publicKey(adminSeed))],
    adapters,
    rates: NO_RATES,
    onRejection: (rejection) => rejections.push(rejection),
    ...options,
    store,
  }
  const sentry = await openSentry(all, ports)
  return Object.assign(gate, {
    sentry,
    store,
    rejections,
    runDelays: () => {
      for (const step of [...delays]) {
        delays.delete(step)
        step()
      }
    },
    another: (more: Partial<SentryOptions> = {}) => openGate({ ...options, store, ...more }),
  })
}

/** A request as the gateway's server would hand it over. */
export function sent(signed: ReturnType<typeof signRequest>, remoteAddress = '192.0.2.7'): SentryRequest {
  const { method, headers, body } = signed.init
  return {
    method,
    targetUri: signed.url,
    headers: Object.entries(headers),
    body: body ?? new Uint8Array(0),
    remoteAddress,
  }
}

let serial = 0

export const POST: SignableRequest = {
  method: 'POST',
  url: `${ORIGIN}/v1/entries`,
  body: encodeUtf8('{"amount":"1005"}'),
}

/** A signed request. */
export function signed(
  gate: { readonly nowMs: number },
  signer: RequestSigner,
  request: SignableRequest = POST,
): SentryRequest {
  const safe = request.method === 'GET' || request.method === 'HEAD'
  const asked = safe ? request : { idempotencyKey: `key-${serial++}`, ...request }
  return sent(signRequest(crypto, signer, asked, { nowMs: gate.nowMs, random }))
}

export const signerOf = (label: string): RequestSigner => ed25519Signer(crypto, crypto.sha256(encodeUtf8(label)))

/** A request without a signature, as logins are. */
export function plain(body: unknown, path = '/v1/sessions'): SentryRequest {
  const bytes = body === undefined ? new Uint8Array(0) : encodeUtf8(JSON.stringify(body))
  return { method: 'POST', targetUri: ORIGIN + path, headers: [], body: bytes, remoteAddress: '192.0.2.7' }
}

/** A proof for a challenge of the gate. */
export async function proofOf(gate: Gate, wallet: Wallet, who?: string): Promise<unknown> {
  const challenge = await gate.sentry.challenge(wallet.adapter, plain(undefined))
  if (challenge.kind !== 'challenge') throw challenge.error
  return wallet.prove({ nonce: challenge.nonce, nowMs: gate.nowMs, ...(who !== undefined && { who }) })
}

export async function login(gate: Gate, wallet: Wallet, who?: string): Promise<OpenedSession> {
  const proof = await proofOf(gate, wallet, who)
  const opened = await gate.sentry.login(plain({ adapter: wallet.adapter, proof }))
  if (opened.kind !== 'opened') throw opened.error
  return opened
}

export const signerOfSession = (session: OpenedSession): RequestSigner => sessionSigner(crypto, session)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeUtf8, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import type { Role } from '@nexus/sentry'
import { type RequestSigner, sessionSigner, signRequest } from '@nexus/sentry/client'
import { onTestFinished } from 'vitest'
import { crypto, ORIGIN, openTestGateway, signerOf, statementOf } from './keys.ts'

export { crypto, didOf, ORIGIN, openTestGateway, seedOf, signerOf, statementOf } from './keys.ts'

/** A folder that goes with its test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-gateway-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface Asking {
  readonly json?: unknown
  /** In place of JSON. */
  readonly body?: string | Uint8Array
  readonly key?: string
  readonly headers?: Record<string, string>
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
  readonly json: any
}

/** A gateway on real sockets, with somebody for each role. */
export async function testGateway(stateDir = folder(), overrides: object = {}) {
  const gateway = await openTestGateway(stateDir, overrides)
  onTestFinished(() => gateway.close())
  const url = `http://127.0.0.1:${gateway.address.port}`
  const ops = `http://127.0.0.1:${gateway.opsAddress.port}`
  const ask = (who: string | RequestSigner, method: string, path: string, asking: Asking = {}): Promise<Answered> =>
    askAs(url, typeof who === 'string' ? signerOf(who) : who, method, path, asking)
  const grant = async (who: string, role: Role, account?: string): Promise<Uint8Array> => {
    const id = systemRandom(16)
    await gateway.services.sentry.appendGrant(statementOf(who, role, account, id))
    return id
  }
  await grant('app', 'app', '*')
  await grant('auditor', 'auditor')
  await grant('operator', 'operator')
  return { gateway, url, ops, ask, grant, stateDir }
}

/** Signs and sends a request. */
export async function askAs(
  url: string,
  signer: RequestSigner,
  method: string,
  path: string,
  { json, body, key = toHex(systemRandom(8)), headers = {} }: Asking = {},
): Promise<Answered> {
  const bytes =
    typeof body === 'string'
      ? encodeUtf8(body)
      : (body ?? (json === undefined ? undefined : encodeUtf8(JSON.stringify(json))))
  const { init } = signRequest(
    crypto,
    signer,
    {
      method,
      url: ORIGIN + path,
      ...(bytes && { body: bytes, headers: { 'content-type': 'application/json', ...headers } }),
      ...(method !== 'GET' && { idempotencyKey: key }),
    },
    { nowMs: Date.now(), random: systemRandom },
  )
  const signed = bytes ? init : { ...init, headers: { ...init.headers, ...headers } }
  return read(await fetch(url + path, signed))
}

export async function read(answer: Response): Promise<Answered> {
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, json: text === '' ? undefined : JSON.parse(text) }
}

export { sessionSigner, systemRandom }

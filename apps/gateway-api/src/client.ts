import { toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { type RequestSigner, signRequest } from '@nexus/sentry/client'
import type { ExitName } from './cli/exit-codes.ts'
import { CommandFailure } from './cli/failure.ts'
import type { Problem } from './http/problem.ts'

/** Speaks to a gateway with one key. */
export interface GatewayClient {
  /** @throws {CommandFailure} for anything but success */
  get<T>(path: string): Promise<T>
  post<T>(path: string, json: unknown, idempotencyKey?: string): Promise<T>
  delete<T>(path: string): Promise<T>
}

export interface ClientOptions {
  readonly crypto: Crypto
  readonly signer: RequestSigner
  /** Public origin of the gateway: what is signed. */
  readonly origin: string
  /** Where to connect, if not to the origin. */
  readonly connect?: string
}

const ANSWER_MS_MAX = 30_000

export function createClient({ crypto, signer, origin, connect = origin }: ClientOptions): GatewayClient {
  const ask = async <T>(method: string, path: string, json?: unknown, idempotencyKey?: string): Promise<T> => {
    const body = json === undefined ? undefined : new TextEncoder().encode(JSON.stringify(json))
    const { init } = signRequest(
      crypto,
      signer,
      {
        method,
        url: origin + path,
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
        ...(method !== 'GET' && { idempotencyKey: idempotencyKey ?? toHex(systemRandom(16)) }),
      },
      { nowMs: Date.now(), random: systemRandom },
    )
    const answer = await reach(connect + path, init)
    const text = await answer.text()
    if (answer.ok) return JSON.parse(text) as T
    throw failureOfAnswer(answer.status, text)
  }
  return {
    get: (path) => ask('GET', path),
    post: (path, json, key) => ask('POST', path, json, key),
    delete: (path) => ask('DELETE', path),
  }
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  } catch (cause) {
    const message = `no gateway answers at ${new URL(url).origin}`
    const next = 'start one with nexus-gateway up, or name its origin with --gateway'
    throw new CommandFailure({ exit: 'noGateway', code: 'no-gateway', message, next }, { cause })
  }
}

function failureOfAnswer(status: number, text: string): CommandFailure {
  let problem: Partial<Problem> = {}
  try {
    problem = JSON.parse(text) as Problem
  } catch {
    // What stands before the gateway answers in its own way.
  }
  const { code = `http/${status}`, detail = `the gateway answered ${status}` } = problem
  const exit: ExitName = status === 404 ? 'notFound' : status < 500 ? 'refused' : 'failed'
  return new CommandFailure({ exit, code, message: detail })
}

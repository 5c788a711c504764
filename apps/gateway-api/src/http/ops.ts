import { createServer, type Server } from 'node:http'
import { toHex } from '@nexus/codec'
import { VERSION } from '../version.ts'
import type { Metrics } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import type { Services } from './route.ts'
import { totalsJson } from './schemas.ts'

/** How long a question of readiness waits for the database. */
const READY_MS_MAX = 2_000

export interface OpsOptions {
  readonly services: Services
  readonly metrics: Metrics
  /** Whether the gateway takes requests: not while it starts, and not once it has begun to end. */
  readonly isOpen: () => boolean
}

/** For who looks after the gateway on its own machine: health, readiness, metrics, the API's description. */
export function createOps({ services, metrics, isOpen }: OpsOptions): Server {
  const pages: Readonly<Record<string, () => Promise<[status: number, type: string, text: string]>>> = {
    '/healthz': async () => [200, 'application/json', '{"status":"ok"}'],
    '/readyz': async () => {
      const why = isOpen() ? await unreadyBecause(services) : 'starting or ending'
      const status = why === undefined ? { status: 'ready' } : { status: 'unready', why }
      return [why === undefined ? 200 : 503, 'application/json', JSON.stringify(status)]
    },
    '/status': async () => [200, 'application/json', JSON.stringify(await statusOf(services))],
    '/metrics': async () => [200, 'text/plain; version=0.0.4; charset=utf-8', await metrics.expose(services)],
    '/openapi.json': async () => [200, 'application/json', JSON.stringify(openApiDocument(services.sentry.origin))],
  }
  return createServer({ maxHeaderSize: 8_192, requestTimeout: 5_000 }, async (request, response) => {
    const page = pages[request.url ?? '']
    // A page in a browser on this machine must not read them by a name that it made point here.
    const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')
    if (page === undefined || request.method !== 'GET' || !isLocal) {
      response.writeHead(isLocal ? 404 : 403).end()
      return
    }
    const [status, type, text] = await page().catch((error: Error): [number, string, string] => [
      503,
      'application/json',
      JSON.stringify({ status: 'unready', why: error.message }),
    ])
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
  })
}

/** What `nexus-gateway status` shows. */
async function statusOf({ vault, sentry, streams, anchorer }: Services): Promise<GatewayStatus> {
  const [head, totals] = await Promise.all([vault.head(), vault.totals()])
  return {
    schema: 'nexus-gateway-status/1',
    version: VERSION,
    pid: process.pid,
    origin: sentry.origin,
    publicKey: toHex(vault.publicKey),
    logId: toHex(vault.logId),
    root: head === undefined ? null : toHex(head.root),
    totals: totalsJson(totals),
    waiting: vault.waiting,
    streams: streams.count,
    rejections: sentry.rejections().reduce((sum, { count }) => sum + count, 0),
    chains: (anchorer?.status() ?? []).map(({ chain, newest, waiting, fault }) => ({
      chain,
      anchored: newest?.head.size ?? null,
      waiting: waiting?.size ?? null,
      fault: fault ?? null,
    })),
  }
}

export interface GatewayStatus {
  readonly schema: 'nexus-gateway-status/1'
  readonly version: string
  readonly pid: number
  readonly origin: string
  readonly publicKey: string
  readonly logId: string
  readonly root: string | null
  readonly totals: ReturnType<typeof totalsJson>
  readonly waiting: number
  readonly streams: number
  readonly rejections: number
  readonly chains: readonly {
    readonly chain: string
    readonly anchored: number | null
    readonly waiting: number | null
    readonly fault: string | null
  }[]
}

async function unreadyBecause({ vault }: Services): Promise<string | undefined> {
  const late = AbortSignal.timeout(READY_MS_MAX)
  const silent = new Promise<string>((resolve) => {
    late.addEventListener('abort', () => resolve('the database does not answer'), { once: true })
  })
  const answered = vault.head().then(
    () => undefined,
    (error: Error) => error.message,
  )
  return Promise.race([answered, silent])
}

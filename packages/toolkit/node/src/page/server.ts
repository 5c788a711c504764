import { timingSafeEqual } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { extname, join, relative, sep } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { parseCall } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import { type ApiErrorDetail, methods } from '../api/schemas.ts'
import { apiErrorOf } from '../control/server.ts'
import { metricsText } from './metrics.ts'
import type { PageNode } from './page-node.ts'
import { watch } from './watch.ts'

export interface PageServerOptions {
  readonly nodes: () => readonly PageNode[]
  /** Folder of the built page; without one there is only the API, health and metrics. */
  readonly assets?: string
  /** Whoever knows it may do what the page can do; it travels in the URL's fragment, which no server sees. */
  readonly token: string
  /** First port to try; the next 20 are tried after it. 0: any. */
  readonly port: number
  /** `127.0.0.1`, the default, or `::1`; `0.0.0.0` or `::` for whoever reaches this machine and has the token. */
  readonly host?: string
  /** Facts for the page: a name, the round time, a note. */
  readonly about?: Record<string, string | number>
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const REQUEST_BYTES_MAX = 1 << 20
const PORTS_TRIED = 20
const STREAMS_MAX = 64
const STATUS_OF: Partial<Record<ApiErrorDetail['code'], 404 | 429 | 500 | 503>> = {
  'unknown-method': 404,
  'not-found': 404,
  limit: 429,
  internal: 500,
  stopping: 503,
}

/**
 * The page of one node or more, on loopback. Any web page that the user visits can reach loopback too, so: every call
 * wants the token in a header, the Host must be this server's own, an Origin must match it, and nothing is shared
 * across origins.
 */
export class PageServer {
  readonly #options: PageServerOptions
  readonly #app = new Hono()
  readonly #files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
  readonly #streams = new Set<AbortController>()
  #server: ServerType | undefined
  #port = 0

  constructor(options: PageServerOptions) {
    this.#options = options
    this.#files = options.assets === undefined ? new Map() : readFiles(options.assets)
    this.#routes()
  }

  /** Listens on the first free port. Returns the page's address, token included. */
  async start(): Promise<string> {
    const { port } = this.#options
    for (let tried = 0; ; tried++) {
      try {
        this.#port = await this.#listen(port === 0 ? 0 : port + tried)
        return this.url
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tried >= PORTS_TRIED) throw error
      }
    }
  }

  get port(): number {
    return this.#port
  }

  /** The page's address with its token. */
  get url(): string {
    return `http://${this.#authority()}/#token=${this.#options.token}`
  }

  async stop(): Promise<void> {
    for (const open of this.#streams) open.abort()
    const server = this.#server
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = serve({ fetch: this.#app.fetch, port, hostname: this.#options.host ?? '127.0.0.1' })
      server.once('error', reject)
      server.once('listening', () => {
        this.#server = server
        resolve((server.address() as AddressInfo).port)
      })
    })
  }

  #authority(): string {
    const host = this.#isOpen ? 'localhost' : (this.#options.host ?? '127.0.0.1')
    return host.includes(':') ? `[${host}]:${this.#port}` : `${host}:${this.#port}`
  }

  #routes(): void {
    const app = this.#app
    app.use(async (context, next) => {
      const refused = this.#refuseForeign(context)
      if (refused !== undefined) return refused
      await next()
      context.header('Content-Security-Policy', POLICY)
      context.header('X-Content-Type-Options', 'nosniff')
      context.header('Referrer-Policy', 'no-referrer')
      context.header('Cross-Origin-Resource-Policy', 'same-origin')
      context.header('Cross-Origin-Opener-Policy', 'same-origin')
    })
    app.get('/health', (context) => context.json({ ok: true }))
    app.get('/ready', (context) => {
      const ready = this.#options.nodes().some((node) => node.api() !== undefined)
      return context.json({ ready }, ready ? 200 : 503)
    })
    app.get('/metrics', async (context) => context.text(await metricsText(this.#options.nodes())))
    app.use('/api/*', async (context, next) => {
      if (!this.#authorised(context))
        return context.json({ code: 'unauthorised', message: 'the token is missing or wrong' }, 401)
      return next()
    })
    app.use('/api/*', bodyLimit({ maxSize: REQUEST_BYTES_MAX }))
    app.post('/api/watch', (context) => this.#watch(context))
    app.post('/api/nodes/:name/power', (context) => this.#power(context))
    app.post('/api/nodes/:name/:method', (context) => this.#call(context))
    app.get('*', (context) => this.#file(context))
    app.onError((error, context) => this.#failed(context, error))
  }

  get #isOpen(): boolean {
    return ['0.0.0.0', '::'].includes(this.#options.host ?? '')
  }

  #refuseForeign(context: Context): Response | undefined {
    const host = context.req.header('host') ?? ''
    // Opened to other machines, it cannot know by what name they reach it; the token is what guards it then.
    const names = this.#isOpen ? [host] : [this.#authority(), `localhost:${this.#port}`]
    const origin = context.req.header('origin')
    if (names.includes(host) && (origin === undefined || names.some((name) => isOriginOf(origin, name))))
      return undefined
    return context.json({ code: 'foreign', message: 'this page answers only on its own address' }, 403)
  }

  #authorised(context: Context): boolean {
    const given = Buffer.from(context.req.header('authorization') ?? '')
    const wanted = Buffer.from(`Bearer ${this.#options.token}`)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }

  #node(context: Context): PageNode {
    const name = context.req.param('name')
    const node = this.#options.nodes().find((candidate) => candidate.name === name)
    if (node === undefined)
      throw new ApiError({ code: 'not-found', message: `no node is called ${JSON.stringify(name)}` })
    return node
  }

  async #power(context: Context): Promise<Response> {
    const node = this.#node(context)
    const body = (await context.req.json()) as { on?: unknown }
    if (node.setPower === undefined || typeof body.on !== 'boolean') {
      throw new ApiError({ code: 'bad-request', message: 'this node has no switch, or `on` is not true or false' })
    }
    await node.setPower(body.on)
    return context.json({ on: body.on })
  }

  async #call(context: Context): Promise<Response> {
    const api = this.#node(context).api()
    if (api === undefined) throw new ApiError({ code: 'stopping', message: 'the node is switched off' })
    const { method, params } = parseCall(context.req.param('method'), await context.req.json())
    if (!methods[method].stream) return context.json(await api.call(method, params))
    return this.#stream(context, (signal) => api.stream(method, params, signal))
  }

  async #watch(context: Context): Promise<Response> {
    const { node } = (await context.req.json()) as { node?: unknown }
    const selected = typeof node === 'string' ? node : undefined
    const { nodes, about = {} } = this.#options
    return this.#stream(context, (signal) => watch({ nodes, about, selected }, signal))
  }

  #stream(context: Context, items: (signal: AbortSignal) => AsyncIterable<unknown>): Response {
    if (this.#streams.size >= STREAMS_MAX)
      throw new ApiError({ code: 'limit', message: `${STREAMS_MAX} streams are open` })
    const open = new AbortController()
    this.#streams.add(open)
    context.header('Content-Type', 'application/x-ndjson')
    const send = async (out: StreamingApi): Promise<void> => {
      out.onAbort(() => open.abort())
      try {
        for await (const item of items(open.signal)) await out.write(`${JSON.stringify(item)}\n`)
      } finally {
        this.#streams.delete(open)
      }
    }
    // The answer has begun: all that a node which goes away can still say is its end.
    return stream(context, send, async () => {})
  }

  #file(context: Context): Response {
    const path = context.req.path === '/' ? '/index.html' : context.req.path
    const bytes = this.#files.get(path)
    if (bytes === undefined) return context.text('not found', 404)
    return context.body(bytes, 200, {
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
    })
  }

  #failed(context: Context, error: Error): Response {
    if (error instanceof SyntaxError) return context.json({ code: 'bad-request', message: 'the body is not JSON' }, 400)
    const detail = apiErrorOf(error)
    return context.json(detail, STATUS_OF[detail.code] ?? 400)
  }
}

/** Whether a page of `origin` comes from the server of that name; in front of an open one there may be TLS. */
const isOriginOf = (origin: string, name: string): boolean =>
  origin === `http://${name}` || origin === `https://${name}`

function readFiles(folder: string): Map<string, Uint8Array<ArrayBuffer>> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
  return new Map(
    files.map((path) => [`/${relative(folder, path).split(sep).join('/')}`, new Uint8Array(readFileSync(path))]),
  )
}

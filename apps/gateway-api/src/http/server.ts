import type { Socket } from 'node:net'
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from 'pino'
import {
  BODY_BYTES_MAX,
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  IDLE_MS_MAX,
  REQUEST_MS_MAX,
  SHUTDOWN_MS_MAX,
} from '../limits.ts'
import { addEventRoutes } from './event-routes.ts'
import { parseStrictJson } from './json.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { addLoginRoutes } from './login-routes.ts'
import type { Metrics } from './metrics.ts'
import { perimeterRoutes } from './perimeter-routes.ts'
import { asProblem, ProblemError, problemOf, refusal } from './problem.ts'
import { answer, answerProblem, fastifyPath } from './reply.ts'
import { authorise, checked, type Route, type Services } from './route.ts'
import { sentryRequest } from './sentry-request.ts'

/** Every route behind the perimeter. */
export const ROUTES: readonly Route[] = [...ledgerRoutes, ...perimeterRoutes]

export interface ApiOptions {
  readonly services: Services
  readonly metrics: Metrics
  readonly log: Logger
}

const CLOSE_IDLE_MS = 50

/** A body in another charset would be read as what it is not. */
const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

/** The public HTTP server; it listens to nothing yet. */
export function createApi(options: ApiOptions): FastifyInstance {
  const { services, metrics, log } = options
  const api = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: IDLE_MS_MAX,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_024 },
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    clientErrorHandler: answerBroken,
  })
  api.server.maxConnections = CONNECTIONS_MAX
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (JSON_TYPE.test(request.headers['content-type'] ?? '')) return done(null, body)
    done(new ProblemError(problemOf(415, 'http/media-type', 'a body is application/json in UTF-8')))
  })
  api.setErrorHandler((error: FastifyError, request, reply) =>
    answerProblem(request.is404 ? unknownRoute(api, request) : asProblem(error), request, reply, log),
  )
  api.setNotFoundHandler((request, reply) => answerProblem(unknownRoute(api, request), request, reply, log))
  api.addHook('onResponse', (request, reply, done) => {
    metrics.answered(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime)
    log.debug({ method: request.method, route: request.routeOptions.url, status: reply.statusCode }, 'answered')
    done()
  })
  api.get('/healthz', async (_, reply) => answer(reply, { status: 200, json: { status: 'ok' } }))
  for (const route of ROUTES) addRoute(api, route, services)
  addLoginRoutes(api, services)
  addEventRoutes(api, services)
  return api
}

/** Takes no more requests, lets those under way end, and cuts what does not end in time. */
export async function closeApi(api: FastifyInstance): Promise<void> {
  const late = setTimeout(() => api.server.closeAllConnections(), SHUTDOWN_MS_MAX)
  // A connection whose request was under way is idle only afterwards.
  const idle = setInterval(() => api.server.closeIdleConnections(), CLOSE_IDLE_MS)
  await api.close()
  clearInterval(idle)
  clearTimeout(late)
}

/** The one place where requests get past the perimeter. */
function addRoute(api: FastifyInstance, route: Route, services: Services): void {
  const { sentry } = services
  api.route({
    method: route.method,
    url: fastifyPath(route.path),
    async handler(request, reply) {
      const admitted = await sentry.admit(sentryRequest(request, sentry.origin))
      if (admitted.kind === 'refused') throw refusal(admitted)
      const { envelope } = admitted
      const given = await route.handle({
        services,
        envelope,
        params: checked(route.params, request.params, 'path') as never,
        query: checked(route.query, request.query, 'query') as never,
        body: bodyOf(route, envelope.payload.body) as never,
        authorise: (action, account) => authorise(sentry, envelope, action, account),
      })
      return answer(reply, given)
    },
  })
}

function bodyOf({ body }: Route, bytes: Uint8Array): unknown {
  if (body !== undefined) return checked(body, parseStrictJson(bytes), 'body')
  if (bytes.length === 0) return undefined
  throw new ProblemError(problemOf(400, 'http/body', 'this request has no body'))
}

/** 405 where the path has other methods, else 404. */
function unknownRoute(api: FastifyInstance, request: FastifyRequest): ProblemError {
  const allowed = (['GET', 'POST', 'DELETE'] as const).filter((method) => {
    const found = api.findRoute({ method, url: request.url.split('?')[0]! })
    return found !== null && found !== undefined
  })
  if (allowed.length === 0) return new ProblemError(problemOf(404, 'http/not-found', 'there is no such route'))
  const allow = allowed.join(', ')
  return new ProblemError(problemOf(405, 'http/method', `this route knows ${allow}`), { allow })
}

/** What is not HTTP, or too much of it, is answered as far as it can be, and the connection ends. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = BROKEN_STATUS[error.code ?? ''] ?? 400
  const body = JSON.stringify(problemOf(status, 'http/request', 'this is no request that can be read'))
  socket.end(
    `HTTP/1.1 ${status} ${JSON.parse(body).title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const BROKEN_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

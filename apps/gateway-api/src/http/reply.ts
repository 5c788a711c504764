import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { ProblemError } from './problem.ts'
import type { Answer } from './route.ts'

const FIXED_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** `{name}` of OpenAPI as `:name`. */
export function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

export function answer(reply: FastifyReply, { status, json, text, headers }: Answer): FastifyReply {
  reply.code(status).headers({ ...headers, ...FIXED_HEADERS, 'content-type': 'application/json; charset=utf-8' })
  return reply.send(text ?? JSON.stringify(json))
}

/** Answers with a problem; what is the gateway's own doing also goes into its log. */
export function answerProblem(
  error: ProblemError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const { problem, retryAfterS, allow, cause } = error
  const facts = { code: problem.code, route: request.routeOptions.url, requestId: problem.requestId }
  if (problem.status === 500) log.error({ ...facts, err: cause }, 'a request failed')
  else if (problem.status === 503) log.warn({ ...facts, reason: reasonOf(error) }, 'a request could not be served')
  reply.code(problem.status).headers({
    ...FIXED_HEADERS,
    'content-type': 'application/problem+json',
    ...(retryAfterS !== undefined && { 'retry-after': `${retryAfterS}` }),
    ...(problem.status === 401 && { 'www-authenticate': 'Signature realm="nexus-gateway"' }),
    ...(allow !== undefined && { allow }),
  })
  // As bytes: to text the server would add a charset, which this type does not have.
  return reply.send(Buffer.from(JSON.stringify(problem)))
}

/** Why, in full: what the answer says may be less. */
function reasonOf({ cause, message }: ProblemError): string {
  return cause instanceof Error ? cause.message : message
}

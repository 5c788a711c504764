import type { SentryRequest } from '@nexus/sentry'
import type { FastifyRequest } from 'fastify'

const EMPTY = new Uint8Array(0)

/** A request as the sentry judges it: for the configured origin, header lines as they came. */
export function sentryRequest(request: FastifyRequest, origin: string): SentryRequest {
  const { raw, body } = request
  return {
    method: request.method,
    targetUri: `${origin}${raw.url}`,
    headers: linesOf(raw.rawHeaders),
    body: body instanceof Uint8Array ? body : EMPTY,
    remoteAddress: raw.socket.remoteAddress ?? '',
  }
}

function linesOf(raw: readonly string[]): [string, string][] {
  const lines: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push([raw[at]!, raw[at + 1]!])
  return lines
}

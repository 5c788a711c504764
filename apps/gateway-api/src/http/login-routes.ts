import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { sessionJson } from './perimeter-routes.ts'
import { refusal } from './problem.ts'
import { answer, fastifyPath } from './reply.ts'
import type { Services } from './route.ts'
import * as schemas from './schemas.ts'
import { sentryRequest } from './sentry-request.ts'

/** How identities of wallets and platforms come in: judged by the sentry itself, since they cannot sign yet. */
export const CHALLENGE = {
  method: 'POST',
  path: '/v1/challenges/{adapter}',
  operationId: 'createChallenge',
  summary: 'A nonce for a login proof',
  params: z.strictObject({ adapter: z.string().regex(/^[a-z]{1,32}$/) }),
  answers: { 201: z.strictObject({ nonce: z.string(), expiresMs: z.int() }).meta({ id: 'Challenge' }) },
} as const

export const LOGIN = {
  method: 'POST',
  path: '/v1/logins',
  operationId: 'login',
  summary: 'Open a session by a proof of Telegram, TON Connect, peaq, IoTeX or an Ethereum wallet',
  body: z
    .strictObject({ adapter: z.string(), proof: z.unknown().describe('as its adapter reads it (docs/spec/sentry.md)') })
    .meta({ id: 'Login' }),
  answers: { 201: schemas.session },
} as const

export function addLoginRoutes(api: FastifyInstance, { sentry }: Services): void {
  api.post<{ Params: { adapter: string } }>(fastifyPath(CHALLENGE.path), async (request, reply) => {
    const given = await sentry.challenge(request.params.adapter, sentryRequest(request, sentry.origin))
    if (given.kind === 'refused') throw refusal(given)
    return answer(reply, { status: 201, json: { nonce: given.nonce, expiresMs: given.expiresMs } })
  })
  api.post(LOGIN.path, async (request, reply) => {
    const given = await sentry.login(sentryRequest(request, sentry.origin))
    if (given.kind === 'refused') throw refusal(given)
    return answer(reply, { status: 201, json: sessionJson(given) })
  })
}

import { type Action, ROLES } from '@nexus/sentry'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ProblemError, problemOf, refusal } from './problem.ts'
import { authorise, checked, type Services } from './route.ts'
import { sentryRequest } from './sentry-request.ts'

const ACTION: Action = 'events.read'
const index = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,14})$/)
  .transform(Number)

/** Ledger events as a stream; the reader signs its request, or has a ticket. */
export const EVENTS = {
  method: 'GET',
  path: '/v1/events',
  operationId: 'streamEvents',
  summary: 'Entries as they are committed (server-sent events); the id of an event is the index of its entry',
  query: z.strictObject({
    ticket: z.string().optional().describe('in place of a signature'),
    after: index.optional().describe('index of the last entry that is known; the header Last-Event-ID goes before it'),
  }),
} as const

export function addEventRoutes(api: FastifyInstance, services: Services): void {
  api.get(EVENTS.path, async (request, reply) => {
    const query = checked(EVENTS.query, request.query, 'query') as z.infer<typeof EVENTS.query>
    const isAllowed = await reader(request, query.ticket, services)
    const last = request.headers['last-event-id']
    const known = last === undefined ? query.after : (checked(index, last, 'Last-Event-ID') as number)
    const from = known === undefined ? ((await services.vault.head())?.size ?? 0) : known + 1
    services.streams.open(reply.raw, { from, isAllowed })
    return reply.hijack()
  })
}

/** Who reads, as a question that is asked again while the stream lasts. @throws {ProblemError} 401, 403 */
async function reader(request: FastifyRequest, ticket: string | undefined, services: Services): Promise<() => boolean> {
  const { sentry, tickets } = services
  if (ticket !== undefined) {
    const identity = await tickets.redeem(ticket, Date.now())
    const isAllowed = (): boolean => sentry.grantsOf(identity).some(({ role }) => ROLES[role].actions.includes(ACTION))
    if (!isAllowed()) throw new ProblemError(problemOf(403, 'sentry/denied', `not granted: ${ACTION}`))
    return isAllowed
  }
  const admitted = await sentry.admit(sentryRequest(request, sentry.origin))
  if (admitted.kind === 'refused') throw refusal(admitted)
  authorise(sentry, admitted.envelope, ACTION)
  const { id } = admitted.envelope.identity
  return () => sentry.grantsOf(id).some(({ role }) => ROLES[role].actions.includes(ACTION))
}

import type { Action } from '@nexus/sentry'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { refusal } from './problem.ts'
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

/** Who reads, as a question that is asked again while the stream lasts. @throws {ProblemError} 401, 403, 429, 503 */
async function reader(
  request: FastifyRequest,
  ticket: string | undefined,
  { sentry, tickets }: Services,
): Promise<() => Promise<boolean>> {
  const asked = sentryRequest(request, sentry.origin)
  if (ticket !== undefined) {
    const admitted = await sentry.admitTicket(asked, ACTION, (nowMs) => tickets.redeem(ticket, nowMs))
    if (admitted.kind === 'refused') throw refusal(admitted)
    return () => sentry.mayStill(admitted.identity, ACTION)
  }
  const admitted = await sentry.admit(asked)
  if (admitted.kind === 'refused') throw refusal(admitted)
  authorise(sentry, admitted.envelope, ACTION)
  return () => sentry.mayStill(admitted.envelope.identity, ACTION)
}

import { bundleSchema, encodeBundle } from '@nexus/anchoring'
import { fromHex, toHex } from '@nexus/codec'
import type { OpenedSession, Refused } from '@nexus/sentry'
import { z } from 'zod'
import { receiptFor } from './ledger-routes.ts'
import { ProblemError, problemOf, refusal } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

const timeMs = z.int().min(0)
const ticket = z.strictObject({ ticket: z.string(), expiresMs: timeMs }).meta({ id: 'Ticket' })
const grant = z
  .strictObject({
    id: z.string(),
    subject: schemas.identity,
    role: z.string(),
    account: z.string().optional(),
    untilMs: timeMs.optional(),
  })
  .meta({ id: 'Grant' })
const grants = z.strictObject({ grants: z.array(grant) }).meta({ id: 'Grants' })
const statement = z
  .strictObject({
    statement: z
      .string()
      .regex(/^([0-9a-f]{2}){1,1024}$/)
      .describe('a signed grant or revocation (docs/spec/sentry.md), in hexadecimal'),
  })
  .meta({ id: 'GrantStatement' })
const rejections = z
  .strictObject({
    counts: z.array(z.strictObject({ adapter: z.string(), reason: z.string(), count: z.int() })),
    newest: z.array(z.strictObject({ timeMs, adapter: z.string(), reason: z.string(), requestId: z.string() })),
  })
  .meta({ id: 'Rejections' })
const anchored = z.strictObject({ chains: z.array(z.string()).describe('that the head now waits for') })
const anchors = z
  .strictObject({
    chains: z.array(
      z.strictObject({
        chain: z.string().describe('CAIP-2'),
        waiting: z.int().nullable().describe('size of the head that waits'),
        open: z.int().describe('anchors that are sent and not confirmed'),
        confirmed: z.int(),
        newest: z.int().nullable().describe('size of the newest confirmed head'),
        fault: z.string().optional().describe('why the chain does not go on'),
      }),
    ),
  })
  .meta({ id: 'Anchors' })

/** Sessions, tickets and events, grants, rejections, anchors. */
export const perimeterRoutes: readonly Route[] = [
  route(
    {
      method: 'POST',
      path: '/v1/sessions',
      operationId: 'openSession',
      summary: 'A session for who signs with an Ed25519 key: its secret is cheaper to check',
      action: 'own',
      answers: { 201: schemas.session },
    },
    async ({ services: { sentry }, envelope }) => opened(await sentry.openSession(envelope)),
  ),
  route(
    {
      method: 'DELETE',
      path: '/v1/sessions/current',
      operationId: 'endSession',
      summary: 'End the session that signs this request',
      action: 'own',
      answers: { 200: z.strictObject({ ended: z.boolean() }) },
    },
    async ({ services: { sentry }, envelope }) => ({ status: 200, json: { ended: await sentry.endSession(envelope) } }),
  ),
  route(
    {
      method: 'POST',
      path: '/v1/tickets',
      operationId: 'createTicket',
      summary: 'A ticket that opens one stream of events, for browsers',
      action: 'events.read',
      answers: { 201: ticket },
    },
    async ({ services: { tickets }, envelope, authorise }) => {
      authorise('events.read')
      return { status: 201, json: tickets.issue(envelope.identity, Date.now()) }
    },
  ),
  route(
    {
      method: 'POST',
      path: '/v1/grants',
      operationId: 'submitGrant',
      summary: 'Append a signed grant or revocation',
      action: 'grant.write',
      body: statement,
      answers: { 201: z.strictObject({ id: z.string(), kind: z.enum(['grant', 'revocation']) }) },
      problems: [422],
    },
    async ({ services: { sentry }, envelope, body }) => {
      const answer = await sentry.submitGrant(envelope, fromHex(body.statement))
      if (answer.kind === 'refused') throw grantRefusal(answer)
      const { what } = answer.statement
      return { status: 201, json: { id: toHex(what.id), kind: what.kind } }
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/grants/{identity}',
      operationId: 'listGrants',
      summary: 'What an identity was granted and holds now',
      action: 'grant.read',
      params: z.strictObject({ identity: schemas.identity }),
      answers: { 200: grants },
    },
    async ({ services: { sentry }, params, authorise }) => {
      authorise('grant.read')
      const held = sentry.grantsOf(params.identity).map(({ id, subject, role, account, untilMs }) => ({
        id: toHex(id),
        subject,
        role,
        ...(account !== undefined && { account }),
        ...(untilMs !== undefined && { untilMs }),
      }))
      return { status: 200, json: { grants: held } }
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/rejections',
      operationId: 'listRejections',
      summary: 'What the perimeter refused since the start, and the newest of it',
      action: 'rejections.read',
      answers: { 200: rejections },
    },
    async ({ services: { sentry, rejections: recent }, authorise }) => {
      authorise('rejections.read')
      return { status: 200, json: { counts: sentry.rejections(), newest: recent.list() } }
    },
  ),
  route(
    {
      method: 'POST',
      path: '/v1/anchors',
      operationId: 'anchorNow',
      summary: 'Let the newest head wait for every chain that does not have it',
      action: 'gateway.anchor',
      answers: { 202: anchored },
      problems: [404],
    },
    async ({ services, authorise }) => {
      authorise('gateway.anchor')
      return { status: 202, json: { chains: await anchorerOf(services).anchorNow() } }
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/anchors',
      operationId: 'listAnchors',
      summary: 'How far each chain is',
      action: 'own',
      answers: { 200: anchors },
    },
    async ({ services: { anchorer } }) => {
      const chains = (anchorer?.status() ?? []).map(({ chain, waiting, open, confirmed, newest, fault }) => ({
        chain,
        waiting: waiting?.size ?? null,
        open: open.length,
        confirmed,
        newest: newest?.head.size ?? null,
        ...(fault !== undefined && { fault }),
      }))
      return { status: 200, json: { chains } }
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/entries/{index}/bundle',
      operationId: 'bundleEntry',
      summary: 'A proof bundle for nexus-verify, with the receipts of the chains that hold the entry',
      action: 'log.prove',
      params: z.strictObject({ index: schemas.index }),
      query: z.strictObject({ account: schemas.identity.optional() }),
      answers: { 200: bundleSchema },
      problems: [404],
    },
    async (asked) => {
      const { entry } = await receiptFor(asked)
      const anchorer = anchorerOf(asked.services)
      return { status: 200, text: encodeBundle(await anchorer.prove(entry.index)) }
    },
  ),
]

/** Bytes that are no statement for this gateway are well sent, and still not taken. */
function grantRefusal(answer: Refused): ProblemError {
  const { error, requestId } = answer
  if (error.detail.code !== 'sentry/grant') return refusal(answer)
  return new ProblemError(problemOf(422, error.detail.code, error.message, requestId), { cause: error })
}

function opened(answer: OpenedSession | Refused): Answer {
  if (answer.kind === 'refused') throw refusal(answer)
  return { status: 201, json: sessionJson(answer) }
}

/** @internal */
export function sessionJson({ identity, id, secret, expiresMs }: OpenedSession): z.infer<typeof schemas.session> {
  return { identity, keyid: `session:${toHex(id)}`, secret: toHex(secret), expiresMs }
}

function anchorerOf<T>({ anchorer }: { readonly anchorer: T | undefined }): T {
  if (anchorer !== undefined) return anchorer
  throw new ProblemError(problemOf(404, 'gateway/no-chains', 'no chain is configured'))
}

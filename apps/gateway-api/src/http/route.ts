import type { Anchorer } from '@nexus/anchoring/node'
import type { Crypto } from '@nexus/crypto'
import type { Action, Envelope, Sentry } from '@nexus/sentry'
import type { Vault } from '@nexus/vault'
import type { z } from 'zod'
import { ProblemError, problemOf, refusal } from './problem.ts'
import type { RecentRejections } from './rejections.ts'
import type { Streams } from './streams.ts'
import type { Tickets } from './tickets.ts'

/** What is behind the perimeter, and the perimeter. */
export interface Services {
  readonly crypto: Crypto
  readonly vault: Vault
  readonly sentry: Sentry
  readonly streams: Streams
  readonly tickets: Tickets
  readonly rejections: RecentRejections
  /** Absent where no chain is configured. */
  readonly anchorer: Anchorer | undefined
}

/** A request that the sentry admitted, with what it says in the form of the route's schemas. */
export interface Asked<Params, Query, Body> {
  readonly services: Services
  readonly envelope: Envelope
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** Goes on only if the identity may do this. @throws {ProblemError} 403 */
  authorise(action: Action, account?: string): void
}

/** An answer: its status, its JSON, and header lines of its own. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  /** JSON that is text already, in the one form that it has. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface RouteFacts<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With `{name}` for parameters, as OpenAPI has it. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  /** What the identity must be granted; `own` where every verified identity may. */
  readonly action: Action | 'own'
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Schema of the answer by status; `null` for one without a body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  /** Problems that it may answer beside those of the perimeter. */
  readonly problems?: readonly number[]
}

export interface Route extends RouteFacts<z.ZodType, z.ZodType, z.ZodType> {
  handle(asked: Asked<never, never, never>): Promise<Answer>
}

/** A route with its handler. */
export function route<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(
  facts: RouteFacts<Params, Query, Body>,
  handle: (asked: Asked<z.infer<Params>, z.infer<Query>, z.infer<Body>>) => Promise<Answer>,
): Route {
  return { ...facts, handle } as Route
}

/** Whether the identity of an envelope may do this. @throws {ProblemError} */
export function authorise(sentry: Sentry, envelope: Envelope, action: Action, account?: string): void {
  const refused = sentry.authorise(envelope, action, account)
  if (refused !== undefined) throw refusal(refused)
}

/** A value in the form of a schema. @throws {ProblemError} 400 that names what is wrong */
export function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const [issue] = error.issues
  const path = [where, ...(issue?.path ?? [])].join('.')
  throw new ProblemError(problemOf(400, 'http/field', `${path}: ${issue?.message}`))
}

/** @throws {ProblemError} 404 */
export function notFound(what: string): ProblemError {
  return new ProblemError(problemOf(404, 'http/not-found', what))
}

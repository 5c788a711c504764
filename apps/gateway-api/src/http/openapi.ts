import { z } from 'zod'
import { VERSION } from '../version.ts'
import { EVENTS } from './event-routes.ts'
import { CHALLENGE, LOGIN } from './login-routes.ts'
import * as schemas from './schemas.ts'
import { ROUTES } from './server.ts'

type Json = Record<string, unknown>

/** What the description of one operation is made of. */
interface Described {
  readonly method: string
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly action?: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly answers?: Readonly<Record<number, z.ZodType | null>>
  readonly problems?: readonly number[]
}

const EVENT_STREAM = { 'text/event-stream': { schema: { type: 'string' } } }

/** The API as OpenAPI 3.1, made from the schemas that check its requests. */
export function openApiDocument(origin: string): Json {
  const components: Json = {}
  const paths: Record<string, Json> = {}
  const add = (facts: Described, open: boolean): void => {
    paths[facts.path] ??= {}
    paths[facts.path]![facts.method.toLowerCase()] = operation(facts, open, components)
  }
  for (const route of ROUTES) add(route, false)
  for (const route of [CHALLENGE, LOGIN]) add(route, true)
  add(EVENTS, false)
  Object.assign(paths[EVENTS.path]!['get'] as Json, {
    security: [{ signature: [] }, {}],
    responses: {
      ...((paths[EVENTS.path]!['get'] as Json)['responses'] as Json),
      200: { description: 'A stream; it lasts until either end closes it', content: EVENT_STREAM },
    },
  })
  paths['/healthz'] = { get: health() }
  return {
    openapi: '3.1.0',
    info: {
      title: 'NEXUS gateway',
      version: VERSION,
      summary: 'A ledger service that splits value 60-30-10 and proves every entry.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    paths,
    components: {
      schemas: components,
      responses: problemResponses(components),
      securitySchemes: { signature: SIGNATURE },
    },
    security: [{ signature: [] }],
  }
}

const SIGNATURE = {
  type: 'apiKey',
  in: 'header',
  name: 'Signature',
  description:
    'With Signature-Input: HTTP Message Signatures (RFC 9421), tag nexus-gateway/1: ed25519 by a did:key, or hmac-sha256 by a session (docs/spec/sentry.md).',
}

function operation(facts: Described, open: boolean, components: Json): Json {
  const statuses = [400, 401, 403, 413, 415, 429, 500, 503, ...(facts.problems ?? [])].toSorted((a, b) => a - b)
  const problems = Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
  )
  const answers = Object.entries(facts.answers ?? {}).map(([status, schema]) => {
    const content =
      schema === null ? {} : { content: { 'application/json': { schema: schemaOf(schema, components, 'output') } } }
    return [status, { description: facts.summary, ...content }]
  })
  const { action } = facts
  return {
    operationId: facts.operationId,
    summary: facts.summary,
    ...(action !== undefined && { description: action === 'own' ? 'Every verified identity.' : `Needs ${action}.` }),
    ...(open && { security: [] }),
    parameters: [
      ...parameters(facts.params, 'path', components),
      ...parameters(facts.query, 'query', components),
      ...(facts.method === 'GET' || open ? [] : [KEY_PARAMETER]),
    ],
    ...(facts.body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(facts.body, components) } } },
    }),
    responses: { ...Object.fromEntries(answers), ...problems },
  }
}

const KEY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  schema: { type: 'string', pattern: schemas.IDEMPOTENCY_KEY_PATTERN },
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Not in the form that is asked for',
  401: 'Not verified: nothing has changed',
  403: 'Verified, and not granted',
  404: 'Not there',
  409: 'The key was used for another request',
  413: 'Too large',
  415: 'Not application/json in UTF-8',
  422: 'In its form, and still not taken: below a minimum, beyond a total, too many bytes',
  429: 'Too many requests: see Retry-After',
  500: 'A fault of the gateway',
  503: 'Not now; with outcome-unknown, the same key tells later',
}

function problemResponses(components: Json): Json {
  const content = { 'application/problem+json': { schema: schemaOf(schemas.problem, components) } }
  return Object.fromEntries(
    Object.entries(PROBLEMS).map(([status, description]) => [`Problem${status}`, { description, content }]),
  )
}

function parameters(schema: z.ZodType | undefined, where: 'path' | 'query', components: Json): Json[] {
  if (schema === undefined) return []
  const { properties, required = [] } = schemaOf(schema, components) as { properties: Json; required?: string[] }
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as Json
    const facts = { name, in: where, required: where === 'path' || required.includes(name) }
    return { ...facts, ...(description !== undefined && { description }), schema: rest }
  })
}

/** A schema as JSON Schema 2020-12; those with a name become components. */
function schemaOf(schema: z.ZodType, components: Json, io: 'input' | 'output' = 'input'): Json {
  const held = z.toJSONSchema(z.object({ it: schema }), { io, unrepresentable: 'any' }) as Json
  const { $defs = {}, properties } = JSON.parse(
    JSON.stringify(held).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as { $defs?: Record<string, Json>; properties: { it: Json } }
  for (const [name, { id: _, ...definition }] of Object.entries($defs)) components[name] = definition
  return properties.it
}

function health(): Json {
  const content = { 'application/json': { schema: { type: 'object', properties: { status: { const: 'ok' } } } } }
  return {
    operationId: 'getHealth',
    summary: 'Whether the process answers',
    security: [],
    responses: { 200: { description: 'It does', content } },
  }
}

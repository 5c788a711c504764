import { STATUS_CODES } from 'node:http'
import { AllocationError, type AllocationErrorDetail } from '@nexus/allocation'
import { AnchoringError } from '@nexus/anchoring'
import { type Refused, SentryError, statusOf } from '@nexus/sentry'
import { VaultError, type VaultErrorDetail } from '@nexus/vault'
import { JsonError } from './json.ts'

/** An answer that is no success (RFC 9457), as `application/problem+json`. */
export interface Problem {
  readonly type: 'about:blank'
  /** The status in words. */
  readonly title: string
  readonly status: number
  /** For people; may change. */
  readonly detail: string
  /** For programs; does not change. */
  readonly code: string
  /** Names the request in logs and rejections, where the sentry has seen it. */
  readonly requestId?: string
}

/** A problem on its way to its answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  /** Whole seconds after which trying again makes sense. */
  readonly retryAfterS: number | undefined
  /** Methods that the path knows, where it is about the method. */
  readonly allow: string | undefined
  constructor(
    problem: Problem,
    options: ErrorOptions & { readonly retryAfterS?: number; readonly allow?: string } = {},
  ) {
    super(problem.detail, options)
    this.problem = problem
    this.retryAfterS = options.retryAfterS
    this.allow = options.allow
  }
}

export function problemOf(status: number, code: string, detail: string, requestId?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, code, ...(requestId !== undefined && { requestId }) }
}

/** What the sentry refused, as an answer. */
export function refusal({ status, error, requestId }: Refused): ProblemError {
  const { detail } = error
  const retryAfterS = detail.code === 'sentry/rate' ? Math.ceil(detail.retryMs / 1_000) : status === 503 ? 1 : undefined
  return new ProblemError(problemOf(status, detail.code, publicText(detail.code, error), requestId), {
    cause: error,
    ...(retryAfterS !== undefined && { retryAfterS }),
  })
}

/** Any error as an answer; what was not foreseen says nothing of itself. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof JsonError) return refused(error.fault === 'number' ? 422 : 400, `json/${error.fault}`, error)
  if (error instanceof AllocationError) return refused(allocationStatus(error.detail.code), error.detail.code, error)
  if (error instanceof SentryError) return refused(statusOf(error.detail), error.detail.code, error)
  if (error instanceof AnchoringError) return refused(503, error.detail.code, error)
  if (error instanceof VaultError) return ofVault(error)
  const { statusCode, code } = error as { statusCode?: number; code?: string }
  // What the HTTP server refused before any route saw it: too large, cut short, of another type.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return refused(statusCode, FRAMEWORK_CODES[code ?? ''] ?? 'http/request', error as Error)
  }
  return new ProblemError(problemOf(500, 'internal', 'the gateway failed; its log says why'), { cause: error })
}

const FRAMEWORK_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'http/body-size',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'http/media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'http/content-length',
  FST_ERR_BAD_URL: 'http/path',
  FST_ERR_MAX_LIMIT_EXCEEDED: 'http/busy',
}

function ofVault(error: VaultError): ProblemError {
  const { detail } = error
  if (detail.code === 'vault/allocation') {
    const { code } = detail.detail
    const status = allocationStatus(code)
    const { cause } = error
    return refused(status, code, cause instanceof Error ? cause : error)
  }
  const status = VAULT_STATUS[detail.code]
  return refused(status, detail.code, error)
}

/** 422 for what is an amount by its form, and one that no policy or account takes. */
function allocationStatus(code: AllocationErrorDetail['code']): 400 | 422 {
  return code === 'allocation/amount-range' || code === 'allocation/minimum' || code === 'allocation/total' ? 422 : 400
}

const VAULT_STATUS: Readonly<Record<VaultErrorDetail['code'], number>> = {
  'vault/field': 422,
  'vault/allocation': 422,
  'vault/idempotency-conflict': 409,
  'vault/range': 404,
  'vault/busy': 503,
  'vault/closed': 503,
  'vault/storage': 503,
  'vault/outcome-unknown': 503,
  'vault/corrupt': 500,
  'vault/locked': 500,
  'vault/schema': 500,
  'vault/key': 500,
  'vault/not-empty': 500,
  'vault/proof': 500,
}

function refused(status: number, code: string, error: Error): ProblemError {
  return new ProblemError(problemOf(status, code, publicText(code, error)), {
    cause: error,
    ...(status === 503 && { retryAfterS: 1 }),
  })
}

/** Problems whose own words name tables, files and hosts of the database: those go into the log alone. */
const DATABASE_CODES: ReadonlySet<string> = new Set([
  'sentry/store',
  'sentry/schema',
  'vault/storage',
  'vault/corrupt',
  'vault/locked',
  'vault/schema',
  'vault/key',
  'vault/not-empty',
])

function publicText(code: string, error: Error): string {
  return DATABASE_CODES.has(code) ? 'the database cannot be used now' : error.message
}

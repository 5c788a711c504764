import { z } from 'zod'
import { ApiError } from './error.ts'
import { type MethodName, type MethodParams, type MethodResult, methods } from './schemas.ts'

/** What answers the methods of {@link methods}: a node in this process, or a client of one elsewhere. */
export interface Api {
  /** @throws {ApiError} */
  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>>
  /** Results as they come, until `signal` aborts or the node stops. @throws {ApiError} */
  stream<M extends MethodName>(method: M, params: MethodParams<M>, signal: AbortSignal): AsyncIterable<MethodResult<M>>
}

/** The method's name and parsed parameters. @throws {ApiError} `unknown-method`, `bad-request` */
export function parseCall<M extends MethodName>(
  method: unknown,
  params: unknown,
): { method: M; params: z.output<(typeof methods)[M]['params']> } {
  if (typeof method !== 'string' || !Object.hasOwn(methods, method)) {
    throw new ApiError({ code: 'unknown-method', message: `there is no method ${JSON.stringify(method)}` })
  }
  const parsed = methods[method as M].params.safeParse(params ?? {})
  if (!parsed.success) {
    throw new ApiError({ code: 'bad-request', message: z.prettifyError(parsed.error), next: 'see the method’s schema' })
  }
  return { method: method as M, params: parsed.data as z.output<(typeof methods)[M]['params']> }
}

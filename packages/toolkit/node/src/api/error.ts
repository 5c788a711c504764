import type { ApiErrorDetail } from './schemas.ts'

/** A method's refusal. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly detail: ApiErrorDetail
  constructor(detail: ApiErrorDetail) {
    super(detail.message)
    this.detail = detail
  }
}

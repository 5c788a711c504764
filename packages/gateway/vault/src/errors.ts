import type { AllocationErrorDetail } from '@nexus/allocation'

/** Why the vault refuses, or what it found wrong. Facts only, never an identity or a key. */
export type VaultErrorDetail =
  | { readonly code: 'vault/field'; readonly field: string; readonly wants: string }
  | { readonly code: 'vault/idempotency-conflict'; readonly index: number }
  | { readonly code: 'vault/allocation'; readonly detail: AllocationErrorDetail }
  | { readonly code: 'vault/busy'; readonly waiting: number }
  | { readonly code: 'vault/closed' }
  | { readonly code: 'vault/locked'; readonly path: string; readonly pid: number | undefined }
  | { readonly code: 'vault/schema'; readonly found: number; readonly known: number }
  | { readonly code: 'vault/key'; readonly path: string }
  | { readonly code: 'vault/corrupt'; readonly what: string }
  | { readonly code: 'vault/not-empty'; readonly path: string }
  | { readonly code: 'vault/outcome-unknown' }
  | { readonly code: 'vault/storage'; readonly reason: string }
  | { readonly code: 'vault/range'; readonly size: number; readonly wanted: number }
  | { readonly code: 'vault/proof'; readonly what: string }

/** A refusal or a fault of the vault. What was refused has changed nothing. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly detail: VaultErrorDetail
  constructor(detail: VaultErrorDetail, options?: ErrorOptions) {
    super(explain(detail), options)
    this.detail = detail
  }
}

function explain(detail: VaultErrorDetail): string {
  switch (detail.code) {
    case 'vault/field':
      return `${detail.field} must be ${detail.wants}`
    case 'vault/idempotency-conflict':
      return `this idempotency key belongs to entry ${detail.index}, which was asked for with another request`
    case 'vault/allocation':
      return `the amount cannot be allocated: ${detail.detail.code}`
    case 'vault/busy':
      return `${detail.waiting} entries wait already; try again with the same idempotency key`
    case 'vault/closed':
      return 'the vault is closed'
    case 'vault/locked':
      return `${detail.path} is held by ${detail.pid === undefined ? 'another process' : `process ${detail.pid}`}`
    case 'vault/schema':
      return `the ledger has schema ${detail.found}, this program knows ${detail.known}: start a newer one`
    case 'vault/key':
      return `${detail.path} belongs to another signing key: its heads would not be believed`
    case 'vault/corrupt':
      return `the ledger contradicts itself: ${detail.what}`
    case 'vault/not-empty':
      return `${detail.path} holds a ledger already`
    case 'vault/outcome-unknown':
      return 'the database went away during the commit; ask again with the same idempotency key'
    case 'vault/storage':
      return `the database refused: ${detail.reason}`
    case 'vault/range':
      return `there is no ${detail.wanted} in a log of ${detail.size}`
    case 'vault/proof':
      return `the proof does not hold: ${detail.what}`
  }
}

import type { CodecErrorDetail } from '@nexus/codec'

/** Why bytes are no trust statement. */
export type TrustErrorDetail =
  | { readonly code: 'trust/malformed'; readonly fault: CodecErrorDetail }
  | { readonly code: 'trust/flags'; readonly flags: number }

/** A statement that must not be acted on. */
export class TrustError extends Error {
  override readonly name = 'TrustError'
  readonly detail: TrustErrorDetail
  constructor(detail: TrustErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: TrustErrorDetail): string {
  switch (detail.code) {
    case 'trust/malformed':
      return `cut, or bytes left over (${detail.fault.code})`
    case 'trust/flags':
      return `no trust statement has flags ${detail.flags}`
  }
}

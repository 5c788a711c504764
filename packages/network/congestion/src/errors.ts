/** Why the body of a congestion message was not taken. */
export type CongestionErrorDetail =
  | { readonly code: 'congestion/length'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'congestion/scope'; readonly scope: number }
  | { readonly code: 'congestion/reserved'; readonly bits: number }

/** Bytes that are no congestion signal. */
export class CongestionError extends Error {
  override readonly name = 'CongestionError'
  readonly detail: CongestionErrorDetail
  constructor(detail: CongestionErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: CongestionErrorDetail): string {
  switch (detail.code) {
    case 'congestion/length':
      return `a congestion signal has ${detail.wantBytes} bytes, not ${detail.gotBytes}`
    case 'congestion/scope':
      return `${detail.scope} is no scope: 0 a link, 1 all`
    case 'congestion/reserved':
      return `bits 4 to 7 of a congestion signal are zero, not ${detail.bits}`
  }
}

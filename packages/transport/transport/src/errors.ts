/** What went wrong on a medium. Facts only, never the content of a frame. */
export type TransportErrorDetail =
  | { readonly code: 'transport/bind'; readonly address: string; readonly why: string }
  | { readonly code: 'transport/connect'; readonly address: string; readonly why: string; readonly retryMs: number }
  | {
      readonly code: 'transport/frame-size'
      readonly interfaceId: string
      readonly bytes: number
      readonly mtuBytes: number
    }
  | { readonly code: 'transport/framing'; readonly interfaceId: string; readonly why: string }
  | { readonly code: 'transport/device'; readonly interfaceId: string; readonly why: string }
  | { readonly code: 'transport/limit'; readonly interfaceId: string; readonly why: string }

/** A medium's trouble: for the operator, never fatal to the node. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly detail: TransportErrorDetail
  constructor(detail: TransportErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: TransportErrorDetail): string {
  switch (detail.code) {
    case 'transport/bind':
      return `cannot listen on ${detail.address}: ${detail.why}`
    case 'transport/connect':
      return `cannot reach ${detail.address}: ${detail.why}; next try in ${Math.round(detail.retryMs / 100) / 10} s`
    case 'transport/frame-size':
      return `${detail.interfaceId}: a frame of ${detail.bytes} bytes, the medium carries 1 to ${detail.mtuBytes}`
    case 'transport/framing':
    case 'transport/device':
    case 'transport/limit':
      return `${detail.interfaceId}: ${detail.why}`
  }
}

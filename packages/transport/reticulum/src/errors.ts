/** What went wrong with bytes of a peer, or between us and it. Facts only, never the content. */
export type ReticulumErrorDetail =
  | { readonly code: 'reticulum/length'; readonly what: string; readonly gotBytes: number }
  | { readonly code: 'reticulum/hops'; readonly hops: number }
  | { readonly code: 'reticulum/msgpack'; readonly at: number; readonly why: string }
  | { readonly code: 'reticulum/bz2'; readonly why: string }
  | { readonly code: 'reticulum/form'; readonly what: string; readonly why: string }
  | { readonly code: 'reticulum/signature'; readonly what: string }
  | { readonly code: 'reticulum/no-path'; readonly destination: string }
  | { readonly code: 'reticulum/timeout'; readonly what: string }
  | { readonly code: 'reticulum/closed'; readonly what: string; readonly why: string }
  | { readonly code: 'reticulum/limit'; readonly what: string; readonly max: number }

/** Something of a peer that must not be acted on, or an exchange with it that failed. */
export class ReticulumError extends Error {
  override readonly name = 'ReticulumError'
  readonly detail: ReticulumErrorDetail
  constructor(detail: ReticulumErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: ReticulumErrorDetail): string {
  switch (detail.code) {
    case 'reticulum/length':
      return `${detail.what} of ${detail.gotBytes} bytes`
    case 'reticulum/hops':
      return `a packet that has come over ${detail.hops} hops`
    case 'reticulum/msgpack':
      return `msgpack at ${detail.at}: ${detail.why}`
    case 'reticulum/bz2':
      return `bz2: ${detail.why}`
    case 'reticulum/form':
      return `${detail.what}: ${detail.why}`
    case 'reticulum/signature':
      return `the signature of ${detail.what} does not hold`
    case 'reticulum/no-path':
      return `no path to ${detail.destination}`
    case 'reticulum/timeout':
      return `${detail.what} took too long`
    case 'reticulum/closed':
      return `${detail.what}: ${detail.why}`
    case 'reticulum/limit':
      return `${detail.what}: more than ${detail.max}`
  }
}

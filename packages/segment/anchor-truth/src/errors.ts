/** Why bytes are no datagram of a segment. Facts only, never content or keys. */
export type AnchorErrorDetail =
  | { readonly code: 'anchor/length'; readonly what: string; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'anchor/kind'; readonly kind: number }
  | { readonly code: 'anchor/version'; readonly version: number }
  | { readonly code: 'anchor/role'; readonly role: number }
  | { readonly code: 'anchor/name' }
  | { readonly code: 'anchor/admission'; readonly admission: number }
  | { readonly code: 'anchor/count'; readonly count: number; readonly countMax: number }

/** Bytes that no correct node of a segment sends. */
export class AnchorError extends Error {
  override readonly name = 'AnchorError'
  readonly detail: AnchorErrorDetail
  constructor(detail: AnchorErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: AnchorErrorDetail): string {
  switch (detail.code) {
    case 'anchor/length':
      return `${detail.what} has ${detail.gotBytes} bytes, not ${detail.wantBytes}`
    case 'anchor/kind':
      return `${detail.kind} is no kind of datagram`
    case 'anchor/version':
      return `version ${detail.version} is not known`
    case 'anchor/role':
      return `the role byte ${detail.role} has an unused bit`
    case 'anchor/name':
      return 'the name is no UTF-8'
    case 'anchor/admission':
      return `${detail.admission} is no admission`
    case 'anchor/count':
      return `${detail.count} answers, at most ${detail.countMax} fit`
  }
}

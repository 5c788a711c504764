/** Why bytes are no frame, or no message, of a link. Facts only, never content or keys. */
export type LinkErrorDetail =
  | { readonly code: 'link/length'; readonly what: string; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'link/kind'; readonly kind: number }
  | { readonly code: 'link/zeros'; readonly what: string }
  | { readonly code: 'link/padding'; readonly padBytes: number; readonly plaintextBytes: number }
  | { readonly code: 'link/version'; readonly version: number }
  | { readonly code: 'link/mtu'; readonly mtuBytes: number }
  | { readonly code: 'link/part'; readonly index: number; readonly last: number }
  | { readonly code: 'link/step'; readonly step: number }

/** Bytes that no correct neighbour sends. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
  readonly detail: LinkErrorDetail
  constructor(detail: LinkErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: LinkErrorDetail): string {
  switch (detail.code) {
    case 'link/length':
      return `${detail.what} takes ${detail.wantBytes} bytes, not ${detail.gotBytes}`
    case 'link/kind':
      return `no frame is of kind 0x${detail.kind.toString(16).padStart(2, '0')}`
    case 'link/zeros':
      return `${detail.what} must be zero`
    case 'link/padding':
      return `${detail.padBytes} bytes of padding in a plaintext of ${detail.plaintextBytes}`
    case 'link/version':
      return `link version ${detail.version} is not spoken here`
    case 'link/mtu':
      return `a link carries frames of at least 508 bytes, the peer offers ${detail.mtuBytes}`
    case 'link/part':
      return `part ${detail.index} of 0…${detail.last} cannot be`
    case 'link/step':
      return `no message of a link has the step ${detail.step}`
  }
}

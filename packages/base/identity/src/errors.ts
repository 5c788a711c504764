/** What is wrong with a share, an advisory or an identity file. Never holds key material. */
export type IdentityErrorDetail =
  | { readonly code: 'identity/length'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'identity/evidence'; readonly evidence: number }
  | { readonly code: 'identity/advisory-keys' }
  | { readonly code: 'identity/share-text' }
  | { readonly code: 'identity/share-checksum' }
  | { readonly code: 'identity/share-version'; readonly version: number }
  | { readonly code: 'identity/share-threshold'; readonly threshold: number }
  | { readonly code: 'identity/share-x' }
  | { readonly code: 'identity/shares-mixed' }
  | { readonly code: 'identity/shares-repeated'; readonly x: number }
  | { readonly code: 'identity/shares-missing'; readonly wanted: number; readonly got: number }
  | { readonly code: 'identity/shares-seed' }
  | { readonly code: 'identity/file-format' }
  | { readonly code: 'identity/file-cost'; readonly log2N: number; readonly r: number; readonly p: number }
  | { readonly code: 'identity/file-plain' }
  | { readonly code: 'identity/file-locked' }
  | { readonly code: 'identity/unlock' }
  | { readonly code: 'identity/file-exists'; readonly path: string }

/** A share, an advisory or an identity file that must not be acted on. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly detail: IdentityErrorDetail
  constructor(detail: IdentityErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: IdentityErrorDetail): string {
  switch (detail.code) {
    case 'identity/length':
      return `wanted ${detail.wantBytes} bytes, got ${detail.gotBytes}`
    case 'identity/evidence':
      return `an advisory has evidence 1 or 2, not ${detail.evidence}`
    case 'identity/advisory-keys':
      return 'the new key of the advisory does not go with its evidence or is the compromised one'
    case 'identity/share-text':
      return 'a share is written in the letters a–z and the digits 2–7'
    case 'identity/share-checksum':
      return 'the share has a typing error: its checksum does not hold'
    case 'identity/share-version':
      return `shares of version ${detail.version} are not known`
    case 'identity/share-threshold':
      return `a share cannot be one of ${detail.threshold} that are needed`
    case 'identity/share-x':
      return 'a share cannot lie at 0, where the seed is'
    case 'identity/shares-mixed':
      return 'the shares are not of one splitting'
    case 'identity/shares-repeated':
      return `share ${detail.x} is given twice`
    case 'identity/shares-missing':
      return `${detail.wanted} shares are needed, ${detail.got} are given`
    case 'identity/shares-seed':
      return 'the shares do not give the seed of the node they name'
    case 'identity/file-format':
      return 'this is no identity file of a known version'
    case 'identity/file-cost':
      return `scrypt with log2 N = ${detail.log2N}, r = ${detail.r}, p = ${detail.p} is outside the accepted limits`
    case 'identity/file-plain':
      return 'the identity file is not encrypted, and such files are not allowed here'
    case 'identity/file-locked':
      return 'the identity file is encrypted: a passphrase is needed'
    case 'identity/unlock':
      return 'the passphrase is wrong or the identity file is damaged'
    case 'identity/file-exists':
      return `${detail.path} exists already`
  }
}

/** Why the crypto layer would not answer. Never holds key material. */
export type CryptoErrorDetail =
  | { readonly code: 'crypto/zero-shared' }
  | { readonly code: 'crypto/public-key' }
  | { readonly code: 'crypto/tag'; readonly tag: string }
  | { readonly code: 'crypto/message-length'; readonly lengthBytes: number }
  | { readonly code: 'crypto/http-base' }
  | { readonly code: 'crypto/wiped' }

/** An input that no correct peer sends, or a signing request that would endanger the key. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError'
  readonly detail: CryptoErrorDetail
  constructor(detail: CryptoErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: CryptoErrorDetail): string {
  switch (detail.code) {
    case 'crypto/zero-shared':
      return 'the X25519 shared secret is all zero: the peer sent a point of small order'
    case 'crypto/public-key':
      return 'not the canonical encoding of an Ed25519 public key in the group of the base point'
    case 'crypto/tag':
      return `a signing tag is 8 printable ASCII characters, the first no quote, not ${JSON.stringify(detail.tag)}`
    case 'crypto/message-length':
      return `a signed message may not be ${detail.lengthBytes} bytes long: the VRF hashes strings of that length`
    case 'crypto/http-base':
      return 'an HTTP signature base starts with a quoted component name'
    case 'crypto/wiped':
      return 'the key was wiped'
  }
}

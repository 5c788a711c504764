/** What went wrong while reading or writing bytes or text. Facts only, never the content. */
export type CodecErrorDetail =
  | { readonly code: 'codec/short'; readonly at: number; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'codec/trailing'; readonly at: number; readonly extraBytes: number }
  | { readonly code: 'codec/utf8'; readonly at: number }
  | { readonly code: 'codec/hex'; readonly at: number }
  | { readonly code: 'codec/base32'; readonly at: number }

/** Bytes or text that are not in the form the reader asked for. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly detail: CodecErrorDetail
  constructor(detail: CodecErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: CodecErrorDetail): string {
  switch (detail.code) {
    case 'codec/short':
      return `wanted ${detail.wantBytes} bytes at ${detail.at}, ${detail.gotBytes} are left`
    case 'codec/trailing':
      return `${detail.extraBytes} bytes too many after ${detail.at}`
    case 'codec/utf8':
      return `invalid UTF-8 in the string at ${detail.at}`
    case 'codec/hex':
      return `not hexadecimal at character ${detail.at}`
    case 'codec/base32':
      return `not base32 at character ${detail.at}`
  }
}

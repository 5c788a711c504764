/** What is wrong with bytes on the connection to an air server. Facts only. */
export type AirErrorDetail =
  | { readonly code: 'lora/air-length'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'lora/air-type'; readonly type: number }
  | { readonly code: 'lora/air-body'; readonly type: number; readonly why: string }

/** The other end of a connection to an air server does not speak its protocol. */
export class AirError extends Error {
  override readonly name = 'AirError'
  readonly detail: AirErrorDetail
  constructor(detail: AirErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: AirErrorDetail): string {
  switch (detail.code) {
    case 'lora/air-length':
      return `a message of ${detail.bytes} bytes, from 1 to ${detail.bytesMax} are allowed`
    case 'lora/air-type':
      return `no message has type ${detail.type}`
    case 'lora/air-body':
      return `message of type ${detail.type}: ${detail.why}`
  }
}

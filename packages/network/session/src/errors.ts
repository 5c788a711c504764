/** What was wrong with bytes, or why a message was not taken. Facts only, never content or keys. */
export type SessionErrorDetail =
  | { readonly code: 'session/length'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'session/mode'; readonly mode: number }
  | { readonly code: 'session/status'; readonly status: number }
  | { readonly code: 'session/fragment'; readonly index: number; readonly last: number }
  | { readonly code: 'session/handshake'; readonly step: number }
  | { readonly code: 'session/segment'; readonly kind: number }
  | { readonly code: 'session/record'; readonly version: number }
  | { readonly code: 'session/too-large'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'session/outbox-full'; readonly messages: number; readonly bytes: number }
  | { readonly code: 'session/streams-full'; readonly streams: number }
  | { readonly code: 'session/no-key' }

/** Bytes that must not be acted on, or a message or stream that cannot be taken now. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly detail: SessionErrorDetail
  constructor(detail: SessionErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: SessionErrorDetail): string {
  switch (detail.code) {
    case 'session/length':
      return `wanted ${detail.wantBytes} bytes, got ${detail.gotBytes}`
    case 'session/mode':
      return `mode ${detail.mode} has no meaning here`
    case 'session/status':
      return `${detail.status} is no receipt status`
    case 'session/fragment':
      return `no fragment ${detail.index} of 0…${detail.last} has this form`
    case 'session/handshake':
      return `${detail.step} is no handshake step`
    case 'session/segment':
      return `a segment of kind ${detail.kind} has another form`
    case 'session/record':
      return `a stored record of version ${detail.version} cannot be read`
    case 'session/too-large':
      return `${detail.bytes} bytes are more than the ${detail.bytesMax} that one message carries`
    case 'session/outbox-full':
      return `the outbox is full: ${detail.messages} messages, ${detail.bytes} bytes`
    case 'session/streams-full':
      return `all ${detail.streams} streams are in use`
    case 'session/no-key':
      return 'no verified public key of the destination is known'
  }
}

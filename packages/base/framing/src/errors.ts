/** What is wrong with a packet or an announce. Facts only, never the content. */
export type FramingErrorDetail =
  | { readonly code: 'framing/short'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'framing/long'; readonly bytesMax: number; readonly gotBytes: number }
  | { readonly code: 'framing/hops'; readonly hops: number }
  | { readonly code: 'framing/flags'; readonly flags: number }
  | { readonly code: 'framing/context'; readonly context: number }
  | { readonly code: 'framing/magic'; readonly magic: number }
  | { readonly code: 'framing/version'; readonly version: number }
  | { readonly code: 'framing/tlv'; readonly at: number }
  | { readonly code: 'framing/destination' }

/** A packet that must not be acted on. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
  readonly detail: FramingErrorDetail
  constructor(detail: FramingErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: FramingErrorDetail): string {
  switch (detail.code) {
    case 'framing/short':
      return `wanted ${detail.wantBytes} bytes, got ${detail.gotBytes}`
    case 'framing/long':
      return `${detail.gotBytes} bytes are more than ${detail.bytesMax}`
    case 'framing/hops':
      return `a packet dies before ${detail.hops} hops`
    case 'framing/flags':
      return `flags 0x${detail.flags.toString(16)} are not those of the packet that belongs here`
    case 'framing/context':
      return `context 0x${detail.context.toString(16)} does not go with an announce`
    case 'framing/magic':
      return `0x${detail.magic.toString(16)} does not begin a NexusExtension`
    case 'framing/version':
      return `there is no NexusExtension of version ${detail.version}`
    case 'framing/tlv':
      return `the TLV at ${detail.at} is cut short`
    case 'framing/destination':
      return 'the announced destination is not the NodeID of the announcing key'
  }
}

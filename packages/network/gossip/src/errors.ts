import type { CodecErrorDetail } from '@nexus/codec'

/** Why a gossip frame or record was not taken. Never holds its content. */
export type GossipErrorDetail =
  | { readonly code: 'gossip/malformed'; readonly fault: CodecErrorDetail }
  | { readonly code: 'gossip/kind'; readonly kind: number }
  | { readonly code: 'gossip/tier'; readonly tier: number }
  | { readonly code: 'gossip/record-length'; readonly lengthBytes: number; readonly lengthBytesMax: number }
  | { readonly code: 'gossip/filter-length'; readonly lengthBytes: number; readonly lengthBytesMax: number }
  | { readonly code: 'gossip/prefix'; readonly prefixBits: number; readonly prefix: number }
  | { readonly code: 'gossip/count'; readonly count: number; readonly countMax: number }

/** A gossip frame that must not be acted on. */
export class GossipError extends Error {
  override readonly name = 'GossipError'
  readonly detail: GossipErrorDetail
  constructor(detail: GossipErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: GossipErrorDetail): string {
  switch (detail.code) {
    case 'gossip/malformed':
      return `the frame is cut or has bytes left over (${detail.fault.code})`
    case 'gossip/kind':
      return `no gossip frame has kind ${detail.kind}`
    case 'gossip/tier':
      return `no record tier is numbered ${detail.tier}, or the tiers are not in rising order`
    case 'gossip/record-length':
      return `a record of ${detail.lengthBytes} bytes; at most ${detail.lengthBytesMax} are allowed`
    case 'gossip/filter-length':
      return `a filter of ${detail.lengthBytes} bytes; at most ${detail.lengthBytesMax} are allowed`
    case 'gossip/prefix':
      return `prefix ${detail.prefix} does not fit ${detail.prefixBits} bits, or there are more than 16`
    case 'gossip/count':
      return `${detail.count} entries; 1 to ${detail.countMax} are allowed`
  }
}

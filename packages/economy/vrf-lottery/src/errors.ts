import type { CodecErrorDetail } from '@nexus/codec'

/** Why bytes are no lottery message and no claim. */
export type LotteryErrorDetail =
  | { readonly code: 'lottery/malformed'; readonly fault: CodecErrorDetail }
  | { readonly code: 'lottery/kind'; readonly kind: number }
  | { readonly code: 'lottery/odds'; readonly odds: number }
  | { readonly code: 'lottery/windows'; readonly windows: number }
  | { readonly code: 'lottery/wins'; readonly wins: number }
  | { readonly code: 'lottery/order' }

/** A message or claim of a peer that must not be acted on. */
export class LotteryError extends Error {
  override readonly name = 'LotteryError'
  readonly detail: LotteryErrorDetail
  constructor(detail: LotteryErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: LotteryErrorDetail): string {
  switch (detail.code) {
    case 'lottery/malformed':
      return `cut, or bytes left over (${detail.fault.code})`
    case 'lottery/kind':
      return `no lottery message has the subtype ${detail.kind}`
    case 'lottery/odds':
      return `the odds are no 1/${detail.odds}`
    case 'lottery/windows':
      return `a claim of ${detail.windows} windows, or longer than one message`
    case 'lottery/wins':
      return `a window with ${detail.wins} wins claimed`
    case 'lottery/order':
      return 'wins of a window are claimed in rising order, windows once'
  }
}

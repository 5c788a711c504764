/** Why anchoring refuses, or what it found wrong. Facts only: never a key, a passphrase or the address of a server. */
export type AnchoringErrorDetail =
  | { readonly code: 'anchoring/bundle'; readonly what: string }
  | { readonly code: 'anchoring/chain'; readonly chain: string; readonly what: string }
  | { readonly code: 'anchoring/wrong-chain'; readonly chain: string; readonly got: string }
  | { readonly code: 'anchoring/contract'; readonly chain: string; readonly contract: string }
  | { readonly code: 'anchoring/cap'; readonly chain: string; readonly needs: bigint; readonly left: bigint }
  | { readonly code: 'anchoring/not-grown'; readonly chain: string }
  | { readonly code: 'anchoring/locked' }
  | { readonly code: 'anchoring/log' }
  | { readonly code: 'anchoring/schema'; readonly found: number; readonly known: number }
  | { readonly code: 'anchoring/storage'; readonly reason: string }

/** A refusal or a fault of anchoring. */
export class AnchoringError extends Error {
  override readonly name = 'AnchoringError'
  readonly detail: AnchoringErrorDetail
  constructor(detail: AnchoringErrorDetail, options?: ErrorOptions) {
    super(explain(detail), options)
    this.detail = detail
  }
}

function explain(detail: AnchoringErrorDetail): string {
  switch (detail.code) {
    case 'anchoring/bundle':
      return `this is no proof: ${detail.what}`
    case 'anchoring/chain':
      return `${detail.chain} did not answer as it should: ${detail.what}`
    case 'anchoring/wrong-chain':
      return `the server that should speak for ${detail.chain} speaks for ${detail.got}`
    case 'anchoring/contract':
      return `${detail.contract} on ${detail.chain} is not the contract that keeps heads`
    case 'anchoring/cap':
      return `anchoring on ${detail.chain} may cost ${detail.needs}, and only ${detail.left} may be spent now`
    case 'anchoring/not-grown':
      return `${detail.chain} holds as many entries of this log already, or more`
    case 'anchoring/locked':
      return 'another process holds the queue'
    case 'anchoring/log':
      return 'the queue belongs to another log'
    case 'anchoring/schema':
      return `the queue has schema ${detail.found}, this program knows ${detail.known}: start a newer one`
    case 'anchoring/storage':
      return `the queue's database refused: ${detail.reason}`
  }
}

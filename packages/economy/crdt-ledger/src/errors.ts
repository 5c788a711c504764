import type { CodecErrorDetail } from '@nexus/codec'

/** Why bytes are no snapshot or balance proof, or no evidence. Never holds their content. */
export type LedgerErrorDetail =
  | { readonly code: 'ledger/malformed'; readonly fault: CodecErrorDetail }
  | { readonly code: 'ledger/version'; readonly version: number }
  | { readonly code: 'ledger/order'; readonly list: 'accounts' | 'channels' | 'pending'; readonly index: number }
  | { readonly code: 'ledger/value'; readonly list: 'accounts' | 'channels' | 'pending'; readonly index: number }
  | { readonly code: 'ledger/supply' }
  | { readonly code: 'ledger/root' }
  | { readonly code: 'ledger/proof-shape'; readonly index: number; readonly count: number; readonly siblings: number }

/** Bytes that must not be acted on. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly detail: LedgerErrorDetail
  constructor(detail: LedgerErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: LedgerErrorDetail): string {
  switch (detail.code) {
    case 'ledger/malformed':
      return `the bytes are cut or have some left over (${detail.fault.code})`
    case 'ledger/version':
      return `no snapshot has version ${detail.version}`
    case 'ledger/order':
      return `${detail.list} are not in strictly rising order at ${detail.index}`
    case 'ledger/value':
      return `entry ${detail.index} of ${detail.list} says nothing that its absence would not say`
    case 'ledger/supply':
      return 'the balances do not add up to what was minted'
    case 'ledger/root':
      return 'the root at the end is not that of the content'
    case 'ledger/proof-shape':
      return `${detail.siblings} siblings do not lead from account ${detail.index} of ${detail.count} to the top`
  }
}

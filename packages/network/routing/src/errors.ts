/** What a neighbour, or a stored table, got wrong. */
export type RoutingErrorDetail =
  | { readonly code: 'routing/short'; readonly at: number; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'routing/trailing'; readonly at: number; readonly extraBytes: number }
  | { readonly code: 'routing/subtype'; readonly subtype: number }
  | { readonly code: 'routing/empty' }
  | { readonly code: 'routing/cost'; readonly cost: number }
  | { readonly code: 'routing/withdrawal'; readonly at: number }
  | { readonly code: 'routing/snapshot-version'; readonly version: number }
  | { readonly code: 'routing/snapshot-count'; readonly count: number; readonly countMax: number }
  | { readonly code: 'routing/snapshot-order'; readonly index: number }
  | { readonly code: 'routing/snapshot-announce'; readonly index: number }
  | { readonly code: 'routing/snapshot-age'; readonly index: number }
  | { readonly code: 'routing/snapshot-distance'; readonly index: number }

/** Bytes that must not change the routing table. */
export class RoutingError extends Error {
  override readonly name = 'RoutingError'
  readonly detail: RoutingErrorDetail
  constructor(detail: RoutingErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: RoutingErrorDetail): string {
  switch (detail.code) {
    case 'routing/short':
      return `wanted ${detail.wantBytes} bytes at ${detail.at}, ${detail.gotBytes} are left`
    case 'routing/trailing':
      return `${detail.extraBytes} bytes too many after ${detail.at}`
    case 'routing/subtype':
      return `there is no route frame of sub-type ${detail.subtype}`
    case 'routing/empty':
      return 'a route update without updates'
    case 'routing/cost':
      return `${detail.cost} is no encoded cost`
    case 'routing/withdrawal':
      return `the withdrawal at ${detail.at} has latency, bandwidth or hops`
    case 'routing/snapshot-version':
      return `there is no routing snapshot of version ${detail.version}`
    case 'routing/snapshot-count':
      return `a snapshot of ${detail.count} destinations is above ${detail.countMax}`
    case 'routing/snapshot-order':
      return `destination ${detail.index} of the snapshot is not above the one before`
    case 'routing/snapshot-announce':
      return `destination ${detail.index} of the snapshot has no well-formed announce`
    case 'routing/snapshot-age':
      return `destination ${detail.index} of the snapshot has outlived its announce`
    case 'routing/snapshot-distance':
      return `destination ${detail.index} of the snapshot has an impossible feasibility distance`
  }
}

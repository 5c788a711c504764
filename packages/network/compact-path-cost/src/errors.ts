/** What is wrong with the six bytes of a path cost. */
export type PathCostErrorDetail =
  | { readonly code: 'path-cost/length'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'path-cost/cost'; readonly cost: number }

/** Bytes that are no path cost. */
export class PathCostError extends Error {
  override readonly name = 'PathCostError'
  readonly detail: PathCostErrorDetail
  constructor(detail: PathCostErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: PathCostErrorDetail): string {
  switch (detail.code) {
    case 'path-cost/length':
      return `a path cost has ${detail.wantBytes} bytes, not ${detail.gotBytes}`
    case 'path-cost/cost':
      return `${detail.cost} is no encoded cost`
  }
}

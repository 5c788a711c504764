import type { MessageStatus, NodeEvent, ReceivedMessage, Status } from './schemas.ts'
import type { SegmentReport } from './segment.ts'

/** What a page is sent for as long as it looks: one stream, whatever it shows (docs/spec/control.md). */

/** Names of what can be shown of a node; each is a method without parameters that must be given. */
export type ViewName = 'status' | 'segment'

/** A node of the page, and what it said of itself just now; without a view that it does not have, or did not give in time. */
export interface NodeLook {
  readonly name: string
  readonly role: string
  readonly running: boolean
  readonly switchable: boolean
  readonly views: readonly ViewName[]
  readonly status?: Status
  readonly segment?: SegmentReport
}

export interface Look {
  /** Facts about the server, as whoever runs it gave them. */
  readonly about: Readonly<Record<string, string | number>>
  readonly nodes: readonly NodeLook[]
  /** The node whose events and messages the stream carries; absent where there is none. */
  readonly selected?: string
  /** Of the node that is looked at, where it may have changed. */
  readonly outbox?: readonly MessageStatus[]
}

export type WatchItem =
  /** Once a second. */
  | { readonly kind: 'look'; readonly look: Look }
  /** The events and messages of this node follow, from the oldest that it still has. */
  | { readonly kind: 'following'; readonly node: string }
  | { readonly kind: 'event'; readonly event: NodeEvent }
  | { readonly kind: 'message'; readonly message: ReceivedMessage }

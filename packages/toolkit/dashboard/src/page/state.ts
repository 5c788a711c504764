import type { MessageStatus, NodeEvent, ReceivedMessage, TraceResult } from '@nexus/node/api'
import type { About } from './client.ts'
import { type Money, NO_MONEY } from './model/money.ts'
import type { ShownNode, Topology } from './model/topology.ts'

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** The token is missing or wrong. */
  | { readonly state: 'unauthorised' }
  | { readonly state: 'lost'; readonly retryAtMs: number }

/** A message that the page has sent, or that it found in a node's outbox. */
export interface SentMessage {
  readonly kind: 'sent'
  readonly from: string
  readonly status: MessageStatus
  /** Absent for those sent by other means: a node does not give back what it was told to send. */
  readonly text?: string
  readonly at?: string
}

export interface Received {
  readonly kind: 'received'
  readonly node: string
  readonly message: ReceivedMessage
}

/** A trace that runs or has ended. */
export interface Trace {
  readonly node: string
  readonly to: string
  readonly result?: TraceResult
  readonly error?: string
}

/** Bytes that went over a link between the last two looks, in both directions. */
export interface Flow {
  readonly forth: number
  readonly back: number
}

export interface PageState {
  readonly connection: Connection
  readonly about: About
  readonly nodes: readonly ShownNode[]
  readonly topology: Topology
  readonly flows: ReadonlyMap<string, Flow>
  readonly money: Money
  /** Rises with each look: flows are shown once each. */
  readonly look: number
  /** Name of the node that is looked at. */
  readonly selected: string | undefined
  readonly events: readonly NodeEvent[]
  readonly received: readonly Received[]
  readonly sent: readonly SentMessage[]
  readonly trace: Trace | undefined
  /** Names of nodes that are being switched. */
  readonly switching: ReadonlySet<string>
  /** What went wrong with the last thing asked for. */
  readonly problem: string | undefined
}

export const FIRST_STATE: PageState = {
  connection: { state: 'connecting' },
  about: {},
  nodes: [],
  topology: { vertices: new Map(), edges: new Map(), beyond: 0 },
  flows: new Map(),
  money: NO_MONEY,
  look: 0,
  selected: undefined,
  events: [],
  received: [],
  sent: [],
  trace: undefined,
  switching: new Set(),
  problem: undefined,
}

export function selectedNode(state: PageState): ShownNode | undefined {
  return state.nodes.find(({ name }) => name === state.selected)
}

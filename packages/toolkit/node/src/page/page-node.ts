import type { Api } from '../api/api.ts'
import type { ViewName } from '../api/watch.ts'

/** A node that the page shows. */
export interface PageNode {
  readonly name: string
  /** What it stands for, in a few words: `LoRa node`, `bridge`. */
  readonly role: string
  /** What there is to see of it; of a node of a mesh its status, if not said. */
  readonly views?: readonly ViewName[]
  /** The node's answers; absent while it is switched off. */
  api(): Api | undefined
  /** Switches the node on or off, where whoever runs it allows that. */
  readonly setPower?: (on: boolean) => Promise<void>
}

/** What there is to see of a node. */
export function viewsOf({ views = ['status'] }: PageNode): readonly ViewName[] {
  return views
}

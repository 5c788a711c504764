import type { Api } from '../api/api.ts'

/** A node that the page shows. */
export interface PageNode {
  readonly name: string
  /** What it stands for, in a few words: `LoRa node`, `bridge`. */
  readonly role: string
  /** The node's answers; absent while it is switched off. */
  api(): Api | undefined
  /** Switches the node on or off, where whoever runs it allows that. */
  readonly setPower?: (on: boolean) => Promise<void>
}

import { decodeUtf8, toHex } from '@nexus/codec'
import type { InboxMessage } from '@nexus/session'

/** A message as the application gets it. */
export interface Message {
  /** Never used again, also after restarts. */
  readonly handle: bigint
  /** NodeID in hex; absent for an anonymous message. */
  readonly from?: string
  readonly body: Uint8Array
  /** The body as text, where it is valid UTF-8. */
  readonly text?: string
}

/** What the inbox holds, as the application gets it. */
export function messageOf({ handle, sender, body }: InboxMessage): Message {
  const text = decodeUtf8(body)
  return {
    handle,
    body,
    ...(sender === undefined ? {} : { from: toHex(sender.nodeId) }),
    ...(text === undefined ? {} : { text }),
  }
}

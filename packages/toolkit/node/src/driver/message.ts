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
  /** When it came; of a message that was stored without a time, when it was looked at. */
  readonly receivedAt: Date
}

/** What the inbox holds, as the application gets it. */
export function messageOf({ handle, sender, body, receivedAtMs = Date.now() }: InboxMessage): Message {
  const text = decodeUtf8(body)
  return {
    handle,
    body,
    receivedAt: new Date(receivedAtMs),
    ...(sender === undefined ? {} : { from: toHex(sender.nodeId) }),
    ...(text === undefined ? {} : { text }),
  }
}

import { toHex } from '@nexus/codec'
import type { Refusal, RefusalReason } from '@nexus/link'
import type { InboxMessage, MessageStatus } from '@nexus/session'
import type { Contacts } from './contacts.ts'
import type { CoreEvent } from './events.ts'

/** Refusals that tell an operator something; mere noise of the medium is only counted. */
const REPORTED: ReadonlySet<RefusalReason> = new Set([
  'not-admitted',
  'key-mismatch',
  'unexpected-peer',
  'duplicate-identity',
  'by-peer',
])

/** Puts what happened into a sentence for people and facts for programs. */
export class News {
  readonly #contacts: Contacts

  constructor(contacts: Contacts) {
    this.#contacts = contacts
  }

  received({ sender, body, handle }: InboxMessage): CoreEvent {
    const from = sender === undefined ? 'an anonymous sender' : this.#name(sender.nodeId)
    return {
      kind: 'message-received',
      text: `A message of ${body.length} bytes came from ${from}.`,
      facts: {
        from: sender === undefined ? null : toHex(sender.nodeId),
        handle: String(handle),
        bytes: body.length,
      },
    }
  }

  messageState({ id, destination, state, reason, nextStep }: MessageStatus): CoreEvent {
    return {
      kind: 'message-state',
      text: `The message to ${this.#name(destination)} is ${state}${nextStep === undefined ? '.' : `: ${nextStep}`}`,
      facts: { id: String(id), to: toHex(destination), state, reason: reason ?? null },
    }
  }

  /** Undefined where it is mere noise. */
  refused({ interfaceId, reason, from, nodeId }: Refusal): CoreEvent | undefined {
    if (!REPORTED.has(reason)) return undefined
    const who = nodeId === undefined ? 'A peer' : this.#name(nodeId)
    const text = reason === 'by-peer' ? 'does not let this node in' : `was refused: ${reason}`
    return {
      kind: 'refused',
      text: `${who} on ${interfaceId} ${text}.`,
      facts: {
        interface: interfaceId,
        reason,
        from: from ?? null,
        nodeId: nodeId === undefined ? null : toHex(nodeId),
      },
    }
  }

  keyCompromised(nodeId: Uint8Array, key: Uint8Array, verdict: string): CoreEvent {
    return {
      kind: 'advisory',
      text: `The key of ${this.#name(nodeId)} is reported as compromised (${verdict}).`,
      facts: { nodeId: toHex(nodeId), key: toHex(key), verdict },
    }
  }

  #name(nodeId: Uint8Array): string {
    return this.#contacts.labelOf(nodeId) ?? toHex(nodeId).slice(0, 8)
  }
}

import { NO_HOP } from '@nexus/routing'
import { type InboxMessage, type MessageStatus, Messenger } from '@nexus/session'
import type { Contacts } from './contacts.ts'
import type { News } from './news.ts'
import type { NodeCoreOptions, NodeCorePorts } from './node-options.ts'
import type { Packets } from './packets.ts'
import type { ProtocolClock } from './protocol-clock.ts'
import type { Routes } from './routes.ts'
import { storedCounter } from './stored-counter.ts'

export interface MailParts {
  readonly options: NodeCoreOptions
  readonly ports: NodeCorePorts
  readonly contacts: Contacts
  readonly packets: Packets
  readonly routes: Routes
  readonly clock: ProtocolClock
  readonly news: News
  /** The node's clock, within a call. */
  nowMs(): number
}

/** The messenger of a node: what it sends by, and who hears of what came and what became of it. */
export function makeMessenger(parts: MailParts): Messenger {
  const { contacts, packets, routes, clock, ports } = parts
  const { crypto, identity, random, store, allowStrangerReceipts = false, wallClockMs } = parts.options
  return new Messenger(
    {
      crypto,
      identity,
      random,
      store,
      counters: storedCounter(store, 'counter/message'),
      limits: clock.messageLimits,
      allowStrangerReceipts,
      ...(wallClockMs === undefined ? {} : { wallClockMs }),
    },
    {
      sendPacket: (nowMs, destination, packet, priority) => packets.send(nowMs, destination, packet, priority),
      publicKeyOf: (nodeId) => contacts.publicKeyOf(nodeId),
      roundTripMs: (destination, bytes) => routes.roundTripMs(parts.nowMs(), destination, bytes),
      message: (message) => received(parts, message),
      stateChanged: (status) => stateChanged(parts, status),
      stream: (event) => ports.stream?.(event),
      acceptsStreams: (nodeId) => contacts.publicKeyOf(nodeId) !== undefined && (ports.acceptsStreams?.() ?? false),
    },
  )
}

function received({ contacts, ports, news }: MailParts, message: InboxMessage): void {
  const { sender } = message
  if (sender !== undefined) contacts.remember(sender.nodeId, sender.publicKey)
  ports.event(news.received(message))
  ports.message(message)
}

/** What became of a message also says how good its route is. */
function stateChanged({ routes, clock, ports, news, nowMs }: MailParts, status: MessageStatus): void {
  const { destination, state, reason } = status
  const { router } = routes
  const hop = router.nextHop(destination)
  const protocolMs = clock.toProtocolMs(nowMs())
  if (hop !== NO_HOP && state === 'delivered') router.delivered(protocolMs, destination, hop)
  if (hop !== NO_HOP && reason === 'expired') router.failed(protocolMs, destination, hop)
  ports.event(news.messageState(status))
  ports.messageState(status)
}

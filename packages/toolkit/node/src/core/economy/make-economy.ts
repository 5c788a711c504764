import { priorityOfContext } from '@nexus/congestion'
import { packetContext } from '@nexus/framing'
import type { Gossip } from '@nexus/gossip'
import { type LinkLayer, MESSAGE } from '@nexus/link'
import type { Contacts } from '../contacts.ts'
import { SELF } from '../egress.ts'
import type { Interfaces } from '../interfaces.ts'
import type { NodeCoreOptions, NodeCorePorts } from '../node-options.ts'
import { Economy } from './economy.ts'

/** The economy of a node, where its options name one. */
export function makeEconomy(parts: {
  readonly options: NodeCoreOptions
  readonly ports: NodeCorePorts
  readonly contacts: Contacts
  readonly gossip: Gossip
  readonly links: LinkLayer
  readonly interfaces: Interfaces
}): Economy | undefined {
  const { ports, contacts, gossip, links, interfaces } = parts
  const { crypto, identity, random, store, economy } = parts.options
  if (economy === undefined) return undefined
  return new Economy({
    crypto,
    identity,
    random,
    store,
    contacts,
    gossip,
    options: economy,
    verify: ports.verify,
    failed: (error) => ports.failed?.(error),
    send: (nowMs, link, body) => links.send(nowMs, link, MESSAGE.channel, body),
    offer: (nowMs, link, packet) =>
      interfaces.offer(nowMs, link.id, packet, priorityOfContext(packetContext(packet)), SELF),
    event: (event) => ports.event(event),
  })
}

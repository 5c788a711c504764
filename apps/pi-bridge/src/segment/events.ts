import type { SegmentEvent } from '@nexus/anchor-truth'
import { addressText } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import type { CoreEvent } from '@nexus/node/core'

const CAUSES = {
  cold: 'nobody led',
  silence: 'the anchor fell silent',
  challenge: 'its ego is greater',
  claim: 'its claim is the greatest',
  rival: 'the anchor fell silent',
} as const

/** What happened on a segment, as an event of the node; undefined for what is seen better in the report. */
export function eventOf(
  interfaceName: string,
  event: SegmentEvent,
  nameOf: (nodeId: string) => string = (nodeId) => nodeId.slice(0, 8),
): CoreEvent | undefined {
  const facts = { segment: interfaceName, what: event.kind }
  const told = (text: string, more: CoreEvent['facts'] = {}): CoreEvent => ({
    kind: 'segment',
    text,
    facts: { ...facts, ...more },
  })
  switch (event.kind) {
    case 'promoted': {
      const { epoch, cause } = event
      return told(`This node is the anchor on ${interfaceName}, since ${CAUSES[cause]}; epoch ${epoch}.`, {
        epoch,
        cause,
      })
    }
    case 'followed': {
      const { epoch, cause } = event
      const anchor = toHex(event.nodeId)
      return told(`${nameOf(anchor)} is the anchor on ${interfaceName}; epoch ${epoch}.`, { anchor, epoch, cause })
    }
    case 'key':
      // The key of a next epoch comes each minute.
      if (event.sinceRequestMs === undefined) return undefined
      return told(`The key of epoch ${event.epoch} came ${event.sinceRequestMs} ms after it was asked for.`, {
        epoch: event.epoch,
      })
    case 'member': {
      const member = toHex(event.nodeId)
      const address = addressText(event.source.address)
      return told(`${nameOf(member)} is a member on ${interfaceName}.`, { member, address })
    }
    case 'twin':
      return told(`Another one on ${interfaceName} has the key of this node.`, {
        address: addressText(event.source.address),
      })
    case 'phase':
      return event.phase === 'asking' ? told(`Asks on ${interfaceName} who leads.`) : undefined
  }
}

import { CHANNELS_MAX, type ChannelView } from '@nexus/channels'
import { expect, test } from 'vitest'
import type { Contacts } from '../src/core/contacts.ts'
import { EconomyNews } from '../src/core/economy/news.ts'
import type { CoreEvent } from '../src/core/events.ts'

const view = { phase: 'ready' } as ChannelView

function nodeId(at: number): Uint8Array {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(0, at)
  return id
}

test('of a channel its opening is told once; no more channels are remembered than there can be', () => {
  const events: CoreEvent[] = []
  const news = new EconomyNews({ labelOf: () => undefined } as unknown as Contacts, (event) => events.push(event))
  for (let at = 0; at <= CHANNELS_MAX; at++) {
    news.channel(nodeId(at), view)
    news.channel(nodeId(at), { ...view, phase: 'offline' })
  }
  expect(events.length).toBe(CHANNELS_MAX + 1)
  // The first one made room for the last: where it is opened again, that is news.
  news.channel(nodeId(0), view)
  expect(events.at(-1)).toMatchObject({ kind: 'channel', facts: { state: 'open' } })
  expect(events.length).toBe(CHANNELS_MAX + 2)
})

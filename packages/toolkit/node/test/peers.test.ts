import { portable, systemRandom } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'
import { STATEMENTS_PER_TRUSTER_MAX } from '@nexus/trust'
import { expect, test } from 'vitest'
import { Contacts } from '../src/core/contacts.ts'
import { MemoryStore } from '../src/core/store.ts'
import { createNode } from '../src/index.ts'

const crypto = portable()
const node = (n: number): Uint8Array => new Uint8Array(16).fill(n)

test('what a peer pays and may owe is on disk, and changes with its naming', () => {
  const store = new MemoryStore()
  const before = new Contacts(crypto, store)
  before.trust({ nodeId: node(1), creditLineMicro: 2n ** 60n, vouched: true })
  before.trust({ nodeId: node(2), priceMicroPerMib: 1_000 })
  const again = new Contacts(crypto, store)
  expect([...again.trusted()]).toEqual([
    { nodeId: node(1), creditLineMicro: 2n ** 60n, vouched: true },
    { nodeId: node(2), priceMicroPerMib: 1_000 },
  ])
  const { terms } = again
  expect([terms.isFree(node(1)), terms.find(node(1))?.creditLineMicro]).toEqual([true, 2n ** 60n])
  expect([terms.isFree(node(2)), terms.costFor(node(2))! > 0]).toEqual([false, true])
  before.trust({ nodeId: node(2) })
  expect([before.terms.isFree(node(2)), before.terms.costFor(node(2))]).toEqual([true, undefined])
  before.distrust(node(2))
  expect(before.terms.isFree(node(2))).toBe(false)
})

test('nobody vouches for more than others would take, nor for who pays a price', () => {
  const contacts = new Contacts(crypto, new MemoryStore())
  for (let n = 0; n < STATEMENTS_PER_TRUSTER_MAX; n++) contacts.trust({ nodeId: node(n), vouched: true })
  expect(() => contacts.trust({ nodeId: node(200), vouched: true })).toThrow(RangeError)
  contacts.trust({ nodeId: node(3), vouched: true })
  contacts.trust({ nodeId: node(200) })
  expect(() => contacts.trust({ nodeId: node(201), priceMicroPerMib: 5, creditLineMicro: 1n })).toThrow(RangeError)
})

test('the terms of a peer go in and come out by the control socket’s methods', async () => {
  const running = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto })
  const nodeId = '01'.repeat(16)
  const peer = { nodeId, creditLineMicro: '5000000000000000000', vouched: true }
  expect(await running.api.call('peer-add', peer)).toEqual(peer)
  expect(await running.api.call('peer-add', { nodeId, priceMicroPerMib: 7 })).toEqual({ nodeId, priceMicroPerMib: 7 })
  expect(await running.api.call('peer-list', {})).toEqual({ peers: [{ nodeId, priceMicroPerMib: 7 }] })
  await expect(running.api.call('peer-add', { ...peer, priceMicroPerMib: 7 })).rejects.toThrow('not given credit')
  await running.stop()
})

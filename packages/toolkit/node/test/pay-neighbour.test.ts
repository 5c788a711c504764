import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { CONTEXT, encodePacket, nativePacket, PACKET_TYPE } from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import type { Link } from '@nexus/link'
import { decodeLotteryMessage, packetCost } from '@nexus/vrf-lottery'
import { expect, test } from 'vitest'
import { PayNeighbour } from '../src/core/economy/neighbour.ts'
import { WAITING_FOR_ODDS_MAX, WAITING_MS_MAX } from '../src/core/limits.ts'

const crypto = await nodeCrypto()
const random = seededRandom('pay neighbour')
const [self, peer, far] = [createIdentity(crypto, random(32)), createIdentity(crypto, random(32)), random(16)]

interface Scene {
  readonly pay: PayNeighbour
  readonly link: Link
  /** The counter of the frame that came, or went, last. */
  readonly counters: { readonly sent: { counter: number }; readonly received: { counter: number } }
  readonly sent: string[]
  readonly offered: Uint8Array[]
}

function setUp(): Scene {
  const handshakeHash = random(64)
  const made = {
    id: 1,
    peer: { nodeId: peer.nodeId, publicKey: peer.publicKey },
    bitrateBps: 500_000,
    wideCounters: { own: false, peer: false },
    handshakeHash,
    sent: { handshakeHash, counter: -1 },
    received: { handshakeHash, counter: 0 },
  }
  const link = made as unknown as Link
  const sent: string[] = []
  const offered: Uint8Array[] = []
  const pay = new PayNeighbour(link, {
    crypto,
    identity: self,
    random,
    epoch: 0,
    standing: undefined,
    send: (body) => sent.push(decodeLotteryMessage(body).kind),
    creditMicro: () => 1e9,
    offer: (_nowMs, _link, packet) => offered.push(packet),
  })
  pay.linkUp(0, link)
  pay.quote(link, 'heard', far, 300)
  return { pay, link, counters: made, sent, offered }
}

const packet = (byte: number): Uint8Array =>
  encodePacket(
    nativePacket({ type: PACKET_TYPE.DATA, destination: far, context: CONTEXT.TRACE, data: Uint8Array.of(byte) }),
  )

test('priced packets wait for odds, so many at most, and leave in their order when these come', () => {
  const { pay, link, sent, offered } = setUp()
  for (let at = 0; at < WAITING_FOR_ODDS_MAX + 20; at++) expect(pay.holds(0, link, packet(at))).toBe(true)
  expect(sent).toEqual(['open-lot'])
  const series = link.handshakeHash.slice(0, 4)
  pay.receive(10, link, { kind: 'odds', series, window: 0, odds: 5 })
  expect(offered).toEqual([])
  pay.receive(10, link, { kind: 'odds', series, window: 1, odds: 5 })
  expect(offered.map((one) => one.at(-1))).toEqual(Array.from({ length: WAITING_FOR_ODDS_MAX }, (_, at) => at + 20))
  expect(pay.holds(11, link, packet(0))).toBe(false)
})

test('free packets do not wait, nor do those that are not quoted', () => {
  const { pay, link, sent } = setUp()
  // The lowest quote of this window and the one before counts.
  pay.quote(link, 'heard', far, 0)
  expect(pay.holds(0, link, packet(0))).toBe(false)
  pay.quote(link, 'heard', far, 0xffff)
  expect(pay.holds(0, link, packet(0))).toBe(false)
  expect(sent).toEqual([])
})

test('a neighbour that never announces odds gets them unpaid after a while, old ones excepted', () => {
  const { pay, link, offered } = setUp()
  expect(pay.holds(0, link, packet(1))).toBe(true)
  expect(pay.holds(5_000, link, packet(2))).toBe(true)
  pay.tick(7_999)
  expect(offered).toEqual([])
  expect(pay.nextWakeMs()).toBeLessThanOrEqual(8_000)
  pay.tick(8_000)
  expect(offered.map((one) => one.at(-1))).toEqual([1, 2])
  expect(pay.holds(8_001, link, packet(3))).toBe(false)
  const late = setUp()
  late.pay.holds(0, late.link, packet(1))
  late.pay.tick(WAITING_MS_MAX + 1)
  expect(late.offered).toEqual([])
})

test('a quote that was raised counts, at both ends, from the second window after it on, whatever frames were between', () => {
  const { pay, link, counters } = setUp()
  const series = link.handshakeHash.slice(0, 4)
  for (const side of ['heard', 'given'] as const) {
    pay.quote(link, side, far, 300)
    pay.quote(link, side, far, 400)
  }
  // Three windows of other frames go by in both directions.
  counters.sent.counter = 3 * 256 - 1
  counters.received.counter = 3 * 256
  expect(pay.holds(0, link, packet(1))).toBe(true)
  for (const window of [3, 4]) pay.receive(0, link, { kind: 'odds', series, window, odds: 5 })
  counters.sent.counter = 3 * 256
  pay.handedOver(0, link, packet(1))
  const priceMicro = packetCost(packet(1).length, 400)
  expect(BigInt(Math.floor(pay.payer.pendingMicro))).toBe(priceMicro)
  const commits = [random(16), random(16)] as const
  pay.receive(0, link, { kind: 'open-lot', series, commits })
  expect(pay.takes(0, link, packet(1))).toBe('taken')
  expect(BigInt(Math.floor(pay.relay.exposureMicro))).toBe(priceMicro)
})

test('a quote that was lowered and raised again within a window counts in it, though no packet came meanwhile', () => {
  const { pay, link, counters } = setUp()
  const series = link.handshakeHash.slice(0, 4)
  pay.quote(link, 'given', far, 500)
  counters.received.counter = 5 * 256
  for (const cost of [500, 300, 400]) pay.quote(link, 'given', far, cost)
  const commits = [random(16), random(16)] as const
  pay.receive(0, link, { kind: 'open-lot', series, commits })
  expect(pay.takes(0, link, packet(1))).toBe('taken')
  expect(BigInt(Math.floor(pay.relay.exposureMicro))).toBe(packetCost(packet(1).length, 300))
})

test('a neighbour that announced odds over an earlier link is not waited for without end over the next', () => {
  const { pay, link, offered } = setUp()
  const series = link.handshakeHash.slice(0, 4)
  pay.holds(0, link, packet(1))
  for (const window of [0, 1]) pay.receive(10, link, { kind: 'odds', series, window, odds: 5 })
  pay.linkDown(20_000, link)
  const next = { ...link, id: 2, handshakeHash: random(64) } as Link
  pay.linkUp(30_000, next)
  pay.quote(next, 'heard', far, 300)
  offered.length = 0
  expect(pay.holds(30_000, next, packet(2))).toBe(true)
  pay.tick(37_999)
  expect(offered).toEqual([])
  pay.tick(38_000)
  expect(offered.map((one) => one.at(-1))).toEqual([2])
})

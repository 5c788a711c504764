import type { Link } from '@nexus/link'
import type { InterfaceFacts } from '@nexus/transport'
import { expect, test } from 'vitest'
import { SELF } from '../src/core/egress.ts'
import { Interfaces, type InterfacesPorts } from '../src/core/interfaces.ts'

const BULK = new Uint8Array(400).fill(3)
const CALL = new Uint8Array(40).fill(2)
const SLOW = { id: 'radio', mtuBytes: 508, bitrateBps: 1_200, dutyCycle: 1, reach: 'point', addressed: false }

test('a packet whose first part the medium refused was not handed over; it is once it left', () => {
  let isTaking = true
  const handedOver: Uint8Array[] = []
  const send = (nowMs: number, bytes: number): boolean =>
    interfaces.transmit(nowMs, 'radio', new Uint8Array(bytes), undefined)
  const interfaces = new Interfaces({
    transmit: () => isTaking,
    queuedBytes: () => 0,
    seal: (nowMs, _link, _type, body) => send(nowMs, body.length),
    sealParts: (nowMs, _link, packet) => (send(nowMs, packet.length / 2) ? 1 : 0),
    nextPart: (nowMs) => Number(!send(nowMs, BULK.length / 2)),
    sealed: (_nowMs, _link, packet) => handedOver.push(packet.slice()),
    hasControl: () => false,
    pullControl: () => undefined,
    dropped: () => {},
    shared: () => {},
  } satisfies InterfacesPorts)
  interfaces.up(0, SLOW as unknown as InterfaceFacts)
  interfaces.linkUp(0, { id: 1, interfaceId: 'radio' } as Link)
  // A call on a slow medium: whatever is not urgent goes in parts.
  interfaces.offer(0, 1, CALL, 0, SELF)
  expect(handedOver).toEqual([CALL])
  isTaking = false
  interfaces.offer(10_000, 1, BULK, 3, SELF)
  interfaces.pump(10_000)
  interfaces.pump(20_000)
  expect(handedOver).toEqual([CALL])
  isTaking = true
  interfaces.pump(30_000)
  expect(handedOver).toEqual([CALL, BULK])
})

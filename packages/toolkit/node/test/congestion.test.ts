import { encodeSignal, type Severity } from '@nexus/congestion'
import type { Link } from '@nexus/link'
import { expect, test } from 'vitest'
import { Congestion } from '../src/core/congestion.ts'
import { Egress, SELF, type WaitingPacket } from '../src/core/egress.ts'
import type { Interfaces } from '../src/core/interfaces.ts'
import type { Packets } from '../src/core/packets.ts'

const LINK = 1

/** A node with one link, whose neighbour is the only way on: what is recalled is offered to it again. */
class OneWay {
  readonly dropped: string[] = []
  readonly egress: Egress
  readonly congestion: Congestion
  recalls = 0
  #sequence = 0

  constructor() {
    this.egress = new Egress(
      0,
      { usableBps: 1_000_000, nominalBps: 1_000_000 },
      {
        send: (_nowMs, _link, _type, body) => body.length,
        sendFirstPart: () => 0,
        sendNextPart: () => 0,
        mediumQueueBytes: () => 0,
        hasControl: () => false,
        pullControl: () => undefined,
        dropped: (_link, _packet, reason) => this.dropped.push(reason),
      },
    )
    this.egress.linkUp(0, LINK)
    const interfaces = { of: () => ({ egress: this.egress }) } as unknown as Interfaces
    const reroute = (nowMs: number, waiting: readonly WaitingPacket[]): void => {
      this.recalls++
      for (const { packet, priority, source } of waiting) this.egress.offer(nowMs, LINK, packet, priority, source)
    }
    const packets = { reroute } as unknown as Packets
    this.congestion = new Congestion({ interfaces, packets, send: () => true, began: () => {} })
  }

  signal(nowMs: number, severity: Severity, drainMs = 2_000): void {
    const body = encodeSignal({ severity, scope: 'link', drainMs, sequence: this.#sequence++ })
    this.congestion.receive(nowMs, { id: LINK } as Link, body)
  }
}

test('what waits looks for another way once when a neighbour becomes severe, and does not grow young by its repeats', () => {
  const node = new OneWay()
  node.signal(0, 3)
  expect(node.recalls).toBe(1)
  expect(node.egress.offer(0, LINK, new Uint8Array(100), 2, SELF)).toBe(true)
  for (let nowMs = 1_000; nowMs <= 31_000; nowMs += 1_000) {
    node.signal(nowMs, 3)
    node.egress.pump(nowMs)
  }
  expect(node.recalls).toBe(1)
  expect(node.dropped).toEqual(['expired'])
  expect(node.egress.queuedBytes).toBe(0)
  node.signal(32_000, 0)
  node.signal(33_000, 2)
  expect(node.recalls).toBe(2)
})

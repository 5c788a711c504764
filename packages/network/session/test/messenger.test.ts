import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { decodePacket } from '@nexus/framing'
import { SessionError } from '@nexus/session'
import { describe, test } from 'vitest'
import { bodyOf, CALM, WALL_CLOCK_MS, World } from './world.ts'

const crypto = await nodeCrypto()
const DAY = 24 * 3_600_000

describe('delivery', () => {
  test('a message is stored, shown once, receipted and delivered', () => {
    const world = new World(crypto, 1)
    const [alice, bob] = [world.peer(), world.peer()]
    const id = alice.send(bob, bodyOf(1, 40))!
    assert.equal(alice.state(id), 'sent')
    world.runFor(5_000)
    assert.equal(alice.state(id), 'delivered')
    assert.deepEqual(bob.shown, [{ from: alice.name, body: bodyOf(1, 40) }])
    assert.deepEqual(
      alice.states.map(({ state }) => state),
      ['sent', 'delivered'],
    )
    assert.equal(world.packets, 2)
  })

  test('each body length up to 64 KB arrives as it was', () => {
    const world = new World(crypto, 2)
    const [alice, bob] = [world.peer(), world.peer()]
    for (const bytes of [4, 312, 313, 620, 621, 4_000, 65_535, 65_536]) {
      const id = alice.send(bob, bodyOf(bytes, bytes))!
      world.runFor(600_000)
      assert.equal(alice.state(id), 'delivered', `${bytes} bytes`)
      assert.deepEqual(bob.shown.at(-1)?.body, bodyOf(bytes, bytes))
    }
    assert.equal(bob.shown.length, 8)
    assert.deepEqual(bob.messenger.stats().reassemblyBytes, 0)
  })

  test('a message keeps the time of its arrival, also over a restart', () => {
    const world = new World(crypto, 'arrival')
    const [alice, bob] = [world.peer(), world.peer()]
    bob.takes = false
    alice.send(bob, bodyOf(1, 40))
    alice.send(bob, bodyOf(2, 40), { anonymous: true })
    world.runFor(5_000)
    world.wallClockMs += DAY
    alice.send(bob, bodyOf(3, 40))
    world.runFor(5_000)
    const times = () => bob.messenger.inbox().map(({ receivedAtMs }) => receivedAtMs)
    assert.deepEqual(times(), [WALL_CLOCK_MS, WALL_CLOCK_MS, WALL_CLOCK_MS + DAY])
    world.wallClockMs += DAY
    bob.restart()
    assert.deepEqual(times(), [WALL_CLOCK_MS, WALL_CLOCK_MS, WALL_CLOCK_MS + DAY])
  })

  test('an empty body is a message', () => {
    const world = new World(crypto, 3)
    const [alice, bob] = [world.peer(), world.peer()]
    const id = alice.send(bob, new Uint8Array(0))!
    world.runFor(5_000)
    assert.equal(alice.state(id), 'delivered')
    assert.equal(bob.shown.length, 1)
  })

  test('an anonymous message is shown without a sender, ends as sent and gets no receipt', () => {
    const world = new World(crypto, 4)
    const [alice, bob] = [world.peer(), world.peer()]
    const id = alice.send(bob, bodyOf(1, 416), { anonymous: true })!
    world.runFor(DAY)
    assert.equal(alice.state(id), 'sent')
    assert.deepEqual(bob.shown, [{ from: undefined, body: bodyOf(1, 416) }])
    assert.equal(world.packets, 1)
  })

  test('a lost receipt heals: the message is answered again and not shown again', () => {
    const world = new World(crypto, 5)
    const [alice, bob] = [world.peer(), world.peer()]
    let lost = 0
    bob.answer = () => (lost++ < 3 ? 'sent' : undefined)
    const id = alice.send(bob, bodyOf(1, 40))!
    world.runFor(10_000)
    assert.equal(alice.state(id), 'sent')
    world.runFor(DAY)
    assert.equal(alice.state(id), 'delivered')
    assert.equal(lost, 4)
    assert.equal(bob.shown.length, 1)
  })

  test('strangers get a receipt only where that is allowed', () => {
    for (const allowed of [false, true]) {
      const world = new World(crypto, 6)
      const [alice, bob] = [world.peer(), world.peer({}, allowed)]
      bob.keys = new Map()
      const id = alice.send(bob, bodyOf(1, 40), { expiresMs: 60_000 })!
      world.runFor(120_000)
      assert.equal(bob.shown.length, 1)
      assert.equal(alice.state(id), allowed ? 'delivered' : 'failed:expired')
    }
  })

  test('receipts to one sender are a second apart', () => {
    const world = new World(crypto, 7)
    const [alice, bob] = [world.peer(), world.peer()]
    const times: number[] = []
    bob.answer = () => {
      times.push(world.nowMs)
      return undefined
    }
    const ids = Array.from({ length: 16 }, (_, tag) => alice.send(bob, bodyOf(tag, 20))!)
    world.runFor(60_000)
    assert.equal(bob.shown.length, 16)
    assert.equal(times.length, 16)
    for (let at = 1; at < times.length; at++) assert.ok(times[at]! - times[at - 1]! >= 1_000)
    for (const id of ids) assert.equal(alice.state(id), 'delivered')
  })
})

describe('calls that come back', () => {
  test('a network that delivers at once, inside the call that sends', () => {
    const world = new World(crypto, 19)
    const [alice, bob] = [world.peer({ receiptSpacingMs: 0 }), world.peer({ receiptSpacingMs: 0 })]
    for (const [from, to] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      from.answer = (packet) => {
        to.messenger.receivePacket(world.nowMs, decodePacket(packet))
        return 'sent'
      }
    }
    const ids = Array.from({ length: 40 }, (_, tag) => alice.send(bob, bodyOf(tag, tag % 10 === 0 ? 3_000 : 20))!)
    world.runFor(60_000)
    for (const id of ids) assert.equal(alice.state(id), 'delivered')
    assert.equal(bob.shown.length, 40)
    assert.deepEqual(
      alice.states.filter(({ state }) => state === 'delivered').length,
      40,
      'each is told as delivered once',
    )
  })

  test('an application that cancels, sends and takes inside its callbacks', () => {
    const world = new World(crypto, 20)
    const [alice, bob] = [world.peer({ inFlightMax: 2 }), world.peer()]
    const ids = Array.from({ length: 6 }, (_, tag) => alice.send(bob, bodyOf(tag, 20))!)
    let answered = 0
    alice.onState = (status) => {
      for (const id of ids.slice(3)) alice.messenger.cancel(world.nowMs, id)
      if (status.state === 'delivered' && answered++ < 2) alice.send(bob, bodyOf(100 + answered, 20))
    }
    world.runFor(60_000)
    assert.deepEqual(
      ids.map((id) => alice.state(id)),
      [...Array(3).fill('delivered'), ...Array(3).fill('failed:cancelled')],
    )
    assert.equal(bob.shown.length, 5)
    assert.deepEqual(alice.messenger.stats().outboxBytes, 0)
  })
})

describe('failure says why', () => {
  test('no key, no route, expired, refused, cancelled', () => {
    const world = new World(crypto, 8)
    const [alice, bob, carol] = [world.peer(), world.peer(), world.peer()]
    const stranger = new World(crypto, 'elsewhere').peer()
    const noKey = alice.send(stranger, bodyOf(1, 20), { expiresMs: 60_000 })!
    bob.online = false
    const noRoute = alice.send(bob, bodyOf(2, 20), { expiresMs: 60_000 })!
    carol.answer = () => 'sent'
    const expired = alice.send(carol, bodyOf(3, 20), { expiresMs: 60_000 })!
    const cancelled = alice.send(bob, bodyOf(4, 20))!
    assert.equal(alice.messenger.status(world.nowMs, noKey)?.waitingFor, 'key')
    assert.equal(alice.messenger.status(world.nowMs, noRoute)?.waitingFor, 'route')
    assert.equal(alice.messenger.cancel(world.nowMs, cancelled), true)
    assert.equal(alice.messenger.cancel(world.nowMs, cancelled), false)
    world.runFor(120_000)
    assert.equal(alice.state(noKey), 'failed:no-key')
    assert.equal(alice.state(noRoute), 'failed:no-route')
    assert.equal(alice.state(expired), 'failed:expired')
    assert.equal(alice.state(cancelled), 'failed:cancelled')
    for (const status of alice.messenger.list(world.nowMs)) assert.ok(status.nextStep!.length > 20)
  })

  test('a full inbox refuses, and what was refused can be sent again', () => {
    const world = new World(crypto, 9)
    const alice = world.peer()
    const bob = world.peer({ inboxMessagesMax: 8, inboxSenderShare: 2 })
    bob.takes = false
    const ids = Array.from({ length: 6 }, (_, tag) => alice.send(bob, bodyOf(tag, 20))!)
    const long = alice.send(bob, bodyOf(99, 1_000))!
    world.runFor(60_000)
    assert.deepEqual(
      ids.map((id) => alice.state(id)),
      [...Array(4).fill('delivered'), 'failed:refused', 'failed:refused'],
    )
    assert.equal(alice.state(long), 'failed:refused')
    for (const { handle } of bob.messenger.inbox()) assert.equal(bob.messenger.take(handle), true)
    const again = alice.send(bob, bodyOf(4, 20))!
    world.runFor(60_000)
    assert.equal(alice.state(again), 'delivered')
  })

  test('too large and outbox full are thrown before anything is written', () => {
    const world = new World(crypto, 10)
    const alice = world.peer({ outboxMessagesMax: 3, outboxBytesMax: 2_000 })
    const bob = world.peer()
    bob.online = false
    const before = alice.store.writes
    const codeOf = (act: () => unknown) => {
      try {
        act()
      } catch (error) {
        if (error instanceof SessionError) return error.detail.code
        throw error
      }
      return undefined
    }
    assert.equal(
      codeOf(() => alice.send(bob, bodyOf(1, 65_537))),
      'session/too-large',
    )
    assert.equal(
      codeOf(() => alice.send(bob, bodyOf(1, 417), { anonymous: true })),
      'session/too-large',
    )
    assert.equal(
      codeOf(() => alice.send(bob, bodyOf(1, 2_001))),
      'session/outbox-full',
    )
    assert.equal(alice.store.writes, before)
    for (let tag = 0; tag < 3; tag++) alice.send(bob, bodyOf(tag, 20))
    assert.equal(
      codeOf(() => alice.send(bob, bodyOf(4, 20))),
      'session/outbox-full',
    )
    assert.throws(() => alice.messenger.send(0, new Uint8Array(15), new Uint8Array(1)), RangeError)
    assert.throws(() => alice.send(bob, new Uint8Array(1), { expiresMs: 0 }), RangeError)
  })

  test('a receipt that comes after the message was given up is still the truth', () => {
    const world = new World(crypto, 11, { ...CALM, delayMsMin: 50_000, delayMsMax: 50_000 })
    const [alice, bob] = [world.peer(), world.peer()]
    const id = alice.send(bob, bodyOf(1, 20), { expiresMs: 60_000 })!
    world.runFor(70_000)
    assert.equal(alice.state(id), 'failed:expired')
    world.runFor(100_000)
    assert.equal(alice.state(id), 'delivered')
    assert.equal(bob.shown.length, 1)
  })
})

describe('outbox', () => {
  test('what waits for a route goes once when the destination is heard', () => {
    const world = new World(crypto, 12)
    const [alice, bob] = [world.peer(), world.peer()]
    bob.online = false
    const ids = [1, 2, 3].map((tag) => alice.send(bob, bodyOf(tag, 20))!)
    world.runFor(3 * 3_600_000)
    bob.online = true
    alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
    assert.equal(world.packets, 3)
    alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
    assert.equal(world.packets, 3)
    world.runFor(10_000)
    for (const id of ids) assert.equal(alice.state(id), 'delivered')
  })

  test('heard again within the second, it is not forgotten: what found no way is tried when the second is over', () => {
    const world = new World(crypto, 23)
    const [alice, bob] = [world.peer(), world.peer()]
    bob.online = false
    const id = alice.send(bob, bodyOf(1, 20))!
    world.runFor(5_000)
    alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
    bob.online = true
    alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
    world.runFor(2_000)
    assert.equal(alice.state(id), 'delivered')
  })

  test('a new message looks for the route at once, and takes the waiting ones along', () => {
    const world = new World(crypto, 18)
    const [alice, bob] = [world.peer(), world.peer()]
    bob.online = false
    const waiting = alice.send(bob, bodyOf(1, 20))!
    world.runFor(3_600_000)
    bob.online = true
    const fresh = alice.send(bob, bodyOf(2, 20))!
    world.runFor(5_000)
    assert.equal(alice.state(fresh), 'delivered')
    assert.equal(alice.state(waiting), 'delivered')
  })

  test('a message that was tried in vain is sent exactly once each time the destination is heard', () => {
    const world = new World(crypto, 13)
    const [alice, bob] = [world.peer(), world.peer()]
    let sent = 0
    alice.answer = () => {
      sent++
      return 'sent'
    }
    const id = alice.send(bob, bodyOf(1, 20))!
    world.runFor(DAY)
    assert.equal(sent, 8)
    assert.equal(alice.messenger.status(world.nowMs, id)?.waitingFor, 'peer')
    for (let hearing = 1; hearing <= 3; hearing++) {
      alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
      world.runFor(30_000)
      alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
      world.runFor(3_600_000)
      assert.equal(sent, 8 + hearing)
    }
    alice.answer = undefined
    alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
    world.runFor(5_000)
    assert.equal(alice.state(id), 'delivered')
  })

  test('a receipt for what an earlier run sent measures no round trip: what is sent after it is still repeated in time', () => {
    const world = new World(crypto, 24)
    const [alice, bob] = [world.peer(), world.peer()]
    for (let tag = 0; tag < 2; tag++) {
      const before = alice.send(bob, bodyOf(tag, 20))!
      alice.restart()
      alice.answer = () => 'no-route'
      world.runFor(5_000)
      assert.equal(alice.state(before), 'delivered')
      let lost = 0
      alice.answer = () => (lost++ < 1 ? 'sent' : undefined)
      const after = alice.send(bob, bodyOf(10 + tag, 20))!
      assert.ok(Number.isFinite(alice.messenger.nextWakeMs()))
      world.runFor(60_000)
      assert.equal(alice.state(after), 'delivered')
      alice.answer = undefined
    }
  })

  test('a long message is sent once its last part left, not once there was no way for it', () => {
    const world = new World(crypto, 26)
    const [alice, bob] = [world.peer(), world.peer()]
    let parts = 0
    alice.answer = () => (parts++ === 0 ? undefined : 'no-route')
    const id = alice.send(bob, bodyOf(1, 400))!
    assert.equal(parts, 2)
    assert.equal(alice.state(id), 'queued')
    alice.answer = undefined
    world.runFor(60_000)
    assert.equal(alice.state(id), 'delivered')
  })

  test('an answer inside the call that sends measures no round trip either', () => {
    const world = new World(crypto, 25)
    const [alice, bob] = [world.peer(), world.peer()]
    for (const peer of [alice, bob]) {
      const other = peer === alice ? bob : alice
      peer.answer = (packet) => {
        other.messenger.receivePacket(world.nowMs, decodePacket(packet))
        return 'sent'
      }
    }
    for (let tag = 0; tag < 3; tag++) {
      alice.send(bob, bodyOf(tag, 20))
      world.runFor(2_000)
    }
    let lost = 0
    alice.answer = () => (lost++ < 1 ? 'sent' : undefined)
    const id = alice.send(bob, bodyOf(9, 20))!
    assert.ok(Number.isFinite(alice.messenger.nextWakeMs()))
    world.runFor(60_000)
    assert.equal(alice.state(id), 'delivered')
  })

  test('it survives a restart, with its remaining time', () => {
    const world = new World(crypto, 14)
    const [alice, bob] = [world.peer(), world.peer()]
    bob.online = false
    const early = alice.send(bob, bodyOf(1, 20), { expiresMs: 3_600_000 })!
    const late = alice.send(bob, bodyOf(2, 20), { expiresMs: 3 * 3_600_000 })!
    world.runFor(1_800_000)
    world.nowMs = 5
    alice.restart()
    bob.restart()
    world.runFor(1_700_000)
    assert.equal(alice.state(early), 'queued')
    world.runFor(300_000)
    assert.equal(alice.state(early), 'failed:no-route')
    bob.online = true
    world.runFor(3_600_000)
    assert.equal(alice.state(late), 'delivered')
    alice.restart()
    assert.equal(alice.state(late), 'delivered')
    assert.equal(alice.state(early), 'failed:no-route')
  })

  test('only so many messages are on the way to one destination', () => {
    const world = new World(crypto, 15)
    const [alice, bob] = [world.peer({ inFlightMax: 4 }), world.peer()]
    let sent = 0
    bob.answer = () => 'sent'
    alice.answer = () => {
      sent++
      return undefined
    }
    for (let tag = 0; tag < 20; tag++) alice.send(bob, bodyOf(tag, 20))
    assert.equal(sent, 4)
    bob.answer = undefined
    world.runFor(600_000)
    assert.equal(bob.shown.length, 20)
    assert.equal(alice.messenger.stats().outboxMessages, 0)
  })

  test('new messages wait before an unanswered one could fall out of the window of the receiver', () => {
    const world = new World(crypto, 16)
    const [alice, bob] = [world.peer({ newerMax: 10, triesMax: 2 }), world.peer()]
    const first = alice.send(bob, bodyOf(0, 20))!
    alice.answer = undefined
    world.runFor(5_000)
    assert.equal(alice.state(first), 'delivered')
    let dropped = 0
    let drop: 'first' | 'none' = 'first'
    alice.answer = () => {
      if (drop === 'none') return undefined
      drop = 'none'
      dropped++
      return 'sent'
    }
    const stuck = alice.send(bob, bodyOf(1, 20))!
    const rest = Array.from({ length: 15 }, (_, tag) => alice.send(bob, bodyOf(tag + 2, 20))!)
    assert.equal(dropped, 1)
    assert.equal(rest.filter((id) => alice.state(id) === 'queued').length, 5)
    world.runFor(600_000)
    for (const id of [stuck, ...rest]) assert.equal(alice.state(id), 'delivered')
  })

  test('settled messages are told for a while, the oldest go', () => {
    const world = new World(crypto, 17)
    const [alice, bob] = [world.peer({ settledMax: 5 }), world.peer()]
    const ids = Array.from({ length: 8 }, (_, tag) => alice.send(bob, bodyOf(tag, 20))!)
    world.runFor(60_000)
    assert.deepEqual(
      ids.map((id) => alice.state(id)),
      [undefined, undefined, undefined, ...Array(5).fill('delivered')],
    )
    alice.restart()
    assert.equal(alice.messenger.list(world.nowMs).length, 5)
  })
})

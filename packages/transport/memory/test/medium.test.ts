import { FRAME_BYTES_MIN } from '@nexus/transport'
import { RecordingHost } from '@nexus/transport/testing'
import { expect, test } from 'vitest'
import { IN_FLIGHT_MAX, MEMBERS_MAX, MemoryMedium, type MemoryMediumOptions } from '../src/index.ts'

async function joined(options: MemoryMediumOptions, names = ['a', 'b']) {
  const medium = new MemoryMedium(options)
  const hosts = await Promise.all(
    names.map(async (name) => {
      const host = new RecordingHost()
      await medium.transport(name).start(host)
      return host
    }),
  )
  return { medium, hosts, ifaces: hosts.map((host) => host.open[0]!) }
}

const frame = (number: number, bytes = 100) => {
  const made = new Uint8Array(bytes)
  new DataView(made.buffer).setUint32(0, number)
  return made
}
const numberOf = ({ bytes }: { bytes: Uint8Array }) => new DataView(bytes.buffer).getUint32(0)

test('a frame takes its bits and the latency, to the millisecond', async () => {
  const { medium, hosts, ifaces } = await joined({ bitrateBps: 8_000, impairment: { latencyMs: 7 } })
  medium.advance(10)
  ifaces[0]!.send(frame(1))
  expect(medium.nextWakeMs()).toBe(110)
  medium.advance(116.9)
  expect(hosts[1]!.frames.length).toBe(0)
  expect(ifaces[0]!.queuedBytes).toBe(0)
  medium.advance(117)
  expect(hosts[1]!.frames.length).toBe(1)
  expect(medium.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
  expect(() => medium.advance(116)).toThrow(RangeError)
})

test('half duplex: one member at a time', async () => {
  const { medium, hosts, ifaces } = await joined({ reach: 'shared', duplex: 'half', bitrateBps: 8_000 }, [
    'a',
    'b',
    'c',
  ])
  ifaces[0]!.send(frame(1))
  ifaces[1]!.send(frame(2))
  medium.advance(150)
  expect(hosts[2]!.frames.map(numberOf)).toEqual([1])
  medium.advance(200)
  expect(hosts[2]!.frames.map(numberOf)).toEqual([1, 2])
})

test('shared: all others hear; addressed: the one named hears, and sees who it was', async () => {
  const { medium, hosts, ifaces } = await joined({ reach: 'shared', addressed: true }, ['a', 'b', 'c'])
  ifaces[0]!.send(frame(1))
  ifaces[0]!.send(frame(2), 'c')
  ifaces[0]!.send(frame(3), 'nobody')
  medium.advance(1)
  expect(hosts.map((host) => host.frames.map(numberOf))).toEqual([[], [1], [1, 2]])
  expect(hosts[2]!.frames.map(({ from }) => from)).toEqual(['a', 'a'])
})

test('the same seed gives the same run, another seed another one, and each fault comes about as often as asked', async () => {
  const impairment = {
    lossRatio: 0.2,
    duplicateRatio: 0.1,
    reorderRatio: 0.1,
    corruptRatio: 0.05,
    latencyMs: 5,
    jitterMs: 3,
  }
  const trace = async (seed: number) => {
    const { medium, hosts, ifaces } = await joined({ impairment, seed })
    for (let i = 0; i < 4_000; i++) {
      ifaces[0]!.send(frame(i))
      medium.advance(i)
    }
    medium.advance(5_000)
    return {
      trace: hosts[1]!.frames.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(),
      counts: medium.counts,
    }
  }
  const one = await trace(1)
  expect(await trace(1)).toEqual(one)
  expect((await trace(2)).trace).not.toBe(one.trace)
  expect(one.counts.sent).toBe(4_000)
  expect(one.counts.lost / 4_400).toBeCloseTo(0.2, 1)
  expect(one.counts.duplicated / 4_000).toBeCloseTo(0.1, 1)
  expect(one.counts.reordered).toBeGreaterThan(200)
  expect(one.counts.corrupted).toBeGreaterThan(100)
  expect(one.counts.delivered).toBe(one.counts.sent + one.counts.duplicated - one.counts.lost)
})

test('jitter alone keeps the order, reordering does not', async () => {
  for (const [reorderRatio, ordered] of [
    [0, true],
    [0.2, false],
  ] as const) {
    const { medium, hosts, ifaces } = await joined({
      impairment: { jitterMs: 50, reorderRatio, reorderMs: 80 },
      seed: 4,
    })
    for (let i = 0; i < 300; i++) {
      ifaces[0]!.send(frame(i))
      medium.advance(i)
    }
    medium.advance(1_000)
    const numbers = hosts[1]!.frames.map(numberOf)
    expect(numbers.length).toBe(300)
    expect(numbers.every((number, index) => number === index)).toBe(ordered)
  }
})

test('a cut works in its direction until healed', async () => {
  const { medium, hosts, ifaces } = await joined({})
  medium.cut('a', 'b')
  ifaces[0]!.send(frame(1))
  ifaces[1]!.send(frame(2))
  medium.advance(1)
  medium.heal('a', 'b')
  ifaces[0]!.send(frame(3))
  medium.advance(2)
  expect(hosts.map((host) => host.frames.map(numberOf))).toEqual([[2], [3]])
  expect(medium.counts.cut).toBe(1)
})

test('a cable goes down with either end, and up with a new one', async () => {
  const medium = new MemoryMedium()
  const [hostA, hostB, hostC] = [new RecordingHost(), new RecordingHost(), new RecordingHost()]
  const b = medium.transport('b')
  await medium.transport('a').start(hostA)
  expect(hostA.open).toEqual([])
  await b.start(hostB)
  hostB.open[0]!.send(frame(9))
  await b.stop()
  await medium.transport('c').start(hostC)
  expect(hostA.events).toEqual(['up memory:0', 'down memory:0: the other end left', 'up memory:0'])
  await expect(medium.transport('d').start(new RecordingHost())).rejects.toThrow(RangeError)
  await expect(medium.transport('a').start(new RecordingHost())).rejects.toThrow(TypeError)
})

test('who left hears nothing, even under its old name', async () => {
  const { medium, ifaces, hosts } = await joined({ reach: 'shared', impairment: { latencyMs: 10 } })
  ifaces[0]!.send(frame(1))
  await ifaces[1]!.close()
  const again = new RecordingHost()
  await medium.transport('b').start(again)
  medium.advance(20)
  expect([hosts[1]!.frames, again.frames]).toEqual([[], []])
})

test('limits: members, frames on their way, queue', async () => {
  const { medium, ifaces } = await joined(
    { reach: 'shared', bitrateBps: 1e12, queueBytesMax: 1e9, impairment: { latencyMs: 1e6 } },
    Array.from({ length: MEMBERS_MAX }, (_, index) => `m${index}`),
  )
  await expect(medium.transport('one more').start(new RecordingHost())).rejects.toThrow(RangeError)
  for (let i = 0; i < 300; i++) ifaces[0]!.send(frame(i, FRAME_BYTES_MIN))
  expect(medium.counts.overflowed).toBeGreaterThan(300 * (MEMBERS_MAX - 1) - IN_FLIGHT_MAX - 1)
  expect(medium.counts.overflowed).toBeLessThan(300 * (MEMBERS_MAX - 1) - IN_FLIGHT_MAX + 1_000)
})

test('settings that cannot work are refused', () => {
  for (const options of [
    { addressed: true },
    { mtuBytes: 10 },
    { bitrateBps: 0 },
    { queueBytesMax: 100 },
    { impairment: { lossRatio: 1.1 } },
    { impairment: { latencyMs: -1 } },
  ]) {
    expect(() => new MemoryMedium(options)).toThrow(RangeError)
  }
})

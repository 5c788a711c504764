import { Reassembler, splitFrame } from '@nexus/transport-lora-sim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, seeded } from './support.ts'

const frames = fc.uint8Array({ minLength: 1, maxLength: 508 })
const sequences = fc.integer({ min: 0, max: 15 })

describe('split form', () => {
  test('bytes of the form: header, split flag on both halves, cut at 254', () => {
    expect(splitFrame(bytes(3, 1), 10)).toEqual([Uint8Array.of(0xa0, 1, 2, 3)])
    const [first, second] = splitFrame(bytes(256), 10)
    expect(first).toEqual(Uint8Array.of(0xa1, ...bytes(254)))
    expect(second).toEqual(Uint8Array.of(0xa1, 254, 255))
    expect(splitFrame(bytes(254), 0)).toHaveLength(1)
    for (const length of [0, 509]) expect(() => splitFrame(bytes(length), 0)).toThrow(RangeError)
    expect(() => splitFrame(bytes(1), 16)).toThrow(RangeError)
  })

  test('what is split comes together again', () => {
    fc.assert(
      fc.property(frames, sequences, (frame, sequence) => {
        const packets = splitFrame(frame, sequence)
        const reassembler = new Reassembler(1_000)
        const results = packets.map((packet, at) => reassembler.receive(at, packet))
        expect(results.at(-1)).toEqual(frame)
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true)
      }),
    )
  })

  test('halves of two senders, and a whole frame between, do not disturb each other', () => {
    const [a1, a2] = splitFrame(bytes(300, 1), 3)
    const [b1, b2] = splitFrame(bytes(400, 2), 4)
    const [whole] = splitFrame(bytes(10, 3), 3)
    const reassembler = new Reassembler(1_000)
    const results = [a1, b1, whole, a2, b2].map((packet) => reassembler.receive(0, packet!))
    expect(results).toEqual([undefined, undefined, bytes(10, 3), bytes(300, 1), bytes(400, 2)])
  })

  test('a late half is forgotten, an orphan is not taken for a first half', () => {
    const [first, second] = splitFrame(bytes(300), 7)
    const reassembler = new Reassembler(1_000)
    expect(reassembler.receive(0, first!)).toBeUndefined()
    expect(reassembler.receive(1_001, second!)).toBeUndefined()
    expect(reassembler.stats).toEqual({ frames: 0, malformed: 0, expired: 1, orphans: 1 })
    expect(reassembler.receive(1_002, first!)).toBeUndefined()
    expect(reassembler.receive(1_003, second!)).toEqual(bytes(300))
  })

  test('what comes out does not change with the packet that went in', () => {
    const reassembler = new Reassembler(1_000)
    const [first, second] = splitFrame(bytes(300), 7)
    const reused = first!.slice()
    reassembler.receive(0, reused)
    reused.fill(0)
    expect(reassembler.receive(1, second!)).toEqual(bytes(300))
  })

  test('any packets: frames of 1 … 508 bytes or nothing, all accounted for', () => {
    const random = seeded(5)
    const cases = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
    const reassembler = new Reassembler(50)
    let halves = 0
    for (let nowMs = 0; nowMs < cases; nowMs++) {
      const draw = random(3)
      const packet = random(draw[0]! < 128 ? 255 : draw[1]! + (draw[2]! >> 7))
      const frame = reassembler.receive(nowMs, packet)
      if (frame === undefined) continue
      expect(frame.length >= 1 && frame.length <= 508).toBe(true)
      if (frame.length > 254) halves++
    }
    const { frames: whole, malformed, expired, orphans } = reassembler.stats
    expect(Math.min(halves, malformed, expired, orphans)).toBeGreaterThan(0)
    const open = cases - (whole - halves) - 2 * halves - malformed - expired - orphans
    expect(open >= 0 && open <= 16).toBe(true)
  })
})

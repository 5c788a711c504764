import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockStore } from '../src/blocks.ts'
import { CandidateTable } from '../src/candidates.ts'
import { DestinationTable, NONE, SLOT } from '../src/destinations.ts'
import { Dice } from './mesh.ts'

test('the destination table finds what a map finds, whatever comes and goes', () => {
  const address = fc.nat(60).map((value) => new Uint8Array(16).fill(value))
  const steps = fc.array(fc.record({ address, isAdd: fc.boolean() }), { maxLength: 400 })
  fc.assert(
    fc.property(steps, fc.nat(), (given, seed) => {
      const table = new DestinationTable(48, seed)
      const model = new Map<string, number>()
      for (const step of given) {
        const key = String(step.address)
        const slot = table.find(step.address)
        expect(slot).toBe(model.get(key) ?? NONE)
        if (step.isAdd && slot === NONE && !table.isFull) {
          const added = table.add(step.address)
          table.state[added] = SLOT.LIVE
          model.set(key, added)
          expect(table.destination(added)).toEqual(step.address)
        } else if (!step.isAdd && slot !== NONE) {
          table.remove(slot)
          model.delete(key)
        }
        expect(table.size).toBe(model.size)
      }
    }),
  )
})

test('a full destination table refuses', () => {
  const table = new DestinationTable(2, 0)
  for (const byte of [1, 2]) table.state[table.add(new Uint8Array(16).fill(byte))] = SLOT.LIVE
  expect(table.isFull).toBe(true)
  expect(() => table.add(new Uint8Array(16))).toThrow(RangeError)
  expect(() => table.find(new Uint8Array(3))).toThrow(RangeError)
})

test('blocks give back what was put, and are used again', () => {
  const dice = new Dice(3)
  const store = new BlockStore()
  const held = new Map<number, Uint8Array>()
  let arena = 0
  for (let step = 0; step < 3_000; step++) {
    if (held.size < 40) {
      const content = dice.bytes(1 + dice.below(465))
      held.set(store.put(content), content)
    }
    const [block, content] = dice.pick([...held])
    const read = new Uint8Array(content.length + 2)
    store.read(block, content.length, read, 1)
    expect(read.subarray(1, 1 + content.length)).toEqual(content)
    if (dice.chance(0.9)) {
      store.drop(block)
      held.delete(block)
    }
    if (step === 1_000) arena = store.arenaBytes
  }
  expect(store.arenaBytes).toBe(arena)
  for (const block of held.keys()) store.drop(block)
  expect(store.blocks).toBe(0)
})

test('candidates are chained by destination, and rows are used again', () => {
  const table = new DestinationTable(8, 0)
  const slots = [1, 2].map((byte) => table.add(new Uint8Array(16).fill(byte)))
  const rows = new CandidateTable(table)
  const added = [0, 1, 2].map((adjacency) => rows.add(slots[0]!, adjacency))
  rows.add(slots[1]!, 1)
  rows.remove(added[1]!)
  expect([rows.find(slots[0]!, 0), rows.find(slots[0]!, 1), rows.find(slots[0]!, 2)]).toEqual([
    added[0],
    NONE,
    added[2],
  ])
  expect(rows.add(slots[1]!, 5)).toBe(added[1])
  expect([rows.count(slots[0]!), rows.count(slots[1]!), rows.size]).toEqual([2, 2, 4])
})

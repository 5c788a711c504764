import { describe, expect, test } from 'vitest'
import { Disk, type DiskOp, readLog } from '../power-cut/disk.ts'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)
const write = (data: string, offset = 0): DiskOp => ({
  kind: 'write',
  name: 'a',
  offset,
  data: new TextEncoder().encode(data),
})
const sync: DiskOp = { kind: 'sync', name: 'a' }
const [lost, kept, torn] = [0, 0.5, 0.9]

const left = (ops: readonly DiskOp[], ...fates: readonly number[]): string | undefined => {
  const disk = new Disk()
  for (const op of ops) disk.apply(op)
  const queue = [...fates]
  return text(disk.cut(() => queue.shift() ?? lost).get('a'))
}

describe('a disk after a cut', () => {
  test('has what was flushed, and of the rest what luck left', () => {
    expect(left([write('one'), sync, write('two')], lost)).toBe('one')
    expect(left([write('one'), sync, write('two')], kept)).toBe('two')
    expect(left([write('one'), write('two', 3)], lost, kept)).toBe('\0\0\0two')
    expect(left([write('one')], lost)).toBeUndefined()
    expect(left([write('one'), { kind: 'truncate', name: 'a', size: 1 }, sync])).toBe('o')
  })

  test('tears a write between sectors, and the lost ones keep what they held', () => {
    const old = `${'-'.repeat(512)}${'-'.repeat(512)}`
    const newer = `${'x'.repeat(512)}${'y'.repeat(512)}`
    expect(left([write(old), sync, write(newer)], torn, 0.9, 0.1)).toBe(`${'-'.repeat(512)}${'y'.repeat(512)}`)
    expect(left([write(old), sync, write(newer)], torn, 0.1, 0.9)).toBe(`${'x'.repeat(512)}${'-'.repeat(512)}`)
    // A write that starts inside a sector ends its first part where the sector does.
    expect(left([write(old), sync, write('zz', 511)], torn, 0.9, 0.1)).toBe(`${'-'.repeat(512)}z${'-'.repeat(511)}`)
  })

  test('keeps a removal once the folder was flushed', () => {
    const unlink: DiskOp = { kind: 'unlink', name: 'a' }
    const folder: DiskOp = { kind: 'sync', name: '.' }
    expect(left([write('one'), sync, unlink], lost)).toBe('one')
    expect(left([write('one'), sync, unlink, folder])).toBeUndefined()
    expect(left([write('one'), sync, unlink, { kind: 'create', name: 'a' }, folder])).toBe('')
  })

  test('does not change what was recorded', () => {
    const op = write('x'.repeat(1_024))
    left([op], torn, 0.1, 0.1)
    expect(text(op.kind === 'write' ? op.data : undefined)).toBe('x'.repeat(1_024))
  })
})

test('a log that ends in the middle of a record is read up to there', () => {
  const record = [1, 1, 0, 97, 5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 104, 105]
  const whole: DiskOp = { kind: 'write', name: 'a', offset: 5, data: Uint8Array.of(104, 105) }
  expect(readLog(Uint8Array.from(record))).toEqual([whole])
  for (let cut = 0; cut < record.length; cut++) {
    expect(readLog(Uint8Array.from([...record, ...record.slice(0, cut)]))).toEqual([whole])
  }
})

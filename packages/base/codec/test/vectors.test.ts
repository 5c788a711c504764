import { expect, test } from 'vitest'
import { vectorsOf, vectorsText } from '../src/testing.ts'

const cases = [
  { id: 'one', in: { a: 1 }, out: 'x' },
  { id: 'two', in: { a: 2 }, error: 'codec/short' },
]

test('a file of vectors has a line for each case and reads back as it was', () => {
  const text = vectorsText('thing.decode', cases)
  expect(text.split('\n')).toHaveLength(cases.length + 7)
  expect(JSON.parse(text)).toEqual({ schema: 'nexus-vectors/1', op: 'thing.decode', cases })
  expect(vectorsOf(text, 'thing.decode')).toEqual(cases)
})

test('one of another schema or operation, or with an id twice, is none', () => {
  const text = vectorsText('thing.decode', cases)
  expect(() => vectorsOf(text, 'thing.encode')).toThrow(TypeError)
  expect(() => vectorsOf(text.replace('vectors/1', 'vectors/2'), 'thing.decode')).toThrow(TypeError)
  expect(() => vectorsOf(text.replace('"two"', '"one"'), 'thing.decode')).toThrow(TypeError)
})

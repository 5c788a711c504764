/** What a command is told to write, remove or replace may be a file of somebody else. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { EXIT } from '../src/cli/exit-codes.ts'
import { CommandFailure } from '../src/cli/failure.ts'
import { clearState } from '../src/demo/state.ts'
import { Bench } from './harness.ts'

const bench = new Bench()
afterAll(() => bench.end())

const notes = bench.path('notes.txt')
writeFileSync(notes, 'mine')
const untouched = () => expect(readFileSync(notes, 'utf8')).toBe('mine')

test('the doctor puts its bundle over no file', async () => {
  const doctor = await bench.run('a', 'nexus-doctor', ['--bundle', notes])
  expect(doctor.code).toBe(EXIT.failed)
  expect(doctor.err).toContain('is there already')
  untouched()
})

test('a node takes the place of a socket alone', async () => {
  expect((await bench.run('a', 'nexus-keygen', ['identity', '--plain'])).code).toBe(EXIT.ok)
  const node = await bench.run('a', 'nexus-node', ['start', '--socket', notes])
  expect(node.code).toBe(EXIT.failed)
  expect(node.err).toContain('is no socket')
  untouched()
})

test('the demonstration begins anew in a folder of its own alone', () => {
  expect(() => clearState(bench.folder)).toThrow(CommandFailure)
  untouched()
  const state = bench.path('demo')
  for (const name of ['ada', 'dan']) mkdirSync(bench.path('demo', name), { recursive: true })
  writeFileSync(bench.path('demo', 'genesis'), '')
  clearState(state)
  expect(() => readFileSync(bench.path('demo', 'genesis'))).toThrow(/ENOENT/)
  clearState(state)
})

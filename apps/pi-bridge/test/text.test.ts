import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createColors } from 'picocolors'
import { afterAll, describe, expect, test } from 'vitest'
import { CommandFailure } from '../src/cli/failure.ts'
import { useColor } from '../src/cli/output.ts'
import { durationMs } from '../src/cli/parse.ts'
import { printable, table } from '../src/cli/table.ts'
import { bitRate, bytes, cost, duration } from '../src/cli/units.ts'
import { readConfigFile } from '../src/config/file.ts'
import { nearest } from '../src/config/nearest.ts'
import { hexOf } from '../src/doctor/machine.ts'
import { prettyLine } from '../src/run/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexus-text-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('figures', () => {
  test.each([
    [bytes(0), '0 B'],
    [bytes(1_023), '1023 B'],
    [bytes(1_024), '1 KiB'],
    [bytes(1_536), '1.5 KiB'],
    [bytes(5 * 1_048_576), '5 MiB'],
    [bitRate(5_469), '5.5 kbit/s'],
    [bitRate(100_000_000), '100 Mbit/s'],
    [duration(0.4), '0.4 ms'],
    [duration(999), '999 ms'],
    [duration(61_000), '1 min 1 s'],
    [duration(86_400_000), '1 d'],
    [duration(90_061_000), '1 d 1 h'],
    [cost(1_023), '1023 µNXS/MiB'],
    [cost(2_500_000), '2.5 NXS/MiB'],
    [cost(null), 'unknown'],
  ])('%s', (shown, wanted) => expect(shown).toBe(wanted))

  test('durations are read with their unit, seconds without', () => {
    expect(['500ms', '2', '1.5m', '1h', '2d'].map(durationMs)).toEqual([500, 2_000, 90_000, 3_600_000, 172_800_000])
    for (const wrong of ['', '0', '-1s', 'soon', '1y', '400d'])
      expect(() => durationMs(wrong), wrong).toThrow('duration')
  })
})

describe('words of strangers', () => {
  test('cannot move the cursor, nor turn the direction of a line', () => {
    expect(printable('a\u001b[2Jb\r\u202ec')).toBe('a\ufffd[2Jb\ufffd\ufffdc')
    expect(printable('grüße 你好')).toBe('grüße 你好')
  })

  test('columns stay aligned with wide letters', () => {
    const rows = [
      ['你好', '1'],
      ['ab', '22'],
    ]
    expect(table([{ title: 'NAME' }, { title: 'N', align: 'right' }], rows, createColors(false))).toBe(
      'NAME   N\n你好   1\nab    22',
    )
  })
})

describe('colour', () => {
  test('follows the flag, then FORCE_COLOR, then NO_COLOR, then the terminal', () => {
    const { FORCE_COLOR, NO_COLOR, TERM } = process.env
    try {
      delete process.env['FORCE_COLOR']
      delete process.env['NO_COLOR']
      process.env['TERM'] = 'xterm'
      expect([useColor('auto', true), useColor('auto', false), useColor('never', true)]).toEqual([true, false, false])
      process.env['NO_COLOR'] = '1'
      expect([useColor('auto', true), useColor('always', false)]).toEqual([false, true])
      process.env['FORCE_COLOR'] = '1'
      expect(useColor('auto', false)).toBe(true)
      process.env['FORCE_COLOR'] = '0'
      expect(useColor('auto', true)).toBe(false)
    } finally {
      for (const [name, value] of Object.entries({ FORCE_COLOR, NO_COLOR, TERM })) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  })
})

describe('what was meant', () => {
  test('is the nearest known name, if any is near', () => {
    const known = ['stateDir', 'roundMs', 'policy', 'receipts']
    expect(['state_dir', 'roundms', 'polciy', 'reciepts'].map((name) => nearest(name, known))).toEqual(known)
    expect(nearest('colour', known)).toBeUndefined()
  })
})

describe('lines of a configuration', () => {
  test('are found in TOML through tables, lists of tables and dotted keys', () => {
    const path = join(folder, 'a.toml')
    writeFileSync(
      path,
      [
        '# top',
        'label = "x"',
        'page.port = 1',
        '',
        '[[interfaces]]',
        'type = "udp"',
        '[[interfaces]]',
        '"type" = "rnode"',
        '[log]',
        'level = "info"',
        '',
      ].join('\n'),
    )
    const { lineOf } = readConfigFile(path)
    expect(lineOf(['label'])).toBe(2)
    expect(lineOf(['page', 'port'])).toBe(3)
    expect(lineOf(['interfaces', 0, 'type'])).toBe(6)
    expect(lineOf(['interfaces', 1, 'type'])).toBe(8)
    expect(lineOf(['interfaces', 1, 'path'])).toBe(7)
    expect(lineOf(['log', 'level'])).toBe(10)
    expect(lineOf(['absent'])).toBeUndefined()
  })

  test('are found in YAML; a bomb of aliases is refused', () => {
    const path = join(folder, 'a.yaml')
    writeFileSync(path, '# top\nlabel: x\ninterfaces:\n  - type: udp\n    port: 1\n')
    expect(readConfigFile(path).lineOf(['interfaces', 0, 'port'])).toBe(5)
    writeFileSync(path, 'a: &a [x]\nb: [*a, *a]\n')
    expect(() => readConfigFile(path)).toThrow(CommandFailure)
  })
})

test('an IPv6 address in full', () => {
  expect(hexOf('ff12::ce58:5331')).toBe('ff1200000000000000000000ce585331')
  expect(hexOf('::1')).toBe('00000000000000000000000000000001')
})

test('a line of the log for people', () => {
  const json = JSON.stringify({
    level: 40,
    time: '2026-01-02T03:04:05.678Z',
    event: 'x',
    peer: 'ab',
    why: 'a b',
    none: null,
    msg: 'Gone.',
  })
  expect(prettyLine(json, false)).toMatch(/^\d\d:04:05 warn {2}Gone\. {2}peer=ab why="a b"$/)
  expect(prettyLine(json, true)).toContain('\u001b[33mwarn')
})

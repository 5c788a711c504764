import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readIdentityFile, writeIdentityFile, writePlainIdentityFile, writePrivateFile } from '../src/node.ts'
import { codeOf, crypto, seedOf } from './fixtures.ts'

const cost = { log2N: 10, r: 1, p: 1 }
const passphrase = 'a passphrase'
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus identity é '))
  path = join(folder, 'identity')
})
afterEach(() => rmSync(folder, { recursive: true }))

const silent = () => {
  throw new Error('no warning was expected')
}

describe('identity files on disk', () => {
  test('are written with mode 0600 and read back', () => {
    writeIdentityFile(crypto, path, seedOf(7), { passphrase, cost })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['identity'])
    expect(readIdentityFile(crypto, path, { passphrase, warn: silent })).toEqual(seedOf(7))
    expect(codeOf(() => readIdentityFile(crypto, path, { passphrase: 'other', warn: silent }))).toBe('identity/unlock')
  })

  test('the default cost works', () => {
    writeIdentityFile(crypto, path, seedOf(8), { passphrase })
    expect(readIdentityFile(crypto, path, { passphrase, warn: silent })).toEqual(seedOf(8))
  })

  test('the unencrypted form is opt-in on both sides', () => {
    writePlainIdentityFile(crypto, path, seedOf(9))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(codeOf(() => readIdentityFile(crypto, path, { warn: silent }))).toBe('identity/file-plain')
    expect(readIdentityFile(crypto, path, { plainAllowed: true, warn: silent })).toEqual(seedOf(9))
  })

  test('an existing file is kept unless told otherwise, and no temporary file stays', () => {
    writePlainIdentityFile(crypto, path, seedOf(1))
    const before = readFileSync(path)
    expect(codeOf(() => writePlainIdentityFile(crypto, path, seedOf(2)))).toBe('identity/file-exists')
    expect(codeOf(() => writeIdentityFile(crypto, path, seedOf(2), { passphrase, cost }))).toBe('identity/file-exists')
    expect(readFileSync(path)).toEqual(before)
    writePlainIdentityFile(crypto, path, seedOf(2), { overwrite: true })
    expect(readIdentityFile(crypto, path, { plainAllowed: true })).toEqual(seedOf(2))
    expect(readdirSync(folder)).toEqual(['identity'])
  })

  test('a dangling link counts as existing', () => {
    symlinkSync(join(folder, 'nowhere'), path)
    expect(codeOf(() => writePlainIdentityFile(crypto, path, seedOf(2)))).toBe('identity/file-exists')
  })

  test('overwriting gives a loose file its mode back', () => {
    writeFileSync(path, 'old', { mode: 0o644 })
    writePlainIdentityFile(crypto, path, seedOf(2), { overwrite: true })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('warns when others may use the file', () => {
    writePlainIdentityFile(crypto, path, seedOf(3))
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(path, mode)
      const warnings: string[] = []
      readIdentityFile(crypto, path, { plainAllowed: true, warn: (text) => warnings.push(text) })
      expect(warnings.length).toBe(1)
      expect(warnings[0]).toContain(mode.toString(8))
    }
  })

  test('what is too long or no file is refused without reading it', () => {
    writePrivateFile(path, new Uint8Array(78))
    expect(codeOf(() => readIdentityFile(crypto, path, { passphrase }))).toBe('identity/file-format')
    expect(codeOf(() => readIdentityFile(crypto, folder, { passphrase }))).toBe('identity/file-format')
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    expect(codeOf(() => readIdentityFile(crypto, pipe, { passphrase }))).toBe('identity/file-format')
  })

  test('a folder that is not there is the system’s error, and leaves nothing', () => {
    const lost = join(folder, 'lost', 'identity')
    expect(() => writePlainIdentityFile(crypto, lost, seedOf(1))).toThrow(/ENOENT/)
    expect(() => readIdentityFile(crypto, lost)).toThrow(/ENOENT/)
    expect(() => writePlainIdentityFile(crypto, folder, seedOf(1), { overwrite: true })).toThrow()
    expect(readdirSync(folder)).toEqual([])
  })
})

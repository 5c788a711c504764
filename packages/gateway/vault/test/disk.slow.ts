import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { folder } from './kit.ts'

const child = fileURLToPath(new URL('disk-child.ts', import.meta.url))
const node = `'${process.execPath}' --conditions=nexus-source --disable-warning=ExperimentalWarning '${child}'`

/** Runs commands where `at` is a disk of 4 MiB that nobody else sees. */
function withSmallDisk(at: string, commands: string): string {
  const script = `mount -t tmpfs -o size=4m tmpfs '${at}' && ${commands}`
  return execFileSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

const canMount = process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0
const skipped = !canMount && process.env['CI'] === undefined
if (skipped) console.warn('no mount namespaces here: the full disk of the vault is SKIPPED')

test.skipIf(skipped)('a full disk refuses, loses nothing answered, and is written on when there is room', () => {
  const at = folder()
  const found = JSON.parse(withSmallDisk(at, `${node} '${at}'`))
  expect(found.whileFull).toBeGreaterThan(100)
  // A commit that ran out of room may be said to be unknown; the count shows that it was not written.
  for (const code of found.refusals) expect(['vault/storage', 'vault/outcome-unknown']).toContain(code)
  expect(found.refusals.length).toBeGreaterThan(0)
  expect(found).toMatchObject({ answered: found.whileFull + 20, entries: found.whileFull + 20, faults: [] })
})

test.skipIf(skipped)('a read-only disk is refused at the start, by name', () => {
  const at = folder()
  const refused = withSmallDisk(at, `mount -o remount,ro '${at}' && { ${node} '${at}' 2>&1 || true; }`)
  expect(refused).toMatch(/EROFS|read-?only|unable to open/i)
})

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The releases that live tests run against; newer ones are entered here. */
export const RNS_VERSION = '1.5.7'
export const LXMF_VERSION = '1.2.1'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
const INSTALL_MS_MAX = 240_000
const run = promisify(execFile)
let installing: Promise<string> | undefined

/** A Python that has Reticulum and LXMF: made once and used again. */
export function rnsPython(): Promise<string> {
  installing ??= install()
  return installing
}

async function install(): Promise<string> {
  const folder = join(CACHE, `rns-${RNS_VERSION}-lxmf-${LXMF_VERSION}`)
  const python = join(folder, 'bin', 'python3')
  if (existsSync(join(folder, 'complete'))) return python
  mkdirSync(CACHE, { recursive: true })
  rmSync(folder, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS_MAX })
  const packages = [`rns==${RNS_VERSION}`, `lxmf==${LXMF_VERSION}`]
  await run(python, ['-m', 'pip', 'install', '--quiet', ...packages], { timeout: INSTALL_MS_MAX })
  writeFileSync(join(folder, 'complete'), '')
  return python
}

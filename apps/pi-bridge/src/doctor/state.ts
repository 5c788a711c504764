import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { portable } from '@nexus/crypto'
import { identityFileKind, openIdentityFile } from '@nexus/identity'
import { type Check, failure, ok, skipped, warning } from './check.ts'

export const configuration: Check = ({ loaded, configProblem }) => {
  if (loaded === undefined)
    return [
      failure(
        'config',
        configProblem ?? 'it cannot be read',
        'correct it; nexus-node config check says when it is right',
      ),
    ]
  const place = loaded.file ?? 'no file: all settings are as usual'
  return [ok('config', place), ...loaded.warnings.map((text) => warning('config', text, 'correct or unset it'))]
}

export const stateFolder: Check = ({ loaded }) => {
  const path = loaded?.config.stateDir
  if (path === undefined) return [skipped('state', 'not known without a configuration')]
  if (!existsSync(path))
    return [warning('state', `${path} does not exist`, 'it is made by nexus-keygen identity or the first start')]
  const { mode, uid } = statSync(path)
  if (process.platform !== 'win32') {
    if (uid !== process.getuid?.() && process.getuid?.() !== 0) {
      return [failure('state', `${path} belongs to another user`, 'run this as that user, or with sudo')]
    }
    if ((mode & 0o077) !== 0) {
      return [warning('state', `${path} has mode ${(mode & 0o777).toString(8)}: others may enter`, `chmod 700 ${path}`)]
    }
  }
  return [ok('state', `${path} is its owner’s alone`)]
}

export const identity: Check = ({ loaded }) => {
  const path = loaded?.config.identity.file
  if (path === undefined) return [skipped('identity', 'not known without a configuration')]
  if (!existsSync(path))
    return [failure('identity', `there is no identity at ${path}`, `make one: nexus-keygen identity --out ${path}`)]
  let file: Uint8Array
  try {
    file = new Uint8Array(readFileSync(path))
  } catch (error) {
    return [failure('identity', `${path} cannot be read: ${(error as Error).message}`, 'run this as its owner')]
  }
  const mode = statSync(path).mode & 0o777
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0
  const findings = open
    ? [failure('identity', `${path} has mode ${mode.toString(8)}: others may be this node`, `chmod 600 ${path}`)]
    : []
  try {
    const kind = identityFileKind(file)
    if (kind === 'plain') openIdentityFile(portable(), file, { plainAllowed: true }).fill(0)
    return [...findings, ok('identity', `${path} is ${kind === 'plain' ? 'whole, without a passphrase' : 'encrypted'}`)]
  } catch {
    const next = 'restore it from a backup or from shares (nexus-keygen shares combine); the next start puts it aside'
    return [...findings, failure('identity', `${path} is damaged or half-written`, next)]
  }
}

export const damagedFiles: Check = ({ loaded }) => {
  if (loaded === undefined) return [skipped('damaged', 'not known without a configuration')]
  const folders = new Set(
    [loaded.config.stateDir, dirname(loaded.config.identity.file)].filter((path) => existsSync(path)),
  )
  const damaged = [...folders].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.damaged-\d+$/.test(name))
      .map((name) => join(folder, name)),
  )
  return damaged.length === 0
    ? [ok('damaged', 'no damaged file was put aside')]
    : damaged.map((path) =>
        warning(
          'damaged',
          `${path} was put aside`,
          'check the disk (dmesg, smartctl); remove the file when you no longer need it',
        ),
      )
}

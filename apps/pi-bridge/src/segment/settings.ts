import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { CommandFailure } from '../cli/failure.ts'
import { readConfigFile } from '../config/file.ts'
import { type SegmentTable, segmentSettingsSchema } from './schema.ts'

/** Settings with what follows from them. */
export type SegmentSettings = SegmentTable & {
  readonly name: string
  readonly admission: 'open' | 'passphrase' | 'allow-list'
  readonly stateDir: string
}

/** Variable of each setting that has one. */
export const VARIABLES = {
  name: 'NX0_NAME',
  type: 'NX0_TYPE',
  zone: 'NX0_ZONE',
  ego: 'NX0_EGO',
  port: 'NX0_PORT',
  interfaces: 'NX0_INTERFACES',
  admission: 'NX0_ADMISSION',
  passphraseFile: 'NX0_PASSPHRASE_FILE',
  allow: 'NX0_ALLOW',
  stateDir: 'NX0_STATE_DIR',
} as const satisfies Partial<Record<keyof SegmentTable, string>>

type Environment = Readonly<Record<string, string | undefined>>

/** Settings of `nexus-segment`: a file's table, then the environment; what is said there wins. @throws {CommandFailure} */
export function loadSegmentSettings(file: string | undefined, env: Environment): SegmentSettings {
  return segmentSettings(file === undefined ? {} : tableOf(file), env)
}

/** A table and the variables that win over it. @throws {CommandFailure} that names each wrong setting */
export function segmentSettings(table: Readonly<Record<string, unknown>>, env: Environment): SegmentSettings {
  const given: Record<string, unknown> = { ...table }
  for (const [key, variable] of Object.entries(VARIABLES)) {
    const text = env[variable]
    if (text !== undefined && text !== '') given[key] = parsedValue(key, text)
  }
  const parsed = segmentSettingsSchema.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'segment'}: ${message}`)
    throw wrong(problems.join('\n  '))
  }
  const settings = parsed.data
  // A passphrase or a list says by itself what it is for.
  const implied =
    settings.allow !== undefined ? 'allow-list' : settings.passphraseFile !== undefined ? 'passphrase' : 'open'
  const admission = settings.admission ?? implied
  if (admission === 'passphrase' && settings.passphraseFile === undefined) throw wrong('passphraseFile is missing')
  if (admission === 'allow-list' && settings.allow === undefined) throw wrong('allow is missing')
  const stateDir = resolve(settings.stateDir ?? join(envPaths('nexus', { suffix: '' }).data, 'segment'))
  return { ...settings, name: settings.name ?? '', admission, stateDir }
}

/** `name,name` for interfaces; `key=ego,key` for the allow-list. */
function parsedValue(key: string, text: string): unknown {
  if (key === 'interfaces') return text.split(',').map((name) => name.trim())
  if (key === 'ego' || key === 'port') return /^\d+$/.test(text) ? Number(text) : text
  if (key !== 'allow') return text
  return Object.fromEntries(
    text.split(',').map((entry) => {
      const [publicKey = '', pinned = 'any'] = entry.trim().split('=')
      return [publicKey, /^\d+$/.test(pinned) ? Number(pinned) : pinned]
    }),
  )
}

function tableOf(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw wrong(`${file} does not exist`)
  const { segment } = readConfigFile(file).values
  if (segment === undefined) return {}
  if (typeof segment !== 'object' || segment === null) throw wrong(`${file}: segment is no table`)
  return segment as Record<string, unknown>
}

function wrong(message: string): CommandFailure {
  return new CommandFailure({
    exit: 'config',
    code: 'config-invalid',
    message: `the settings of the segment are wrong: ${message}`,
    next: 'all settings: docs/guides/segment.md',
  })
}

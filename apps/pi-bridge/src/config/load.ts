import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFailure } from '../cli/failure.ts'
import { type ConfigFile, readConfigFile } from './file.ts'
import { interfaceText } from './interface-text.ts'
import { nearest } from './nearest.ts'
import { configDirs, fillPaths, type Paths } from './paths.ts'
import { describeIssues, type Origin } from './problems.ts'
import { type Config, configSchema } from './schema.ts'
import { SETTINGS, type Setting } from './settings.ts'

/** A configuration, and where it came from. */
export interface Loaded {
  readonly config: Config & Paths
  /** The file that was read, if there was one. */
  readonly file: string | undefined
  /** Things that are no errors, but most likely not meant. */
  readonly warnings: readonly string[]
}

export interface Sources {
  /** The file that was named; else the first that exists of the usual places. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Values of flags by the setting's key. */
  readonly flags?: ReadonlyMap<string, unknown>
}

const FILE_NAMES = ['nexus.toml', 'nexus.yaml', 'nexus.yml']

/** Variables with our prefix that are no settings. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  NEXUS_CONFIG: 'configuration file',
  NEXUS_PASSPHRASE: 'passphrase of the identity; a file is better, since other processes may see variables',
  NEXUS_DEBUG: 'set: print the stack of an unexpected error',
}

/**
 * The configuration from file, environment and flags; later ones win.
 * @throws {CommandFailure} that names each wrong setting, where it stands and what is expected
 */
export function loadConfig(sources: Sources): Loaded {
  const path = sources.file ?? usualFile()
  const file = path === undefined ? undefined : readConfigFile(path)
  const values = structuredClone(file?.values ?? {})
  const origins = new Map<string, Origin>()
  for (const setting of SETTINGS) {
    const given = sources.env[setting.env]
    if (given !== undefined && given !== '') put(values, setting, valueFrom(setting, given), setting.env, origins)
    const flag = sources.flags?.get(setting.key)
    if (flag !== undefined) put(values, setting, flag, setting.flag, origins)
  }
  const parsed = configSchema.safeParse(values)
  if (!parsed.success) throw wrong(describeIssues(parsed.error.issues, { file, origins, values }))
  return { config: fillPaths(parsed.data), file: path, warnings: warningsOf(sources.env) }
}

/** The text of a variable or flag as the value that the file would have. */
export function valueFrom(setting: Setting, text: string): unknown {
  switch (setting.kind) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
    case 'boolean':
      return BOOLEANS[text.toLowerCase()] ?? text
    case 'interfaces':
      return interfacesOf(text)
    default:
      return text
  }
}

const BOOLEANS: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}

/** A JSON list, or interfaces in short form with `;` between. */
function interfacesOf(text: string): unknown {
  if (!text.trimStart().startsWith('[')) return text.split(';').map((part) => interfaceText(part.trim()))
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function put(
  values: Record<string, unknown>,
  { path, key }: Setting,
  value: unknown,
  origin: string,
  origins: Map<string, Origin>,
): void {
  let at = values
  for (const name of path.slice(0, -1)) {
    if (typeof at[name] !== 'object' || at[name] === null) at[name] = {}
    at = at[name] as Record<string, unknown>
  }
  at[path.at(-1)!] = value
  origins.set(key, origin)
}

function usualFile(): string | undefined {
  return configDirs()
    .flatMap((folder) => FILE_NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
}

function warningsOf(env: Sources['env']): string[] {
  const known = [...SETTINGS.map((setting) => setting.env), ...Object.keys(OTHER_VARIABLES)]
  return Object.keys(env)
    .filter((name) => name.startsWith('NEXUS_') && !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name, known)
      return meant === undefined ? [] : [`the variable ${name} is not known; did you mean ${meant}?`]
    })
}

function wrong(problems: readonly string[]): CommandFailure {
  return new CommandFailure({
    exit: 'config',
    code: 'config-invalid',
    message:
      problems.length === 1
        ? problems[0]!
        : `the configuration is wrong in ${problems.length} places:\n  ${problems.join('\n  ')}`,
    next: 'all settings: nexus-node start --help, or docs/guides/operator.md',
  })
}

export type { ConfigFile }

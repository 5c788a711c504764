import { existsSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import { CommandFailure } from '../cli/failure.ts'
import { type Config, configSchema, SETTINGS, type Setting } from './schema.ts'

/** A configuration with its paths filled in. */
export interface Loaded extends Config {
  readonly stateDir: string
  readonly origin: string
  readonly identity: Config['identity'] & { readonly file: string }
  /** The file that was read, if there was one. */
  readonly file: string | undefined
}

export interface Sources {
  /** The file that was named; else the first that exists of the usual places. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Flags as commander keeps them. */
  readonly flags?: Readonly<Record<string, unknown>>
}

type Values = Record<string, unknown>

const FILE_NAMES = ['gateway.toml', 'gateway.yaml', 'gateway.yml']
/** Far above any real configuration; a wrong file is not read whole. */
const FILE_CHARS_MAX = 1 << 20
const MASK = '***'
/** Parameters of a database URL that hold a secret, as `password` does. */
const SECRET_NAME = /pass|secret|token/i
const usual = envPaths('nexus', { suffix: '' })

/**
 * The configuration from file, environment and flags; later ones win.
 * @throws {CommandFailure} that names each wrong setting and where it came from
 */
export function loadConfig({ file, env, flags = {} }: Sources): Loaded {
  const path = file ?? usualFile()
  const values = path === undefined ? {} : readFile(path)
  const origins = new Map<string, string>()
  for (const setting of SETTINGS) {
    const given = env[setting.env]
    if (given !== undefined && given !== '') put(values, setting, given, setting.env, origins)
    const flag = flags[flagName(setting)]
    if (typeof flag === 'string') put(values, setting, flag, setting.flag, origins)
  }
  const { success, data, error } = configSchema.safeParse(values)
  if (!success) {
    const problems = error.issues.map(({ path: at, message }) => {
      const key = at.map(String).join('.')
      return `${origins.get(key) ?? path ?? 'configuration'}: ${key} ${message}`
    })
    throw wrong('config-invalid', problems.join('\n  '))
  }
  return { ...filled(data), file: path }
}

/** The configuration as it may be shown: the password of the database is not. */
export function withoutSecrets(config: Loaded): Loaded {
  const { database } = config
  if (database === '') return config
  if (!URL.canParse(database)) return { ...config, database: MASK }
  const url = new URL(database)
  if (url.password !== '') url.password = MASK
  for (const name of new Set(url.searchParams.keys())) if (SECRET_NAME.test(name)) url.searchParams.set(name, MASK)
  return { ...config, database: url.href }
}

function filled(config: Config): Omit<Loaded, 'file'> {
  const { host, port } = config.listen
  // systemd names the folder that it made for the service.
  const stateDir = resolve(config.stateDir ?? process.env['STATE_DIRECTORY'] ?? join(usual.data, 'gateway'))
  const origin = config.origin ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
    throw wrong('config-invalid', `origin ${origin} is not one such as https://gateway.example: no path, no usual port`)
  }
  const identity = { ...config.identity, file: resolve(config.identity.file ?? join(stateDir, 'identity')) }
  return { ...config, stateDir, origin, identity }
}

/** The name under which commander keeps a flag: `--listen-port` as listenPort. */
function flagName({ flag }: Setting): string {
  return flag.slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function put(values: Values, { path, kind }: Setting, text: string, from: string, origins: Map<string, string>): void {
  let at = values
  for (const name of path.slice(0, -1)) {
    if (typeof at[name] !== 'object' || at[name] === null) at[name] = {}
    at = at[name] as Values
  }
  at[path.at(-1)!] = kind === 'list' ? text.split(',').map((part) => part.trim()) : fromText(kind, text)
  origins.set(path.join('.'), from)
}

function fromText(kind: 'text' | 'number', text: string): unknown {
  return kind === 'number' && /^\d+$/.test(text.trim()) ? Number(text) : text
}

function readFile(path: string): Values {
  const extension = extname(path).toLowerCase()
  if (!existsSync(path)) throw wrong('config-missing', `${path} does not exist`)
  const text = readFileSync(path, 'utf8')
  if (text.length > FILE_CHARS_MAX) throw wrong('config-syntax', `${path}: too large for a configuration`)
  try {
    if (extension === '.toml') return parseToml(text)
    if (extension === '.yaml' || extension === '.yml') return (parseYaml(text, { maxAliasCount: 0 }) ?? {}) as Values
  } catch (error) {
    throw wrong('config-syntax', `${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  throw wrong('config-format', `${path}: the name of a configuration file ends in .toml, .yaml or .yml`)
}

function usualFile(): string | undefined {
  const folders = process.platform === 'win32' ? [usual.config] : [usual.config, '/etc/nexus']
  return folders.flatMap((folder) => FILE_NAMES.map((name) => join(folder, name))).find((path) => existsSync(path))
}

function wrong(code: string, message: string): CommandFailure {
  const next = 'all settings: nexus-gateway config --help, or docs/guides/gateway.md'
  return new CommandFailure({ exit: 'config', code, message, next })
}

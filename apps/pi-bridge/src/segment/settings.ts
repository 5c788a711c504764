import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { NODE_TYPES, PORT, zoneHashOf } from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import envPaths from 'env-paths'
import { z } from 'zod'
import { CommandFailure } from '../cli/failure.ts'
import { readConfigFile } from '../config/file.ts'

/** Zones that have a name on every node; another name is a zone too, shown by its hash to those who do not know it. */
export const ZONES = ['Command', 'Medical', 'Logistics'] as const

const PUBLIC_KEY = /^[0-9a-f]{64}$/
const ego = z.coerce.number().int().min(0).max(255)

/** Settings of a segment: the table `[segment]` of a file, or variables NX0_… which win. */
export const segmentSchema = z.strictObject({
  name: z.string().max(24).default('').describe('name shown to the others, at most 24 bytes'),
  type: z.enum(NODE_TYPES).default('Agent').describe('what this node is for'),
  zone: z
    .string()
    .max(64)
    .default('Command')
    .describe(`zone it works in: ${ZONES.join(', ')} or any other`),
  ego: ego.default(10).describe('0 to 255; the greatest leads'),
  port: z.coerce.number().int().min(1).max(65_535).default(PORT).describe('UDP port of the segment'),
  interfaces: z.array(z.string()).optional().describe('network interfaces to use; all, if not given'),
  admission: z.enum(['open', 'passphrase', 'allow-list']).optional().describe('who may join'),
  passphraseFile: z.string().optional().describe('file whose first line is the passphrase'),
  allow: z
    .record(z.string().regex(PUBLIC_KEY, 'a public key has 64 hexadecimal digits'), z.union([ego, z.literal('any')]))
    .optional()
    .describe('public keys that may join, each with its ego or "any"'),
  stateDir: z.string().optional().describe('folder of the identity, the boot counter and the control socket'),
})

export type SegmentSettings = z.output<typeof segmentSchema> & {
  readonly admission: 'open' | 'passphrase' | 'allow-list'
  readonly stateDir: string
}

/** Variable of each setting. */
export const VARIABLES: Readonly<Record<keyof z.output<typeof segmentSchema>, string>> = {
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
}

/** File, then environment; what is said there wins. @throws {CommandFailure} that names each wrong setting */
export function loadSegmentSettings(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): SegmentSettings {
  const given: Record<string, unknown> = file === undefined ? {} : { ...tableOf(file) }
  for (const [key, variable] of Object.entries(VARIABLES)) {
    const text = env[variable]
    if (text !== undefined && text !== '') given[key] = parsedValue(key, text)
  }
  const parsed = segmentSchema.safeParse(given)
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
  return { ...settings, admission, stateDir }
}

/** What a zone's hash stands for, where it is a known one or one's own. */
export function zoneNames(own: string): ReadonlyMap<string, string> {
  const crypto = portable()
  return new Map([...ZONES, own].map((zone) => [toHex(zoneHashOf(crypto, zone)), zone]))
}

/** `name,name` for interfaces; `key=ego,key` for the allow-list. */
function parsedValue(key: string, text: string): unknown {
  if (key === 'interfaces') return text.split(',').map((name) => name.trim())
  if (key !== 'allow') return text
  return Object.fromEntries(
    text.split(',').map((entry) => {
      const [publicKey = '', pinned = 'any'] = entry.trim().split('=')
      return [publicKey, pinned]
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

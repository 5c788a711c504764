import { z } from 'zod'
import { configSchema } from './schema.ts'

/** One setting of the configuration, however it is given. */
export interface Setting {
  /** Where it stands in the file: `['page', 'port']`. */
  readonly path: readonly string[]
  /** `page.port` */
  readonly key: string
  /** `--page-port` */
  readonly flag: string
  /** `NEXUS_PAGE_PORT` */
  readonly env: string
  readonly kind: 'text' | 'number' | 'boolean' | 'choice' | 'interfaces'
  readonly choices: readonly string[]
  readonly defaultValue: unknown
  readonly description: string
}

/** Every setting of {@link configSchema}, in its order; of a segment only its switch, since the rest has variables of its own. */
export const SETTINGS: readonly Setting[] = settingsOf(configSchema, [])

function settingsOf(schema: z.ZodObject, path: readonly string[]): Setting[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const { inner, defaultValue } = unwrap(field as z.ZodType)
    const here = [...path, name]
    if (path[0] === 'segment' && name !== 'enabled') return []
    return inner instanceof z.ZodObject
      ? settingsOf(inner, here)
      : [setting(here, field as z.ZodType, inner, defaultValue)]
  })
}

function setting(path: readonly string[], outer: z.ZodType, inner: z.ZodType, defaultValue: unknown): Setting {
  const words = path.flatMap((name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(' '))
  return {
    path,
    key: path.join('.'),
    // A switch reads better without the word that it switches: --page, --metrics.
    flag: `--${words.filter((word) => word !== 'enabled').join('-')}`,
    env: `NEXUS_${words.join('_').toUpperCase()}`,
    kind: kindOf(inner),
    choices: inner instanceof z.ZodEnum ? inner.options.map(String) : [],
    defaultValue,
    description: outer.description ?? inner.description ?? '',
  }
}

function kindOf(inner: z.ZodType): Setting['kind'] {
  if (inner instanceof z.ZodNumber) return 'number'
  if (inner instanceof z.ZodBoolean) return 'boolean'
  if (inner instanceof z.ZodEnum) return 'choice'
  if (inner instanceof z.ZodArray) return 'interfaces'
  return 'text'
}

/** A field without what makes it optional, and its default. */
export function unwrap(field: z.ZodType): { inner: z.ZodType; defaultValue: unknown } {
  if (field instanceof z.ZodDefault) {
    return { inner: unwrap(field.unwrap() as z.ZodType).inner, defaultValue: field.def.defaultValue }
  }
  if (field instanceof z.ZodOptional || field instanceof z.ZodPrefault) return unwrap(field.unwrap() as z.ZodType)
  return { inner: field, defaultValue: undefined }
}

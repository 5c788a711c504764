import type { z } from 'zod'
import { segmentSettingsSchema } from '../segment/schema.ts'
import { tncSchema } from './fields.ts'
import type { ConfigFile } from './file.ts'
import { interfaceKeys, wayKeys } from './interface-text.ts'
import { INTERFACE_TYPES } from './interfaces.ts'
import { nearest } from './nearest.ts'
import { WAY_TYPES } from './reticulum.ts'
import { SETTINGS } from './settings.ts'

/** The variable or flag that a value came from. */
export type Origin = string

export interface IssueContext {
  readonly file: ConfigFile | undefined
  readonly origins: ReadonlyMap<string, Origin>
  readonly values: unknown
}

/** One line for each wrong setting: where it stands, its key, what is expected. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], context: IssueContext): string[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [line(issue.path, explain(issue, context.values), context)]
    return issue.keys.map((name) => {
      const path = [...issue.path, name]
      const known = knownNames(issue.path, context.values)
      const meant = nearest(name, known) ?? elsewhere(path)
      const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`
      return line(path, `is not a known setting; ${hint}`, context)
    })
  })
}

function line(path: readonly PropertyKey[], what: string, { file, origins }: IssueContext): string {
  const origin = [...origins].find(([key]) => keyOf(path) === key || keyOf(path).startsWith(`${key}.`))?.[1]
  if (origin !== undefined) return `${origin}: ${keyOf(path)} ${what}`
  const number = file?.lineOf(path)
  const place = file === undefined ? '' : number === undefined ? `${file.path}: ` : `${file.path}:${number}: `
  return `${place}${keyOf(path)} ${what}`
}

function explain(issue: z.core.$ZodIssue, values: unknown): string {
  const given = valueAt(values, issue.path)
  const got = given === undefined ? 'nothing is given' : `got ${JSON.stringify(given).slice(0, 80)}`
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${WANTED[issue.expected] ?? issue.expected}, ${got}`
    case 'invalid_value': {
      const meant = typeof given === 'string' ? nearest(given, issue.values.map(String)) : undefined
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`
      return `expected ${oneOf(issue.values.map(String))}, ${got}${hint}`
    }
    case 'too_small':
      return `expected ${measured(issue.origin, 'at least', issue.minimum)}, ${got}`
    case 'too_big':
      return `expected ${measured(issue.origin, 'at most', issue.maximum)}, ${got}`
    case 'invalid_union': {
      const types = issue.path.includes('ways') ? WAY_TYPES : INTERFACE_TYPES
      const meant = typeof given === 'string' ? nearest(given, types) : undefined
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`
      return `expected ${oneOf(types)}, ${got}${hint}`
    }
    default: {
      const text = issue.message.replace(/^Invalid input: /, '')
      return `${text}, ${got}`
    }
  }
}

const WANTED: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table of settings',
}

function measured(origin: string, bound: string, value: number | bigint): string {
  if (origin === 'string') return value === 1 ? 'a text that is not empty' : `a text of ${bound} ${value} characters`
  if (origin === 'array') return `a list of ${bound} ${value}`
  return `a number of ${bound} ${value}`
}

function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? choices[0]! : `one of ${choices.join(', ')}`
}

function knownNames(path: readonly PropertyKey[], values: unknown): string[] {
  if (path[0] === 'interfaces') {
    if (path.at(-1) === 'tnc') return Object.keys(tncSchema.shape)
    if (path[2] === 'ways') return wayKeys(valueAt(values, [...path.slice(0, 4), 'type']))
    return interfaceKeys(valueAt(values, [...path.slice(0, 2), 'type']))
  }
  if (path[0] === 'segment') return Object.keys(segmentSettingsSchema.shape)
  const names = SETTINGS.filter((setting) => path.every((name, at) => setting.path[at] === name)).map(
    (setting) => setting.path[path.length]!,
  )
  return [...new Set(names)]
}

/** The setting of another place that a name may mean: `port` at the top is most likely that of the page. */
function elsewhere(path: readonly PropertyKey[]): string | undefined {
  return nearest(
    path.map(String).join('.'),
    SETTINGS.map(({ key }) => key),
  )
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let at = values
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<PropertyKey, unknown>)[name]
  }
  return at
}

/** `interfaces[0].port` would suggest code; `interfaces.0.port` is what TOML and YAML users count. */
function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the configuration' : path.map(String).join('.')
}

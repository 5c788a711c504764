import { interfaceSchemas } from './interfaces.ts'
import { waySchemas } from './reticulum.ts'

/**
 * An interface in short form: `udp,port=4300,peers=10.0.0.2:4242,multicast=false`. A key given twice makes a list. What
 * it means is checked by the schema, so that errors read the same as those of the file.
 */
export function interfaceText(text: string): unknown {
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  const [type, ...settings] = text.split(',').map((part) => part.trim())
  const values: Record<string, unknown> = { type }
  for (const part of settings) {
    const at = part.indexOf('=')
    const key = at < 0 ? part : part.slice(0, at)
    const given = at < 0 ? true : scalar(part.slice(at + 1))
    if (LISTS.has(key)) values[key] = [...((values[key] as unknown[] | undefined) ?? []), String(given)]
    else values[key] = given
  }
  return values
}

const LISTS: ReadonlySet<string> = new Set(['peers', 'origins', 'multicastInterfaces'])

/** Settings whose text may look like a number and is none. */
function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** Names of the settings of a type, for suggestions. */
export function interfaceKeys(type: unknown): string[] {
  if (typeof type !== 'string' || !Object.hasOwn(interfaceSchemas, type)) return []
  return Object.keys(interfaceSchemas[type as keyof typeof interfaceSchemas].shape)
}

/** The same of a way into a Reticulum network. */
export function wayKeys(type: unknown): string[] {
  if (typeof type !== 'string' || !Object.hasOwn(waySchemas, type)) return []
  return Object.keys(waySchemas[type as keyof typeof waySchemas].shape)
}

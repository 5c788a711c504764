import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { CommandFailure } from '../cli/failure.ts'

/** A configuration file as read: its values, and the line on which each stands. */
export interface ConfigFile {
  readonly path: string
  readonly values: Record<string, unknown>
  lineOf(path: readonly PropertyKey[]): number | undefined
}

/** Far above any real configuration; a wrong file is not read whole. */
const FILE_BYTES_MAX = 1 << 20

/** Reads a TOML or YAML file, by its name. @throws {CommandFailure} where there is none, or it does not parse */
export function readConfigFile(path: string): ConfigFile {
  if (!existsSync(path)) {
    throw new CommandFailure({ exit: 'config', code: 'config-missing', message: `${path} does not exist` })
  }
  const text = readFileSync(path, 'utf8')
  if (text.length > FILE_BYTES_MAX) throw broken(path, undefined, 'the file is too large for a configuration')
  const extension = extname(path).toLowerCase()
  if (extension === '.toml') return readToml(path, text)
  if (extension === '.yaml' || extension === '.yml') return readYaml(path, text)
  throw new CommandFailure({
    exit: 'config',
    code: 'config-format',
    message: `${path}: the name of a configuration file ends in .toml, .yaml or .yml`,
  })
}

function readToml(path: string, text: string): ConfigFile {
  try {
    return { path, values: parseToml(text), lineOf: (at) => tomlLine(text, at) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw broken(path, error.line, error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, ''))
  }
}

function readYaml(path: string, text: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) throw broken(path, lines.linePos(error.pos[0]).line, error.message)
  const values = plainValues(document, path)
  if (typeof values !== 'object' || Array.isArray(values)) throw broken(path, 1, 'expected settings, key: value')
  return {
    path,
    values: values as Record<string, unknown>,
    lineOf: (at) => {
      for (let length = at.length; length > 0; length--) {
        const node = document.getIn(at.slice(0, length), true)
        if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
      }
      return undefined
    },
  }
}

function plainValues(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? {}
  } catch (error) {
    // Aliases, which could blow a small file up to any size; or one that leads nowhere.
    throw broken(path, undefined, error instanceof Error ? error.message : String(error))
  }
}

/** The line where a key is set: the parser keeps none, so tables and keys are followed from the top. */
function tomlLine(text: string, path: readonly PropertyKey[]): number | undefined {
  const wanted = path.map(String)
  const counts = new Map<string, number>()
  let table: string[] = []
  let best: { line: number; depth: number } | undefined
  const note = (at: readonly string[], line: number): void => {
    const depth = at.every((name, index) => name === wanted[index]) ? at.length : 0
    if (depth > (best?.depth ?? 0)) best = { line, depth }
  }
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*(\[\[?)\s*([^\]#]+?)\s*\]\]?/.exec(line)
    const key = /^\s*([\w."'-]+(?:\s*\.\s*[\w"'-]+)*)\s*=/.exec(line)
    if (header !== null) {
      const name = header[2]!
      table = dotted(name)
      if (header[1] === '[[') {
        const nth = counts.get(name) ?? 0
        counts.set(name, nth + 1)
        table.push(String(nth))
      }
      note(table, index + 1)
    } else if (key !== null) note([...table, ...dotted(key[1]!)], index + 1)
  }
  return best?.line
}

function dotted(name: string): string[] {
  return name.split('.').map((part) => part.trim().replaceAll(/^["']|["']$/g, ''))
}

function broken(path: string, line: number | undefined, why: string): CommandFailure {
  const at = line === undefined ? path : `${path}:${line}`
  return new CommandFailure({ exit: 'config', code: 'config-syntax', message: `${at}: ${why}` })
}

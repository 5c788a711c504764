/** The style as functions: each takes a source and returns what is wrong with it, one line per fault. */
import { parseSync } from 'oxc-parser'
import { importsOf, lineAt, type SyntaxNode, visit } from './house.ts'

export const FILE_LINES_MAX = 400
export const FUNCTION_LINES_MAX = 70

/** Layers whose sources are sans-I/O cores: no clock, timer, randomness, socket or disk of their own. */
const CORE = /^packages\/(base|network|economy|market|services|applications|gateway|segment)\/[^/]+\/src\//
/** Cores inside packages that otherwise drive the world. */
const CORE_PARTS = /^packages\/toolkit\/(node\/src\/core(\/|\.ts$)|simulator\/src\/)/
/** Sub-paths that say so. */
const WORLDLY_PARTS = /\/src\/(.*\/)?(node|server|sqlite|postgres|testing|bin)(\/|\.ts$)/

/** Whether a source must live without the outside world. */
export function isCore(path: string): boolean {
  return (CORE.test(path) && !WORLDLY_PARTS.test(path)) || (CORE_PARTS.test(path) && !/\/src\/bin\//.test(path))
}

const BANNED_CALLS: Readonly<Record<string, string>> = {
  'Date.now': 'take nowMs',
  'performance.now': 'take nowMs',
  'Math.random': 'take a Random',
  'crypto.getRandomValues': 'take a Random',
  'crypto.randomUUID': 'take a Random',
  setTimeout: 'return nextWakeMs',
  setInterval: 'return nextWakeMs',
  setImmediate: 'return an effect',
  queueMicrotask: 'return an effect',
  fetch: 'take a port',
}
const BANNED_NAMES: Readonly<Record<string, string>> = { Buffer: 'use Uint8Array', process: 'take it as a parameter' }

/** What a core reaches for that should have been handed in. */
export function coreFaults(path: string, text: string): string[] {
  const faults = importsOf(path, text)
    .filter(({ specifier }) => specifier.startsWith('node:'))
    .map(({ specifier, line }) => `${path}:${line}: imports ${specifier}; a sub-path such as ./node may`)
  visit(parseSync(path, text).program, (node) => {
    const fault = coreFault(node)
    // The crypto package is where randomness comes in: systemRandom.
    if (fault?.startsWith('crypto.') && path.startsWith('packages/base/crypto/')) return
    if (fault !== undefined) faults.push(`${path}:${lineAt(text, node.start)}: ${fault}`)
  })
  return faults
}

function coreFault(node: SyntaxNode): string | undefined {
  if (node.type === 'CallExpression') {
    const name = dotted((node as unknown as { callee: unknown }).callee)
    const instead = Object.hasOwn(BANNED_CALLS, name) ? BANNED_CALLS[name] : undefined
    return instead && `${name}(); ${instead}`
  }
  if (node.type === 'NewExpression') {
    const { callee, arguments: args } = node as unknown as { callee: unknown; arguments: unknown[] }
    return dotted(callee) === 'Date' && args.length === 0 ? 'new Date(); take nowMs' : undefined
  }
  if (node.type === 'MemberExpression') {
    const name = dotted((node as unknown as { object: unknown }).object)
    return Object.hasOwn(BANNED_NAMES, name) ? `${name}; ${BANNED_NAMES[name]}` : undefined
  }
  return undefined
}

/** `a.b` or `a` for plain names, without a leading `globalThis.`; an empty string for anything else. */
function dotted(node: unknown): string {
  const { type, name, object, property, computed } = node as Record<string, unknown>
  if (type === 'Identifier') return name as string
  if (type !== 'MemberExpression' || computed) return ''
  return `${dotted(object)}.${dotted(property)}`.replace(/^globalThis\./, '')
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

/** Everything in a source that is longer than it should be: `path` or `path:function`, with its lines. */
export function longParts(path: string, text: string): { readonly what: string; readonly lines: number }[] {
  const parts: { what: string; lines: number }[] = []
  const fileLines = text.split('\n').length - 1
  if (fileLines > FILE_LINES_MAX) parts.push({ what: path, lines: fileLines })
  visit(parseSync(path, text).program, (node) => {
    if (!FUNCTIONS.has(node.type)) return
    const first = lineAt(text, node.start)
    const lines = lineAt(text, node.end) - first + 1
    const { id } = node as unknown as { id?: { name: string } }
    if (lines > FUNCTION_LINES_MAX) parts.push({ what: `${path}:${id?.name ?? `line ${first}`}`, lines })
  })
  return parts
}

/** `export *`, which hides what a package offers. */
export function exportStarFaults(path: string, text: string): string[] {
  return parseSync(path, text)
    .program.body.filter((statement) => statement.type === 'ExportAllDeclaration')
    .map((statement) => `${path}:${lineAt(text, statement.start)}: export *; export by name`)
}

/** Whether a source begins with a doc comment of its own. */
export function hasPackageComment(text: string): boolean {
  return /^(#!.*\n)?\/\*\*[\s\S]+?\*\//.test(text)
}

/** Words that must not be in any file: unfinished work, and folders of one machine. Spelt so as not to find themselves. */
const UNFINISHED = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['XX', 'X'].join('')})\\b`)
const MACHINE_PATH = new RegExp(`(^|[\\s'"\`(=:])/(${['t', 'mp'].join('')}|${['w', 'ork'].join('')})(/|\\b)`)
const REGISTRY_HOST = new RegExp(`https?://${['registry', ''].join('\\.')}`)
const OPEN_TEST = new RegExp(`\\b(describe|it|test)\\.(${['on', 'ly'].join('')}|${['sk', 'ip'].join('')}|todo)\\b`)

/** Lines of a text file that speak of unfinished work, of one machine's folders, or leave tests out. */
export function wordFaults(path: string, text: string): string[] {
  const patterns: [RegExp, string][] = [
    [UNFINISHED, 'unfinished work: finish it or leave it out'],
    [MACHINE_PATH, 'a path of one machine'],
    [REGISTRY_HOST, 'a package registry by name'],
    [OPEN_TEST, 'a test that leaves others, or itself, out'],
  ]
  return text
    .split('\n')
    .flatMap((line, index) =>
      patterns
        .filter(([pattern]) => pattern.test(line))
        .map(([, why]) => `${path}:${index + 1}: ${why}: ${line.trim().slice(0, 100)}`),
    )
}

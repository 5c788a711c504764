/** What the repository consists of, for the tests of the house: its files, its packages and what they import. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseSync } from 'oxc-parser'
import { rootFolder } from './root.ts'

/** Names that are never part of the repository, as .gitignore has them. */
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.turbo', '.readme', '.vitest', 'coverage', 'state'])

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly repository?: { readonly directory?: string }
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly bin?: string | Readonly<Record<string, string>>
  readonly files?: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** A member of the workspace. Paths are relative to the root and have forward slashes on every platform. */
export interface Member {
  readonly folder: string
  /** The folder under packages/, or `apps`, or `tools` for what only serves the repository. */
  readonly layer: string
  readonly manifest: Manifest
  readonly files: readonly string[]
}

export interface Import {
  readonly specifier: string
  readonly line: number
}

/** Every file of the repository that git would know, sorted. */
export function repositoryFiles(folder = ''): string[] {
  return readdirSync(join(rootFolder, folder), { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      return entry.isDirectory() ? repositoryFiles(path) : entry.isFile() ? [path] : []
    })
    .sort()
}

export function readText(path: string): string {
  return readFileSync(join(rootFolder, path), 'utf8')
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readText(posix.join(folder, 'package.json')))
}

/** All members: packages/<layer>/<name>, apps/<name>, bench and conformance-vectors. */
export function members(): Member[] {
  const files = repositoryFiles()
  return files
    .filter((path) => /^(packages\/[^/]+\/[^/]+|apps\/[^/]+|bench|conformance-vectors)\/package\.json$/.test(path))
    .map((path) => {
      const folder = posix.dirname(path)
      const [top, layer] = folder.split('/')
      return {
        folder,
        layer: top === 'packages' ? (layer as string) : top === 'apps' ? 'apps' : 'tools',
        manifest: readManifest(folder),
        files: files.filter((file) => file.startsWith(`${folder}/`)),
      }
    })
}

/** Every module that a source names: imports, re-exports, dynamic imports and `import('…')` types. */
export function importsOf(path: string, text: string): Import[] {
  const { module, program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)
  const found: { value: string; start: number }[] = module.staticImports.map((statement) => statement.moduleRequest)
  for (const statement of module.staticExports) {
    for (const { moduleRequest } of statement.entries) if (moduleRequest) found.push(moduleRequest)
  }
  visit(program, (node) => {
    if (node.type !== 'ImportExpression' && node.type !== 'TSImportType') return
    const { source } = node as unknown as { source: { value?: unknown; start: number } }
    if (typeof source.value === 'string') found.push({ value: source.value, start: source.start })
  })
  const imports = found.map(({ value, start }) => ({ specifier: value, line: lineAt(text, start) }))
  return [...new Map(imports.map((each) => [`${each.specifier} ${each.line}`, each])).values()]
}

export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** Calls `enter` for every node of a syntax tree, parents first. */
export function visit(node: unknown, enter: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) for (const each of node) visit(each, enter)
  if (node === null || typeof node !== 'object' || !('type' in node)) return
  enter(node as SyntaxNode)
  for (const value of Object.values(node)) if (value !== null && typeof value === 'object') visit(value, enter)
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** `@scope/name` or `name` of a bare specifier; undefined for relative ones and Node's own. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|\/|node:|#)/.test(specifier)) return undefined
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
}

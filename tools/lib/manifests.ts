/** The fixed shape of a package, and that its package.json says what its sources do. */
import { importsOf, type Manifest, type Member, packageOf, readText } from './house.ts'

const SOURCE = /\.(ts|tsx|mts|mjs|js)$/

/** What is missing or wrong in the shape of a package under packages/; one line per fault. */
export function shapeFaults({ folder, manifest, files }: Member): string[] {
  const faults: string[] = []
  const demand = (holds: boolean, fault: string) => holds || faults.push(`${folder}: ${fault}`)
  demand(files.includes(`${folder}/README.md`), 'no README.md')
  demand(files.includes(`${folder}/src/index.ts`), 'no src/index.ts')
  demand(
    files.some((file) => file.startsWith(`${folder}/test/`) && file.endsWith('.test.ts')),
    'no test/*.test.ts',
  )
  demand((manifest.description ?? '').length > 10, 'package.json: no description')
  demand(manifest.license === 'Apache-2.0', 'package.json: license is not Apache-2.0')
  demand(manifest.type === 'module', 'package.json: type is not module')
  demand(manifest.sideEffects === false, 'package.json: sideEffects is not false')
  demand(manifest.repository?.directory === folder, 'package.json: repository.directory is not its folder')
  demand(manifest.scripts?.['build'] === 'node ../../../tools/build-package.mjs', 'package.json: another build script')
  demand(manifest.files?.includes('dist') === true, 'package.json: files lacks dist')
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
    faults.push(...entryFaults(folder, entry, target, files))
  }
  demand(manifest.exports?.['.'] !== undefined, 'package.json: exports has no "."')
  return faults
}

/** An entry `./x` is src/x.ts in the workspace and dist/x.js with dist/x.d.ts when published, in this order. */
function entryFaults(
  folder: string,
  entry: string,
  target: Readonly<Record<string, string>>,
  files: readonly string[],
): string[] {
  if (typeof target === 'string')
    return files.includes(`${folder}/${target}`) ? [] : [`${folder}: exports ${entry}: no ${target}`]
  const name = entry === '.' ? 'index' : entry.slice(2)
  const source = `./src/${name}.ts`
  if (!files.includes(folder + source.slice(1))) return [`${folder}: exports ${entry}: no src/${name}.ts`]
  const wanted = { 'nexus-source': source, types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }
  if (JSON.stringify(target) === JSON.stringify(wanted)) return []
  return [`${folder}: exports ${entry} should be ${JSON.stringify(wanted)}`]
}

/** Imports that neither package.json nor the house's tools name, and names that nothing imports. */
export function dependencyFaults(member: Member, tools: Manifest): string[] {
  const { folder, layer, manifest, files } = member
  const sourceFolder = layer === 'tools' ? `${folder}/` : `${folder}/src/`
  // What a page is made of is bundled into it: whoever installs the package needs none of that.
  const hasPage = manifest.scripts?.['build:page'] !== undefined
  const bundled = [`${folder}/test/`, ...(hasPage ? [`${folder}/src/page/`] : [])]
  const isSource = (file: string) => file.startsWith(sourceFolder) && !bundled.some((within) => file.startsWith(within))
  const code = files.filter((file) => SOURCE.test(file))
  const inSource = importedPackages(code.filter(isSource))
  const elsewhere = importedPackages(code.filter((file) => !isSource(file)))
  for (const block of readmeImports(member)) elsewhere.set(block, `${folder}/README.md`)
  const runtime = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
  const all = { ...runtime, ...manifest.devDependencies, ...tools.devDependencies, [manifest.name]: '' }
  const scripts = Object.values(manifest.scripts ?? {}).join(' ')

  const faults: string[] = []
  for (const [name, file] of inSource) {
    const known = name in runtime || `@types/${name}` in (manifest.devDependencies ?? {}) || name === manifest.name
    if (!known) faults.push(`${file}: imports ${name}, which dependencies lacks`)
  }
  for (const [name, file] of elsewhere)
    if (!(name in all)) faults.push(`${file}: imports ${name}, which devDependencies lacks`)
  for (const name of Object.keys(runtime)) {
    // Declarations of ours that name a package's types need those types where they are installed.
    if (!inSource.has(name.replace(/^@types\//, ''))) faults.push(`${folder}: no source imports its dependency ${name}`)
  }
  for (const name of Object.keys(manifest.devDependencies ?? {})) {
    const typed = name.startsWith('@types/')
    const buildsPage = hasPage && elsewhere.get(name)?.endsWith('.mjs')
    if (member.manifest !== tools && name in (tools.devDependencies ?? {}) && !buildsPage) {
      faults.push(`${folder}: ${name} is a tool of the house (tools/package.json): leave it out, for npm start's sake`)
    }
    const used = elsewhere.has(name) || inSource.has(name) || scripts.includes(name)
    if (!used && !typed) faults.push(`${folder}: nothing imports its devDependency ${name}`)
  }
  return faults
}

function importedPackages(paths: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of paths) {
    for (const { specifier } of importsOf(path, readText(path))) {
      const name = packageOf(specifier)
      if (name !== undefined) found.set(name, path)
    }
  }
  return found
}

function readmeImports({ folder, files }: Member): string[] {
  if (!files.includes(`${folder}/README.md`)) return []
  return typescriptBlocks(readText(`${folder}/README.md`))
    .flatMap(({ code }) => importsOf('README.ts', code))
    .flatMap(({ specifier }) => packageOf(specifier) ?? [])
}

/** The ```ts blocks of a page: what a reader would copy. */
export function typescriptBlocks(page: string): { readonly code: string; readonly line: number }[] {
  const blocks: { code: string; line: number }[] = []
  for (const match of page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    blocks.push({ code: match[1] as string, line: page.slice(0, match.index).split('\n').length })
  }
  return blocks
}

import { describe, expect, test } from 'vitest'
import { type Member, members, readManifest, readText, repositoryFiles } from '../lib/house.ts'
import { dependencyFaults, shapeFaults } from '../lib/manifests.ts'

const all = members()
const packages = all.filter(({ folder }) => folder.startsWith('packages/'))
const tools = readManifest('tools')

test.each(packages.map((member) => [member.folder, member] as const))('%s has the shape of a package', (_, member) => {
  expect(shapeFaults(member)).toEqual([])
})

test.each(all.map((member) => [member.folder, member] as const))(
  '%s names what it imports, and no more',
  (_, member) => {
    expect(dependencyFaults(member, tools)).toEqual([])
  },
)

test('names are flat and unique, versions come from the catalog or the workspace', () => {
  const names = all.map(({ manifest }) => manifest.name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.filter((name) => !/^@nexus\/[a-z0-9-]+$/.test(name))).toEqual([])
  const loose = all.flatMap(({ manifest }) =>
    Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, range]) => range !== 'catalog:' && range !== 'workspace:^')
      .map(([name, range]) => `${manifest.name}: ${name} ${range}`),
  )
  expect(loose).toEqual([])
})

test('no lockfile names a registry', () => {
  for (const file of repositoryFiles().filter((path) => /(pnpm-lock\.yaml|package-lock\.json)$/.test(path))) {
    expect(readText(file)).not.toMatch(/^\s*"?(resolved|tarball)"?:/m)
  }
})

describe('the rules trip', () => {
  const member: Member = {
    folder: 'packages/base/none',
    layer: 'base',
    files: [],
    manifest: { name: '@nexus/none', version: '1' },
  }

  test('on a package without anything', () => {
    expect(shapeFaults(member).length).toBeGreaterThan(8)
  })

  test('on exports in another form', () => {
    const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } }
    const files = ['packages/base/none/src/index.ts']
    expect(shapeFaults({ ...member, files, manifest: { ...member.manifest, exports } }).join()).toContain('should be')
  })

  test('on a dependency that nothing imports, and an import that nothing names', () => {
    const codec = packages.find(({ folder }) => folder === 'packages/base/codec') as Member
    const spare = { ...codec, manifest: { ...codec.manifest, dependencies: { zod: 'catalog:' } } }
    expect(dependencyFaults(spare, tools).join()).toContain('its dependency zod')
    const identity = packages.find(({ folder }) => folder === 'packages/base/identity') as Member
    const bare = { ...identity, manifest: { ...identity.manifest, dependencies: {} } }
    expect(dependencyFaults(bare, tools).join()).toContain('which dependencies lacks')
  })
})

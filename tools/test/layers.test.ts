import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { circles, layerFault } from '../lib/graph.ts'
import { importsOf, type Member, members, packageOf, readText } from '../lib/house.ts'

const all = members()
const byName = new Map(all.map((member) => [member.manifest.name, member]))

describe('the rule itself', () => {
  test.each([
    ['network', 'transport'],
    ['network', 'network'],
    ['toolkit', 'gateway'],
    ['gateway', 'base'],
    ['segment', 'transport'],
    ['apps', 'toolkit'],
  ])('%s may import %s', (from, to) => expect(layerFault(from, to)).toBeUndefined())

  test.each([
    ['base', 'network'],
    ['transport', 'network'],
    ['gateway', 'transport'],
    ['segment', 'network'],
    ['applications', 'gateway'],
    ['toolkit', 'apps'],
    ['apps', 'apps'],
    ['utilities', 'base'],
  ])('%s may not import %s', (from, to) => expect(layerFault(from, to)).toBeTypeOf('string'))

  test('a circle is found and spelt out, a diamond is none', () => {
    const diamond = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ])
    expect(circles(diamond)).toEqual([])
    expect(circles(new Map([...diamond, ['d', ['b']]]))).toEqual([['b', 'd', 'b']])
    expect(circles(new Map([['a', ['a']]]))).toEqual([['a', 'a']])
  })
})

describe('this repository', () => {
  test('imports point down the staircase', () => {
    expect(all.length).toBeGreaterThan(20)
    expect(all.flatMap((member) => sources(member).flatMap((file) => upwardImports(member, file)))).toEqual([])
  })

  test('packages make no circle, their tests included', () => {
    const graph = new Map(
      all.map(({ manifest }) => {
        const names = Object.keys({
          ...manifest.dependencies,
          ...manifest.devDependencies,
          ...manifest.peerDependencies,
        })
        return [manifest.name, names.filter((name) => byName.has(name))]
      }),
    )
    expect(circles(graph)).toEqual([])
  })

  test.each(all.map((member) => [member.folder, member] as const))('the files of %s make no circle', (_, member) => {
    expect(circles(fileGraph(sources(member)))).toEqual([])
  })
})

function sources({ folder, files }: Member): string[] {
  return files.filter((file) => file.startsWith(`${folder}/src/`) && /\.tsx?$/.test(file))
}

function upwardImports(member: Member, file: string): string[] {
  return importsOf(file, readText(file)).flatMap(({ specifier, line }) => {
    const target = byName.get(packageOf(specifier) ?? '')
    const crossing = specifier.startsWith('.') && !resolve(file, specifier).startsWith(`${member.folder}/`)
    if (crossing) return [`${file}:${line}: ${specifier} reaches into another package; import it by name`]
    const fault = target && target !== member ? layerFault(member.layer, target.layer) : undefined
    return fault === undefined ? [] : [`${file}:${line}: ${specifier}: ${fault}`]
  })
}

function fileGraph(files: readonly string[]): Map<string, string[]> {
  return new Map(
    files.map((file) => {
      const relative = importsOf(file, readText(file)).filter(({ specifier }) => specifier.startsWith('.'))
      return [file, relative.map(({ specifier }) => resolve(file, specifier))]
    }),
  )
}

function resolve(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier)
}

/** The map of packages in the root README, made from the packages themselves. `node tools/readme-map.ts` writes it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Member, members, readText } from './lib/house.ts'
import { rootFolder } from './lib/root.ts'

const LAYERS: readonly (readonly [string, string])[] = [
  ['base', 'Base: bytes, keys, packets'],
  ['transport', 'Transport: the media that carry frames'],
  ['network', 'Network: links, paths, delivery'],
  ['economy', 'Economy: paying without a chain in reach'],
  ['market', 'Market: offering and finding services'],
  ['services', 'Services: storage, lookup, messages to many, computing'],
  ['applications', 'Applications'],
  ['gateway', 'Gateway: the way to public chains'],
  ['segment', 'Segment: anchors of truth'],
  ['toolkit', 'Toolkit: everything composed, and the tools to see it work'],
  ['apps', 'Apps'],
]

/** Where the map stands in the README. */
export const README_MAP: RegExp = /<!-- map -->\n([\s\S]*?)<!-- \/map -->/

export function packageMap(): string {
  const all = members()
  return LAYERS.map(([layer, title]) => [title, all.filter((member) => member.layer === layer)] as const)
    .filter(([, inLayer]) => inLayer.length > 0)
    .map(
      ([title, inLayer]) => `\n**${title}**\n\n| package | what it is |\n| --- | --- |\n${inLayer.map(row).join('')}`,
    )
    .join('')
    .concat('\n')
}

function row({ folder, manifest }: Member): string {
  return `| [${manifest.name}](${folder}) | ${manifest.description ?? ''} |\n`
}

if (import.meta.main) {
  const readme = readText('README.md').replace(README_MAP, () => `<!-- map -->\n${packageMap()}<!-- /map -->`)
  writeFileSync(join(rootFolder, 'README.md'), readme)
}

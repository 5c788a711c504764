/** What Markdown pages point at, and whether it is there. */
import { posix } from 'node:path'

/** Relative links of a page that lead nowhere: no such file or folder, or no such heading in it. */
export function brokenLinks(path: string, page: string, files: ReadonlyMap<string, string>): string[] {
  const faults: string[] = []
  for (const target of linksOf(page)) {
    if (/^[a-z]+:/i.test(target)) continue
    const [file = '', heading] = target.split('#')
    const resolved = file === '' ? path : posix.join(posix.dirname(path), decodeURI(file)).replace(/\/$/, '')
    const text = files.get(resolved)
    const isFolder = [...files.keys()].some((known) => known.startsWith(`${resolved}/`))
    if (text === undefined && !isFolder) faults.push(`${path}: ${target}: no such file`)
    else if (heading && text !== undefined && !headingsOf(text).has(heading))
      faults.push(`${path}: ${target}: no such heading`)
  }
  return faults
}

function linksOf(page: string): string[] {
  const prose = page.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)]
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)]
  const attributes = [...prose.matchAll(/(?:src|href|srcset)="([^"]+)"/g)]
  return [...inline, ...references, ...attributes].map((match) => match[1] as string)
}

/** The anchors that a page's headings get: lower case, spaces as hyphens, punctuation dropped, repeats numbered. */
function headingsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, title = ''] of page.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
    let unique = anchor
    for (let repeat = 1; anchors.has(unique); repeat += 1) unique = `${anchor}-${repeat}`
    anchors.add(unique)
  }
  return anchors
}

/** The pages of our own specification and decisions that a text cites. */
export function citedPages(text: string): string[] {
  return [...text.matchAll(/\bdocs\/(?:spec|guides|decisions|results)\/[\w./-]*?[\w-]+\.md\b/g)].map(
    (match) => match[0],
  )
}

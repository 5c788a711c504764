import type { Colors } from './output.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows under their titles, columns aligned, two spaces apart; titles are dim. Cells hold no colour codes. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colors: Colors,
  style: (text: string, column: number, row: number) => string = (text) => text,
): string {
  const widths = columns.map(({ title }, at) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[at] ?? ''))),
  )
  const line = (cells: readonly string[], dress: (text: string, at: number) => string): string =>
    columns
      .map(({ align }, at) => {
        const text = cells[at] ?? ''
        const gap = ' '.repeat(widths[at]! - displayWidth(text))
        const dressed = dress(text, at)
        if (align === 'right') return gap + dressed
        return at === columns.length - 1 ? dressed : dressed + gap
      })
      .join('  ')
      .trimEnd()
  const head = line(
    columns.map(({ title }) => title),
    (text) => colors.dim(text),
  )
  return [head, ...rows.map((row, at) => line(row, (text, column) => style(text, column, at)))].join('\n')
}

const SEGMENTER = new Intl.Segmenter()
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

/** Columns that a text takes on a terminal: East Asian letters and emoji take two. */
function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of SEGMENTER.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** What a stranger wrote, fit for a terminal: control characters, which could move the cursor, become a mark. */
export function printable(text: string): string {
  // Also the direction marks that make a text read other than it is.
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

import type { PathResult } from '@nexus/node/api'
import { Command } from 'commander'
import { withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { action } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { table } from '../cli/table.ts'
import { called, WAY_COLUMNS, wayCells } from '../cli/ways.ts'

/** `nexus-path`: the ways to a node, and why one is chosen. */
export function pathCommand(): Command {
  return new Command('nexus-path')
    .description('Show every next hop towards a node, and why one of them is chosen.')
    .argument('<to>', 'NodeID, or the name or label of a node')
    .action(
      action(async ({ global, out }, to) => {
        const path = await withNode(global, (node) => node.call('path', { to: to! }))
        out.json(path)
        out.print(pathText(path, out))
        return path.known ? EXIT.ok : EXIT.notFound
      }),
    )
}

/** The ways to a node, for people. */
export function pathText(
  { to, policy, explanation, candidates }: PathResult,
  { colors }: Pick<Output, 'colors'>,
): string {
  const head = `to ${to} by policy ${policy}: ${explanation}`
  if (candidates.length === 0) return head
  const rows = candidates.map((each) => [
    each.chosen ? '*' : '',
    ...wayCells(called(each.label, each.nextHop), each),
    each.score === null ? '–' : each.score.toFixed(3),
    each.why,
  ])
  const shown = table(
    [{ title: '' }, ...WAY_COLUMNS, { title: 'SCORE', align: 'right' }, { title: 'WHY' }],
    rows,
    colors,
    (text, column, row) => (candidates[row]!.chosen && column < 2 ? colors.green(text) : text),
  )
  return `${head}\n\n${shown}`
}

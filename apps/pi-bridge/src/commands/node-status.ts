import { withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { printable } from '../cli/table.ts'
import { duration, plural } from '../cli/units.ts'

/** `nexus-node status`: a line, and exit code 3 where no node runs. */
export async function nodeStatus({ global, out }: Context<unknown>): Promise<number> {
  const status = await withNode(global, (node) => node.call('status', { routesMax: 0 }))
  out.json(status)
  const { node, links, interfaces, routesTotal } = status
  const name = node.label === undefined ? node.nodeId : `${printable(node.label)} (${node.nodeId})`
  out.print(
    `${name} is up for ${duration(node.upForMs)}: ${plural(interfaces.length, 'interface')}, ` +
      `${plural(links.length, 'link')}, ${plural(routesTotal, 'route')}`,
  )
  return EXIT.ok
}

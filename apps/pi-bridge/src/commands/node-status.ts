import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context, GlobalFlags } from '../cli/frame.ts'
import { pageHint } from '../cli/page-hint.ts'
import { printable } from '../cli/table.ts'
import { duration, plural } from '../cli/units.ts'
import { loadConfig } from '../config/load.ts'

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
  const page = pageOf(global)
  if (page !== undefined) out.print(pageHint(page, out.colors))
  return EXIT.ok
}

/** The address of the page that a node wrote into its state folder, where that is this configuration's. */
function pageOf(global: GlobalFlags): string | undefined {
  if (global.socket !== undefined) return undefined
  const path = join(loadConfig({ file: global.config, env: process.env }).config.stateDir, 'page')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

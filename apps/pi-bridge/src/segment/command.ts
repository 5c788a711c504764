import { Command, Option } from 'commander'
import { action } from '../cli/frame.ts'
import { wholeNumber } from '../cli/parse.ts'
import { VARIABLES } from './settings.ts'

const MESH_PORT = 4_242
const PAGE_PORT = 4_280

/** `nexus-segment`: one anchor and one key among the machines on a cable. */
export function segmentCommand(): Command {
  const command = new Command('nexus-segment').description(
    'Find the other nodes on a link, agree on one anchor, hold its key: no DHCP, no DNS, no configuration.',
  )
  command
    .command('start')
    .description('Run a node on all network interfaces, or those that are set; Ctrl-C ends it.')
    .addOption(
      new Option('--mesh-port <port>', 'UDP port of the mesh, for the addresses of members that are found')
        .argParser(wholeNumber(1, 65_535))
        .default(MESH_PORT),
    )
    .addHelpText('after', `\nSettings (also the table [segment] of the file): ${Object.values(VARIABLES).join(', ')}`)
    .action(action<{ meshPort: number }>(async (context) => (await import('./command-start.ts')).startSegment(context)))
  command
    .command('status', { isDefault: true })
    .description('Show members, anchor, age of the epoch and what was dropped.')
    .action(action(async (context) => (await import('./command-show.ts')).showSegment(context, false)))
  command
    .command('watch')
    .description('Show it again each second.')
    .action(action(async (context) => (await import('./command-show.ts')).showSegment(context, true)))
  command
    .command('demo')
    .description(
      'Ten simulated nodes on one simulated link, and a live page: kill the anchor and watch a new one rise.',
    )
    .addOption(
      new Option('--port <port>', 'first port to try for the page; 0 for any')
        .argParser(wholeNumber(0, 65_535))
        .env('PORT')
        .default(PAGE_PORT),
    )
    .addOption(
      new Option('--host <address>', 'where the page listens; 0.0.0.0 for whoever has its token')
        .choices(['127.0.0.1', '::1', '0.0.0.0', '::'])
        .default('127.0.0.1'),
    )
    .action(
      action<{ port: number; host: string }>(async (context) => (await import('./command-demo.ts')).showDemo(context)),
    )
  return command
}

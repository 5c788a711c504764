import type { SegmentEvent } from '@nexus/anchor-truth'
import { meshAddress } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import { Command, Option } from 'commander'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'
import { wholeNumber } from '../cli/parse.ts'
import { reports } from './control.ts'
import { runSegment, segmentSocket } from './run.ts'
import { loadSegmentSettings, VARIABLES } from './settings.ts'
import { reportText } from './status.ts'

const MESH_PORT = 4_242

interface StartFlags {
  readonly meshPort: number
}

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
    .action(action<StartFlags>((context) => start(context)))
  command
    .command('status', { isDefault: true })
    .description('Show members, anchor, age of the epoch and what was dropped.')
    .action(action((context) => show(context, false)))
  command
    .command('watch')
    .description('Show it again each second.')
    .action(action((context) => show(context, true)))
  return command
}

async function start({ global, flags, out, signal }: Context<StartFlags>): Promise<number> {
  process.removeAllListeners('warning')
  const settings = loadSegmentSettings(global.config, process.env)
  const running = await runSegment(settings, {
    event(interfaceName, event) {
      const told = { schema: 'nexus-segment-event/1', at: Date.now(), interface: interfaceName, ...factsOf(event) }
      out.json(told)
      if (event.kind === 'promoted') out.print(`${interfaceName}: this node is the anchor, epoch ${event.epoch}`)
      if (event.kind === 'followed') {
        out.print(`${interfaceName}: the anchor is ${toHex(event.nodeId).slice(0, 12)}, epoch ${event.epoch}`)
      }
    },
    member: (found) =>
      out.print(
        `${found.interfaceName}: found ${toHex(found.nodeId).slice(0, 12)} at ${meshAddress(found, flags.meshPort)}`,
      ),
    problem: (interfaceName, error) => out.say(`${interfaceName}: ${error.message}`),
    warn: (text) => out.say(`warning: ${text}`),
  })
  out.json({ schema: 'nexus-segment-started/1', nodeId: toHex(running.nodeId), pid: process.pid })
  out.say(`${toHex(running.nodeId)} looks for its segment; nexus-segment watch shows it.`)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await running.stop()
  return EXIT.ok
}

async function show({ global, out, signal }: Context<unknown>, isWatching: boolean): Promise<number> {
  const { stateDir } = loadSegmentSettings(global.config, process.env)
  for await (const report of reports(segmentSocket(stateDir), signal)) {
    out.json(report)
    if (isWatching && process.stdout.isTTY && !out.isJson) process.stdout.write('\u001b[H\u001b[2J')
    out.print(reportText(report, out.colors))
    if (!isWatching) break
  }
  return EXIT.ok
}

/** An event with its bytes in hexadecimal. */
function factsOf(event: SegmentEvent): object {
  return JSON.parse(JSON.stringify(event, (_, value) => (value instanceof Uint8Array ? toHex(value) : value)))
}
